package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"weir/ledger"
)

// SpaceKept is what a commit leaves free on the disk beside its frames, so that
// the index, which cannot be stopped half way, does not fill it.
const SpaceKept = 64 << 20

// Commit appends the frames of batches to the stream, and then makes them, and
// the records, true in ONE synced pebble batch. Batches follow State and each
// other; State adopts them. Either may be empty.
//
// After ErrNoSpace, and every other error that is not ErrBroken, nothing has
// happened and the same commit may be tried again. After ErrBroken it is not
// known whether it happened, and the store must be opened again.
func (s *Store) Commit(batches []*ledger.Batch, records ...KV) error {
	if err := s.commit(batches, records, false); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// commit does it; founding says that the state holds the batch already.
func (s *Store) commit(batches []*ledger.Batch, records []KV, founding bool) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if len(batches) == 0 && len(records) == 0 {
		return nil
	}
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.promise(); err != nil {
		return err
	}
	l := s.layout.Load()
	p, err := newPlan(l, batches)
	if err != nil {
		return err
	}
	if err := s.room(p.bytes); err != nil {
		return err
	}
	batch := s.index.db.NewBatch()
	applied := false
	defer func() {
		// What an abandoned pebble holds may not go back to pebble's pool.
		if applied || s.index.gate.broken() == nil {
			_ = batch.Close()
		}
	}()
	if err := stageRecords(batch, records); err != nil {
		return err
	}
	next, tail := l, s.tail
	if len(batches) > 0 {
		if err := stage(batch, batches); err != nil {
			return err
		}
		if err := s.writeStream(p); err != nil {
			return s.undo(p, err)
		}
		tail = s.tail.clone()
		if err := s.hash(p, tail, batch); err != nil {
			return s.undo(p, err)
		}
		next = p.layout(l, tail)
	}
	if err := s.apply(batch); err != nil {
		return err
	}
	applied = true
	s.tail = tail
	s.layout.Store(next)
	if len(batches) > 0 {
		s.edge.grow(batches)
	}
	for _, b := range batches {
		if !founding {
			s.state.Adopt(b)
		}
	}
	return nil
}

// writable is an error when the index was opened only to be read, since the disk
// was full: ErrNoSpace as long as it is, and then ErrBroken.
func (s *Store) writable() error {
	if !s.index.reading {
		return nil
	}
	if err := s.room(0); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = fmt.Errorf("%w: the disk was full and has space again; nothing was written", ErrBroken)
	}
	return s.failed
}

// room is ErrNoSpace when the disk has too little for a commit of so many
// bytes.
func (s *Store) room(bytes uint64) error {
	kept := uint64(SpaceKept)
	if s.options.Small {
		kept = 0
	}
	free, err := s.disk.files().free()
	if err != nil {
		return fmt.Errorf("ask for the free space: %w", err)
	}
	// The index takes less for an entry than its frame.
	if kept > 0 && free < kept+2*bytes {
		return fmt.Errorf("%w: %d MB are free, %d MB are wanted", ErrNoSpace, free/1e6, (kept+2*bytes+1e6-1)/1e6)
	}
	return nil
}

// apply makes a commit true.
func (s *Store) apply(batch *pebble.Batch) error {
	if err := batch.Set([]byte{rowCount}, binary.BigEndian.AppendUint64(nil, s.commits+1), nil); err != nil {
		return err
	}
	if err := s.disk.step(StepBatch, false); err != nil {
		return s.fail(err)
	}
	if err := s.index.apply(batch); err != nil {
		return s.fail(fmt.Errorf("write the index: %w", err))
	}
	if err := s.disk.step(StepBatch, true); err != nil {
		return s.fail(err)
	}
	s.commits++
	err := s.promise()
	if errors.Is(err, ErrCrashed) {
		return s.fail(err)
	}
	if err != nil && s.options.Event != nil {
		s.options.Event(err.Error())
	}
	return nil
}
