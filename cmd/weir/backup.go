package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/keys"
	"weir/keys/keyfile"
)

func (p *program) backup() *cli.Command {
	return &cli.Command{
		Name: "backup", Usage: "write everything of a directory into one encrypted file, also while it is in use",
		Flags:  flags(common(), passphraseFlags(), []cli.Flag{outFlag()}),
		Action: func(c *cli.Context) error { return p.writeOut(c, false) },
	}
}

func (p *program) move() *cli.Command {
	return &cli.Command{
		Name: "move", Usage: "write everything of a directory into one encrypted file, to go on from it elsewhere, and lock the directory",
		Flags:  flags(common(), passphraseFlags(), []cli.Flag{outFlag()}),
		Action: func(c *cli.Context) error { return p.writeOut(c, true) },
	}
}

func (p *program) restore() *cli.Command {
	return &cli.Command{
		Name: "restore", Usage: "make a new directory of the file that weir backup or weir move wrote", ArgsUsage: "FILE",
		Flags:  flags(common(), passphraseFlags()),
		Action: p.restoreFrom,
	}
}

func outFlag() cli.Flag {
	return &cli.StringFlag{Name: "out", Usage: "write the backup to `FILE`, which must not exist yet"}
}

// whichever is the options of a command that is for either role: of the one that has
// a directory, where --dir does not say which.
func (p *program) whichever(c *cli.Context) (options, error) {
	o, err := p.options(c, roleMember)
	if err != nil || c.String("dir") != "" {
		return o, err
	}
	other, err := p.options(c, roleManager)
	if err != nil {
		return o, err
	}
	_, none := os.Stat(string(o.dir))
	_, noneOther := os.Stat(string(other.dir))
	switch {
	case none == nil && noneOther == nil:
		return o, usagef("there are two directories here, and one must be meant: say --dir %s or --dir %s", o.dir, other.dir)
	case noneOther == nil:
		return other, nil
	}
	return o, nil
}

// lockWith is the passphrase of a file with everything of a directory: the key's own,
// which is tried, so that there is one to remember and none is mistyped; or, where the
// key is in the open, a new one.
func (p *program) lockWith(o options) (string, error) {
	from, err := o.passphrase(p)
	if err != nil {
		return "", err
	}
	encrypted, err := o.dir.Key().Encrypted()
	if err != nil {
		return "", err
	}
	if !encrypted || from.None {
		from.Label, from.Open = "A passphrase for this file (you need it to restore)", "leave the file unencrypted"
		text, err := from.New(o.c.Context)
		if errors.Is(err, keyfile.ErrNoPassphrase) {
			err = fmt.Errorf("the key here has no passphrase, and the file needs one of its own: %w", err)
		}
		return text, err
	}
	var text string
	seed, err := o.dir.Key().Read(func() (string, error) {
		var err error
		text, err = from.Ask(o.c.Context)
		return text, err
	})
	if err != nil {
		return "", err
	}
	p.own = keys.Derive(seed)
	return text, nil
}

// writeOut writes a backup, or moves the directory away.
func (p *program) writeOut(c *cli.Context, move bool) error {
	o, err := p.whichever(c)
	if err != nil {
		return err
	}
	if c.String("out") == "" {
		return usagef("say where to: --out FILE, best on another disk")
	}
	if err := o.dir.Live(); err != nil && !move {
		return err
	}
	dbs, err := o.dir.Databases()
	if err != nil {
		return err
	}
	if err := o.dir.Orphan(); err != nil {
		return err
	}
	if o.db != "" && !move {
		db, err := o.dir.Choose(o.db, "")
		if err != nil {
			return err
		}
		dbs = []host.Database{db}
	}
	if move {
		if o.db != "" {
			return usagef("a directory moves as a whole, since its key does: leave --db away")
		}
		for _, db := range dbs {
			if err := p.free(c, o, db, db.Role+" status"); err != nil {
				return err
			}
		}
	}
	passphrase, err := p.lockWith(o)
	if err != nil {
		return err
	}
	cfg := host.BackupConfig{Dir: o.dir, Databases: dbs, Out: c.String("out"), Passphrase: passphrase, Now: time.Now()}
	cfg.Snapshot = func(db host.Database) (s host.Snapshot, err error) {
		err = p.call(c, o, db, db.Role+" snapshot", nil, &s)
		return s, err
	}
	p.progress("Writing …")
	var v host.BackupView
	if move {
		err = patiently(c.Context, func() (err error) { v, err = host.MoveOut(c.Context, cfg); return err })
	} else {
		v, err = host.Backup(c.Context, cfg)
	}
	p.progress("")
	if err != nil {
		return err
	}
	return p.show(o.json, v, func() { p.written(o, v, move) })
}

func (p *program) written(o options, v host.BackupView, move bool) {
	what := "This directory"
	if len(v.Databases) > 0 {
		what = "Everything of " + o.dirText()
	}
	p.printf("%s is in %s (%s), which was read back and checked.\n", what, v.File, count(v.Bytes, "byte", "bytes"))
	if !v.Encrypted {
		p.printf("The file is NOT encrypted: whoever reads it has what is in it.\n")
	} else {
		p.printf("It opens with the passphrase that you have just given, and with nothing else.\n")
	}
	for _, db := range v.Databases {
		name := db.Name
		if name == "" {
			name = short(db.ID)
		}
		p.printf("  %s (%s): %s\n", name, db.Role, yes(db.Found, count(db.Entries, "entry", "entries"), "how it was joined; it has not been found yet"))
	}
	if move {
		p.printf("This directory is locked now. On the other computer: weir restore FILE --dir DIRECTORY. Then throw the file away: it is good for once.\n")
		return
	}
	p.printf("Keep it on another disk. weir restore FILE --dir DIRECTORY makes a directory of it.\n")
}

func (o options) dirText() string { return string(o.dir) }

func (p *program) restoreFrom(c *cli.Context) error {
	if c.String("dir") == "" {
		return usagef("say where to: --dir DIRECTORY, a new one. weir paths shows where a manager's and a member's usually lie")
	}
	dir, err := filepath.Abs(c.String("dir"))
	if err != nil {
		return err
	}
	o := options{dir: host.Directory(dir), json: c.Bool("json"), c: c, named: p.given["dir"]}
	from, err := o.passphrase(p)
	if err != nil {
		return err
	}
	from.Label = "The passphrase of this file"
	p.progress("Reading and checking …")
	v, err := host.Restore(c.Context, c.Args().First(), o.dir, func() (string, error) {
		p.progress("")
		return from.Ask(c.Context)
	}, time.Now())
	p.progress("")
	if err != nil {
		return err
	}
	return p.show(o.json, v, func() { p.restored(v) })
}

func (p *program) restored(v host.UnpackView) {
	p.printf("%s is restored as it was on %s (%s). All of it was checked.\n", v.Directory, clock(v.Made), ago(v.Made))
	for _, db := range v.Databases {
		name := db.Name
		if name == "" {
			name = short(db.ID)
		}
		p.printf("  %s (%s): %s\n", name, db.Role, yes(db.Found, count(db.Entries, "entry", "entries"), "how it was joined; it has not been found yet"))
	}
	next := map[string]bool{}
	for _, db := range v.Databases {
		if next[db.Role] {
			continue // one agent follows all of them
		}
		next[db.Role] = true
		switch {
		case v.Kind == "move":
			p.printf("It was moved, so it goes on at once: weir %s run --dir %s. Throw the file away: a second copy of it would be a second device with the same key.\n", db.Role, v.Directory)
		case db.Role == roleManager:
			p.printf("What was signed after that is not in it. Start it with weir manager run --dir %s: it compares itself with the network first, and publishes nothing when that knows more; it then says what to do.\n", v.Directory)
		default:
			p.printf("What you signed after that is not in it. Start it with weir member run --dir %s: before it signs anything it fetches what is new, and what waits of yours on the network. Is every other device with this key switched off?\n", v.Directory)
		}
	}
}

// place says so, once, when the directory finds itself where it has not been before.
func (p *program) place(o options) error {
	if p.placed {
		return nil
	}
	p.placed = true
	why, err := o.dir.Elsewhere()
	if err == nil {
		p.remark(why)
	}
	return err
}
