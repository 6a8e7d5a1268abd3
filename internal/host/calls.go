package host

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"weir/internal/control"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
	"weir/member"
)

// memberCalls is every call by name.
var memberCalls = map[string]func(*Agent, context.Context, Request) (any, error){
	"member status":    seated((*Agent).status),
	"member balance":   seated((*Agent).balance),
	"member statement": seated((*Agent).statement),
	"member show":      seated((*Agent).showChange),
	"member quote":     seated((*Agent).quote),
	"member pay":       seated((*Agent).pay),
	"member outbox":    seated((*Agent).outbox),
	"member raw":       seated((*Agent).raw),
	"member cancel":    seated((*Agent).cancel),
	"member takeover":  seated((*Agent).takeOver),
	"member audit":     seated((*Agent).audit),
	"member log":       seated((*Agent).log),
	"member wait":      (*Agent).wait,
	"member fresh":     (*Agent).fresh,
	"member admitted":  (*Agent).admitted,
	"member join":      (*Agent).join,
}

// seated runs a call on the loop with its seat and its decoded input.
func seated[T any](f func(*Agent, *seat, T) (any, error)) func(*Agent, context.Context, Request) (any, error) {
	return func(a *Agent, ctx context.Context, r Request) (any, error) {
		var in T
		if len(r.In) > 0 {
			if err := json.Unmarshal(r.In, &in); err != nil {
				return nil, &control.Error{Code: CodeUsage, Text: "the call does not read: " + err.Error()}
			}
		}
		return a.on(ctx, r.DB, func(s *seat) (any, error) { return f(a, s, in) })
	}
}

// nothing is the input of calls that need none.
type nothing struct{}

func (a *Agent) status(s *seat, _ nothing) (any, error) {
	if s.role == nil {
		offline, err := s.desk.Status()
		return viewMember(s.store.State(), offline), err
	}
	var st *ledger.State
	if open := s.role.Store(); open != nil {
		st = open.State()
	}
	v := viewMember(st, s.role.Status())
	v.Running, v.Reachable = true, a.edges.Swarm.Reached()
	if v.ID == "" || st == nil {
		v.ID, v.Name = s.db.ID, s.db.Name
	}
	return v, nil
}

func (a *Agent) balance(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	acc, err := d.Account()
	if err != nil {
		return nil, err
	}
	return viewAccount(d.Store.State().Charter, acc), nil
}

// StatementLine is one entry as the account's owner reads it.
type StatementLine struct {
	Index   uint64 `json:"index"`
	Time    string `json:"time"`
	Number  uint64 `json:"number,omitempty"` // of the own change; 0: somebody else's
	Kind    string `json:"kind"`
	Verdict string `json:"verdict"`
	Account uint64 `json:"account,omitempty"` // the other one
	Name    string `json:"name,omitempty"`
	Amount  string `json:"amount"`
	Balance string `json:"balance"` // after it
	Memo    string `json:"memo,omitempty"`
}

// StatementIn asks for a page of a statement: the newest entries, or those
// before an index, oldest first.
type StatementIn struct {
	Count  int    `json:"count"`            // so many; 0: PageMax, and never more
	Before uint64 `json:"before,omitempty"` // 0: from the newest on
}

func (a *Agent) statement(s *seat, in StatementIn) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	acc, err := d.Account()
	if err != nil {
		return nil, err
	}
	if in.Count <= 0 || in.Count > PageMax {
		in.Count = PageMax
	}
	st := d.Store.State()
	lines, balance := []StatementLine{}, acc.Balance
	err = d.Store.Newest(acc.Number, func(e ledger.Decided) bool {
		line, delta := statementLine(st, acc.Number, e)
		line.Balance = ledger.FormatAmount(balance, st.Charter.Scale)
		balance -= delta
		if in.Before == 0 || e.Index < in.Before {
			lines = append(lines, line)
		}
		return len(lines) < in.Count
	})
	slices.Reverse(lines)
	return lines, err
}

// statementLine is an entry seen from an account, and what it did to its
// balance.
func statementLine(st *ledger.State, account uint64, e ledger.Decided) (StatementLine, int64) {
	v := viewEntry(st, e)
	line := StatementLine{Index: v.Index, Time: v.Time, Kind: v.Kind, Verdict: v.Verdict, Memo: v.Memo, Amount: ledger.FormatAmount(0, st.Charter.Scale)}
	if e.Entry.Account == account {
		line.Number = e.Entry.Number
	}
	var delta int64
	if e.Entry.Kind != wire.KindTransfer || e.Entry.Verdict != wire.Applied {
		return line, 0
	}
	t, err := wire.ParseTransferEffect(e.Entry.Effect)
	if err != nil {
		return line, 0
	}
	for _, p := range t.Postings {
		switch {
		case p.Account == account:
			delta = p.Amount
		case line.Account == 0 && (e.Entry.Account == account || p.Account == e.Entry.Account):
			line.Account, line.Name = p.Account, nameOf(st, p.Account)
		}
	}
	line.Amount = ledger.FormatAmount(delta, st.Charter.Scale)
	return line, delta
}

// NumberIn names one of the own changes.
type NumberIn struct {
	Number uint64 `json:"number"`
}

// ChangeView is what became of a change.
type ChangeView struct {
	Number   uint64        `json:"number"`
	State    string        `json:"state"` // waiting, seen, accepted, refused
	Verdict  string        `json:"verdict,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Kind     string        `json:"kind,omitempty"`
	Postings []PostingView `json:"postings,omitempty"`
	Memo     string        `json:"memo,omitempty"`
	Index    uint64        `json:"index,omitempty"`
	Time     string        `json:"time,omitempty"`
	Until    string        `json:"until,omitempty"`
}

func viewChange(st *ledger.State, r member.Result) ChangeView {
	v := ChangeView{Number: r.Number, State: string(r.Outcome), Reason: r.Reason, Index: r.Index}
	if r.Index != 0 {
		v.Verdict, v.Time = r.Verdict.String(), viewMillis(r.Time.UnixMilli())
	}
	if r.Change == nil {
		return v
	}
	v.Kind, v.Until = r.Change.Name, viewMillis(r.Change.Until)
	if t, err := wire.ParseTransfer(r.Change.Args); err == nil && r.Change.Kind() == wire.KindTransfer {
		v.Postings, v.Memo = viewPostings(st, t.Postings), t.Memo
	}
	return v
}

func (a *Agent) showChange(s *seat, in NumberIn) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	r, err := d.Result(in.Number)
	if err != nil {
		return nil, err
	}
	return viewChange(d.Store.State(), r), nil
}

// WaitIn waits for a change to be in the log, or only at DHT nodes. Patience
// bounds the time without any answer from the DHT; 0: none.
type WaitIn struct {
	Number   uint64 `json:"number"`
	Seen     bool   `json:"seen"`
	Patience int    `json:"patience_seconds,omitempty"`
}

// alone gives ErrNoNode once no DHT node has ever answered for so long.
func (a *Agent) alone(s *seat, since time.Time, patience int) error {
	if patience <= 0 || s.role == nil || !s.role.Status().Checked.IsZero() || time.Since(since) < time.Duration(patience)*time.Second {
		return nil
	}
	return a.edges.NoNode()
}

func (a *Agent) wait(ctx context.Context, r Request) (any, error) {
	var in WaitIn
	if err := json.Unmarshal(r.In, &in); err != nil {
		return nil, err
	}
	began := time.Now()
	return a.until(ctx, r.DB, func(s *seat) (any, bool, error) {
		d, err := s.books()
		if err != nil {
			return nil, false, err
		}
		if err := a.alone(s, began, in.Patience); err != nil {
			return nil, false, err
		}
		res, err := d.Result(in.Number)
		if err != nil {
			return nil, false, err
		}
		done := res.Outcome == member.Accepted || res.Outcome == member.Refused || in.Seen && res.Outcome == member.Seen
		return viewChange(d.Store.State(), res), done, nil
	})
}

// FreshIn waits until the log here is that of the newest head there is.
// Patience is as in WaitIn.
type FreshIn struct {
	Patience int `json:"patience_seconds,omitempty"`
}

func (a *Agent) fresh(ctx context.Context, r Request) (any, error) {
	var in FreshIn
	if err := json.Unmarshal(r.In, &in); err != nil {
		return nil, err
	}
	began := time.Now()
	return a.until(ctx, r.DB, func(s *seat) (any, bool, error) {
		if s.role == nil {
			return nil, true, nil
		}
		st := s.role.Status()
		done := !st.Checked.IsZero() && (st.Phase == member.Current || st.Phase == member.Stopped)
		return nil, done, a.alone(s, began, in.Patience)
	})
}

// QuoteIn is a payment somebody thinks of.
type QuoteIn struct {
	To     string `json:"to"` // account number, unique name, member code or key
	Amount string `json:"amount"`
	Memo   string `json:"memo,omitempty"`
	Until  int64  `json:"until_ms,omitempty"` // it expires so many milliseconds from now; 0: never
	Anyway bool   `json:"anyway,omitempty"`   // sign it although it would be refused as things stand
}

// QuoteView is whom it would reach and what would be left.
type QuoteView struct {
	To      uint64 `json:"to"`
	Name    string `json:"name"`
	Key     string `json:"key"`
	Amount  string `json:"amount"`
	Unit    string `json:"unit"`
	Balance string `json:"balance"` // now
	Waiting string `json:"waiting"` // what payments that wait will take
	After   string `json:"balance_after"`
	Verdict string `json:"verdict"` // what the rules would say now
	Reason  string `json:"reason,omitempty"`
}

// payment reads a payment and says what the rules make of it.
func (s *seat) payment(in QuoteIn) (d *member.Desk, to ledger.Account, amount int64, v QuoteView, err error) {
	if d, err = s.books(); err != nil {
		return
	}
	st := d.Store.State()
	own, err := d.Account()
	if err != nil {
		return
	}
	if to, err = findAccount(st, in.To); err != nil {
		return
	}
	if to.Number == own.Number {
		err = &control.Error{Code: CodeRefused, Text: "that is your own account"}
		return
	}
	if amount, err = ledger.ParseAmount(in.Amount, st.Charter.Scale); err != nil {
		err = &control.Error{Code: CodeUsage, Text: err.Error()}
		return
	}
	if amount <= 0 {
		err = &control.Error{Code: CodeUsage, Text: "an amount is more than nothing"}
		return
	}
	if err = wire.CheckText("memo", in.Memo, wire.MemoBytesMax); err != nil {
		err = &control.Error{Code: CodeUsage, Text: err.Error()}
		return
	}
	verdict, reason, err := d.PreviewPay(to.Number, amount, in.Memo)
	if err != nil {
		return
	}
	waiting, err := pending(d, own.Number)
	if err != nil {
		return
	}
	if left := own.Balance - waiting - amount; verdict == wire.Applied && left < own.Limits.Lower {
		verdict = wire.BelowLowerLimit
		reason = fmt.Sprintf("payments of %s still wait for the manager; with this one the balance would be %s, and the lower limit is %s",
			ledger.FormatAmount(waiting, st.Charter.Scale), ledger.FormatAmount(left, st.Charter.Scale), ledger.FormatAmount(own.Limits.Lower, st.Charter.Scale))
	}
	format := func(n int64) string { return ledger.FormatAmount(n, st.Charter.Scale) }
	v = QuoteView{
		To: to.Number, Name: to.Name, Key: hex.EncodeToString(to.Key[:]), Amount: format(amount), Unit: st.Charter.Unit,
		Balance: format(own.Balance), Waiting: format(waiting), After: format(own.Balance - waiting - amount),
		Verdict: verdict.String(), Reason: reason,
	}
	return
}

// pending is what the own payments that wait will take.
func pending(d *member.Desk, own uint64) (int64, error) {
	all, err := d.Waiting()
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, r := range all {
		if r.Change == nil || r.Change.Kind() != wire.KindTransfer {
			continue
		}
		t, err := wire.ParseTransfer(r.Change.Args)
		if err != nil {
			continue
		}
		for _, p := range t.Postings {
			if p.Account == own {
				sum -= p.Amount
			}
		}
	}
	return sum, nil
}

func (a *Agent) quote(s *seat, in QuoteIn) (any, error) {
	_, _, _, v, err := s.payment(in)
	return v, err
}

func (a *Agent) pay(s *seat, in QuoteIn) (any, error) {
	d, to, amount, v, err := s.payment(in)
	if err != nil {
		return nil, err
	}
	if v.Verdict != wire.Applied.String() && !in.Anyway {
		return nil, &control.Error{Code: CodeRefused, Text: v.Reason}
	}
	var until time.Time
	if in.Until > 0 {
		until = time.Now().Add(time.Duration(in.Until) * time.Millisecond)
	}
	var number uint64
	if s.role != nil {
		number, err = s.role.Pay(to.Number, amount, in.Memo, until)
	} else {
		number, err = d.Pay(to.Number, amount, in.Memo, until)
	}
	if err != nil {
		return nil, err
	}
	r, err := d.Result(number)
	if err != nil {
		return nil, err
	}
	return viewChange(d.Store.State(), r), nil
}

// OutboxView is what waits to be handed over.
type OutboxView struct {
	Waiting []ChangeView `json:"waiting"`
	Nodes   int          `json:"nodes"` // DHT nodes that acknowledged the outbox
}

func (a *Agent) outbox(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	all, err := d.Waiting()
	if err != nil {
		return nil, err
	}
	v := OutboxView{Waiting: []ChangeView{}}
	for _, r := range all {
		v.Waiting = append(v.Waiting, viewChange(d.Store.State(), r))
	}
	if s.role != nil {
		v.Nodes = s.role.Status().Nodes
	}
	return v, nil
}

// RawView is the outbox as any BEP-44 client can put it.
type RawView struct {
	Key    string   `json:"key"`
	Salt   string   `json:"salt"`
	Seq    int64    `json:"seq"`
	Value  string   `json:"value"` // bencoded, base64
	Sig    string   `json:"sig"`
	Target string   `json:"target"`
	Chunks []string `json:"chunks"` // bencoded values of immutable items, base64
}

func (a *Agent) raw(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	r, err := d.Raw()
	if err != nil {
		return nil, err
	}
	key := d.Identity.Public()
	target := wire.MutableTarget(key, r.Salt)
	v := RawView{
		Key: hex.EncodeToString(key[:]), Salt: hex.EncodeToString(r.Salt), Seq: r.Seq, Sig: hex.EncodeToString(r.Sig[:]),
		Value: base64.StdEncoding.EncodeToString(r.Value), Target: target.String(), Chunks: []string{},
	}
	for _, c := range r.Chunks {
		v.Chunks = append(v.Chunks, base64.StdEncoding.EncodeToString(c.Value))
	}
	return v, nil
}

func (a *Agent) cancel(s *seat, in NumberIn) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	r, err := d.Result(in.Number)
	if err != nil {
		return nil, err
	}
	if r.Index != 0 {
		return nil, refused("change %d is in the log already, as entry %d, and stays there; what was paid, only the other one can pay back", in.Number, r.Index)
	}
	if s.role != nil {
		err = s.role.Cancel(in.Number)
	} else {
		err = d.Cancel(in.Number)
	}
	return viewChange(d.Store.State(), r), err
}

func (a *Agent) takeOver(s *seat, _ nothing) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	if s.role != nil {
		err = s.role.TakeOver()
	} else {
		err = d.TakeOver()
	}
	if err != nil {
		return nil, err
	}
	return a.balance(s, nothing{})
}

func (a *Agent) audit(s *seat, _ nothing) (any, error) {
	st := s.open()
	if st == nil {
		return nil, ErrNotInitialised
	}
	return audit(st, RoleMember)
}

func (a *Agent) log(s *seat, in LogIn) (any, error) {
	st := s.open()
	if st == nil {
		return nil, ErrNotInitialised
	}
	return viewLog(st, in)
}

// NewKey makes a seed from the system's randomness.
func NewKey() (keys.Seed, error) { return keys.NewSeed(rand.Reader) }
