package wire

import (
	"bytes"
	"errors"
	"fmt"

	"weir/keys"
)

// EvidenceKind is what two signed things contradict each other about.
type EvidenceKind uint8

const (
	// EvidenceCheckpoints: two checkpoints of one manager with one size and two
	// roots.
	EvidenceCheckpoints EvidenceKind = 1
	// EvidenceChanges: two histories of one member with one number.
	EvidenceChanges EvidenceKind = 2
	// EvidenceGrowth: two checkpoints of one manager with two sizes, and what
	// shows that the log of the larger does not begin with that of the smaller.
	EvidenceGrowth EvidenceKind = 3
)

// SignedNumber is a member's signature on a number and the chain up to it; it
// verifies (by ZIP-215) over ChangeSigned.
type SignedNumber struct {
	Key    keys.Public
	Number uint64
	Chain  Hash
	Sig    Signature
}

// Evidence is two signed things that cannot both be honest:
//
//	version (1) ‖ kind u8 ‖ length u16 ‖ one ‖ length u16 ‖ other
//
// with the smaller bytes first. A checkpoint is size u64 ‖ root (32) ‖
// signature (64), a signed number key (32) ‖ number u64 ‖ h (32) ‖
// signature (64). Behind two checkpoints of two sizes stands
//
//	root (32) ‖ count u8 ‖ count hashes (32 each)
//
// the root that the larger log has at the smaller size, and the consistency
// proof from it (RFC 6962 section 2.1.2).
type Evidence struct {
	Kind        EvidenceKind
	Checkpoints [2]Checkpoint   // when EvidenceCheckpoints or EvidenceGrowth
	Changes     [2]SignedNumber // when EvidenceChanges: one key, one number, two chains
	Root        Hash            // when EvidenceGrowth: the larger log's at the smaller size
	Proof       []Hash          // when EvidenceGrowth: from Root to the larger log's own
}

const (
	// proofHashesMax: a tree of fewer than 2^53 leaves is 53 deep, and the proof
	// has a hash for each step down and one where it ends.
	proofHashesMax   = 54
	evidenceBytesMax = 1 + 1 + 2*(2+checkpointBytes) + 32 + 1 + proofHashesMax*32
)

// Encode gives the evidence's bytes, in whichever order the two are.
func (e *Evidence) Encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("write evidence: %w", err)
	}
	one, other := e.item(0), e.item(1)
	if bytes.Compare(one, other) > 0 {
		one, other = other, one
	}
	b := []byte{Version, byte(e.Kind)}
	b = append(appendU16(b, len(one)), one...)
	b = append(appendU16(b, len(other)), other...)
	if e.Kind == EvidenceGrowth {
		b = append(append(b, e.Root[:]...), byte(len(e.Proof)))
		for _, h := range e.Proof {
			b = append(b, h[:]...)
		}
	}
	return b, nil
}

// ParseEvidence reads evidence. The signatures are for the caller to check.
func ParseEvidence(b []byte) (*Evidence, error) {
	e, err := parseEvidence(b)
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	return e, nil
}

func parseEvidence(b []byte) (*Evidence, error) {
	if len(b) > evidenceBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), evidenceBytesMax)
	}
	var e Evidence
	c := cursor{b: b}
	c.version()
	if e.Kind = EvidenceKind(c.u8()); c.err == nil {
		c.err = e.Kind.check()
	}
	for i := range 2 {
		b := c.take(c.u16())
		item := cursor{b: b, err: c.err}
		if e.Kind == EvidenceChanges {
			e.Changes[i] = item.signedNumber()
		} else {
			e.Checkpoints[i] = item.checkpoint()
		}
		c.err = item.end()
	}
	if e.Kind == EvidenceGrowth {
		e.growth(&c)
	}
	if err := c.end(); err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if bytes.Compare(e.item(0), e.item(1)) > 0 {
		return nil, errors.New("the two are not in order")
	}
	return &e, nil
}

func (e *Evidence) growth(c *cursor) {
	c.fixed(e.Root[:])
	n := c.u8()
	if n > proofHashesMax {
		c.fail("%d hashes where %d are allowed", n, proofHashesMax)
	}
	for ; n > 0 && c.err == nil; n-- {
		var h Hash
		c.fixed(h[:])
		e.Proof = append(e.Proof, h)
	}
}

func (c *cursor) signedNumber() (s SignedNumber) {
	c.fixed(s.Key[:])
	s.Number = c.u64()
	c.fixed(s.Chain[:])
	c.fixed(s.Sig[:])
	return s
}

func (e *Evidence) item(i int) []byte {
	if e.Kind != EvidenceChanges {
		return e.Checkpoints[i].append(nil)
	}
	s := e.Changes[i]
	b := appendU64(s.Key[:], s.Number)
	b = append(b, s.Chain[:]...)
	return append(b, s.Sig[:]...)
}

// check: a kind of a later version is ErrNewer.
func (k EvidenceKind) check() error {
	switch k {
	case 0:
		return errors.New("kind 0")
	case EvidenceCheckpoints, EvidenceChanges, EvidenceGrowth:
		return nil
	}
	return fmt.Errorf("kind %d: %w", k, ErrNewer)
}

func (e *Evidence) check() error {
	if e.Kind != EvidenceGrowth && (e.Root != Hash{} || len(e.Proof) > 0) {
		return errors.New("a proof where none belongs")
	}
	switch e.Kind {
	case EvidenceCheckpoints, EvidenceGrowth:
		return e.checkCheckpoints()
	case EvidenceChanges:
		one, other := e.Changes[0], e.Changes[1]
		if one.Key != other.Key || one.Number != other.Number {
			return errors.New("the two changes are of two keys or numbers")
		}
		if one.Chain == other.Chain {
			return errors.New("the two changes agree")
		}
		if one.Number == 0 {
			return errors.New("numbers begin at 1")
		}
		return checkInt("number", one.Number)
	}
	return e.Kind.check()
}

func (e *Evidence) checkCheckpoints() error {
	for _, c := range e.Checkpoints {
		if c.Size == 0 {
			return errors.New("no checkpoint")
		}
		if err := c.check(); err != nil {
			return err
		}
	}
	small, large := e.Sizes()
	if e.Kind == EvidenceCheckpoints {
		switch {
		case small.Size != large.Size:
			return errors.New("the two checkpoints are of two sizes, without a proof")
		case small.Root == large.Root:
			return errors.New("the two checkpoints agree")
		}
		return nil
	}
	switch {
	case small.Size == large.Size:
		return errors.New("the two checkpoints are of one size")
	case small.Root == e.Root:
		return errors.New("the larger log begins with the smaller")
	case len(e.Proof) > proofHashesMax:
		return fmt.Errorf("%d hashes where %d are allowed", len(e.Proof), proofHashesMax)
	}
	return nil
}

// Sizes gives the two checkpoints, that of the smaller log first.
func (e *Evidence) Sizes() (small, large Checkpoint) {
	small, large = e.Checkpoints[0], e.Checkpoints[1]
	if small.Size > large.Size {
		small, large = large, small
	}
	return small, large
}
