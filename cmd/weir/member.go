package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/configs"
	"weir/internal/control"
	"weir/internal/host"
	"weir/ledger/wire"
)

func (p *program) member() *cli.Command {
	name := &cli.StringFlag{Name: "name", Usage: "what the others call you, a `NAME`"}
	return &cli.Command{
		Name:  "member",
		Usage: "join a database, pay, and follow it",
		Subcommands: []*cli.Command{
			{Name: "join", Usage: "join a database by an invitation or an answer code; makes a key if there is none", ArgsUsage: "[LINK-OR-ANSWER]",
				Flags: flags(common(), passphraseFlags(), networkFlags(), imageFlags(), []cli.Flag{name, timeoutFlag(),
					&cli.BoolFlag{Name: "wait", Usage: "wait until the manager has admitted you"}}), Action: p.memberJoin},
			{Name: "code", Usage: "by hand: print your member code, for the manager to admit", Flags: flags(common(), passphraseFlags(), []cli.Flag{name,
				&cli.StringFlag{Name: "png", Usage: "write the QR code to `FILE`"}}), Action: p.memberCode},
			{Name: "run", Usage: "let the agent run: follow what was joined, hand payments over, serve copies to others; until interrupted", Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{
				&cli.StringFlag{Name: "follow", Usage: "look for what is new every `TIME`, like 30s; 200ms at least", EnvVars: []string{"WEIR_FOLLOW"}}, logFileFlag()}), Action: p.memberRun},
			p.service(roleMember),
			{Name: "pay", Usage: "pay somebody: TO is a name, an account number or a member code", ArgsUsage: "TO AMOUNT", Flags: flags(common(), passphraseFlags(), networkFlags(), payFlags(), []cli.Flag{
				&cli.StringFlag{Name: "memo", Usage: "a `TEXT` that everybody can read in the log"}}), Action: p.memberPay},
			{Name: "refund", Usage: "pay back what you received by an entry of your statement", ArgsUsage: "ENTRY", Flags: flags(common(), passphraseFlags(), networkFlags(), payFlags(), []cli.Flag{
				&cli.StringFlag{Name: "amount", DefaultText: "all of it", Usage: "only this `AMOUNT`"}}), Action: p.memberRefund},
			{Name: "show", Usage: "what became of one of your changes, or what an entry of your statement is", ArgsUsage: "[NUMBER]", Flags: flags(common(), passphraseFlags(), []cli.Flag{
				&cli.Uint64Flag{Name: "entry", Usage: "entry `N` of the log instead, somebody else's too"}}), Action: p.memberShow},
			{Name: "balance", Usage: "your balance and limits", Flags: flags(common(), passphraseFlags()), Action: p.memberBalance},
			{Name: "members", Usage: "list members: whom one can pay", Flags: flags(common(), passphraseFlags(), []cli.Flag{sortFlag()}), Action: p.memberMembers},
			{Name: "statement", Usage: "what went in and out of your account", Flags: flags(common(), passphraseFlags(), statementFlags()), Action: p.memberStatement},
			{Name: "outbox", Usage: "what waits for the manager; outbox cancel NUMBER takes one back", ArgsUsage: "[cancel NUMBER]", Flags: flags(common(), passphraseFlags(), []cli.Flag{
				&cli.BoolFlag{Name: "raw", Usage: "print the outbox item, for any BEP-44 client to put"}}), Action: p.memberOutbox},
			{Name: "status", Usage: "how things stand", Flags: flags(common(), passphraseFlags()), Action: p.memberStatus},
			{Name: "log", Usage: "print the log", Flags: flags(common(), passphraseFlags(), logFlags()), Action: p.memberLog},
			{Name: "takeover", Usage: "say that this device goes on with the account, after another one used the key", Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{
				&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
				&cli.BoolFlag{Name: "offline", Usage: "go on from the log as it is here, without a look for a newer one"}}), Action: p.memberTakeOver},
			{Name: "restore", Usage: "bring your account back on a new device, from the 24 words of its key", ArgsUsage: "LINK", Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{timeoutFlag(), wordsFlag(),
				&cli.BoolFlag{Name: "yes", Usage: "do not ask whether the old device is off"}}), Action: p.memberRestore},
			{Name: "audit", Usage: "check every signature, hash, balance and proof again from the stored bytes", Flags: flags(common(), passphraseFlags()), Action: p.memberAudit},
			{Name: "evidence", Usage: "print what proves that somebody signed two things that cannot both be true, for others to check", Flags: flags(common(), passphraseFlags()), Action: p.memberEvidence},
		},
	}
}

func (p *program) memberCode(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	name, err := memberName(c)
	if err != nil {
		return err
	}
	if name == "" {
		name = "member"
	}
	if err := p.haveKey(o); err != nil {
		return err
	}
	id, err := p.identity(o)
	if err != nil {
		return err
	}
	code, err := wire.NewMemberCode(id, name).Link()
	if err != nil {
		return err
	}
	if err := p.showQR(o, code, c.String("png")); err != nil {
		return err
	}
	k := id.Public()
	return p.show(o.json, map[string]string{"code": code, "key": hex.EncodeToString(k[:]), "text": k.String()}, func() {
		p.printf("%s\n\nGive this to the manager, who answers with another code, for weir member join.\n", code)
	})
}

func (p *program) memberRun(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	network, err := o.network(p)
	if err != nil {
		return err
	}
	follow, err := o.duration("follow", o.settings.Follow, usual(network), configs.FollowMin)
	if err != nil {
		return err
	}
	all, err := o.dir.Databases()
	if err != nil {
		return err
	}
	var dbs []host.Database
	for _, db := range all {
		if db.Role == roleMember {
			dbs = append(dbs, db)
		}
	}
	if len(dbs) == 0 {
		return fmt.Errorf("%w: %s has joined no database", host.ErrNotInitialised, o.dir)
	}
	if err := p.free(c, o, dbs[0], "member status"); err != nil {
		return err
	}
	id, err := p.identity(o)
	if err != nil {
		return err
	}
	cfg := host.AgentConfig{Dir: o.dir, Databases: dbs, Identity: id, Network: network, Follow: follow, Online: true}
	if err := p.place(o); err != nil {
		return err
	}
	if err := p.openLog(o); err != nil {
		return err
	}
	return p.reopening(c.Context, func() error { return p.memberSession(c, o, cfg) })
}

// databaseNames lists databases for people.
func databaseNames(dbs []host.Database) string {
	var names []string
	for _, db := range dbs {
		name := short(db.ID)
		if db.Name != "" {
			name = strconv.Quote(db.Name)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// memberSession runs an agent from opening its stores to closing them.
func (p *program) memberSession(c *cli.Context, o options, cfg host.AgentConfig) error {
	var a *host.Agent
	began := time.Now()
	if err := p.alone(c, o, cfg.Databases[0], "member status", func() (err error) {
		a, err = host.OpenAgent(c.Context, cfg)
		return err
	}); err != nil {
		return err
	}
	defer a.Close()
	server, err := control.Serve(o.dir.Control(cfg.Databases[0]), a.Invoke)
	if err != nil {
		return err
	}
	defer server.Close()
	listen := a.Edges().Node.Addr().String()
	if err := p.show(o.json, map[string]any{"running": true, "listen": listen, "databases": len(cfg.Databases)}, func() {
		p.printf("Following %s, listening on %s. Interrupt (Ctrl-C) ends it.\n", databaseNames(cfg.Databases), listen)
	}); err != nil {
		return err
	}
	if p.logFile != nil {
		p.logFile.Printf("The agent follows %s, listening on %s.", databaseNames(cfg.Databases), listen)
		defer p.logFile.Printf("The agent has ended.")
	}
	others, stood, told := make([]news, len(cfg.Databases)), make([]standing, len(cfg.Databases)), make([]bool, len(cfg.Databases))
	look := time.NewTicker(reopenPause)
	defer look.Stop()
	for {
		select {
		case <-c.Context.Done():
			return nil
		case <-look.C:
			if err := a.Broken(c.Context); err != nil && c.Context.Err() == nil {
				return err
			}
			p.tellDisk(o.dir)
			for i, db := range cfg.Databases {
				if why, err := otherDevice(c, a, db); err == nil {
					p.remark(others[i].of(why))
				}
				told[i] = told[i] || p.tellAdoption(c, a, db, began)
				stood[i].full = p.full
				p.follow(c, a, db, &stood[i])
			}
		}
	}
}

// tellDisk says once that the disk is full, and once that it has room again.
func (p *program) tellDisk(d host.Directory) {
	why := d.Full(p.full)
	if p.full == (why != "") {
		return
	}
	if p.full = why != ""; p.full {
		p.remark(why + ". Nothing more is written down here until there is room; nothing is lost")
		return
	}
	p.remark("the disk has room again, and what is new is written down")
}

// otherDevice says that another device uses the key; "": none was noticed.
func otherDevice(c *cli.Context, a *host.Agent, db host.Database) (string, error) {
	raw, err := request(db, "member outbox", nil)
	if err != nil {
		return "", err
	}
	answer, err := a.Invoke(c.Context, "member outbox", raw)
	if err != nil {
		return "", err
	}
	var v host.OutboxView
	if err := copyJSON(answer, &v); err != nil || v.Other == "" {
		return "", err
	}
	return databaseNames([]host.Database{db}) + ": " + v.Other, nil
}

func (p *program) memberBalance(c *cli.Context) error {
	var v host.BalanceView
	return p.ask(c, roleMember, "member balance", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("%s %s (account %d, %s; limits %s to %s)\n", v.Balance, v.Unit, v.Account, v.Name, v.Lower, v.Upper)
			if v.Suspended {
				p.printf("This account may only read and be paid, until the manager resumes it.\n")
			}
			p.printf("%s\n", asOfText(v.AsOf))
			if v.Behind > 0 {
				p.note(fmt.Sprintf("%s newer than that, and not in it yet: weir member status tells why", count(v.Behind, "entry is", "entries are")))
			}
		})
	})
}

func (p *program) memberOutbox(c *cli.Context) error {
	if c.NArg() == 2 {
		n, err := strconv.ParseUint(c.Args().Get(1), 10, 53)
		if err != nil || n == 0 || c.Args().First() != "cancel" {
			return usagef("to take a change back: weir member outbox cancel NUMBER")
		}
		var v host.ChangeView
		return p.ask(c, roleMember, "member cancel", host.NumberIn{Number: n}, &v, func(o options) error {
			return p.show(o.json, v, func() { p.printf("Change %d was taken back; nobody had seen it.\n", v.Number) })
		})
	}
	if c.Bool("raw") {
		var v host.RawView
		return p.ask(c, roleMember, "member raw", nil, &v, func(o options) error {
			return p.show(o.json, v, func() {
				p.printf("key %s\nsalt %s\nseq %d\nsig %s\ntarget %s\nvalue %s\n", v.Key, v.Salt, v.Seq, v.Sig, v.Target, v.Value)
				for _, chunk := range v.Chunks {
					p.printf("chunk %s\n", chunk)
				}
			})
		})
	}
	var v host.OutboxView
	return p.ask(c, roleMember, "member outbox", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			defer p.note(v.Other)
			if len(v.Waiting) == 0 {
				p.printf("Nothing waits.\n")
				return
			}
			var rows [][]string
			for _, w := range v.Waiting {
				rows = append(rows, []string{fmt.Sprint(w.Number), w.Kind, w.State, what(host.EntryView{Postings: w.Postings, Memo: w.Memo})})
			}
			p.table("NUMBER KIND STATE WHAT", rows)
		})
	})
}
