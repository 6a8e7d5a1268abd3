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
	Signed   uint64   `json:"signed_size"` // log size that the manager has signed; 0: none yet
	Root     string   `json:"root"`
	Length   uint64   `json:"length"`
	Entries  uint64   `json:"entries"`
	Members  int      `json:"members"`
	Volumes  int      `json:"volumes"`
	Sum      string   `json:"sum"`
	Findings []string `json:"findings,omitempty"` // what does not hold
}

// Err is ErrNotVerified with the findings, unless all holds.
func (v AuditView) Err() error {
	if v.OK {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNotVerified, strings.Join(v.Findings, "; "))
}

// audit checks an open store from its bytes alone, and then what the manager
// signed over it. A member has nothing but what is signed; a manager's log may
// be ahead of what it signed. The error says that nothing could be checked.
func audit(s *store.Store, role string) (AuditView, error) {
	r, err := s.Audit(nil)
	if err != nil {
		return AuditView{}, err
	}
	st := s.State()
	for i, text := range r.Findings {
		r.Findings[i] = once(text)
	}
	v := AuditView{
		ID: st.ID.String(), LogSize: r.Size, Root: r.Root.String(), Length: r.Length, Entries: r.Entries,
		Members: r.Members, Volumes: r.Volumes, Sum: ledger.FormatAmount(r.Sum, st.Charter.Scale), Findings: r.Findings,
	}
	if r.OK() { // else the roots to compare with mean nothing
		if v.Signed, v.Findings, err = signed(s, role, r.Size); err != nil {
			return AuditView{}, err
		}
	}
	v.OK = len(v.Findings) == 0
	return v, nil
}

// signed checks the signed head and checkpoint that a role keeps beside a log of
// some size: their signatures, and that the log here is what they sign. It gives
// the size up to which the log is signed.
func signed(s *store.Store, role string, size uint64) (upTo uint64, findings []string, err error) {
	head := manager.SignedHead
	if role == RoleMember {
		head = member.SignedHead
	}
	it, ok, err := head(s)
	if err != nil {
		return 0, nil, err
	}
	if ok {
		c, why := signedBy(s, it)
		if why != "" {
			findings = append(findings, "the stored head: "+why)
		}
		upTo = min(c.Size, size)
	}
	if role != RoleMember {
		return upTo, findings, nil
	}
	c, ok := member.Checkpoint(s)
	switch why := wrong(s, c); {
	case !ok:
		findings = append(findings, "no checkpoint that the manager signed is here: nothing says that this log is the manager's. weir member run fetches one")
	case why != "":
		findings = append(findings, "the stored checkpoint: "+why)
	case c.Size != size:
		findings = append(findings, fmt.Sprintf("the stored checkpoint covers the log up to entry %d and the log here goes to entry %d: the last of them nobody has signed. weir member run fetches what is missing", c.Size-1, size-1))
	}
	return c.Size, findings, nil
}

// signedBy gives the checkpoint of a signed head, and why it is not one of this
// log; "" when it is.
func signedBy(s *store.Store, it lookup.Item) (wire.Checkpoint, string) {
	if err := it.Verify(); err != nil {
		return wire.Checkpoint{}, err.Error()
	}
	h, err := wire.ParseHead(it.Value)
	if err != nil {
		return wire.Checkpoint{}, err.Error()
	}
	return h.Checkpoint, wrong(s, h.Checkpoint)
}

// wrong says why a checkpoint is not one of this log; "" when it is.
func wrong(s *store.Store, c wire.Checkpoint) string {
	st := s.State()
	if !c.Verify(st.ID, st.LogKey(c.Size)) {
		return "its checkpoint is not signed by the database's log key"
	}
	switch root, err := s.RootAt(c.Size); {
	case err != nil:
		return err.Error()
	case root != c.Root:
		return fmt.Sprintf("it signs another root than the log has up to entry %d", c.Size-1)
	}
	return ""
}
