package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/ledger/wire"
)

// freshPatience is how long a payment waits for the newest head before it is
// judged by what is here.
const freshPatience = 5 * time.Second

// signPatience is for how long nothing cuts off the signing of a payment.
const signPatience = 10 * time.Second

// payment is a payment on its way.
type payment struct {
	*program
	c      *cli.Context
	o      options
	in     host.QuoteIn
	quote  host.QuoteView
	made   host.ChangeView // number 0: nothing is signed yet
	unsure bool            // the call that signs did not come back
}

func (p *program) memberPay(c *cli.Context) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	memo, err := textOf(c, "memo")
	if err != nil {
		return err
	}
	y := &payment{program: p, c: c, o: o, in: host.QuoteIn{
		To: c.Args().Get(0), Amount: c.Args().Get(1), Memo: memo, Until: c.Duration("until").Milliseconds(), Anyway: c.Bool("anyway"),
	}}
	if c.Bool("offline") && c.Bool("wait") {
		return usagef("--offline and --wait cannot both be meant")
	}
	if y.in.Until < 0 {
		return usagef("--until %s is in the past", c.Duration("until"))
	}
	db, err := o.dir.Choose(o.db, roleMember)
	if err != nil {
		return err
	}
	connect := p.online
	if c.Bool("offline") {
		connect = p.offline
	}
	err = withTimeout(c, func(ctx context.Context) error {
		c.Context = ctx
		return connect(c, o, db, y.run)
	})
	if err != nil {
		return y.ended(err)
	}
	return y.show()
}

// run takes a payment from the question to the DHT or the log.
func (y *payment) run(call caller) error {
	if !y.c.Bool("offline") {
		if err := y.freshen(y.c, call); err != nil {
			return err
		}
	}
	if err := call("member quote", y.in, &y.quote); err != nil {
		return err
	}
	if y.quote.Verdict != wire.Applied.String() && !y.in.Anyway {
		return &control.Error{Code: host.CodeRefused, Text: strings.TrimSuffix(y.quote.Reason, ".") + ". Nothing was sent; --anyway sends it all the same."}
	}
	if err := y.ask(); err != nil {
		return err
	}
	if err := y.sign(call); err != nil || y.c.Bool("offline") {
		return err
	}
	return y.watch(call)
}

// ask shows whom it reaches and what is left, and asks. What is asked must be
// shown also where the answer of the program is JSON.
func (y *payment) ask() error {
	q := y.quote
	line := fmt.Sprintf("%s %s to %d %s (%s…); your balance after it: %s %s\n", q.Amount, q.Unit, q.To, q.Name, q.Key[:8], q.After, q.Unit)
	switch {
	case !y.o.json:
		y.printf("%s", line)
	case !y.c.Bool("yes") && y.terminal():
		fmt.Fprint(y.err, line)
	}
	if y.c.Bool("yes") {
		return nil
	}
	return y.confirm(y.c.Context, "Pay?")
}

// sign signs and stores it. Neither Ctrl-C nor --timeout cuts this off: it takes
// a moment, and whoever ends the program wants to know whether something was
// signed.
func (y *payment) sign(call caller) error {
	ctx := y.c.Context
	if err := ctx.Err(); err != nil {
		return err
	}
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), signPatience)
	defer cancel()
	y.c.Context = short
	defer func() { y.c.Context = ctx }()
	err := call("member pay", y.in, &y.made)
	y.unsure = err != nil && short.Err() != nil
	return err
}

// watch waits until DHT nodes have it, or with --wait until it is in the log.
func (y *payment) watch(call caller) error {
	number, began := y.made.Number, time.Now()
	var seen atomic.Bool
	say := func(v host.MemberStatusView) (line, note string) { return onItsWay(number, v, seen.Load(), began), "" }
	return y.during(y.c, call, say, func() error {
		err := call("member wait", host.WaitIn{Number: number, Seen: true, Patience: patience}, &y.made)
		if err != nil || !y.c.Bool("wait") {
			return err
		}
		seen.Store(true)
		return call("member wait", host.WaitIn{Number: number, Patience: patience}, &y.made)
	})
}

// onItsWay says where a payment is, in a line of a terminal.
func onItsWay(number uint64, v host.MemberStatusView, seen bool, began time.Time) string {
	if seen {
		return fmt.Sprintf("Payment %d: on %s; waiting for the manager, %s …", number, count(v.Nodes, "DHT node", "DHT nodes"), heard(v))
	}
	next := "putting it on the DHT"
	if none := silence(v, began); none != "" {
		next = none
	}
	return fmt.Sprintf("Payment %d: signed and kept here; %s …", number, next)
}

// ended says what there is of a payment that was not seen through.
func (y *payment) ended(err error) error {
	late, interrupted := errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled)
	n := y.made.Number
	switch {
	case y.unsure:
		return &control.Error{Code: host.CodeError, Text: "the agent that runs here does not answer, and whether it signed the payment is not known: weir member outbox tells, once it answers again"}
	case n == 0 && interrupted:
		return &control.Error{Code: host.CodeInterrupted, Text: "interrupted; nothing was signed"}
	case n == 0 && late:
		return &control.Error{Code: host.CodeError, Text: fmt.Sprintf("not done within %s; nothing was signed. Give it longer with --timeout", y.c.Duration("timeout"))}
	case n == 0:
		return err
	}
	seen := y.made.State == "seen"
	where := yes(seen, "signed, stored here and on the DHT", "signed and stored here")
	goesOn := fmt.Sprintf("payment %d is %s, and not in the log yet; it %s. weir member show %d tells",
		n, where, yes(seen, "goes on with weir member run", "is kept, and weir member run sends it"), n)
	switch {
	case interrupted:
		return &control.Error{Code: host.CodeInterrupted, Text: "interrupted; " + goesOn}
	case late:
		return &control.Error{Code: host.CodePart, Text: goesOn}
	case host.Code(err) == host.CodeNoNode:
		return fmt.Errorf("%w; %s", err, goesOn)
	}
	return fmt.Errorf("payment %d is %s; weir member show %d tells what becomes of it: %w", n, where, n, err)
}

// payView is a payment with --json.
type payView struct {
	host.ChangeView
	After string `json:"balance_after,omitempty"` // not of one that was refused
}

func (y *payment) show() error {
	v := payView{y.made, y.quote.After}
	if v.State == "refused" {
		v.After = ""
	}
	return y.showChange(y.o, y.made, v)
}

// freshen fetches what is new before a payment is judged by it: without an
// agent, what is here may be weeks old. It gives up soon, and without an error:
// one can pay while nobody answers.
func (p *program) freshen(c *cli.Context, call caller) error {
	ctx := c.Context
	short, cancel := context.WithTimeout(ctx, freshPatience)
	defer cancel()
	p.progress("Looking for what is new …")
	defer p.progress("")
	c.Context = short
	defer func() { c.Context = ctx }()
	_ = call("member fresh", host.FreshIn{Patience: int(freshPatience.Seconds())}, nil)
	return ctx.Err()
}

// noTerminal says that there is no terminal to ask on.
func noTerminal() error { return usagef("there is no terminal to ask on: say --yes") }

// confirm asks a question that only a y answers with yes.
func (p *program) confirm(ctx context.Context, question string) error {
	if !p.terminal() {
		return noTerminal()
	}
	fmt.Fprintf(p.err, "%s [y/N] ", question)
	line, err := typed(ctx, func() (string, error) { return bufio.NewReader(p.in).ReadString('\n') })
	if ctx.Err() != nil {
		fmt.Fprintln(p.err)
		return ctx.Err()
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "y" || answer == "yes") {
		return nil
	}
	return &control.Error{Code: host.CodeError, Text: "nothing was done"}
}
