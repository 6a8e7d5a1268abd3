package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/keys"
)

func (p *program) succeedCommand() *cli.Command {
	return &cli.Command{
		Name: "succeed", Usage: "replace a manager's key that was stolen or lost, with the words of the recovery key",
		Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{
			&cli.StringFlag{Name: "recovery", Usage: "read the recovery key's 24 words from `FILE`, instead of standard input"},
			&cli.Uint64Flag{Name: "at", Usage: "the last `ENTRY` that stands; default: the newest of this directory"},
			&cli.BoolFlag{Name: "offline", Usage: "do not look on the network first: for a database that nobody else has published"},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
		}), Action: p.managerSucceed,
	}
}

// succeedPatience is how long the look on the network may take.
const succeedPatience = 45 * time.Second

func (p *program) managerSucceed(c *cli.Context) (err error) {
	o, network, db, err := p.managing(c)
	if errors.Is(err, host.ErrNotInitialised) {
		return fmt.Errorf("%w. A succession goes on from the log in the manager's directory: make one from the newest backup (weir restore FILE --dir NEW) and succeed there. "+
			"Without a backup, only the manager's own 24 words make it again: weir manager recover LINK", err)
	}
	if err != nil {
		return err
	}
	recovery, err := p.wordsOf(c, c.String("recovery"), "the recovery key")
	if err != nil {
		return err
	}
	var s *host.Succession
	if err := p.alone(c, o, db, "manager status", func() (err error) {
		s, err = host.PlanSuccession(o.dir, db, recovery, c.Uint64("at"))
		return err
	}); err != nil {
		return err
	}
	defer func() {
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}()
	put := &network
	if c.Bool("offline") {
		put = nil
	} else {
		ctx, cancel := context.WithTimeout(c.Context, succeedPatience)
		err := s.Look(ctx, network)
		cancel()
		if err != nil {
			return fmt.Errorf("look what the network has of this database: %w; nothing was done. Try again when this machine is online", err)
		}
	}
	if !c.Bool("yes") {
		fmt.Fprintln(p.err, successionPlan(s.View()))
		if err := p.confirm(c.Context, "Replace the manager's key?"); err != nil {
			return err
		}
	}
	if needs, err := s.NeedsKey(); err != nil {
		return err
	} else if needs {
		from, err := o.passphrase(p)
		if err != nil {
			return err
		}
		var passphrase string
		if err := s.NewKey(func() (string, error) {
			passphrase, err = from.New(c.Context)
			return passphrase, err
		}); err != nil {
			return err
		}
		seed, err := o.dir.Key().Read(func() (string, error) { return passphrase, nil })
		if err != nil {
			return err
		}
		p.own = keys.Derive(seed) // nobody is asked to open what was just made
	}
	id, err := p.identity(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context, succeedPatience)
	defer cancel()
	v, err := s.Make(ctx, id, put)
	if err != nil {
		return err
	}
	return p.show(o.json, v, func() {
		p.printf("The manager's key is replaced (succession %d). The log stands up to entry %d; %s.\n\nkey   %s\nfile  %s\n",
			v.Number, v.Entry, voided(v.Void), v.Key, v.File)
		if v.Old != "" {
			p.printf("      the old key lies beside it, as %s\n", v.Old)
		}
		p.printf("\nWhat to do next:\n  weir keys words --dir %s        write the words of the new key down\n  %s                publish\n"+
			"Members follow within some minutes when they pay, at once when their program starts, and else within the hour; what they pay meanwhile is sent again to the new key by itself.\n",
			host.Quoted(string(o.dir)), o.command("weir manager run"))
		if put != nil && v.Put == 0 {
			p.note("no DHT node has taken the succession yet: weir manager run puts it, and until then members follow the old key")
		}
		if db.Encrypted() {
			p.note("the database is encrypted, and whoever has the old key can read it, what is written from now on included: the read key is for the life of the database")
		}
	})
}

// voided says how many entries become void.
func voided(n uint64) string {
	if n == 0 {
		return "nothing of this directory is void"
	}
	return fmt.Sprintf("%s of this directory after it %s void", count(n, "entry", "entries"), map[bool]string{true: "is", false: "are"}[n == 1])
}

// successionPlan says what would be done.
func successionPlan(v host.SuccessionView) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The manager's key of %q will be replaced by a new one.\n", v.Name)
	if v.Pending() {
		b.WriteString("This goes on with a succession that was begun.\n")
	}
	fmt.Fprintf(&b, "The log stands up to entry %d", v.Entry)
	if v.Time != "" {
		fmt.Fprintf(&b, " (%s)", clock(v.Time))
	}
	fmt.Fprintf(&b, "; %s.\n", voided(v.Void))
	if v.Newest > v.Entry {
		fmt.Fprintf(&b, "On the network the old key has signed %s; those after entry %d become void everywhere.\n", count(v.Newest, "entry", "entries"), v.Entry)
	}
	fmt.Fprintf(&b, "Payments that only void entries had taken go back to their members, who are told.\nIt is %s by this machine's clock.", clock(v.Now))
	return b.String()
}
