package host

import (
	"weir/ledger"
	"weir/ledger/wire"
	"weir/member"
)

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
	Again    uint64        `json:"sent_again,omitempty"` // the succession after which it was sent to the manager's new key
}

func viewChange(st *ledger.State, r member.Result) ChangeView {
	v := ChangeView{Number: r.Number, State: string(r.Outcome), Reason: r.Reason, Index: r.Index, Again: r.Again}
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
