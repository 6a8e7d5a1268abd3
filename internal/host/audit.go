package host

import (
	"fmt"
	"strings"

	"weir/internal/lookup"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
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

// audit checks an open store from its bytes alone, and then what the manager
// signed over it.
func audit(s *store.Store) (AuditView, error) {
	r, err := s.Audit(nil)
	if err != nil {
		return AuditView{}, err
	}
	st := s.State()
	if r.OK() { // else the roots to compare with mean nothing
		if r.Findings, err = signed(s); err != nil {
			return AuditView{}, err
		}
	}
	v := AuditView{
		ID: st.ID.String(), OK: r.OK(), LogSize: r.Size, Root: r.Root.String(), Length: r.Length, Entries: r.Entries,
		Members: r.Members, Volumes: r.Volumes, Sum: ledger.FormatAmount(r.Sum, st.Charter.Scale), Findings: r.Findings,
	}
	if !v.OK {
		return v, fmt.Errorf("%w: %s", ErrNotVerified, strings.Join(r.Findings, "; "))
	}
	return v, nil
}

// signed checks the signed head and checkpoint that a role keeps beside the log:
// their signatures, and that the log here is what they sign.
func signed(s *store.Store) (findings []string, err error) {
	for _, of := range []func(*store.Store) (lookup.Item, bool, error){manager.SignedHead, member.SignedHead} {
		it, ok, err := of(s)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if err := it.Verify(); err != nil {
			findings = append(findings, fmt.Sprintf("the stored head: %v", err))
			continue
		}
		h, err := wire.ParseHead(it.Value)
		if err != nil {
			findings = append(findings, fmt.Sprintf("the stored head: %v", err))
			continue
		}
		if why := wrong(s, h.Checkpoint); why != "" {
			findings = append(findings, "the stored head: "+why)
		}
	}
	if c, ok := member.Checkpoint(s); ok {
		if why := wrong(s, c); why != "" {
			findings = append(findings, "the stored checkpoint: "+why)
		}
	}
	return findings, nil
}

// wrong says why a checkpoint is not one of this log; "" when it is.
func wrong(s *store.Store, c wire.Checkpoint) string {
	st := s.State()
	if !c.Verify(st.ID, st.Charter.Log) {
		return "its checkpoint is not signed by the database's log key"
	}
	switch root, err := s.RootAt(c.Size); {
	case err != nil:
		return err.Error()
	case root != c.Root:
		return fmt.Sprintf("it signs another root than the log has at %d entries", c.Size)
	}
	return ""
}
