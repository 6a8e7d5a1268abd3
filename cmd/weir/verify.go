package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/ledger/wire"
	"weir/member"
)

func (p *program) verify() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "fetch a database by its public link as a stranger would and check all of it, or check what is here",
		ArgsUsage: "[LINK]",
		Flags: flags(common(), passphraseFlags(), networkFlags(), []cli.Flag{
			timeoutFlag(),
			&cli.StringFlag{Name: "keep", Usage: "keep what was fetched in `DIRECTORY`"},
		}),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return p.verifyHere(c)
			}
			return p.verifyLink(c, c.Args().First())
		},
	}
}

// verifyHere checks the directory's database from its stored bytes.
func (p *program) verifyHere(c *cli.Context) error { return p.audit(c, "") }

func (p *program) verifyLink(c *cli.Context, text string) error {
	link, err := host.ReadVerify(text)
	if err != nil {
		return err
	}
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	network, err := o.network(p)
	if err != nil {
		return err
	}
	dir := c.String("keep")
	if dir == "" {
		if dir, err = os.MkdirTemp("", "weir-verify-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	var v host.VerifyView
	var late bool
	err = withTimeout(c, func(ctx context.Context) (err error) {
		defer func() { late = errors.Is(ctx.Err(), context.DeadlineExceeded) }()
		v, err = host.Verify(ctx, link, host.Directory(dir), network, func(s member.Status) {
			p.progress(fmt.Sprintf("%s: %d of %s checked, %s received %s", s.Phase, host.EntriesOf(s.Size), entryCount(s.Newest), count(s.Got, "byte", "bytes"), s.Problem))
		})
		return err
	})
	p.progress("")
	if err == nil && v.Opaque {
		return p.opaque(o, v)
	}
	if err != nil {
		if late && host.Code(err) != host.CodeNotVerified {
			err = tooShort(err, c.Duration("timeout"))
		}
		return p.unverified(o, link, v, err)
	}
	return p.show(o.json, v, func() {
		p.printf("Everything holds: %q, %s, %s, sum %s %s; the newest head is from %s.\nroot %s\n\n%s", v.Name, count(v.Entries, "entry", "entries"), count(v.Members, "member", "members"), v.Sum, v.Unit, clock(v.HeadTime), v.Root, v.Note)
		for _, w := range v.Warnings {
			p.printf("note: %s\n", w)
		}
	})
}

// opaque says what was checked of an encrypted database without its read key.
func (p *program) opaque(o options, v host.VerifyView) error {
	if err := p.show(o.json, v, func() {
		p.printf("%q is encrypted, and this link has no read key. What can be checked without it holds: the signed head of %s, its checkpoint over %s, and %s of published volumes, to the last frame.\nroot %s\n\n%s",
			v.Name, clock(v.HeadTime), count(v.Entries, "entry", "entries"), count(v.Length, "byte", "bytes"), v.Root, v.Note)
		for _, w := range v.Warnings {
			p.printf("note: %s\n", w)
		}
	}); err != nil {
		return err
	}
	return &control.Error{Code: host.CodePart, Text: "the entries were not checked: that needs the read key, which an invitation or weir manager link --read-key carries"}
}

// tooShort says of what was not done within --timeout what to do.
func tooShort(err error, limit time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("not done within %s, and nothing is known of it yet; give it longer with --timeout", limit)
	}
	return fmt.Errorf("%w. That was within %s; if it is short, give it longer with --timeout", err, limit)
}

// unverified says why a database could not be checked, or what does not hold.
func (p *program) unverified(o options, link wire.DatabaseLink, v host.VerifyView, err error) error {
	if o.json && host.Code(err) == host.CodeNotVerified {
		if v.ID = link.ID.String(); len(v.Findings) == 0 {
			v.Findings = []string{host.Text(err)}
		}
		if err := p.json(v); err != nil {
			return err
		}
	}
	return fmt.Errorf("verify %s: %w", link.ID, err)
}
