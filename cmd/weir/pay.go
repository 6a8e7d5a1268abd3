package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strconv"
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

// payFlags say how a payment is made.
func payFlags() []cli.Flag {
	return []cli.Flag{timeoutFlag(),
		&cli.DurationFlag{Name: "until", DefaultText: "never", Usage: "it expires unless it is taken within this `TIME`, like 2h"},
		&cli.BoolFlag{Name: "wait", Usage: "wait until it is in the log"},
		&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
		&cli.BoolFlag{Name: "offline", Usage: "only sign and store it; it goes out with weir member run, and can be taken back before"},
		&cli.BoolFlag{Name: "anyway", Usage: "send it although it would be refused as things stand here"},
	}
}

func (p *program) memberPay(c *cli.Context) error {
	memo, err := textOf(c, "memo")
	if err != nil {
		return err
	}
	return p.makePayment(c, host.QuoteIn{To: c.Args().Get(0), Amount: c.Args().Get(1), Memo: memo})
}

func (p *program) memberRefund(c *cli.Context) error {
	entry, err := strconv.ParseUint(c.Args().First(), 10, 53)
	if err != nil || entry == 0 {
		return usagef("%q is not the number of an entry: weir member statement has them in the column ENTRY", c.Args().First())
	}
	return p.makePayment(c, host.QuoteIn{Refund: entry, Amount: c.String("amount")})
}

// makePayment makes a payment in the way that payFlags say.
func (p *program) makePayment(c *cli.Context, in host.QuoteIn) error {
	o, err := p.options(c, roleMember)
	if err != nil {
		return err
	}
	in.Until, in.Anyway = c.Duration("until").Milliseconds(), c.Bool("anyway")
	y := &payment{program: p, c: c, o: o, in: in}
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
	text := quoteText(y.quote)
	switch {
	case !y.o.json:
		y.printf("%s", text)
	case !y.c.Bool("yes") && y.terminal():
		fmt.Fprint(y.err, text)
	}
	if y.c.Bool("yes") {
		return nil
	}
	return y.confirm(y.c.Context, yes(y.quote.Refund != nil, "Pay it back?", "Pay?"))
}

// quoteText says whom a payment reaches and what is left, what it pays back, and
// whom else one could have meant: names are not unique to the eye.
func quoteText(q host.QuoteView) string {
	var b strings.Builder
	if r := q.Refund; r != nil {
		fmt.Fprintf(&b, "Entry %d of %s: %d %s (%s…) paid you %s %s%s\n", r.Entry, clock(r.Time), r.From.Account, r.From.Name, r.From.Key[:8], r.Amount, q.Unit, quoted(r.Memo))
	}
	for _, a := range q.Alike {
		fmt.Fprintf(&b, "Take care: %d %s (%s…) is somebody else\n", a.Account, a.Name, a.Key[:8])
	}
	fmt.Fprintf(&b, "%s %s to %d %s (%s…); your balance after it: %s %s\n", q.Amount, q.Unit, q.To, q.Name, q.Key[:8], q.After, q.Unit)
	return b.String()
}

// quoted is a text that is added to a line in quotes; "" adds nothing.
func quoted(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(", %q", text)
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
	w := &way{number: y.made.Number, began: time.Now()}
	y.step(w.text(host.MemberStatusView{}))
	return y.during(y.c, call, func(v host.MemberStatusView) (line, note string) { return w.line(v), w.noted.of(w.note(v)) }, func() error {
		err := call("member wait", host.WaitIn{Number: w.number, Seen: true, Patience: patience}, &y.made)
		if err != nil || !y.c.Bool("wait") {
			return err
		}
		w.seen.Store(true)
		if y.made.State == "seen" {
			var v host.MemberStatusView
			if err := call("member status", nil, &v); err != nil {
				return err
			}
			y.step(w.text(v))
		}
		return call("member wait", host.WaitIn{Number: w.number, Patience: patience}, &y.made)
	})
}

// step says, to somebody who waits and has no terminal, how far a payment is; a
// terminal has a line that changes.
func (y *payment) step(text string) {
	if y.c.Bool("wait") && !y.o.json && !y.terminal() {
		fmt.Fprintln(y.err, text)
	}
}

// way is how far a payment is that somebody waits for.
type way struct {
	number uint64
	began  time.Time
	seen   atomic.Bool // DHT nodes have it
	head   string      // time of the newest head when they first had it
	known  bool        // head is

	succession *uint64 // the newest when it was signed; nil: not known yet
	noted      news
}

// successionOf is the number of the newest succession that is followed.
func successionOf(v host.MemberStatusView) uint64 {
	if v.Replaced == nil {
		return 0
	}
	return v.Replaced.Succession
}

// note is what nobody who waits for a payment should miss.
func (w *way) note(v host.MemberStatusView) string {
	newest := successionOf(v)
	if w.succession == nil {
		w.succession = &newest
	}
	switch u := v.Untaken; {
	case newest > *w.succession:
		return fmt.Sprintf("the manager's key was replaced; this device follows the new one, and payment %d is sent there again", w.number)
	case u != nil && u.Number <= w.number && !u.Heard:
		return "the manager has published nothing for longer than is usual: it may be away. The payment waits, and is not lost"
	case u != nil && u.Number <= w.number:
		return "the manager takes longer than is usual. The payment waits, and is not lost"
	}
	return ""
}

// text is the state that a payment is in, without what comes next.
func (w *way) text(v host.MemberStatusView) string {
	if w.seen.Load() {
		return fmt.Sprintf("Payment %d: on the DHT, with %s", w.number, count(v.Nodes, "node", "nodes"))
	}
	return fmt.Sprintf("Payment %d: signed and kept here", w.number)
}

// line says where a payment is and what it waits for, in a line of a terminal.
func (w *way) line(v host.MemberStatusView) string {
	if !w.seen.Load() {
		next := "putting it on the DHT"
		if none := silence(v, w.began); none != "" {
			next = none
		}
		return w.text(v) + "; " + next + " …"
	}
	if !w.known {
		w.head, w.known = v.HeadTime, true
	}
	if w.head != v.HeadTime {
		return w.text(v) + fmt.Sprintf("; the manager published since (%s), without it yet …", ago(v.HeadTime))
	}
	return w.text(v) + "; waiting for the manager, " + heard(v) + " …"
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
	p.asked = true
	p.forget() // what was typed before is no answer to this
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
