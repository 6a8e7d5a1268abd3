package store

import (
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"
)

// rows reads rows: of the live database or of a snapshot.
type rows interface {
	Get(key []byte) ([]byte, io.Closer, error)
	NewIter(*pebble.IterOptions) (*pebble.Iterator, error)
}

// get is a copy of one row; false if there is none.
func get(r rows, key []byte) ([]byte, bool, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the index: %w", classify(err))
	}
	v = append([]byte{}, v...)
	return v, true, closer.Close()
}

// walk calls f with every row whose key begins with prefix, in order, from the
// key first on (nil: the first), until it returns false or an error. Key and value
// are its own only during the call; the key is without the prefix.
func walk(r rows, prefix, first []byte, f func(key, value []byte) (bool, error)) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if first == nil {
		first = prefix
	}
	for ok := it.SeekGE(first); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read the index: %w", classify(err))
		}
		if more, err := f(it.Key()[len(prefix):], v); err != nil || !more {
			return err
		}
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	return nil
}

// packed reads items of width bytes that lie in rows of several: a row's key is
// the index of its first item.
type packed struct {
	it    *pebble.Iterator
	row   byte
	width int

	first uint64 // of the row in hand
	value []byte
}

func newPacked(r rows, row byte, width int) (*packed, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: []byte{row}, UpperBound: []byte{row + 1}})
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", classify(err))
	}
	return &packed{it: it, row: row, width: width}, nil
}

func (p *packed) close() error { return p.it.Close() }

// at is item i; it is the caller's only until the next call.
func (p *packed) at(i uint64) ([]byte, error) {
	if n := uint64(len(p.value) / p.width); i < p.first || i-p.first >= n {
		if err := p.seek(i); err != nil {
			return nil, err
		}
	}
	at := int(i-p.first) * p.width
	return p.value[at : at+p.width], nil
}

func (p *packed) seek(i uint64) error {
	p.value = p.value[:0]
	if !p.it.SeekLT(key8(p.row, i+1)) {
		if err := p.it.Error(); err != nil {
			return fmt.Errorf("read the index: %w", classify(err))
		}
		return fmt.Errorf("%w: row %c%d is missing", ErrDamaged, p.row, i)
	}
	v, err := p.it.ValueAndErr()
	if err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	r := reader{b: p.it.Key()[1:]}
	p.first = r.uint()
	if r.bad || len(v)%p.width != 0 || i-p.first >= uint64(len(v)/p.width) {
		return fmt.Errorf("%w: row %c%d is missing", ErrDamaged, p.row, i)
	}
	p.value = append(p.value, v...)
	return nil
}

// pack sets rows for items of width bytes, one after the other in b, from index
// first on.
func pack(batch *pebble.Batch, row byte, width int, first uint64, b []byte) error {
	for len(b) > 0 {
		n := min(len(b), packMax*width)
		if err := batch.Set(key8(row, first), b[:n], nil); err != nil {
			return err
		}
		first += uint64(n / width)
		b = b[n:]
	}
	return nil
}
