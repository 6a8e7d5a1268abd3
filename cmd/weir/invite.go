package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/manager"
)

func inviteFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "expires", Value: "7d", Usage: "`TIME` for which it is good, like 12h or 7d"},
		&cli.StringFlag{Name: "for", Usage: "for whom it is, a `NAME` for your own list; nobody else sees it"},
		&cli.IntFlag{Name: "count", DefaultText: "1", Usage: "make `N` of them, into --out"},
		&cli.StringFlag{Name: "names", Usage: "make one for each line of `FILE`, into --out"},
		&cli.StringFlag{Name: "out", Usage: "write sheets to print, and a table to send from, into the new directory `DIR`"},
	}
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
	who, err := textOf(c, "for")
	if err != nil {
		return err
	}
	if err := manager.CheckFor(who); err != nil {
		return usagef("--for: %v", err)
	}
	if c.IsSet("count") || c.IsSet("names") || c.IsSet("out") {
		return p.inviteAll(c, d, who)
	}
	if err := writable(c.String("png")); err != nil {
		return err
	}
	var v host.InvitationView
	return p.ask(c, roleManager, "manager invite", host.InviteIn{Seconds: int64(d.Seconds()), For: who}, &v, func(o options) error {
		if err := p.showQR(o, v.Link, c.String("png")); err != nil {
			return fmt.Errorf("%w. The invitation was made: weir manager invitations --out DIR writes it once more, weir manager revoke %d closes it", err, v.Number)
		}
		return p.show(o.json, v, func() {
			p.printf("%s\n\nGood for one person until %s%s. They join with: weir member join LINK\nWhoever has this link first becomes a member: give it to nobody else. In lists it is number %d, %s.\n",
				v.Link, clock(v.Expires), forWhom(", for ", v.For), v.Number, short(v.ID))
		})
	})
}

// forWhom is a text and a name, where there is a name.
func forWhom(before, name string) string { return yes(name != "", before+name, "") }

func (p *program) managerInvitations(c *cli.Context) error {
	if c.String("out") != "" {
		return p.printAgain(c)
	}
	var v []host.InvitationView
	return p.ask(c, roleManager, "manager invitations", host.InvitationsIn{}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			var rows [][]string
			for _, i := range v {
				rows = append(rows, []string{fmt.Sprint(i.Number), short(i.ID), i.State, clock(i.Made), clock(i.Expires), i.For, became(i)})
			}
			p.table("NUMBER ID STATE MADE EXPIRES FOR MEMBER", rows)
		})
	})
}

// became says what has come of an invitation.
func became(i host.InvitationView) string {
	switch {
	case i.Account != 0:
		return fmt.Sprintf("%d %s", i.Account, i.Name)
	case i.State == string(manager.InvitationWaiting):
		return fmt.Sprintf("%s asks to join: weir manager approve %d", i.Requested, i.Number)
	case i.State == string(manager.InvitationRejected):
		return i.Requested + " was rejected" + forWhom(": ", i.Reason)
	}
	return i.Problem
}

func (p *program) managerRevoke(c *cli.Context) error {
	all := c.Bool("all-open")
	switch {
	case all && c.NArg() > 0:
		return usagef("--all-open closes every open invitation; it takes none by name")
	case !all && c.NArg() == 0:
		return usagef("say which invitation: its number, the beginning of its id, or the name it is for, as weir manager invitations lists them; or --all-open")
	}
	if all {
		var v []host.InvitationView
		return p.ask(c, roleManager, "manager revoke open", host.RevokeOpenIn{}, &v, func(o options) error {
			return p.show(o.json, v, func() {
				if len(v) == 0 {
					p.printf("No invitation was open.\n")
					return
				}
				p.printf("%s closed.\n", count(len(v), "invitation was", "invitations were"))
			})
		})
	}
	var v host.InvitationView
	return p.ask(c, roleManager, "manager revoke", host.RevokeIn{ID: c.Args().First()}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("Invitation %s%s is closed. Nothing tells whoever has it: tell them yourself.\n", short(v.ID), forWhom(", for ", v.For))
		})
	})
}
