package host

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"weir/internal/control"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

// QuoteIn is a payment somebody thinks of.
type QuoteIn struct {
	To     string `json:"to"` // account number, unique name, member code or key
	Amount string `json:"amount"`
	Memo   string `json:"memo,omitempty"`
	Until  int64  `json:"until_ms,omitempty"` // it expires so many milliseconds from now; 0: never
	Anyway bool   `json:"anyway,omitempty"`   // sign it although it would be refused as things stand
	Refund uint64 `json:"refund,omitempty"`   // it pays this entry back: To and Memo follow from that, and Amount if there is none
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
	Memo    string `json:"memo,omitempty"`

	Alike  []NamedView `json:"alike,omitempty"` // members whose names may be taken for this one's
	Refund *RefundView `json:"refund,omitempty"`
}

// payment reads a payment and says what the rules make of it.
func (s *seat) payment(in QuoteIn) (d *member.Desk, to ledger.Account, amount int64, v QuoteView, err error) {
	d, own, err := s.own()
	if err != nil {
		return
	}
	st := d.Store.State()
	var back *RefundView
	if in.Refund != 0 {
		if back, err = refund(d, own, &in); err != nil {
			return
		}
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
		err = &control.Error{Code: CodeUsage, Text: member.ErrNothing.Error()}
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
		Verdict: verdict.String(), Reason: reason, Memo: in.Memo, Alike: alike(st, to, own.Number), Refund: back,
	}
	if why := back.twice(amount); why != "" {
		v.Verdict, v.Reason = alreadyRefunded, why
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
	return v, unsigned(err)
}

// unsigned says of an account that does not go on here that nothing came of it, and
// what to do.
func unsigned(err error) error {
	switch {
	case errors.Is(err, store.ErrNoSpace):
		return fmt.Errorf("nothing was signed, and nothing was sent: %s. Make room, and give the command again%w", fullDisk(err), silent{err})
	case errors.Is(err, member.ErrOtherDevice):
		return fmt.Errorf("nothing was signed, and nothing was sent: %w. Pay on the other device; or, when every other one is off for good, go on here by weir member takeover", err)
	case errors.Is(err, member.ErrRestored) || errors.Is(err, member.ErrReplaced):
		return fmt.Errorf("nothing was signed, and nothing was sent: %w", err)
	}
	return err
}

func (a *Agent) pay(s *seat, in QuoteIn) (any, error) {
	d, to, amount, v, err := s.payment(in)
	if err != nil {
		return nil, unsigned(err)
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
		number, err = s.role.Pay(to.Number, amount, v.Memo, until)
	} else {
		number, err = d.Pay(to.Number, amount, v.Memo, until)
	}
	if err != nil {
		return nil, unsigned(err)
	}
	r, err := d.Result(number)
	if err != nil {
		return nil, err
	}
	return viewChange(d.Store.State(), r), nil
}
