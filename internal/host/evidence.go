package host

import (
	"encoding/base64"
	"encoding/hex"

	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// EvidenceView is two signed things that cannot both be honest.
type EvidenceView struct {
	Kind        string           `json:"kind"`     // two_roots, two_histories, two_changes, or unreadable by this version
	Key         string           `json:"key"`      // publish key of whoever signed both
	Verified    bool             `json:"verified"` // both signatures, and the proof
	Checkpoints []CheckpointView `json:"checkpoints,omitempty"`
	VerifierKey string           `json:"verifier_key,omitempty"`         // of the checkpoints, for stock tools
	Root        string           `json:"root_at_smaller_size,omitempty"` // of two histories: the larger log's
	Proof       []string         `json:"consistency_proof,omitempty"`    // from it to the larger root (RFC 6962, 2.1.2)
	Changes     []SignedView     `json:"changes,omitempty"`              // of two changes
	Bytes       string           `json:"evidence"`                       // SPEC.md 13, base64
}

// CheckpointView is a signed checkpoint.
type CheckpointView struct {
	Size uint64 `json:"size"`
	Root string `json:"root"`
	Note string `json:"checkpoint"` // as C2SP signed note, for stock tools
}

// SignedView is a member's signature on a number and the changes up to it.
type SignedView struct {
	Number uint64 `json:"number"`
	Chain  string `json:"chain"`
	Sig    string `json:"signature"`
}

// evidence is what a store keeps of it, whichever role found it.
func evidence(s *store.Store) ([]EvidenceView, error) {
	st := s.State()
	all := []EvidenceView{}
	err := s.Scan("evidence/", func(_ string, b []byte) bool {
		v := EvidenceView{Kind: "unreadable", Bytes: base64.StdEncoding.EncodeToString(b)}
		if e, err := wire.ParseEvidence(b); err == nil {
			v = viewEvidence(st, e, b)
		}
		all = append(all, v)
		return true
	})
	return all, err
}

// held is how many pieces of evidence a store keeps.
func held(s *store.Store) (n int) {
	if s == nil || s.Scan("evidence/", func(string, []byte) bool { n++; return true }) != nil {
		return 0
	}
	return n
}

func viewEvidence(st *ledger.State, e *wire.Evidence, b []byte) EvidenceView {
	v := EvidenceView{
		Bytes:    base64.StdEncoding.EncodeToString(b),
		Verified: ledger.CheckEvidence(e, st.ID, st.Digest, st.LogKey, sign.ZIP215{}) == nil,
	}
	if e.Kind == wire.EvidenceChanges {
		v.Kind, v.Key = "two_changes", hex.EncodeToString(e.Changes[0].Key[:])
		for _, c := range e.Changes {
			v.Changes = append(v.Changes, SignedView{Number: c.Number, Chain: c.Chain.String(), Sig: hex.EncodeToString(c.Sig[:])})
		}
		return v
	}
	small, large := e.Sizes()
	manager := st.Terms().At(large.Size)
	v.Kind, v.Key, v.VerifierKey = "two_roots", hex.EncodeToString(manager.Manager[:]), wire.VerifierKey(st.ID, manager.Log)
	for _, c := range []wire.Checkpoint{small, large} {
		v.Checkpoints = append(v.Checkpoints, CheckpointView{Size: c.Size, Root: c.Root.String(), Note: string(c.Note(st.ID, st.LogKey(c.Size)))})
	}
	if e.Kind == wire.EvidenceGrowth {
		v.Kind, v.Root = "two_histories", e.Root.String()
		for _, h := range e.Proof {
			v.Proof = append(v.Proof, h.String())
		}
	}
	return v
}

func (m *Manager) evidence() (any, error) { return evidence(m.store) }

func (a *Agent) evidence(s *seat, _ nothing) (any, error) {
	st := s.open()
	if st == nil {
		return nil, ErrNotInitialised
	}
	return evidence(st)
}
