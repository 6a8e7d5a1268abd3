package wire

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"weir/keys"
)

// Succeed is a succession as its item was put, and the arguments of the change
// of account 0 that makes it part of the log, where it can be checked for ever:
//
//	d 1:q i<seq of the item>e
//	  1:s 64:<signature of the item>
//	  1:v <value of the item, a string>
//	e
type Succeed struct {
	Succession
	Seq int64
	Sig Signature
}

// SuccessionBytesMax is the longest succession.
const SuccessionBytesMax = 205

// SignSuccession signs the item with the recovery key.
func SignSuccession(s Succession, id ID, seq int64, recovery ed25519.PrivateKey) (Succeed, error) {
	v, err := s.Encode()
	if err != nil {
		return Succeed{}, err
	}
	sig := ed25519.Sign(recovery, ItemSigned(id.Salt(), seq, v))
	return Succeed{Succession: s, Seq: seq, Sig: Signature(sig)}, nil
}

// Verify says whether the item's signature is the recovery key's, by the
// standard rules of RFC 8032.
func (s Succeed) Verify(id ID, recovery keys.Public) bool {
	return ed25519.Verify(recovery[:], ItemSigned(id.Salt(), s.Seq, s.Succession.bytes()), s.Sig[:])
}

// After says whether a succession replaces another one: the highest number
// wins, and of one number that was signed twice the highest seq.
func (s Succeed) After(other Succeed) bool {
	if s.Number != other.Number {
		return s.Number > other.Number
	}
	return s.Seq > other.Seq
}

// Value is the bencoded value of the item.
func (s Succeed) Value() []byte { return s.Succession.bytes() }

// Args encodes the arguments.
func (s Succeed) Args() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("write a succession into the log: %w", err)
	}
	return s.bytes(), nil
}

// ParseSucceed reads the arguments. Whether they are signed is for Verify.
func ParseSucceed(args []byte) (Succeed, error) {
	s, err := parseSucceed(args)
	if err != nil {
		return Succeed{}, fmt.Errorf("read a succession of the log: %w", err)
	}
	return s, nil
}

func parseSucceed(args []byte) (Succeed, error) {
	var s Succeed
	r := readArguments(args)
	r.open('d')
	r.key("q")
	s.Seq = r.int(0, IntMax)
	r.key("s")
	r.fixed(s.Sig[:])
	r.key("v")
	value := r.bytes(1, SuccessionBytesMax)
	r.close()
	if r.err != nil {
		return s, r.err
	}
	in, err := parseSuccession(value)
	if err != nil {
		if errors.Is(err, ErrShort) { // within a whole string
			err = fmt.Errorf("the succession ends early")
		}
		return s, err
	}
	s.Succession = *in
	return s, finish(&r, args, s)
}

func (s Succeed) bytes() []byte {
	w := writer{make([]byte, 0, 320)}
	w.dict()
	w.keyInt("q", s.Seq)
	w.keyBytes("s", s.Sig[:])
	w.keyBytes("v", s.Succession.bytes())
	w.end()
	return w.b
}

func (s Succeed) check() error {
	if s.Seq < 0 || s.Seq > IntMax {
		return fmt.Errorf("the seq %d is out of range", s.Seq)
	}
	return s.Succession.check()
}

// SucceedEffect: number u64 ‖ publish key (32) ‖ log key (32) ‖ seal key (32).
// The leaf of the entry is the last good size.
type SucceedEffect struct {
	Number  uint64
	Manager keys.Public
	Log     keys.LogPublic
	Seal    keys.SealPublic
}

// Effect is what the log says of a succession.
func (s Succession) Effect() SucceedEffect {
	return SucceedEffect{Number: s.Number, Manager: s.Manager, Log: s.Log, Seal: s.Seal}
}

// Encode gives the effect's bytes.
func (e SucceedEffect) Encode() []byte {
	b := make([]byte, 0, 8+3*32)
	b = appendU64(b, e.Number)
	b = append(b, e.Manager[:]...)
	b = append(b, e.Log[:]...)
	return append(b, e.Seal[:]...)
}

// ParseSucceedEffect reads the effect of a succession.
func ParseSucceedEffect(b []byte) (SucceedEffect, error) {
	var e SucceedEffect
	c := cursor{b: b}
	e.Number = c.u64()
	c.fixed(e.Manager[:])
	c.fixed(e.Log[:])
	c.fixed(e.Seal[:])
	err := c.end()
	if err == nil && e.Number == 0 {
		err = errors.New("numbers begin at 1")
	}
	if err == nil {
		err = checkKeys(e.Manager, e.Log, e.Seal)
	}
	if err != nil {
		return SucceedEffect{}, fmt.Errorf("read the effect of a succession: %w", err)
	}
	return e, nil
}
