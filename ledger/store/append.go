package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// writeStream writes and syncs a plan's segments. An error leaves some of them
// there: undo.
func (s *Store) writeStream(p *plan) error {
	s.files.Lock()
	s.guard = guard{p.tail(), int64(p.length - p.start)}
	s.files.Unlock()
	for i := 0; i < len(p.segments); {
		same := i + 1
		for same < len(p.segments) && p.segments[same].number == p.segments[i].number {
			same++
		}
		if err := s.writeVolume(p, p.segments[i:same]); err != nil {
			return err
		}
		i = same
	}
	s.files.Lock()
	defer s.files.Unlock()
	if !s.named {
		return nil
	}
	if err := s.disk.files().syncDir(streamDir); err != nil {
		return s.fail(fmt.Errorf("sync the stream's directory: %w", err))
	}
	s.named = false
	return nil
}

// writeVolume writes segments into one volume's file and syncs it. An error of
// the sync itself breaks the store: what the system then holds for written is
// unknown.
func (s *Store) writeVolume(p *plan, segments []segment) error {
	number := segments[0].number
	s.files.Lock()
	f, err := s.openVolume(number)
	s.files.Unlock()
	if err != nil {
		return fmt.Errorf("write volume %d: %w", number, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("write volume %d: %w", number, err)
	}
	p.before[number] = size
	for _, g := range segments {
		if _, err := f.WriteAt(g.data, g.off); err != nil {
			return fmt.Errorf("write volume %d: %w", number, err)
		}
	}
	if number < p.tail() {
		// It is full. A download may have left more behind its end.
		length := int64(p.full[number-p.first].length)
		if size > length {
			err = f.Truncate(length)
		}
		if err != nil {
			return fmt.Errorf("cut volume %d: %w", number, err)
		}
	}
	if err := f.Sync(); err != nil {
		return s.fail(fmt.Errorf("sync volume %d: %w", number, err))
	}
	return nil
}

// undo takes back what a commit that failed with cause wrote to the stream,
// and gives the error to return.
func (s *Store) undo(p *plan, cause error) error {
	if errors.Is(cause, ErrBroken) {
		return cause
	}
	if errors.Is(cause, ErrCrashed) {
		return s.fail(cause)
	}
	l := s.layout.Load()
	s.files.Lock()
	defer s.files.Unlock()
	s.guard = guard{len(l.full), int64(l.tailLength())}
	// What cannot be cut off now is past the committed length: the same commit
	// writes over it, and Open cuts it.
	for _, number := range slices.Sorted(maps.Keys(p.before)) {
		f, err := s.disk.files().open(volumeName(number))
		if err != nil {
			continue
		}
		if size, err := f.Size(); err == nil && size > p.before[number] {
			_ = f.Truncate(p.before[number])
		}
		_ = f.Close()
	}
	return classify(cause)
}
