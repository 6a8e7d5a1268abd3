package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/manager"
)

// forWhoms is for whom many invitations are.
func forWhoms(c *cli.Context, who string) ([]string, error) {
	n := c.Int("count")
	switch names := c.String("names"); {
	case names != "" && (c.IsSet("count") || who != ""):
		return nil, usagef("--names says how many invitations there are, and for whom; --count and --for are not said with it")
	case names != "":
		return host.ReadNames(names)
	case !c.IsSet("count"):
		n = 1
	case n < 1 || n > manager.InvitationsMax:
		return nil, usagef("--count %d: 1 to %d invitations are made at once", n, manager.InvitationsMax)
	}
	all := make([]string, n)
	for i := range all {
		all[i] = who
	}
	return all, nil
}

// inviteAll makes many invitations and writes them down to print and to send. They
// are all made or none, and where they cannot be written they are closed again.
func (p *program) inviteAll(c *cli.Context, lifetime time.Duration, who string) error {
	if c.String("out") == "" {
		return usagef("name a new directory for them with --out DIR")
	}
	if c.String("png") != "" {
		return usagef("--png is for a single invitation; in --out the pages have the codes")
	}
	all, err := forWhoms(c, who)
	if err != nil {
		return err
	}
	return p.with(c, roleManager, func(o options, db host.Database, call caller) error {
		sheets, err := host.NewSheets(c.String("out"))
		if err != nil {
			return err
		}
		defer sheets.Discard()
		var made []host.InvitationView
		if err := call("manager invite all", host.InviteAllIn{Seconds: int64(lifetime.Seconds()), For: all}, &made); err != nil {
			return err
		}
		v, err := sheets.Write(db.Name, made)
		if err != nil {
			return p.uninvite(c, call, made, err)
		}
		return p.show(o.json, v, func() { p.printed(v) })
	})
}

// uninvite closes invitations again that could not be handed out.
func (p *program) uninvite(c *cli.Context, call caller, made []host.InvitationView, why error) error {
	c.Context = context.WithoutCancel(c.Context)
	in := host.RevokeOpenIn{}
	for _, i := range made {
		in.IDs = append(in.IDs, i.ID)
	}
	if err := call("manager revoke open", in, nil); err != nil {
		return errors.Join(why, fmt.Errorf("the invitations that were made are still open (%w): close them with weir manager revoke, or print them with weir manager invitations --out DIR", err))
	}
	return fmt.Errorf("%w; the invitations were closed again, so nothing was made", why)
}

// printAgain writes the open invitations once more.
func (p *program) printAgain(c *cli.Context) error {
	return p.with(c, roleManager, func(o options, db host.Database, call caller) error {
		var open []host.InvitationView
		if err := call("manager invitations", host.InvitationsIn{Links: true}, &open); err != nil {
			return err
		}
		if len(open) == 0 {
			return &control.Error{Code: host.CodeNotFound, Text: "no invitation is open, so there is nothing to print: make some with weir manager invite"}
		}
		sheets, err := host.NewSheets(c.String("out"))
		if err != nil {
			return err
		}
		defer sheets.Discard()
		v, err := sheets.Write(db.Name, open)
		if err != nil {
			return err
		}
		return p.show(o.json, v, func() { p.printed(v) })
	})
}

// printed says what is in a directory of invitations, and what to do with it.
func (p *program) printed(v host.SheetsView) {
	p.printf("%s in %s:\n  print.html       open it in a browser and print it: %s of A4, to cut along the lines\n"+
		"  page-01.svg …    the same pages, one a file\n  invitations.csv  names and links, for whoever sends them by mail\n",
		count(len(v.Invitations), "invitation is", "invitations are"), v.Directory, count(v.Pages, "page", "pages"))
	p.printf("Each is good for one person; whoever has one first becomes a member, so keep these files to yourself.\n" +
		"See who came with weir manager invitations; close what was not used with weir manager revoke --all-open.\n")
}
