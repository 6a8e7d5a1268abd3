package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"weir/ledger"
	"weir/ledger/wire"
)

// Entry reads an entry by its Merkle leaf. Leaf 0 is the charter, and no entry.
func (s *Store) Entry(index uint64) (ledger.Decided, error) {
	if err := s.enter(); err != nil {
		return ledger.Decided{}, fmt.Errorf("read entry %d: %w", index, err)
	}
	defer s.leave()
	return s.entry(s.index.db, s.layout.Load(), s.state, index)
}

// entry reads an entry by the rows and layout of one moment.
func (s *Store) entry(r rows, l *layout, st *ledger.State, index uint64) (_ ledger.Decided, err error) {
	if index == 0 || index >= l.size {
		return ledger.Decided{}, fmt.Errorf("read entry %d: the log has 1 to %d", index, l.size-1)
	}
	offsets, err := newPacked(r, rowOffsets, 8)
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("read entry %d: %w", index, err)
	}
	defer func() { err = errors.Join(err, offsets.close()) }()
	from, to, err := span(l, offsets, index)
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("read entry %d: %w", index, err)
	}
	frame := make([]byte, to-from)
	if err := s.readStream(l, frame, from); err != nil {
		return ledger.Decided{}, fmt.Errorf("read entry %d: %w", index, err)
	}
	d, err := decode(st, frame, index, from)
	if err == nil && d.Frame != len(frame) {
		err = fmt.Errorf("%w: its frame has %d of %d bytes", ErrDamaged, d.Frame, len(frame))
	}
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("read entry %d: %w", index, err)
	}
	return d, nil
}

// span is where the frame of a leaf lies in the stream.
func span(l *layout, offsets *packed, leaf uint64) (from, to uint64, err error) {
	at := func(leaf uint64) (uint64, error) {
		if leaf == l.size {
			return l.length, nil
		}
		b, err := offsets.at(leaf)
		if err != nil {
			return 0, err
		}
		return binary.BigEndian.Uint64(b), nil
	}
	if from, err = at(leaf); err != nil {
		return 0, 0, err
	}
	if to, err = at(leaf + 1); err != nil {
		return 0, 0, err
	}
	if from >= to || to > l.length || to-from > wire.FrameBytesMax {
		return 0, 0, fmt.Errorf("%w: its frame lies from %d to %d", ErrDamaged, from, to)
	}
	return from, to, nil
}

// decode reads the frame at the start of b, that of a leaf other than the
// charter's, and opens it if it is sealed. Nothing of it aliases b.
func decode(st *ledger.State, b []byte, index, offset uint64) (ledger.Decided, error) {
	f, n, err := wire.ParseFrame(b)
	if err == nil {
		f, err = st.OpenFrame(f, offset)
	}
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	e, err := wire.ParseEntry(append([]byte(nil), f.Entry...))
	if err != nil {
		return ledger.Decided{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d := ledger.Decided{Index: index, Offset: offset, Entry: *e, Frame: n}
	if f.State == wire.BodyPlain {
		body, err := wire.ParseBody(append([]byte(nil), f.Body...))
		if err != nil {
			return ledger.Decided{}, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		d.Body = &body
	}
	return d, nil
}

// LeafAt is the leaf in whose frame a byte of the stream lies, and the offset at
// which that frame begins.
func (s *Store) LeafAt(off uint64) (leaf, start uint64, err error) {
	if err := s.enter(); err != nil {
		return 0, 0, fmt.Errorf("find the frame at %d: %w", off, err)
	}
	defer s.leave()
	l := s.layout.Load()
	if off >= l.length {
		return 0, 0, fmt.Errorf("find the frame at %d: the stream has %d bytes", off, l.length)
	}
	offsets, err := newPacked(s.index.db, rowOffsets, 8)
	if err != nil {
		return 0, 0, fmt.Errorf("find the frame at %d: %w", off, err)
	}
	defer func() { err = errors.Join(err, offsets.close()) }()
	for from, to := uint64(0), l.size; from < to; { // the frames of leaves before from begin at off or before
		middle := from + (to-from)/2
		b, err := offsets.at(middle)
		if err != nil {
			return 0, 0, fmt.Errorf("find the frame at %d: %w", off, err)
		}
		if at := binary.BigEndian.Uint64(b); at <= off {
			leaf, start, from = middle, at, middle+1
		} else {
			to = middle
		}
	}
	return leaf, start, nil
}

// Find reads an account's entry with a number; false if there is none.
func (s *Store) Find(account, number uint64) (ledger.Decided, bool, error) {
	if err := s.enter(); err != nil {
		return ledger.Decided{}, false, fmt.Errorf("find number %d of account %d: %w", number, account, err)
	}
	defer s.leave()
	l := s.layout.Load()
	v, ok, err := get(s.index.db, key16(rowNumber, account, number))
	if err == nil && ok && len(v) != 8 {
		err = fmt.Errorf("%w: its row has %d bytes", ErrDamaged, len(v))
	}
	if err != nil {
		return ledger.Decided{}, false, fmt.Errorf("find number %d of account %d: %w", number, account, err)
	}
	if !ok || binary.BigEndian.Uint64(v) >= l.size {
		return ledger.Decided{}, false, nil
	}
	d, err := s.entry(s.index.db, l, s.state, binary.BigEndian.Uint64(v))
	return d, err == nil, err
}

// walkBytes is how much of the stream Entries reads at a time.
const walkBytes = 128 << 10

// Entries calls f with the entries from leaf first on, oldest first, to the end
// of what is committed now or until f returns false.
func (s *Store) Entries(first uint64, f func(ledger.Decided) bool) error {
	if err := s.enter(); err != nil {
		return fmt.Errorf("walk the entries: %w", err)
	}
	defer s.leave()
	l := s.layout.Load()
	first = max(first, 1)
	if first >= l.size {
		return nil
	}
	offsets, err := newPacked(s.index.db, rowOffsets, 8)
	if err != nil {
		return fmt.Errorf("walk the entries: %w", err)
	}
	off, _, err := span(l, offsets, first)
	if err = errors.Join(err, offsets.close()); err != nil {
		return fmt.Errorf("walk the entries: %w", err)
	}
	r := frames{store: s, layout: l, off: off}
	for leaf := first; leaf < l.size; leaf++ {
		at := r.off
		b, err := r.next()
		if err != nil {
			return fmt.Errorf("walk the entries: entry %d: %w", leaf, err)
		}
		d, err := decode(s.state, b, leaf, at)
		if err != nil {
			return fmt.Errorf("walk the entries: entry %d: %w", leaf, err)
		}
		if !f(d) {
			return nil
		}
	}
	return nil
}

// frames reads the stream frame by frame.
type frames struct {
	store  *Store
	layout *layout
	off    uint64 // of the next frame
	buffer []byte // from off on
}

// next is the next frame's bytes, the caller's until the next call.
func (r *frames) next() ([]byte, error) {
	_, n, err := wire.ParseFrame(r.buffer)
	if errors.Is(err, wire.ErrShort) && uint64(len(r.buffer)) < r.layout.length-r.off {
		if err := r.fill(); err != nil {
			return nil, err
		}
		_, n, err = wire.ParseFrame(r.buffer)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the frame at %d: %w", ErrDamaged, r.off, err)
	}
	b := r.buffer[:n]
	r.buffer, r.off = r.buffer[n:], r.off+uint64(n)
	return b, nil
}

func (r *frames) fill() error {
	n := min(uint64(walkBytes), r.layout.length-r.off)
	b := make([]byte, n)
	have := copy(b, r.buffer)
	if err := r.store.readStream(r.layout, b[have:], r.off+uint64(have)); err != nil {
		return err
	}
	r.buffer = b
	return nil
}

// Newest calls f with an account's entries, newest first, until it returns
// false: its own, and the applied ones of others that post to it, admit, limit,
// suspend or resume it.
func (s *Store) Newest(account uint64, f func(ledger.Decided) bool) error {
	if err := s.enter(); err != nil {
		return fmt.Errorf("walk account %d: %w", account, err)
	}
	defer s.leave()
	l := s.layout.Load()
	err := newest(s.index.db, account, func(leaf uint64) (bool, error) {
		if leaf >= l.size {
			return true, nil // committed meanwhile
		}
		d, err := s.entry(s.index.db, l, s.state, leaf)
		return err == nil && f(d), err
	})
	if err != nil {
		return fmt.Errorf("walk account %d: %w", account, err)
	}
	return nil
}

// newest merges an account's two indexes from their ends.
func newest(r rows, account uint64, f func(leaf uint64) (bool, error)) error {
	var its [2]*pebble.Iterator
	for i, row := range []byte{rowNumber, rowTouch} {
		prefix := key8(row, account)
		it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
		if err != nil {
			return fmt.Errorf("read the index: %w", classify(err))
		}
		defer it.Close()
		it.Last()
		its[i] = it
	}
	for its[0].Valid() || its[1].Valid() {
		own, other := uint64(0), uint64(0)
		if its[0].Valid() {
			r := reader{b: its[0].Value()}
			own = r.uint()
		}
		if its[1].Valid() {
			r := reader{b: its[1].Key()[9:]}
			other = r.uint()
		}
		if more, err := f(max(own, other)); err != nil || !more {
			return err
		}
		if own > other {
			its[0].Prev()
		} else {
			its[1].Prev()
		}
	}
	return errors.Join(its[0].Error(), its[1].Error())
}
