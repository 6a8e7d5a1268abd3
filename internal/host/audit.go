package host

import (
	"fmt"
	"strings"

	"weir/ledger"
	"weir/ledger/store"
)

// AuditView is what an audit found.
type AuditView struct {
	ID       string   `json:"id"`
	OK       bool     `json:"ok"`
	LogSize  uint64   `json:"log_size"`
	Root     string   `json:"root"`
	Length   uint64   `json:"length"`
	Entries  uint64   `json:"entries"`
	Members  int      `json:"members"`
	Volumes  int      `json:"volumes"`
	Sum      string   `json:"sum"`
	Findings []string `json:"findings,omitempty"`
}

// audit checks an open store from its bytes alone.
func audit(s *store.Store) (AuditView, error) {
	r, err := s.Audit(nil)
	if err != nil {
		return AuditView{}, err
	}
	st := s.State()
	v := AuditView{
		ID: st.ID.String(), OK: r.OK(), LogSize: r.Size, Root: r.Root.String(), Length: r.Length, Entries: r.Entries,
		Members: r.Members, Volumes: r.Volumes, Sum: ledger.FormatAmount(r.Sum, st.Charter.Scale), Findings: r.Findings,
	}
	if !v.OK {
		return v, fmt.Errorf("%w: %s", ErrNotVerified, strings.Join(r.Findings, "; "))
	}
	return v, nil
}
