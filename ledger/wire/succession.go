package wire

import (
	"bytes"
	"errors"
	"fmt"

	"weir/keys"
)

// Succession replaces a manager's keys: a mutable BEP-44 item under the
// charter's recovery key with the database's id as salt. The highest Number
// wins; what the old keys signed beyond Size is void.
//
//	d1:Vi1e
//	2:lk 32:<new log key>
//	2:mk 32:<new publish key>
//	1:n  i<number, from 1>e
//	1:r  32:<last good root>
//	1:s  i<last good size>e
//	2:sk 32:<new seal key>
//	e
type Succession struct {
	Number  uint64
	Manager keys.Public
	Log     keys.LogPublic
	Seal    keys.SealPublic
	Size    uint64
	Root    Hash
}

// Encode gives the bencoded value.
func (s *Succession) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("write a succession: %w", err)
	}
	return s.bytes(), nil
}

// ParseSuccession reads a succession. The item's signature is the lookup's
// affair.
func ParseSuccession(v []byte) (*Succession, error) {
	s, err := parseSuccession(v)
	if err != nil {
		return nil, fmt.Errorf("read a succession: %w", err)
	}
	return s, nil
}

func parseSuccession(v []byte) (*Succession, error) {
	if len(v) > ItemBytesMax {
		return nil, fmt.Errorf("%d bytes where an item has %d at most", len(v), ItemBytesMax)
	}
	var s Succession
	r := reader{b: v}
	r.open('d')
	r.version()
	r.key("lk")
	r.fixed(s.Log[:])
	r.key("mk")
	r.fixed(s.Manager[:])
	r.key("n")
	s.Number = uint64(r.int(1, IntMax))
	r.key("r")
	r.fixed(s.Root[:])
	r.key("s")
	s.Size = uint64(r.int(1, IntMax))
	r.key("sk")
	r.fixed(s.Seal[:])
	r.close()
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(s.bytes(), v) {
		return nil, errNotCanonical
	}
	return &s, nil
}

func (s *Succession) bytes() []byte {
	w := writer{make([]byte, 0, 200)}
	w.dict()
	w.version()
	w.keyBytes("lk", s.Log[:])
	w.keyBytes("mk", s.Manager[:])
	w.keyInt("n", int64(s.Number))
	w.keyBytes("r", s.Root[:])
	w.keyInt("s", int64(s.Size))
	w.keyBytes("sk", s.Seal[:])
	w.end()
	return w.b
}

func (s *Succession) check() error {
	if err := checkKeys(s.Manager, s.Log, s.Seal); err != nil {
		return err
	}
	if err := checkInt("number", s.Number); err != nil {
		return err
	}
	if err := checkInt("size", s.Size); err != nil {
		return err
	}
	if s.Number == 0 {
		return errors.New("numbers begin at 1")
	}
	if s.Size == 0 {
		return errors.New("a log of size 0")
	}
	return nil
}
