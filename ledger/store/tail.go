package store

import (
	"crypto/sha1"
	"encoding"
	"fmt"
	"hash"

	"weir/ledger/wire"
)

const pieceHashBytes = sha1.Size

// tail hashes the pieces of the tail as it grows: a byte is hashed once.
type tail struct {
	whole []byte    // hashes of the whole pieces; appended to, never changed
	part  hash.Hash // of the piece that is not whole yet
	n     int       // bytes in part
}

func newTail() *tail { return &tail{part: sha1.New()} }

// clone is a tail that can be thrown away when the commit fails. Both append
// behind the same bytes of whole, where nobody looks.
func (t *tail) clone() *tail {
	c := &tail{whole: t.whole, part: sha1.New(), n: t.n}
	state, err := t.part.(encoding.BinaryMarshaler).MarshalBinary()
	if err == nil {
		err = c.part.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
	}
	if err != nil {
		panic(fmt.Sprintf("store: copy a SHA-1: %v", err)) // it is documented to work
	}
	return c
}

func (t *tail) write(p []byte) {
	for len(p) > 0 {
		n := min(len(p), wire.PieceBytes-t.n)
		t.part.Write(p[:n])
		p = p[n:]
		if t.n += n; t.n == wire.PieceBytes {
			t.whole = t.part.Sum(t.whole)
			t.part.Reset()
			t.n = 0
		}
	}
}

// last is the hash of the short piece at the end; zero if there is none.
func (t *tail) last() (h [20]byte) {
	if t.n > 0 {
		t.part.Sum(h[:0])
	}
	return h
}

// pieces is the packed hashes of all pieces, the short one included.
func (t *tail) pieces() []byte {
	p := append([]byte(nil), t.whole...)
	if t.n > 0 {
		p = t.part.Sum(p)
	}
	return p
}

// resumeTail reads the last short piece again, and checks it on the way.
func (s *Store) resumeTail(l *layout) (*tail, error) {
	t := newTail()
	t.whole = l.pieces
	rest := make([]byte, l.tailLength()%wire.PieceBytes)
	if err := s.readStream(l, rest, l.length-uint64(len(rest))); err != nil {
		return nil, err
	}
	t.write(rest)
	if t.last() != l.last {
		return nil, fmt.Errorf("%w: the last %d bytes of the stream are not those that were written", ErrDamaged, len(rest))
	}
	return t, nil
}
