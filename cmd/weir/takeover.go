package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
)

// takeOverPatience is how long taking over waits for the newest head.
const takeOverPatience = 30 * time.Second

// memberTakeOver goes on from the newest log there is: from an old one, the next
// entry of the other device would stop this one again.
func (p *program) memberTakeOver(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	db, err := o.dir.Choose(o.db, roleMember)
	if err != nil {
		return err
	}
	if !c.Bool("yes") && !p.terminal() {
		return noTerminal()
	}
	connect := p.online
	if c.Bool("offline") {
		connect = p.offline
	}
	var v host.TakeOverView
	if err := connect(c, o, db, func(call caller) error {
		newest, err := p.newest(c, call)
		if err == nil {
			err = p.sure(c, call, newest)
		}
		switch {
		case err != nil:
		case newest:
			err = p.takeOverFound(c, call, &v)
		default:
			err = call("member takeover", nil, &v)
		}
		v.Newest = newest
		return err
	}); err != nil {
		return err
	}
	return p.show(o.json, v, func() {
		p.printf("This device goes on with account %d, %s, after change %d: the balance is %s %s, and what you sign next is change %d.\n",
			v.Account, v.Name, v.After, v.Balance, v.Unit, next(v.AdoptionView))
		p.adopted(v.AdoptionView)
		switch nothing := len(v.Taken)+len(v.GivenUp) == 0 && v.Own <= v.After; {
		case !v.Newest:
			p.printf("What waits on the network was not looked for.\n")
		case nothing:
			p.printf("Nothing of yours was waiting on the network, and nothing that was signed here was given up.\n")
		}
		p.printf("Keep every other device with this key off, and this one running: weir member run.\n")
		if !v.Newest {
			p.note(unasked(c, v.AsOf))
		}
	})
}

// next is the number of the next change of a device that goes on.
func next(v host.AdoptionView) uint64 {
	last := v.After
	for _, c := range v.Taken {
		last = max(last, c.Number)
	}
	return max(last, v.Own) + 1
}

// takeOverFound goes on with what waits on the DHT, too.
func (p *program) takeOverFound(c *cli.Context, call caller, v *host.TakeOverView) error {
	ctx := c.Context
	short, cancel := context.WithTimeout(ctx, takeOverPatience)
	defer cancel()
	p.progress("Looking for what the network has of yours …")
	defer p.progress("")
	c.Context = short
	defer func() { c.Context = ctx }()
	var out host.RestoreView
	err := call("member adopted", host.AdoptedIn{TakeOver: true, Patience: patience}, &out)
	*v = host.TakeOverView{AccountView: out.AccountView, AsOf: out.AsOf, AdoptionView: out.AdoptionView}
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return &control.Error{Code: host.CodePart, Text: "the takeover is written down, and what the network has of yours could not be fetched yet: weir member run goes on looking for it, and nothing is signed before"}
	}
	return err
}

// newest fetches what is new, and says whether that came to an end: an account is
// taken over also where nobody answers.
func (p *program) newest(c *cli.Context, call caller) (bool, error) {
	if c.Bool("offline") {
		return false, nil
	}
	ctx := c.Context
	short, cancel := context.WithTimeout(ctx, takeOverPatience)
	defer cancel()
	p.progress("Looking for the newest log …")
	defer p.progress("")
	c.Context = short
	defer func() { c.Context = ctx }()
	err := call("member fresh", host.FreshIn{Again: true, Patience: patience}, nil)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) || host.Code(err) == host.CodeNoNode:
		return false, nil
	}
	return err == nil, err
}

// sure asks whether to go on, and from where.
func (p *program) sure(c *cli.Context, call caller, newest bool) error {
	if c.Bool("yes") {
		return nil
	}
	var v host.MemberStatusView
	if err := call("member status", nil, &v); err != nil {
		return err
	}
	if !newest {
		p.remark(unasked(c, v.HeadTime))
	}
	fmt.Fprintln(p.err, yes(newest, "What waits on the network under this key goes on; changes that contradict it or the log are given up.", "What waits here goes on from the log; what does not go on from it is given up, and so may be what another device with this key signed and the log does not have.")+" Is every other device with this key switched off?")
	return p.confirm(c.Context, "Go on from the log here?")
}

// tellAdoption tells, once, what a device that was restored or takes over has found on
// the network since a session began; false: nothing yet.
func (p *program) tellAdoption(c *cli.Context, a *host.Agent, db host.Database, since time.Time) bool {
	raw, err := request(db, "member adoption", host.AdoptionIn{Since: since.UnixMilli()})
	if err != nil {
		return false
	}
	answer, err := a.Invoke(c.Context, "member adoption", raw)
	if err != nil {
		return false // the next look may tell
	}
	var v host.RestoreView
	if err := copyJSON(answer, &v); err != nil || v.ID == "" {
		return false
	}
	line := fmt.Sprintf("%s: this device goes on with account %d after change %d; the balance is %s %s", databaseNames([]host.Database{db}), v.Account, v.After, v.Balance, v.Unit)
	for _, t := range v.Taken {
		line += fmt.Sprintf("; taken over: change %d, %s", t.Number, what(host.EntryView{Postings: t.Postings, Memo: t.Memo}))
	}
	for _, g := range v.GivenUp {
		line += fmt.Sprintf("; given up: change %d, %s", g.Number, what(host.EntryView{Postings: g.Postings, Memo: g.Memo}))
	}
	p.logf("%s", line+yes(v.Unread == "", "", "; "+v.Unread))
	return true
}

// unasked says how old a log is that nobody could be asked about.
func unasked(c *cli.Context, at string) string {
	return yes(c.Bool("offline"), "no newer log was looked for", "no newer log could be fetched") + ": what is here is " + asOfText(at) +
		". If another device made changes after that, take over once more when they are here"
}
