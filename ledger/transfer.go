package ledger

import "weir/ledger/wire"

// transfer moves minor units from its signer to others.
type transfer struct{ postings []wire.Posting }

func (t transfer) judge(d *draft, signer *Account) wire.Verdict {
	if signer.Number == managerAccount || !t.takesFromOnly(signer.Number) {
		return wire.NotPermitted
	}
	if !t.balances() {
		return wire.Unbalanced
	}
	for _, p := range t.postings {
		if d.member(p.Account) == nil {
			return wire.UnknownAccount
		}
	}
	verdict := wire.Applied
	for _, p := range t.postings {
		a := d.member(p.Account)
		after := a.Balance + p.Amount // both within ±2^53
		switch {
		case p.Amount < 0 && after < a.Limits.Lower:
			return wire.BelowLowerLimit
		case p.Amount > 0 && after > a.Limits.Upper:
			verdict = wire.AboveUpperLimit
		}
	}
	return verdict
}

// takesFromOnly says whether the transfer takes from this account and from no
// other.
func (t transfer) takesFromOnly(account uint64) bool {
	takes := false
	for _, p := range t.postings {
		if p.Amount >= 0 {
			continue
		}
		if p.Account != account {
			return false
		}
		takes = true
	}
	return takes
}

// balances says whether the postings sum to zero, with no account twice and
// no amount of zero.
func (t transfer) balances() bool {
	if len(t.postings) < wire.PostingsMin || len(t.postings) > wire.PostingsMax {
		return false
	}
	var sum int64 // of at most 64 amounts within ±2^53
	for i, p := range t.postings {
		if p.Amount == 0 || p.Amount > wire.IntMax || p.Amount < -wire.IntMax {
			return false
		}
		for _, q := range t.postings[:i] {
			if q.Account == p.Account {
				return false
			}
		}
		sum += p.Amount
	}
	return sum == 0
}

func (t transfer) apply(d *draft, _ int64) {
	for _, p := range t.postings {
		d.touch(p.Account).Balance += p.Amount
		d.sum += p.Amount
	}
}

func (t transfer) effect() []byte { return wire.TransferEffect{Postings: t.postings}.Encode() }
