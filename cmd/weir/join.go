package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/ledger"
	"weir/ledger/wire"
)

func (p *program) memberJoin(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	name, err := memberName(c)
	if err != nil {
		return err
	}
	in := host.JoinIn{Name: name}
	if c.NArg() > 0 || c.String("image") != "" {
		if in.Link, err = p.linkOf(c, "invitation or answer code"); err != nil {
			return err
		}
	}
	if why := o.dir.Full(false); why != "" {
		return &control.Error{Code: host.CodeError, Text: "nothing was set up: " + why + ". Make room, and give the command again"}
	}
	led := p.leads(o) && (in.Link == "" || name == "")
	switch {
	case led:
		var own owner
		var noted bool
		g := &guide{p: p, ctx: c.Context}
		if in, own, noted, err = g.leadJoin(c, o, in.Link, name); err != nil {
			return err
		}
		if err := o.dir.Make(); err != nil {
			return err
		}
		if err := p.write(o, own); err != nil {
			return err
		}
		if noted {
			p.noted(o, own)
		}
	case in.Link == "":
		_, err := p.linkOf(c, "invitation or answer code")
		return err
	default:
		if _, err := host.ReadJoin(in.Link, time.Now()); err != nil {
			return err
		}
		if err := p.haveKey(o); err != nil {
			return err
		}
	}
	link, err := host.ReadJoin(in.Link, time.Now())
	if err != nil {
		return err
	}
	db, err := o.dir.Prepare(in)
	if err != nil {
		return err
	}
	var v, last host.MemberStatusView
	began, noted := time.Now(), false
	say := func(now host.MemberStatusView) (line, note string) {
		last = now
		if note = unanswered(now); noted {
			note = ""
		}
		noted = noted || note != ""
		return joining(now, began), note
	}
	err = withTimeout(c, func(ctx context.Context) error {
		c.Context = ctx
		return p.online(c, o, db, func(call caller) error {
			if err := call("member status", nil, nil); err != nil || p.running(c, o, db) {
				if err := call("member join", in, nil); err != nil {
					return err
				}
			}
			return p.during(c, call, say, func() error {
				return call("member admitted", host.AdmittedIn{Asked: !c.Bool("wait") && link.Account == 0, Account: link.Account, Patience: patience}, &v)
			})
		})
	})
	if err != nil {
		p.remark(called(in.Name, db, last))
		return unjoined(err, db, last, o.dir.Full(false))
	}
	holds := called(in.Name, db, v)
	if holds != "" {
		v.Warnings = append(v.Warnings, holds)
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
		case v.Joining == "asking" && v.Approval:
			p.printf("Your request to join %q is on its way. The manager approves each new member personally, which takes the time it takes; whom they reject is told by them alone. Now run weir member run; weir member status tells when you are in.\n", v.Name)
		case v.Joining == "asking":
			p.printf("Your request to join %q is on its way; the manager takes it in one of its next cycles. Now run weir member run; weir member status tells when you are in.\n", v.Name)
		default:
			p.printf("You follow %q. This key is not a member.\n", v.Name)
		}
		p.note(holds)
		if led {
			p.nextAsMember(o)
		}
	})
}

// memberName reads --name; "" when it is not said.
func memberName(c *cli.Context) (string, error) {
	name, err := textOf(c, "name")
	if name == "" {
		return "", err
	}
	if err := wire.CheckMemberName(name); err != nil {
		return "", usagef("--name: %v", err)
	}
	if err := checkMemberName(name); err != nil {
		return "", usagef("--name %s: %v", name, err)
	}
	return name, nil
}

// checkMemberName says what is wrong with a name that somebody wants to have.
func checkMemberName(name string) error {
	if ledger.IsNumber(name) {
		return errors.New("digits alone would be taken for an account's number; put a letter into the name")
	}
	return wire.CheckMemberName(name)
}

// called says which name holds, where it is not the one that was asked for.
func called(name string, db host.Database, v host.MemberStatusView) string {
	switch {
	case name == "" || v.Account != nil && v.Account.Name == name:
		return ""
	case v.Account != nil && numbered(v.Account.Name, name):
		return fmt.Sprintf("somebody else is called %q there, or was, so you are called %q in the log. If you want another name, ask the manager: weir manager rename", name, v.Account.Name)
	case v.Account != nil:
		return fmt.Sprintf("you are called %q in the log, not %q: the name is the one that the manager admitted you by, and stays", v.Account.Name, name)
	case db.Asks() && db.Joiner != name:
		return fmt.Sprintf("the request by this invitation asks for the name %q, and --name %q changes nothing: another name needs another invitation", db.Joiner, name)
	case !db.Asks():
		return fmt.Sprintf("--name %q changes nothing: this link asks for no account, an invitation does", name)
	}
	return ""
}

// numbered says whether a name is another with the number behind it that tells two
// members of one name apart.
func numbered(name, of string) bool {
	n, ok := strings.CutPrefix(name, of+" ")
	return ok && ledger.IsNumber(n)
}

// joining says how far joining is, in a line of a terminal.
func joining(v host.MemberStatusView, began time.Time) string {
	next := "Looking for the database"
	switch {
	case v.LogSize == 0 || v.Joining != "asking":
	case v.Request == 0:
		next = "Putting the request to join on the DHT"
	default:
		return fmt.Sprintf("Asked, on %s; waiting for %s, %s …", count(v.Request, "DHT node", "DHT nodes"), yes(v.Approval, "the manager's approval", "the manager"), heard(v))
	}
	if none := silence(v, began); none != "" {
		next += "; " + none
	}
	return next + " …"
}

// unanswered is the warning that the manager goes on and does not admit.
func unanswered(v host.MemberStatusView) string {
	if v.Unanswered == 0 || len(v.Warnings) == 0 {
		return ""
	}
	return v.Warnings[len(v.Warnings)-1]
}

// privateNetwork is why nobody may answer where a link leads.
const privateNetwork = "The link leads into a private network, which only the machines in it reach: is this machine in it, and does the DHT there run? Otherwise ask for a link that others can use"

// unjoined says what there is of joining that was not seen through: the database
// is written down, and an agent goes on. full: the disk is.
func unjoined(err error, db host.Database, last host.MemberStatusView, full string) error {
	goesOn := "the request is kept and goes on with weir member run"
	late := "not admitted yet: " + goesOn + ". A manager that is away takes it later (" + heard(last) + "); to an invitation that was revoked there is no answer, ask for a new one"
	if !db.Asks() {
		goesOn = "the database is written down, and weir member run goes on looking for it"
		late = "not all of the database has been found yet: " + goesOn
	}
	if last.Approval && last.Request > 0 {
		late = "not admitted yet: it waits for the manager's approval; " + goesOn
	}
	if why := unanswered(last); why != "" {
		late = "not admitted yet: " + why + ". Until it expires, " + goesOn
	}
	if full != "" {
		late = full + ". Make room; " + goesOn
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &control.Error{Code: host.CodePart, Text: late}
	case errors.Is(err, context.Canceled):
		return &control.Error{Code: host.CodeInterrupted, Text: "interrupted; " + goesOn}
	case host.Code(err) == host.CodeNoNode:
		if host.InPrivateNetwork(db.Bootstrap) {
			return fmt.Errorf("%w. %s; %s", err, privateNetwork, goesOn)
		}
		return fmt.Errorf("%w; %s", err, goesOn)
	}
	return err
}
