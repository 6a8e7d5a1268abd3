package host

import (
	"slices"

	"weir/ledger"
	"weir/ledger/wire"
)

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
// before an index, oldest first; of a period, if there is one.
type StatementIn struct {
	Count  int    `json:"count"`              // so many; 0: PageMax, and never more
	Before uint64 `json:"before,omitempty"`   // index; 0: from the newest on
	Since  int64  `json:"since_ms,omitempty"` // Unix ms, from then on; 0: from the beginning
	Until  int64  `json:"until_ms,omitempty"` // Unix ms, before then; 0: to the end
}

// StatementView is a statement, or a page of one.
type StatementView struct {
	Account uint64          `json:"account"`
	Name    string          `json:"name"`
	Unit    string          `json:"unit"`
	Since   string          `json:"since,omitempty"`
	Until   string          `json:"until,omitempty"` // and not later
	Opening string          `json:"opening"`         // balance before the first line
	Closing string          `json:"closing"`         // balance after the last
	Lines   []StatementLine `json:"lines"`
	AsOf    string          `json:"as_of,omitempty"`        // time of the newest head that is here: what came later is not in it
	Waiting int             `json:"waiting,omitempty"`      // own changes that are not in the log yet
	Other   string          `json:"other_device,omitempty"` // as in ShowView
}

func (a *Agent) statement(s *seat, in StatementIn) (any, error) {
	d, acc, err := s.own()
	if err != nil {
		return nil, err
	}
	if in.Count <= 0 || in.Count > PageMax {
		in.Count = PageMax
	}
	st := d.Store.State()
	amount := func(n int64) string { return ledger.FormatAmount(n, st.Charter.Scale) }
	v := StatementView{
		Account: acc.Number, Name: acc.Name, Unit: st.Charter.Unit, Since: viewMillis(in.Since), Until: viewMillis(in.Until),
		Lines: []StatementLine{}, AsOf: asOf(d.Store),
	}
	waiting, other, err := keeps(d)
	if err != nil {
		return nil, err
	}
	v.Waiting, v.Other = len(waiting), other
	balance := acc.Balance // after the entry that comes next
	closing := balance
	err = d.Store.Newest(acc.Number, func(e ledger.Decided) bool {
		if e.Entry.Time < in.Since {
			return false
		}
		line, delta := statementLine(st, acc.Number, e)
		line.Balance = amount(balance)
		balance -= delta
		if in.Before != 0 && e.Index >= in.Before || in.Until != 0 && e.Entry.Time >= in.Until {
			closing = balance
			return true
		}
		v.Lines = append(v.Lines, line)
		return len(v.Lines) < in.Count
	})
	v.Opening, v.Closing = amount(balance), amount(closing)
	slices.Reverse(v.Lines)
	return v, err
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
