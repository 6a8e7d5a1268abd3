package wire

import (
	"errors"
	"fmt"
)

// Entry is the manager's decision on one change, and one Merkle leaf:
//
//	version (1) ‖ time u64 ‖ account u64 ‖ number u64 ‖ h (32) ‖
//	signature (64) ‖ kind u8 ‖ verdict u8 ‖
//	effect length u16 ‖ effect ‖ SHA-256 of the body (32)
type Entry struct {
	Time    int64 // Unix ms of the batch
	Account uint64
	Number  uint64
	Chain   Hash
	Sig     Signature
	Kind    Kind
	Verdict Verdict
	Effect  []byte // what later merging needs, by kind; empty when refused
	Body    Hash   // SHA-256 of the body, of a refused change's too
}

const entryFixedBytes = 1 + 8 + 8 + 8 + 32 + 64 + 1 + 1 + 2 + 32

// Encode gives the entry's bytes, at most EntryBytesMax.
func (e *Entry) Encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("write an entry: %w", err)
	}
	b := make([]byte, 0, entryFixedBytes+len(e.Effect))
	b = append(b, Version)
	b = appendU64(b, uint64(e.Time))
	b = appendU64(b, e.Account)
	b = appendU64(b, e.Number)
	b = append(b, e.Chain[:]...)
	b = append(b, e.Sig[:]...)
	b = append(b, byte(e.Kind), byte(e.Verdict))
	b = appendU16(b, len(e.Effect))
	b = append(b, e.Effect...)
	return append(b, e.Body[:]...), nil
}

// ParseEntry reads an entry; a kind or verdict of a later version is
// ErrNewer. Effect is one of its kind's, and aliases b.
func ParseEntry(b []byte) (*Entry, error) {
	e, err := parseEntry(b)
	if err != nil {
		return nil, fmt.Errorf("read an entry: %w", err)
	}
	return e, nil
}

func parseEntry(b []byte) (*Entry, error) {
	if len(b) > EntryBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), EntryBytesMax)
	}
	var e Entry
	c := cursor{b: b}
	c.version()
	e.Time = int64(c.u64())
	e.Account = c.u64()
	e.Number = c.u64()
	c.fixed(e.Chain[:])
	c.fixed(e.Sig[:])
	e.Kind = Kind(c.u8())
	e.Verdict = Verdict(c.u8())
	e.Effect = c.take(c.u16())
	c.fixed(e.Body[:])
	if err := c.end(); err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return &e, nil
}

func (e *Entry) check() error {
	if err := checkTime("time", e.Time); err != nil {
		return err
	}
	if err := checkInt("account", e.Account); err != nil {
		return err
	}
	if err := checkInt("number", e.Number); err != nil {
		return err
	}
	switch {
	case e.Number == 0:
		return errors.New("numbers begin at 1")
	case e.Kind >= kinds:
		return fmt.Errorf("%v: %w", e.Kind, ErrNewer)
	case e.Verdict >= verdicts:
		return fmt.Errorf("%v: %w", e.Verdict, ErrNewer)
	case e.Verdict == UnknownKind && e.Kind != KindUnknown,
		e.Verdict != Expired && e.Verdict != UnknownHistory && e.Verdict != UnknownKind && e.Kind == KindUnknown:
		return fmt.Errorf("kind %v with verdict %v", e.Kind, e.Verdict)
	case e.Verdict != Applied && len(e.Effect) != 0:
		return errors.New("refused, and yet with an effect")
	case e.Verdict != Applied:
		return nil
	}
	return checkEffect(e.Kind, e.Effect)
}
