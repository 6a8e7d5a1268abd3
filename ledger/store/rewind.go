package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/wire"
)

// A succession makes what the manager's older keys signed beyond some size void
// (SPEC section 10). So the log is taken back: the state as it was then is
// computed again from the stream, and ONE synced batch says so, drops every row
// of what came later, and holds the role's records that go with it. Only then
// are the files cut; after a power loss in between Open does that, as it cuts off
// what a torn commit left.

// Rewind takes the log back to its first size leaves, and makes records true
// with it. Nothing may be served or fetched meanwhile; what was fetched ahead is
// dropped. A size that is the log's own changes nothing but the records.
//
// After ErrBroken it is not known whether it happened, as after a Commit.
func (s *Store) Rewind(size uint64, records ...KV) error {
	if size == s.state.Size {
		return s.Commit(nil, records...)
	}
	if size == 0 || size > s.state.Size {
		return fmt.Errorf("take the log back to %d leaves: it has %d", size, s.state.Size)
	}
	if err := s.EndAhead(); err != nil {
		return fmt.Errorf("take the log back to %d leaves: %w", size, err)
	}
	if err := s.rewind(size, records); err != nil {
		return fmt.Errorf("take the log back to %d leaves: %w", size, err)
	}
	return nil
}

func (s *Store) rewind(size uint64, records []KV) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.promise(); err != nil {
		return err
	}
	state, err := s.stateAt(size)
	if err != nil {
		return err
	}
	l, t, err := s.layoutAt(state)
	if err != nil {
		return err
	}
	batch := s.index.db.NewBatch()
	applied := false
	defer func() {
		if applied || s.index.gate.broken() == nil {
			_ = batch.Close()
		}
	}()
	if err := s.stageRewind(batch, state, l, t); err != nil {
		return err
	}
	if err := stageRecords(batch, records); err != nil {
		return err
	}
	if err := s.apply(batch); err != nil {
		return err
	}
	applied = true
	s.files.Lock()
	defer s.files.Unlock()
	*s.state, s.tail = *state, t
	s.layout.Store(l)
	s.edge.forget()
	s.guard = guard{len(l.full), int64(l.tailLength())}
	if err := s.cut(l); err != nil {
		return s.fail(err) // the next Open cuts
	}
	return nil
}

// believed takes signatures for valid: they were checked when the entries were
// committed, and the root says that the entries are the same.
type believed struct{}

func (believed) Verify(items []sign.Item) []bool {
	return slices.Repeat([]bool{true}, len(items))
}

// stateAt computes the state of the first size leaves from the stream.
func (s *Store) stateAt(size uint64) (*ledger.State, error) {
	old := s.layout.Load()
	offsets, err := newPacked(s.index.db, rowOffsets, 8)
	if err != nil {
		return nil, err
	}
	end, _, err := span(old, offsets, size)
	if err = errors.Join(err, offsets.close()); err != nil {
		return nil, err
	}
	state, _, err := ledger.Found(s.charter, s.options.ReadKey)
	if err != nil {
		return nil, err
	}
	r := frames{store: s, layout: old, off: state.Length}
	for r.off < end {
		var part []byte
		for r.off < end && len(part) < auditBytes {
			b, err := r.next()
			if err != nil {
				return nil, err
			}
			part = append(part, b...)
		}
		batches, err := state.Replay(part, s, believed{})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		for _, b := range batches {
			state.Adopt(b)
		}
	}
	root, err := ledger.RootAt(size, s)
	switch {
	case err != nil:
		return nil, err
	case state.Size != size || state.Root != root:
		return nil, fmt.Errorf("%w: the stream gives %d leaves and the root %s, not %d and %s",
			ErrDamaged, state.Size, state.Root, size, root)
	}
	return state, nil
}

// layoutAt is how the stream lies in a shorter state, and its tail.
func (s *Store) layoutAt(state *ledger.State) (*layout, *tail, error) {
	old := s.layout.Load()
	l := &layout{
		size: state.Size, length: state.Length, start: state.Volume,
		full: slices.Clone(old.full[:state.Volumes]), rewinds: old.rewinds + 1,
	}
	t := newTail()
	b := make([]byte, l.tailLength())
	if err := s.readStream(old, b, l.start); err != nil {
		return nil, nil, err
	}
	t.write(b)
	n := len(t.whole)
	l.pieces, l.last = t.whole[:n:n], t.last()
	return l, t, nil
}

// stageRewind drops the rows of what is void, and sets those that were others
// when the log had so many leaves.
func (s *Store) stageRewind(batch *pebble.Batch, state *ledger.State, l *layout, t *tail) error {
	drop := func(from, to []byte) error { return batch.DeleteRange(from, to, nil) }
	var errs []error
	for _, a := range s.state.Accounts() {
		then, _ := state.Account(a.Number)
		errs = append(errs,
			drop(key16(rowNumber, a.Number, then.Last+1), after(key8(rowNumber, a.Number))),
			drop(key16(rowTouch, a.Number, state.Size), after(key8(rowTouch, a.Number))))
	}
	accounts := state.Accounts()
	errs = append(errs, drop(key8(rowAccount, uint64(len(accounts))), after([]byte{rowAccount})))
	for _, a := range accounts {
		errs = append(errs, batch.Set(key8(rowAccount, a.Number), encodeAccount(a), nil))
	}
	errs = append(errs,
		batch.Set([]byte{rowFixed}, encodeFixed(state.Fixed), nil),
		drop(key8(rowTerm, state.Terms().Newest().Number+1), after([]byte{rowTerm})),
		s.trim(batch, rowHashes, tlog.HashSize, uint64(tlog.StoredHashCount(int64(state.Size)))),
		s.trim(batch, rowOffsets, 8, state.Size),
		drop(key4(rowVolume, uint32(len(l.full))), after([]byte{rowVolume})),
		drop(key4(rowPiece, uint32(len(l.full))), after([]byte{rowPiece})))
	pieces := t.pieces()
	for i := 0; i*pieceHashBytes < len(pieces); i++ {
		errs = append(errs, batch.Set(key44(rowPiece, uint32(len(l.full)), uint32(i)), pieces[i*pieceHashBytes:][:pieceHashBytes], nil))
	}
	return errors.Join(errs...)
}

// trim leaves the first count items in packed rows.
func (s *Store) trim(batch *pebble.Batch, row byte, width int, count uint64) (err error) {
	if err := batch.DeleteRange(key8(row, count), after([]byte{row}), nil); err != nil {
		return err
	}
	it, err := s.index.db.NewIter(&pebble.IterOptions{LowerBound: []byte{row}, UpperBound: key8(row, count)})
	if err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !it.Last() {
		return fmt.Errorf("%w: row %c is missing", ErrDamaged, row)
	}
	v, err := it.ValueAndErr()
	if err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	keep := int(count-binary.BigEndian.Uint64(it.Key()[1:])) * width
	if len(v) <= keep {
		return nil
	}
	return batch.Set(slices.Clone(it.Key()), slices.Clone(v[:keep]), nil)
}

// forget drops what is remembered of a longer log.
func (e *edge) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hashes = nil
}

// encodeTerm is a succession as its entry has it.
func encodeTerm(s wire.Succeed) ([]byte, error) { return s.Args() }

func loadTerms(r rows) (terms []wire.Succeed, err error) {
	err = walk(r, []byte{rowTerm}, nil, func(key, value []byte) (bool, error) {
		s, err := wire.ParseSucceed(value)
		if err == nil && (len(key) != 8 || binary.BigEndian.Uint64(key) != s.Number) {
			err = errors.New("its row is another's")
		}
		if err != nil {
			return false, fmt.Errorf("%w: the record of a succession: %w", ErrDamaged, err)
		}
		terms = append(terms, s)
		return true, nil
	})
	return terms, err
}

// rewinds is how often the log was taken back since the store was opened.
func (s *Store) rewinds() int {
	if l := s.layout.Load(); l != nil {
		return l.rewinds
	}
	return 0 // it is opened to be audited
}
