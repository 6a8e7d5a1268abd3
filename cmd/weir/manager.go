package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/configs"
	"weir/internal/control"
	"weir/internal/host"
	"weir/internal/lookup"
	"weir/keys"
	"weir/manager"
)

func (p *program) manager() *cli.Command {
	pngFlag := &cli.StringFlag{Name: "png", Usage: "write the QR code to `FILE`"}
	limits := func(lower, upper string) []cli.Flag {
		return []cli.Flag{
			&cli.StringFlag{Name: "lower", Value: lower, Usage: "how far below zero a member may go, an `AMOUNT` like -100.00"},
			&cli.StringFlag{Name: "upper", Value: upper, Usage: "the most a member may have, an `AMOUNT`"},
		}
	}
	reason := &cli.StringFlag{Name: "reason", Usage: "`TEXT` that everybody can read in the log"}
	return &cli.Command{
		Name:  "manager",
		Usage: "found a database, run it and look after its members",
		Subcommands: []*cli.Command{
			{Name: "init", Usage: "found a database", Flags: flags(common(), passphraseFlags(), limits("-100", "1000"), []cli.Flag{
				&cli.StringFlag{Name: "name", Usage: "what the database is called, a `NAME`"},
				&cli.StringFlag{Name: "kind", Value: "ledger", Usage: "`KIND` of database: ledger"},
				&cli.StringFlag{Name: "unit", Value: "HRS", Usage: "what is counted, a short `WORD`"},
				&cli.IntFlag{Name: "scale", Value: 2, Usage: "decimal `PLACES` of an amount, 0 to 9, for ever"},
				&cli.BoolFlag{Name: "approval", Usage: "who joins by an invitation waits until you approve; for ever"},
				&cli.BoolFlag{Name: "encrypted", Usage: "only members, and whom they give the read key, can read the entries; for ever"},
				&cli.IntFlag{Name: "quota", Value: 1000, Usage: "at most so many `ENTRIES` a member and day"},
				&cli.DurationFlag{Name: "heartbeat", Value: 4 * time.Hour, Usage: "without changes, publish a fresh head after this `TIME`"},
				&cli.DurationFlag{Name: "stale", Value: 24 * time.Hour, Usage: "readers are warned of a head that is older than this `TIME`"},
				&cli.StringFlag{Name: "recovery", Usage: "write the recovery key's words to `FILE`, on another medium, instead of printing them"},
				&cli.StringFlag{Name: "bootstrap", Usage: "links will carry these DHT nodes, `HOST:PORT,…`: for a network of your own", EnvVars: []string{"WEIR_BOOTSTRAP"}},
			}), Action: p.managerInit},
			{Name: "run", Usage: "let the manager run: look for changes, take them, publish; until interrupted", Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{
				&cli.StringFlag{Name: "cycle", Usage: "`TIME` from the start of one cycle to the next, like 30s; 50ms at least", EnvVars: []string{"WEIR_CYCLE"}},
				logFileFlag(),
				&cli.BoolFlag{Name: "once", Usage: "one cycle, acknowledged by the DHT, then exit"},
			}), Action: p.managerRun},
			p.service(roleManager),
			p.succeedCommand(),
			{Name: "invite", Usage: "make an invitation: a link and its QR code; or many, as sheets to print", Flags: flags(common(), inviteFlags(), []cli.Flag{pngFlag}), Action: p.managerInvite},
			{Name: "invitations", Usage: "list invitations", Flags: flags(common(), []cli.Flag{
				&cli.StringFlag{Name: "out", Usage: "also write the open ones into the new directory `DIR`, to print"}}), Action: p.managerInvitations},
			{Name: "revoke", Usage: "close an open invitation: by its number, the beginning of its id, or the name it is for", ArgsUsage: "[INVITATION]", Flags: flags(common(), []cli.Flag{
				&cli.BoolFlag{Name: "all-open", Usage: "close every open one"}}), Action: p.managerRevoke},
			{Name: "requests", Usage: "list who asks to join and waits for your approval", Flags: common(), Action: p.managerRequests},
			{Name: "approve", Usage: "admit one of them", ArgsUsage: "REQUEST", Flags: flags(common(), passphraseFlags(), []cli.Flag{
				&cli.StringFlag{Name: "name", Usage: "admit under this `NAME` instead of the one that is asked for"}}), Action: p.managerApprove},
			{Name: "reject", Usage: "do not admit one of them; the invitation ends", ArgsUsage: "REQUEST", Flags: flags(common(), []cli.Flag{
				&cli.StringFlag{Name: "reason", Usage: "a `TEXT` for your own list; nobody else sees it"}}), Action: p.managerReject},
			{Name: "admit", Usage: "admit by hand: takes a member's code, prints the answer code", ArgsUsage: "[CODE]", Flags: flags(common(), passphraseFlags(), imageFlags(), []cli.Flag{pngFlag}), Action: p.managerAdmit},
			{Name: "rekey", Usage: "give a member's account a new key, when the old one is lost or stolen", ArgsUsage: "MEMBER CODE", Flags: flags(common(), passphraseFlags(), []cli.Flag{&cli.BoolFlag{Name: "yes", Usage: "do not ask"}}), Action: p.managerRekey},
			{Name: "link", Usage: "print the public link of the database", Flags: flags(common(), []cli.Flag{pngFlag,
				&cli.BoolFlag{Name: "read-key", Usage: "of an encrypted database, with the read key: whoever has this link can read everything"},
			}), Action: p.managerLink},
			{Name: "status", Usage: "how the manager and its database stand", Flags: common(), Action: p.managerStatus},
			{Name: "members", Usage: "list members", Flags: flags(common(), []cli.Flag{sortFlag(),
				&cli.BoolFlag{Name: "quiet", Usage: "only those of whom nothing was heard for two weeks"},
				&cli.BoolFlag{Name: "contacts", Usage: "show how to reach them"}}), Action: p.managerMembers},
			{Name: "contact", Usage: "note how to reach a member, for yourself alone, or show it; an empty TEXT forgets it", ArgsUsage: "MEMBER [TEXT]", Flags: common(), Action: p.managerContact},
			{Name: "rename", Usage: "give a member another name, for all to see", ArgsUsage: "MEMBER NAME", Flags: flags(common(), passphraseFlags()), Action: p.managerRename},
			{Name: "suspend", Usage: "let a member read and be paid, and nothing else", ArgsUsage: "MEMBER", Flags: flags(common(), passphraseFlags(), []cli.Flag{reason}), Action: p.managerSuspend},
			{Name: "resume", Usage: "end a suspension", ArgsUsage: "MEMBER", Flags: flags(common(), passphraseFlags(), []cli.Flag{reason}), Action: p.managerResume},
			{Name: "limit", Usage: "set how far below and above zero a member may go", ArgsUsage: "MEMBER", Flags: flags(common(), passphraseFlags(), limits("", "")), Action: p.managerLimit},
			{Name: "log", Usage: "print the log", Flags: flags(common(), logFlags()), Action: p.managerLog},
			{Name: "recover", Usage: "rebuild a lost manager's directory, from the 24 words of its key and what is published", ArgsUsage: "LINK", Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{timeoutFlag(), wordsFlag(),
				&cli.BoolFlag{Name: "yes", Usage: "do not ask whether the old machine is off"}}), Action: p.managerRecover},
			{Name: "audit", Usage: "check every signature, hash, balance and proof again from the stored bytes", Flags: common(), Action: p.managerAudit},
			{Name: "evidence", Usage: "print what proves that somebody signed two things that cannot both be true, for others to check", Flags: common(), Action: p.managerEvidence},
			{Name: "clock", Usage: "say that a clock which leapt is right: weir manager clock accept", ArgsUsage: "accept", Flags: common(), Action: p.managerClock},
		},
	}
}

func (p *program) managerRun(c *cli.Context) error {
	o, network, db, err := p.managing(c)
	if err != nil {
		return err
	}
	period, err := o.duration("cycle", o.settings.Cycle, usual(network), configs.CycleMin)
	if err != nil {
		return err
	}
	id, err := p.identity(o)
	if err != nil {
		return err
	}
	if err := p.place(o); err != nil {
		return err
	}
	if err := p.openLog(o); err != nil {
		return err
	}
	return p.reopening(c.Context, func() error { return p.managerSession(c, o, db, id, network, period) })
}

// managerSession runs a manager from opening its store to closing it.
func (p *program) managerSession(c *cli.Context, o options, db host.Database, id *keys.Identity, network host.Network, period time.Duration) error {
	reports := make(chan manager.Report, 16)
	var m *host.Manager
	if err := p.alone(c, o, db, "manager status", func() (err error) {
		m, err = host.OpenManager(c.Context, host.ManagerConfig{
			Dir: o.dir, Database: db, Identity: id, Network: network,
			Role: manager.Config{Cycle: period, OnCycle: func(r manager.Report) {
				select {
				case reports <- r:
				default: // nobody reads: status has the last one
				}
			}},
		})
		return err
	}); err != nil {
		return err
	}
	defer m.Close()
	if why, err := m.Stopped(); err != nil {
		return err
	} else if why != "" {
		return &control.Error{Code: host.CodeRefused, Text: why}
	}
	server, err := control.Serve(o.dir.Control(db), m.Invoke)
	if err != nil {
		return err
	}
	defer server.Close()
	began := fmt.Sprintf("The manager of %q runs (%s), listening on %s.", db.Name, short(db.ID), m.Edges().Node.Addr())
	if !o.json {
		p.printf("%s\n", began)
	}
	if p.logFile != nil {
		p.logFile.Printf("%s", began)
		defer p.logFile.Printf("The manager of %q has ended.", db.Name)
	}
	var problem news
	for {
		select {
		case <-c.Context.Done():
			if c.Bool("once") {
				return c.Context.Err()
			}
			return nil
		case r := <-reports:
			v := host.ViewCycle(r, m.Scale())
			if o.json {
				if err := p.json(v); err != nil {
					return err
				}
			}
			v.Problem = problem.of(v.Problem)
			switch line := cycleLine(v); {
			case p.logFile != nil:
				p.logFile.Printf("%s", line)
			case !o.json:
				p.printf("%s %s\n", time.Now().Format("15:04:05"), line)
			}
			if v.Admitted > 0 {
				if err := p.tellAlike(c.Context, m.AlikeSince, r.Started); err != nil {
					return err
				}
			}
			if c.Bool("once") {
				if over, err := once(r, m.Edges().Tried()); over {
					return err
				}
			}
			if err := m.Broken(); err != nil {
				return err
			}
			if r.Phase == manager.Stopped { // it will never publish again
				return &control.Error{Code: host.CodeRefused, Text: r.Problem}
			}
		}
	}
}

// tellAlike warns of names that were admitted since then and are nearly others'. Who
// is interrupted at this is not told: how a manager that was told to end ends is
// for its session to say.
func (p *program) tellAlike(ctx context.Context, alikeSince func(context.Context, time.Time) ([]host.AlikeView, error), then time.Time) error {
	alike, err := alikeSince(ctx, then)
	if err != nil && ctx.Err() == nil {
		return err
	}
	for _, a := range alike {
		p.remark("take care: " + a.Text())
	}
	return nil
}

// once says whether a cycle was the one of --once, and how it ended. Whatever
// kept it from being published is said and not waited for: nobody watches.
func once(r manager.Report, tried string) (over bool, err error) {
	why := strings.TrimSuffix(r.Problem, "; trying again")
	switch {
	case r.Published:
		return true, nil
	case r.Problem == "":
		return false, nil
	case r.Phase == manager.Stopped || r.Phase == manager.Refusing || r.Phase == manager.Held:
		return true, &control.Error{Code: host.CodeRefused, Text: r.Problem}
	case strings.Contains(why, lookup.ErrNoNodes.Error()):
		return true, &control.Error{Code: host.CodeNoNode, Text: why + "; tried " + tried}
	}
	return true, errors.New(why)
}

func cycleLine(v host.CycleView) string {
	line := fmt.Sprintf("cycle %d: %d polled", v.Cycle, v.Polled)
	if v.Phase == string(manager.Refusing) || v.Phase == string(manager.Stopped) {
		line += ", nothing taken and nothing published: this manager may not go on"
		return line + yes(v.Problem == "", "", "\n  "+v.Problem)
	}
	if v.Short > 0 {
		line += fmt.Sprintf(" (%d unanswered)", v.Short)
	}
	if v.Admitted > 0 {
		line += fmt.Sprintf(", %d admitted", v.Admitted)
	}
	if v.Requested > 0 {
		line += fmt.Sprintf(", %s to join: weir manager requests", count(v.Requested, "new request", "new requests"))
	}
	line += fmt.Sprintf(", %d accepted, %d refused, the log has %s, sum %s; polled in %d ms", v.Accepted, v.Refused, entryCount(v.LogSize), v.Sum, v.PollMS)
	if v.HeadNodes > 0 {
		line += fmt.Sprintf(", published to %s in %d ms", count(v.HeadNodes, "node", "nodes"), v.PublishMS)
	}
	if v.Problem != "" {
		line += "\n  " + v.Problem
	}
	return line
}

func (p *program) managerLink(c *cli.Context) error {
	var v host.LinkView
	return p.ask(c, roleManager, "manager link", host.LinkIn{ReadKey: c.Bool("read-key")}, &v, func(o options) error {
		if err := p.showQR(o, v.Link, c.String("png")); err != nil {
			return err
		}
		return p.show(o.json, v, func() { p.printf("%s\n", v.Link) })
	})
}
