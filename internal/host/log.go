package host

import (
	"weir/ledger"
	"weir/ledger/store"
)

// LogIn asks for a page of the log, oldest first.
type LogIn struct {
	First uint64 `json:"first"` // leaf; 0: so that the newest Count are left
	Count int    `json:"count"` // at most PageMax come; 0: PageMax
}

// PageMax is how many entries an answer has at most, so that it fits through the
// control socket whatever is in them. Whoever wants more asks for the next page.
const PageMax = 1000

func (m *Manager) log(in LogIn) (any, error) { return viewLog(m.store, in) }

func viewLog(s *store.Store, in LogIn) ([]EntryView, error) {
	if in.Count <= 0 {
		in.Count = PageMax
	}
	st := s.State()
	if in.First == 0 && st.Size > uint64(in.Count) {
		in.First = st.Size - uint64(in.Count)
	}
	out := []EntryView{}
	err := s.Entries(max(in.First, 1), func(d ledger.Decided) bool {
		out = append(out, viewEntry(st, d))
		return len(out) < min(in.Count, PageMax)
	})
	return out, err
}
