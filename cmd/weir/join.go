package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/ledger/wire"
)

func (p *program) memberJoin(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	in := host.JoinIn{Link: c.Args().First(), Name: c.String("name")}
	if in.Name != "" {
		if err := wire.CheckMemberName(in.Name); err != nil {
			return usagef("--name: %v", err)
		}
	}
	link, err := host.ReadJoin(in.Link, time.Now())
	if err != nil {
		return err
	}
	if err := p.haveKey(o); err != nil {
		return err
	}
	db, err := o.dir.Prepare(in)
	if err != nil {
		return err
	}
	var v host.MemberStatusView
	err = withTimeout(c, func(ctx context.Context) error {
		c.Context = ctx
		return p.online(c, o, db, func(call caller) error {
			if err := call("member status", nil, nil); err != nil || p.running(c, o, db) {
				if err := call("member join", in, nil); err != nil {
					return err
				}
			}
			p.progress("Looking for the database …")
			defer p.progress("")
			return call("member admitted", host.AdmittedIn{Asked: !c.Bool("wait") && link.Account == 0, Account: link.Account, Patience: patience}, &v)
		})
	})
	if err != nil {
		return unjoined(err, db)
	}
	if v.Name != "" {
		db.Name = v.Name
		if err := o.dir.Save(db); err != nil {
			return err
		}
	}
	return p.show(o.json, v, func() {
		switch {
		case v.Account != nil:
			p.printf("You are member %d, %s, of %q. Keep weir member run running to follow it.\n", v.Account.Account, v.Account.Name, v.Name)
		case v.Joining == "asking":
			p.printf("Your request to join %q is on its way; the manager takes it in one of its next cycles. Now run weir member run; weir member status tells when you are in.\n", v.Name)
		default:
			p.printf("You follow %q. This key is not a member.\n", v.Name)
		}
	})
}

// unjoined says what there is of joining that was not seen through: the database
// is written down, and an agent goes on.
func unjoined(err error, db host.Database) error {
	goesOn := "the request is kept and goes on with weir member run"
	late := "not admitted yet: " + goesOn + ". A manager that is away takes it later; to an invitation that was revoked there is no answer, ask for a new one"
	if !db.Asks() {
		goesOn = "the database is written down, and weir member run goes on looking for it"
		late = "not all of the database has been found yet: " + goesOn
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &control.Error{Code: host.CodePart, Text: late}
	case errors.Is(err, context.Canceled):
		return &control.Error{Code: host.CodeInterrupted, Text: "interrupted; " + goesOn}
	case host.Code(err) == host.CodeNoNode:
		return fmt.Errorf("%w; %s", err, goesOn)
	}
	return err
}
