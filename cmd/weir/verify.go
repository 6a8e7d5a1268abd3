package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

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
			&cli.DurationFlag{Name: "timeout", Usage: "give up after so `LONG`; 0: never"},
			&cli.StringFlag{Name: "keep", Usage: "keep what was fetched in `DIRECTORY`"},
		}),
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return p.verifyHere(c)
			}
			text, err := one(c, "link")
			if err != nil {
				return err
			}
			return p.verifyLink(c, text)
		},
	}
}

// verifyHere checks the directory's database from its stored bytes.
func (p *program) verifyHere(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	db, err := o.dir.Choose(o.db)
	if err != nil {
		return err
	}
	return p.audit(c, roleMember, db.Role+" audit")
}

func (p *program) verifyLink(c *cli.Context, text string) error {
	l, err := wire.ParseLink(text)
	if err != nil {
		return err
	}
	var link wire.DatabaseLink
	switch l := l.(type) {
	case wire.DatabaseLink:
		link = l
	case wire.Invitation:
		link = l.DatabaseLink
	case wire.Answer:
		link = l.DatabaseLink
	default:
		return usagef("this link is not one of a database; weir manager link prints it")
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
	err = withTimeout(c, func(ctx context.Context) (err error) {
		v, err = host.Verify(ctx, link, host.Directory(dir), network, func(s member.Status) {
			p.progress(fmt.Sprintf("%s: %d of %d entries checked, %d bytes received %s", s.Phase, s.Size, s.Newest, s.Got, s.Problem))
		})
		return err
	})
	p.progress("")
	if err != nil {
		if v.ID != "" && o.json {
			p.json(v)
		}
		return fmt.Errorf("verify %s: %w", link.ID, err)
	}
	return p.show(o.json, v, func() {
		p.printf("Everything holds: %q, %d entries, %d members, sum %s %s; the newest head is from %s.\nroot %s\n\n%s", v.Name, v.Entries, v.Members, v.Sum, v.Unit, clock(v.HeadTime), v.Root, v.Note)
		for _, w := range v.Warnings {
			p.printf("note: %s\n", w)
		}
	})
}
