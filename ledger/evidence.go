package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// ErrContinues: the two do not contradict each other.
var ErrContinues = errors.New("the larger log begins with the smaller one")

// Outgrown is evidence that the log of the larger checkpoint does not begin with
// that of the smaller one; hashes are those of the larger log. The error wraps
// ErrContinues when it does, and ErrProof when the hashes are of another log.
func Outgrown(small, large wire.Checkpoint, hashes tlog.HashReader) (*wire.Evidence, error) {
	root, err := RootAt(small.Size, hashes)
	if err != nil {
		return nil, err
	}
	if root == small.Root {
		return nil, fmt.Errorf("compare a log of %d with one of %d: %w", small.Size, large.Size, ErrContinues)
	}
	proof, err := ConsistencyProof(small.Size, large.Size, hashes)
	if err != nil {
		return nil, err
	}
	if err := CheckConsistency(proof, small.Size, root, large.Size, large.Root); err != nil {
		return nil, err
	}
	e := &wire.Evidence{Kind: wire.EvidenceGrowth, Checkpoints: [2]wire.Checkpoint{small, large}, Root: root}
	for _, h := range proof {
		e.Proof = append(e.Proof, wire.Hash(h))
	}
	return e, nil
}

// CheckEvidence checks what ParseEvidence leaves to do, with nothing but the
// database's charter and its successions: that both are signed, checkpoints by
// the log key for their size (Terms.LogKey), and the proof between two sizes. The error wraps ErrSignature or ErrProof.
func CheckEvidence(e *wire.Evidence, id wire.ID, digest wire.Digest, log func(size uint64) keys.LogPublic, verify sign.Verifier) error {
	if e.Kind == wire.EvidenceChanges {
		return checkChanges(e, digest, verify)
	}
	for _, c := range e.Checkpoints {
		if !c.Verify(id, log(c.Size)) {
			return fmt.Errorf("check a checkpoint of %d in evidence: %w", c.Size, ErrSignature)
		}
	}
	if e.Kind != wire.EvidenceGrowth {
		return nil
	}
	var proof tlog.TreeProof
	for _, h := range e.Proof {
		proof = append(proof, tlog.Hash(h))
	}
	small, large := e.Sizes()
	return CheckConsistency(proof, small.Size, e.Root, large.Size, large.Root)
}

func checkChanges(e *wire.Evidence, digest wire.Digest, verify sign.Verifier) error {
	var items []sign.Item
	for _, c := range e.Changes {
		items = append(items, sign.Item{Key: c.Key, Message: wire.ChangeSigned(digest, c.Number, c.Chain), Sig: c.Sig})
	}
	for i, ok := range verify.Verify(items) {
		if !ok {
			return fmt.Errorf("check change %d in evidence: %w", e.Changes[i].Number, ErrSignature)
		}
	}
	return nil
}
