package host

import (
	"fmt"
	"strings"

	"weir/ledger"
	"weir/ledger/wire"
	"weir/member"
)

// A refund is a payment of one's own that names in its memo the entry by which the
// money came. Nothing in the log makes it more than that: who was paid pays back.

// RefundView is what was received by an entry, and what of it was paid back.
type RefundView struct {
	Entry    uint64    `json:"entry"`
	Time     string    `json:"time"`
	From     NamedView `json:"from"`
	Amount   string    `json:"amount"`
	Memo     string    `json:"memo,omitempty"`
	Refunded string    `json:"refunded"` // so far, also by payments that wait
	Left     string    `json:"left"`

	amount, refunded int64
}

// alreadyRefunded is what stands for a verdict where more would be paid back than
// was received.
const alreadyRefunded = "already_refunded"

// refundTag begins the memo of every refund of an entry.
func refundTag(entry uint64) string { return fmt.Sprintf("refund of entry %d", entry) }

// isRefund says whether a memo is that of a refund of an entry.
func isRefund(memo string, entry uint64) bool {
	rest, ok := strings.CutPrefix(memo, refundTag(entry))
	return ok && (rest == "" || rest[0] == ':')
}

// refundMemo names the original, with as much of its memo as there is room for.
func refundMemo(entry uint64, original string) string {
	memo := refundTag(entry)
	if original == "" {
		return memo
	}
	memo += ": " + original
	return strings.ToValidUTF8(memo[:min(len(memo), wire.MemoBytesMax)], "")
}

// refund makes a payment of what pays an entry back: in full, as far as that was
// not done, unless it says how much.
func refund(d *member.Desk, own ledger.Account, in *QuoteIn) (*RefundView, error) {
	v, err := received(d, own, in.Refund)
	if err != nil {
		return nil, err
	}
	in.To, in.Memo = fmt.Sprint(v.From.Account), refundMemo(v.Entry, v.Memo)
	if in.Amount == "" {
		in.Amount = v.Left
		if v.amount <= v.refunded {
			in.Amount = v.Amount
		}
	}
	return v, nil
}

// received is what the own account got by an entry.
func received(d *member.Desk, own ledger.Account, entry uint64) (*RefundView, error) {
	st := d.Store.State()
	if entry == 0 || entry >= st.Size {
		return nil, fmt.Errorf("%w: the log as it stands here has no entry %d; weir member statement lists yours", ErrNotFound, entry)
	}
	e, err := d.Store.Entry(entry)
	if err != nil {
		return nil, err
	}
	line, delta := statementLine(st, own.Number, e)
	switch {
	case e.Entry.Kind != wire.KindTransfer || e.Entry.Account != own.Number && delta == 0:
		return nil, refused("entry %d is no payment to you; weir member statement lists those that are", entry)
	case e.Entry.Account == own.Number:
		return nil, refused("entry %d is a payment of your own, to %d %s: only the one who was paid can pay it back", entry, line.Account, line.Name)
	case delta < 0:
		return nil, refused("by entry %d you received nothing", entry)
	}
	from, _ := st.Account(e.Entry.Account)
	v := &RefundView{Entry: entry, Time: line.Time, From: viewNamed(from), Amount: line.Amount, Memo: line.Memo, amount: delta}
	if v.refunded, err = refunded(d, own.Number, entry); err != nil {
		return nil, err
	}
	v.Refunded = ledger.FormatAmount(v.refunded, st.Charter.Scale)
	v.Left = ledger.FormatAmount(max(0, v.amount-v.refunded), st.Charter.Scale)
	return v, nil
}

// refunded is what was paid back of an entry, by payments in the log and by those
// that wait.
func refunded(d *member.Desk, own, entry uint64) (sum int64, err error) {
	add := func(c *wire.Change) {
		if c == nil || c.Kind() != wire.KindTransfer {
			return
		}
		t, err := wire.ParseTransfer(c.Args)
		if err != nil || !isRefund(t.Memo, entry) {
			return
		}
		for _, p := range t.Postings {
			if p.Account == own {
				sum -= p.Amount
			}
		}
	}
	err = d.Store.Newest(own, func(e ledger.Decided) bool {
		if e.Entry.Account == own && e.Entry.Verdict == wire.Applied && e.Body != nil {
			if c, err := wire.ParseChange(e.Body.Change); err == nil {
				add(c)
			}
		}
		return e.Index > entry
	})
	if err != nil {
		return 0, err
	}
	waiting, _, err := keeps(d)
	for _, w := range waiting {
		add(w.Change)
	}
	return sum, err
}

// twice says why a refund is refused: with it more would be paid back than was
// received; "": it would not.
func (v *RefundView) twice(amount int64) string {
	if v == nil || v.refunded+amount <= v.amount {
		return ""
	}
	if v.refunded == 0 {
		return fmt.Sprintf("entry %d brought you %s: that is the most to pay back", v.Entry, v.Amount)
	}
	return fmt.Sprintf("of the %s that entry %d brought you, %s is paid back already, also counting what waits", v.Amount, v.Entry, v.Refunded)
}

// ReceiptView is an entry that concerns the own account.
type ReceiptView struct {
	StatementLine
	Unit     string `json:"unit"`
	Refunded string `json:"refunded,omitempty"` // of what was received
	AsOf     string `json:"as_of,omitempty"`    // time of the newest head that is here
	*ProofView
}

// EntryIn names an entry of the log.
type EntryIn struct {
	Entry uint64 `json:"entry"`
}

// receipt shows an entry as the account's owner reads it, with its proof.
func (a *Agent) receipt(s *seat, in EntryIn) (any, error) {
	d, acc, err := s.own()
	if err != nil {
		return nil, err
	}
	st, found := d.Store.State(), false
	v := ReceiptView{Unit: st.Charter.Unit, AsOf: asOf(d.Store)}
	balance := acc.Balance
	err = d.Store.Newest(acc.Number, func(e ledger.Decided) bool {
		line, delta := statementLine(st, acc.Number, e)
		if found = e.Index == in.Entry; found {
			line.Balance = ledger.FormatAmount(balance, st.Charter.Scale)
			v.StatementLine = line
		}
		balance -= delta
		return e.Index > in.Entry
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: entry %d does not concern your account, or is not in the log as it stands here; weir member statement lists those that do", ErrNotFound, in.Entry)
	}
	if r, err := received(d, acc, in.Entry); err == nil && r.refunded > 0 {
		v.Refunded = r.Refunded
	}
	v.ProofView, err = proof(d, in.Entry)
	return v, err
}
