package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/keys"
	"weir/keys/keyfile"
	"weir/ledger"
	"weir/ledger/wire"
	"weir/manager"
)

func (p *program) manager() *cli.Command {
	pngFlag := &cli.StringFlag{Name: "png", Usage: "write the QR code to `FILE`"}
	limits := []cli.Flag{
		&cli.StringFlag{Name: "lower", Usage: "how far below zero a member may go, an `AMOUNT` like -100.00"},
		&cli.StringFlag{Name: "upper", Usage: "the most a member may have, an `AMOUNT`"},
	}
	reason := &cli.StringFlag{Name: "reason", Usage: "`TEXT` that everybody can read in the log"}
	return &cli.Command{
		Name:  "manager",
		Usage: "found a database, run it and look after its members",
		Subcommands: []*cli.Command{
			{Name: "init", Usage: "found a database", Flags: flags(common(), passphraseFlags(), limits, []cli.Flag{
				&cli.StringFlag{Name: "name", Usage: "what the database is called, a `NAME`"},
				&cli.StringFlag{Name: "kind", Value: "ledger", Usage: "`KIND` of database: ledger"},
				&cli.StringFlag{Name: "unit", Value: "HRS", Usage: "what is counted, a short `WORD`"},
				&cli.IntFlag{Name: "scale", Value: 2, Usage: "decimal `PLACES` of an amount, 0 to 9, for ever"},
				&cli.IntFlag{Name: "quota", Value: 1000, Usage: "`ENTRIES` a member and day"},
				&cli.DurationFlag{Name: "heartbeat", Value: 4 * time.Hour, Usage: "publish a fresh head after so `LONG` without changes"},
				&cli.DurationFlag{Name: "stale", Value: 24 * time.Hour, Usage: "readers warn of a head that is older than `LONG`"},
				&cli.StringFlag{Name: "recovery", Usage: "write the recovery key's words to `FILE`, on another medium, instead of printing them"},
				&cli.StringFlag{Name: "bootstrap", Usage: "links will carry these DHT nodes, `HOST:PORT,…`: for a network of your own", EnvVars: []string{"WEIR_BOOTSTRAP"}},
			}), Action: p.managerInit},
			{Name: "run", Usage: "poll, merge and publish, until interrupted", Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{
				&cli.StringFlag{Name: "cycle", Usage: "from the start of one cycle to the next, a `LENGTH` like 30s", EnvVars: []string{"WEIR_CYCLE"}},
				&cli.BoolFlag{Name: "once", Usage: "one cycle, acknowledged by the DHT, then exit"},
			}), Action: p.managerRun},
			{Name: "invite", Usage: "make an invitation: a link and its QR code", Flags: flags(common(), []cli.Flag{pngFlag,
				&cli.StringFlag{Name: "expires", Value: "7d", Usage: "how `LONG` it is good for, like 12h or 7d"},
			}), Action: p.managerInvite},
			{Name: "invitations", Usage: "list invitations", Flags: common(), Action: p.managerInvitations},
			{Name: "revoke", Usage: "close an open invitation", ArgsUsage: "ID", Flags: common(), Action: p.managerRevoke},
			{Name: "admit", Usage: "admit by hand: takes a member's code, prints the answer code", ArgsUsage: "CODE", Flags: flags(common(), passphraseFlags()), Action: p.managerAdmit},
			{Name: "link", Usage: "print the public link of the database", Flags: flags(common(), []cli.Flag{pngFlag}), Action: p.managerLink},
			{Name: "status", Usage: "how the manager and its database stand", Flags: common(), Action: p.managerStatus},
			{Name: "members", Usage: "list members", Flags: common(), Action: p.managerMembers},
			{Name: "suspend", Usage: "put a member in read-only mode", ArgsUsage: "MEMBER", Flags: flags(common(), passphraseFlags(), []cli.Flag{reason}), Action: p.managerSuspend},
			{Name: "resume", Usage: "end a suspension", ArgsUsage: "MEMBER", Flags: flags(common(), passphraseFlags(), []cli.Flag{reason}), Action: p.managerResume},
			{Name: "limit", Usage: "set how far below and above zero a member may go", ArgsUsage: "MEMBER", Flags: flags(common(), passphraseFlags(), limits), Action: p.managerLimit},
			{Name: "log", Usage: "print the log", Flags: flags(common(), []cli.Flag{
				&cli.IntFlag{Name: "count", Value: 50, Usage: "the last `N` entries"},
				&cli.Uint64Flag{Name: "first", Usage: "from entry `N` on"},
			}), Action: p.managerLog},
			{Name: "audit", Usage: "check every signature, hash, balance and proof again from the stored bytes", Flags: common(), Action: p.managerAudit},
			{Name: "clock", Usage: "say that a clock which leapt is right: weir manager clock accept", ArgsUsage: "accept", Flags: common(), Action: p.managerClock},
		},
	}
}

// initView is what manager init gives.
type initView struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Link      string   `json:"link"`
	Directory string   `json:"directory"`
	Recovery  []string `json:"recovery_words,omitempty"`
	File      string   `json:"recovery_file,omitempty"`
}

func (p *program) managerInit(c *cli.Context) error {
	o, err := p.options(c, roleManager)
	if err != nil {
		return err
	}
	if kind := c.String("kind"); kind != string(wire.KindLedger) {
		return usagef("--kind %s: only ledger can be founded", kind)
	}
	if c.String("name") == "" {
		return usagef("a database needs a name: --name NAME")
	}
	scale := c.Int("scale")
	if scale < 0 || scale > 9 {
		return usagef("--scale %d: 0 to 9 decimal places are possible", scale)
	}
	lower, upper := c.String("lower"), c.String("upper")
	if lower == "" {
		lower = "-100"
	}
	if upper == "" {
		upper = "1000"
	}
	charter := wire.Charter{
		Kind: wire.KindLedger, Name: c.String("name"), Created: time.Now().UnixMilli(), Unit: c.String("unit"), Scale: scale,
		Quota: c.Int("quota"), Heartbeat: int(c.Duration("heartbeat").Seconds()), Stale: int(c.Duration("stale").Seconds()),
	}
	if charter.Lower, err = ledger.ParseAmount(lower, scale); err != nil {
		return usagef("--lower: %v", err)
	}
	if charter.Upper, err = ledger.ParseAmount(upper, scale); err != nil {
		return usagef("--upper: %v", err)
	}
	if charter.Lower > 0 || charter.Upper < 0 {
		return usagef("--lower %s --upper %s: a lower limit is zero or less, an upper limit zero or more", lower, upper)
	}
	bootstrap := split(c.String("bootstrap"))
	if err := checkAddresses("bootstrap", bootstrap); err != nil {
		return err
	}
	if err := unfounded(o.dir, charter.Name, c.String("recovery")); err != nil {
		return err
	}
	recovery, err := keys.NewSeed(rand.Reader)
	if err != nil {
		return err
	}
	charter.Recovery = keys.Derive(recovery).Public()
	// The charter is checked whole before a key is made or a passphrase asked for.
	probe := charter
	stand := keys.Derive(recovery)
	probe.Manager, probe.Log, probe.Seal = keys.Public(stand.LogPublic()), stand.LogPublic(), stand.SealPublic()
	probe.Manager[0] ^= 1
	if _, err := probe.Encode(); err != nil {
		return usagef("%v", err)
	}
	id, err := p.identity(o)
	if errors.Is(err, keyfile.ErrNotFound) {
		seed, err := keys.NewSeed(rand.Reader)
		if err != nil {
			return err
		}
		if err := p.newKey(o, seed); err != nil {
			return err
		}
		id = keys.Derive(seed)
	} else if err != nil {
		return err
	}
	if err := o.dir.Make(); err != nil {
		return err
	}
	charter.Manager, charter.Log, charter.Seal = id.Public(), id.LogPublic(), id.SealPublic()
	link, err := host.CharterLink(&charter, linkAddresses(bootstrap))
	if err != nil {
		return err
	}
	if err := c.Context.Err(); err != nil {
		return err // interrupted while the key was made: no database yet
	}
	words := keys.Words(recovery)
	out := initView{ID: link.ID, Name: charter.Name, Link: link.Link, Directory: string(o.dir), Recovery: words, File: c.String("recovery")}
	where := "printed above"
	if out.File != "" {
		out.Recovery, where = nil, "in "+out.File
	}
	if err := p.giveWords(o, out, words); err != nil {
		return err
	}
	if _, err := host.Found(o.dir, &charter, linkAddresses(bootstrap)); err != nil {
		return fmt.Errorf("found the database: %w; the recovery words %s are of this attempt alone: throw them away before the next", err, where)
	}
	if o.json && out.File == "" {
		return nil // giveWords has printed it
	}
	return p.show(o.json, out, func() {
		p.printf("The database %q was founded in %s.\n\nid    %s\nlink  %s\n\n", out.Name, out.Directory, out.ID, out.Link)
		if out.File != "" {
			p.printf("Its recovery key was written to %s. Keep it away from this machine.\n\n", out.File)
		}
		p.printf("Next: weir manager run, and in another window weir manager invite.\n")
	})
}

// giveWords hands the recovery key's words out before there is a database that
// needs them: they stand nowhere else, so nothing may fail between the two. JSON
// is one object, and goes out whole; the exit code says whether it came true.
func (p *program) giveWords(o options, v initView, words []string) (err error) {
	switch {
	case v.File != "":
		text := fmt.Sprintf("Recovery key of the weir database %q. With these words a stolen or lost manager key is replaced.\n%s", v.Name, wordTable(words))
		err = keyfile.WriteAtomic(v.File, []byte(text))
	case o.json:
		err = p.json(v)
	default:
		_, err = fmt.Fprintf(p.out, "The recovery key of %q, shown this once. With it a stolen or lost manager key is replaced;\nwrite it down and keep it away from this machine:\n%s\n", v.Name, wordTable(words))
	}
	if err != nil {
		return fmt.Errorf("hand out the recovery key: %w; nothing was founded", err)
	}
	return nil
}

// unfounded says whether founding would leave everything alone that is there: a
// database of the same name, which is a command given twice, and above all the
// words of another database's recovery key, which stand nowhere else.
func unfounded(dir host.Directory, name, recovery string) error {
	all, err := dir.Databases()
	if err != nil {
		return err
	}
	for _, db := range all {
		if db.Role == roleManager && db.Name == name {
			return fmt.Errorf("%s has a database %q already; found another with another --name or --dir", dir, name)
		}
	}
	if recovery == "" {
		return nil
	}
	if _, err := os.Lstat(recovery); err == nil {
		return fmt.Errorf("%s is there already and may hold another recovery key; nothing was written: name another file with --recovery", recovery)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write the recovery key: %w", err)
	}
	return nil
}

func (p *program) managerRun(c *cli.Context) error {
	o, err := p.options(c, roleManager)
	if err != nil {
		return err
	}
	network, err := o.network(p)
	if err != nil {
		return err
	}
	period, err := o.duration("cycle", o.settings.Cycle, 30*time.Second)
	if err != nil {
		return err
	}
	db, err := o.dir.Choose(o.db)
	if err != nil {
		return err
	}
	if err := p.free(c, o, "manager status"); err != nil {
		return err
	}
	id, err := p.identity(o)
	if err != nil {
		return err
	}
	return p.reopening(c.Context, func() error { return p.managerSession(c, o, db, id, network, period) })
}

// managerSession runs a manager from opening its store to closing it.
func (p *program) managerSession(c *cli.Context, o options, db host.Database, id *keys.Identity, network host.Network, period time.Duration) error {
	reports := make(chan manager.Report, 16)
	var m *host.Manager
	if err := p.alone(c, o, "manager status", func() (err error) {
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
	server, err := control.Serve(string(o.dir), m.Invoke)
	if err != nil {
		return err
	}
	defer server.Close()
	if !o.json {
		p.printf("The manager of %q runs (%s), listening on %s.\n", db.Name, db.ID[:8], m.Edges().Node.Addr())
	}
	for {
		select {
		case <-c.Context.Done():
			return nil
		case r := <-reports:
			v := host.ViewCycle(r, m.Scale())
			if err := p.show(o.json, v, func() { p.printf("%s %s\n", time.Now().Format("15:04:05"), cycleLine(v)) }); err != nil {
				return err
			}
			if err := m.Broken(); err != nil {
				return err
			}
			switch {
			case r.Phase == manager.Stopped: // it will never publish again
				return &control.Error{Code: host.CodeRefused, Text: r.Problem}
			case !c.Bool("once"):
			case r.Phase == manager.Refusing || r.Phase == manager.Held:
				return &control.Error{Code: host.CodeRefused, Text: r.Problem}
			case r.Published:
				return nil
			case r.Problem != "" && r.Phase == manager.Starting:
				return &control.Error{Code: host.CodeNoNode, Text: strings.TrimSuffix(r.Problem, "; trying again") + "; tried " + m.Edges().Tried()}
			}
		}
	}
}

func pollLine(v host.PollView) string {
	return fmt.Sprintf("%d keys: %d with two answers, %d with one, %d with none; %d newer; half within %d ms, 99 %% within %d ms\n"+
		"          %d packets, %d more to look holders up, %d bytes out, %d in; %d stale answers, %d invalid",
		v.Keys, v.Answers[2], v.Answers[1], v.Answers[0], v.Newer, v.P50MS, v.P99MS,
		v.Packets, v.Background, v.BytesOut, v.BytesIn, v.Stale, v.Invalid)
}

func cycleLine(v host.CycleView) string {
	line := fmt.Sprintf("cycle %d: %d polled", v.Cycle, v.Polled)
	if v.Short > 0 {
		line += fmt.Sprintf(" (%d unanswered)", v.Short)
	}
	if v.Admitted > 0 {
		line += fmt.Sprintf(", %d admitted", v.Admitted)
	}
	line += fmt.Sprintf(", %d accepted, %d refused, log %d, sum %s; polled in %d ms", v.Accepted, v.Refused, v.LogSize, v.Sum, v.PollMS)
	if v.HeadNodes > 0 {
		line += fmt.Sprintf(", published to %d nodes in %d ms", v.HeadNodes, v.PublishMS)
	}
	if v.Problem != "" {
		line += "\n  " + v.Problem
	}
	return line
}

// lifetime reads 12h, 7d, 90m.
func lifetime(text string) (time.Duration, error) {
	days := strings.HasSuffix(text, "d")
	if days {
		text = strings.TrimSuffix(text, "d") + "h"
	}
	d, err := time.ParseDuration(text)
	if days {
		d *= 24
	}
	if err != nil || d < time.Minute || d > 366*24*time.Hour {
		return 0, usagef("--expires: a time between 1m and 366d, like 12h or 7d")
	}
	return d, nil
}

func (p *program) managerInvite(c *cli.Context) error {
	d, err := lifetime(c.String("expires"))
	if err != nil {
		return err
	}
	var v host.InvitationView
	return p.ask(c, roleManager, "manager invite", host.InviteIn{Seconds: int64(d.Seconds())}, &v, func(o options) error {
		if err := p.showQR(v.Link, c.String("png"), !o.json); err != nil {
			return err
		}
		return p.show(o.json, v, func() {
			p.printf("%s\n\nGood for one person until %s. They join with: weir member join LINK\nWhoever has this link first becomes a member: give it to nobody else. Its name in lists is %s.\n", v.Link, clock(v.Expires), v.ID)
		})
	})
}

func (p *program) managerInvitations(c *cli.Context) error {
	var v []host.InvitationView
	return p.ask(c, roleManager, "manager invitations", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			var rows [][]string
			for _, i := range v {
				who := i.Problem
				if i.Account != 0 {
					who = fmt.Sprintf("%d %s", i.Account, i.Name)
				}
				rows = append(rows, []string{i.ID, i.State, clock(i.Made), clock(i.Expires), who})
			}
			p.table("ID STATE MADE EXPIRES MEMBER", rows)
		})
	})
}

// one gives a command's only positional.
func one(c *cli.Context, what string) (string, error) {
	if c.NArg() != 1 {
		return "", usagef("%s takes one %s and nothing else; it got %d arguments", c.Command.HelpName, what, c.NArg())
	}
	return c.Args().First(), nil
}

func (p *program) managerRevoke(c *cli.Context) error {
	id, err := one(c, "invitation's ID")
	if err != nil {
		return err
	}
	var v host.InvitationView
	return p.ask(c, roleManager, "manager revoke", host.RevokeIn{ID: id}, &v, func(o options) error {
		return p.show(o.json, v, func() { p.printf("Invitation %s is closed.\n", v.ID) })
	})
}

func (p *program) managerAdmit(c *cli.Context) error {
	code, err := one(c, "member code")
	if err != nil {
		return err
	}
	var v host.AdmitView
	return p.ask(c, roleManager, "manager admit", host.AdmitIn{Code: code}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("%s is member %d. Give them this answer, for weir member join:\n%s\n", v.Name, v.Account, v.Answer)
		})
	})
}

func (p *program) managerLink(c *cli.Context) error {
	var v host.LinkView
	return p.ask(c, roleManager, "manager link", nil, &v, func(o options) error {
		if err := p.showQR(v.Link, c.String("png"), !o.json && p.terminal()); err != nil {
			return err
		}
		return p.show(o.json, v, func() { p.printf("%s\n", v.Link) })
	})
}

func (p *program) managerStatus(c *cli.Context) error {
	var v host.ManagerStatusView
	return p.ask(c, roleManager, "manager status", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			switch {
			case v.Phase == string(manager.Stopped):
				p.printf("Stopped: %s\n\n", v.Problem)
			case !v.Running:
				p.printf("The manager of %q does not run. Start it with weir manager run.\n\n", v.Name)
			case v.Problem != "":
				p.printf("Not all well: %s\n\n", v.Problem)
			case v.Phase == string(manager.Starting):
				p.printf("Starting: the first poll is under way; nothing is published before it has ended.\n\n")
			case len(v.Stalled) > 0:
				p.printf("Running, but %d outboxes stall (below).\n\n", len(v.Stalled))
			default:
				p.printf("All well.\n\n")
			}
			p.printf("database  %s (%s)\nlog       %d entries, %d accepted, %d refused, %d bytes\nmembers   %d; the sum of all balances is %s %s\n",
				v.Name, v.ID, v.LogSize, v.Accepted, v.Refused, v.Length, v.Members, v.Sum, v.Unit)
			if v.Running {
				p.printf("head      %s, acknowledged: %v\nnetwork   %d DHT nodes known; reachable from outside: %s\n", ago(v.HeadTime), v.HeadPut, v.Nodes, yes(v.Reachable, "yes", "not seen yet"))
				p.printf("open      %d invitations; %d invalid messages dismissed\n", v.Invitations, v.Dismissed)
			}
			if v.Cycle != nil {
				p.printf("last      %s\npoll      %s\n", cycleLine(*v.Cycle), pollLine(v.Cycle.Poll))
			}
			for _, m := range v.Stalled {
				p.printf("stalled   %d %s: %s\n", m.Account, m.Name, m.Problem)
			}
		})
	})
}

func yes(b bool, t, f string) string {
	if b {
		return t
	}
	return f
}

func (p *program) managerMembers(c *cli.Context) error {
	var v []host.MemberView
	return p.ask(c, roleManager, "manager members", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			var rows [][]string
			for _, m := range v {
				note := m.Problem
				if m.Suspended {
					note = strings.TrimSpace("suspended " + note)
				}
				rows = append(rows, []string{fmt.Sprint(m.Account), m.Name, m.Balance, m.Lower, m.Upper, fmt.Sprint(m.Entries), ago(m.Seen), note})
			}
			p.table("ACCOUNT NAME BALANCE LOWER UPPER ENTRIES SEEN NOTE", rows)
		})
	})
}

func (p *program) managerSuspend(c *cli.Context) error { return p.act(c, "suspend") }
func (p *program) managerResume(c *cli.Context) error  { return p.act(c, "resume") }
func (p *program) managerLimit(c *cli.Context) error {
	if c.String("lower") == "" && c.String("upper") == "" {
		return usagef("say a new limit: --lower AMOUNT, --upper AMOUNT or both")
	}
	return p.act(c, "limit")
}

func (p *program) act(c *cli.Context, name string) error {
	who, err := one(c, "member (account number, name or key)")
	if err != nil {
		return err
	}
	in := host.ActIn{Who: who, Reason: c.String("reason"), Lower: c.String("lower"), Upper: c.String("upper")}
	var v host.EntryView
	return p.ask(c, roleManager, "manager "+name, in, &v, func(o options) error {
		return p.show(o.json, v, func() {
			switch name {
			case "limit":
				p.printf("Account %d: limits %s to %s from now on (entry %d).\n", v.Target, v.Lower, v.Upper, v.Index)
			case "suspend":
				p.printf("Account %d may only read from now on (entry %d). It can still be paid. weir manager resume ends this.\n", v.Target, v.Index)
			default:
				p.printf("Account %d may write again (entry %d).\n", v.Target, v.Index)
			}
		})
	})
}

func (p *program) managerLog(c *cli.Context) error {
	var v []host.EntryView
	in := host.LogIn{First: c.Uint64("first"), Count: c.Int("count")}
	return p.ask(c, roleManager, "manager log", in, &v, func(o options) error {
		return p.show(o.json, v, func() { p.table("ENTRY TIME ACCOUNT NUMBER KIND VERDICT WHAT", logRows(v)) })
	})
}

func logRows(v []host.EntryView) [][]string {
	var rows [][]string
	for _, e := range v {
		rows = append(rows, []string{fmt.Sprint(e.Index), clock(e.Time), fmt.Sprintf("%d %s", e.Account, e.Name), fmt.Sprint(e.Number), e.Kind, e.Verdict, what(e)})
	}
	return rows
}

// what says in a few words what an entry did.
func what(e host.EntryView) string {
	var parts []string
	for _, q := range e.Postings {
		parts = append(parts, fmt.Sprintf("%d %s %s", q.Account, q.Name, q.Amount))
	}
	if e.Target != 0 {
		parts = append(parts, fmt.Sprintf("account %d", e.Target))
	}
	if e.Lower != "" {
		parts = append(parts, fmt.Sprintf("limits %s to %s", e.Lower, e.Upper))
	}
	for _, t := range []string{e.Memo, e.Reason} {
		if t != "" {
			parts = append(parts, fmt.Sprintf("%q", t))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *program) managerAudit(c *cli.Context) error {
	return p.audit(c, roleManager, "manager audit")
}

func (p *program) managerClock(c *cli.Context) error {
	if word, err := one(c, "word: accept"); err != nil || word != "accept" {
		return usagef("to say that the clock is right: weir manager clock accept")
	}
	var v map[string]string
	return p.ask(c, roleManager, "manager clock", nil, &v, func(o options) error {
		return p.show(o.json, v, func() { p.printf("The clock (%s) is taken as right; the manager goes on.\n", clock(v["accepted"])) })
	})
}
