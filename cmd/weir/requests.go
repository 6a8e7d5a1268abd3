package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/ledger/wire"
)

func (p *program) managerRequests(c *cli.Context) error {
	var v host.RequestsView
	return p.ask(c, roleManager, "manager requests", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			switch {
			case !v.Approval:
				p.printf("Nobody waits: this database admits whoever has an invitation, without approval.\n")
				return
			case len(v.Waiting) == 0:
				p.printf("Nobody waits for your approval.\n")
				return
			}
			var rows [][]string
			for _, i := range v.Waiting {
				rows = append(rows, []string{fmt.Sprint(i.Number), i.Requested, i.For, ago(i.Came), i.Key})
			}
			p.table("REQUEST NAME INVITED SINCE KEY", rows)
			for _, i := range v.Waiting {
				if len(i.Alike) > 0 {
					p.note(fmt.Sprintf("request %d: take care, the name %s may be taken for that of %s", i.Number, i.Requested, host.NamesOf(i.Alike)))
				}
			}
			p.printf("\nAdmit with weir manager approve REQUEST, or end the invitation with weir manager reject REQUEST.\nAnybody can ask under any name: approve whom you know to have asked.\n")
		})
	})
}

func (p *program) managerApprove(c *cli.Context) error {
	name, err := textOf(c, "name")
	if err != nil {
		return err
	}
	if name != "" {
		if err := checkMemberName(name); err != nil {
			return usagef("--name %s: %v", name, err)
		}
	}
	var v host.ApproveView
	return p.ask(c, roleManager, "manager approve", host.ApproveIn{Request: c.Args().First(), Name: name}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("%s is member %d. Their program finds it in the log by itself.\n", v.Name, v.Account)
			p.note(renamed(v.Name, v.Requested))
			p.note(takenFor(v.Name, v.Alike))
		})
	})
}

func (p *program) managerReject(c *cli.Context) error {
	reason, err := textOf(c, "reason")
	if err != nil {
		return err
	}
	if err := wire.CheckText("reason", reason, wire.ReasonBytesMax); err != nil {
		return usagef("--reason: %v", err)
	}
	var v host.InvitationView
	return p.ask(c, roleManager, "manager reject", host.RejectIn{Request: c.Args().First(), Reason: reason}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("%s is not admitted, and the invitation%s has ended. Nothing tells them: tell them yourself.\n", v.Requested, forWhom(" for ", v.For))
		})
	})
}
