package host

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

// ShowView is what became of a change, as of when, and the proof of its entry.
type ShowView struct {
	ChangeView
	AsOf  string `json:"as_of,omitempty"`        // time of the newest head that is here; none: there is no head yet
	Other string `json:"other_device,omitempty"` // why nothing is handed over: another device used the key, or the directory was restored
	Late  string `json:"late,omitempty"`         // that the manager has not taken it for long
	*ProofView
}

// ProofView shows that an entry is in the log that the manager signed: an
// inclusion proof of RFC 6962, section 2.1.1. Hashes are hex.
type ProofView struct {
	LeafIndex   uint64   `json:"leaf_index"`
	Leaf        string   `json:"leaf"`            // the entry's bytes, base64
	LeafHash    string   `json:"leaf_hash"`       // SHA-256(0x00 ‖ leaf)
	Path        []string `json:"inclusion_proof"` // from the leaf's sibling up
	Size        uint64   `json:"size"`            // of the tree
	Root        string   `json:"root"`
	Note        string   `json:"checkpoint"` // size and root signed, as a C2SP checkpoint, for stock tools
	VerifierKey string   `json:"verifier_key"`
}

func (a *Agent) showChange(s *seat, in NumberIn) (any, error) {
	d, acc, err := s.own()
	if err != nil {
		return nil, err
	}
	waiting, other, err := keeps(d)
	if err != nil {
		return nil, err
	}
	var r member.Result
	switch i := slices.IndexFunc(waiting, func(w member.Result) bool { return w.Number == in.Number }); {
	case in.Number > acc.Last && i < 0:
		err = fmt.Errorf("number %d: %w", in.Number, member.ErrNotFound)
	case in.Number > acc.Last:
		r = waiting[i]
	default:
		if r, err = d.Result(in.Number); i >= 0 {
			other = fmt.Sprintf("change %d in the log is another device's, and the one that was signed here is not taken; %s", in.Number, other)
		}
	}
	if err != nil {
		return nil, err
	}
	v := ShowView{ChangeView: viewChange(d.Store.State(), r), AsOf: asOf(d.Store), Other: other}
	if s.role != nil && r.Index == 0 {
		if u := viewUntaken(s.role.Status().Untaken); u != nil && u.Number <= r.Number {
			v.Late = Problem{Text: u.text(time.Now()), Remedy: untakenRemedy}.Line()
		}
	}
	v.ProofView, err = proof(d, r.Index)
	return v, err
}

// keeps is what waits here, and, where another device used the key or the directory
// was restored, that in words: it keeps nobody from reading.
func keeps(d *member.Desk) (waiting []member.Result, other string, err error) {
	waiting, err = d.Waiting()
	if errors.Is(err, member.ErrRestored) {
		other = err.Error()
		waiting, err = d.Kept()
		return waiting, other, err
	}
	if !errors.Is(err, member.ErrOtherDevice) {
		return waiting, "", err
	}
	why, err := d.Foreign()
	if err != nil {
		return nil, "", err
	}
	waiting, err = d.Kept()
	return waiting, fmt.Sprintf("%v: %s. What waits here is not handed over any more; weir member takeover goes on from the log, and gives up what does not go on from it", member.ErrOtherDevice, why), err
}

// asOf is the time of the newest head that a store has; "": it has none.
func asOf(s *store.Store) string {
	it, ok, err := member.SignedHead(s)
	if err != nil || !ok {
		return ""
	}
	h, err := wire.ParseHead(it.Value)
	if err != nil {
		return ""
	}
	return viewTime(time.UnixMilli(h.Time))
}

// proof is that of an entry; nil: it has none, or is not signed yet.
func proof(d *member.Desk, index uint64) (*ProofView, error) {
	if index == 0 {
		return nil, nil
	}
	p, ok, err := d.Prove(index)
	if errors.Is(err, ledger.ErrProof) {
		err = fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	if err != nil || !ok {
		return nil, err
	}
	st := d.Store.State()
	log := st.LogKey(p.Checkpoint.Size)
	v := &ProofView{
		LeafIndex: p.Index, Leaf: base64.StdEncoding.EncodeToString(p.Leaf), LeafHash: hex.EncodeToString(p.Hash[:]), Path: []string{},
		Size: p.Checkpoint.Size, Root: p.Checkpoint.Root.String(),
		Note: string(p.Checkpoint.Note(st.ID, log)), VerifierKey: wire.VerifierKey(st.ID, log),
	}
	for _, h := range p.Path {
		v.Path = append(v.Path, hex.EncodeToString(h[:]))
	}
	return v, nil
}
