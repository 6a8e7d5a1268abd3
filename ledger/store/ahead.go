package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"weir/ledger/wire"
)

// What a follower fetches lies beyond the committed length until all of it was
// checked: in the tail's own file, in the files of volumes after it, and in two
// for tails whose numbers are not known yet. A file beside them says that this
// is a download. As long as it is there Open keeps what it would otherwise cut
// off as left by a torn commit; nothing of it counts as committed either way.
var (
	aheadFile  = path.Join(streamDir, "ahead")
	aheadTails = [2]string{path.Join(streamDir, "ahead.tail"), path.Join(streamDir, "ahead.older")}
)

// aheadTail is the number that the first file of a tail without one goes by.
const aheadTail = wire.VolumesMax

// KeepAhead says that what is written beyond the committed length from now on
// is a download, which is to outlive this process.
func (s *Store) KeepAhead() error {
	if err := s.makeAhead(aheadFile); err != nil {
		return fmt.Errorf("fetch ahead: %w", err)
	}
	return nil
}

// AheadTail is the file for the tail of the newest torrent, until it is known
// which volume that is; or of an older one, which is not to spoil what is there
// of the newest. Both are kept and dropped with the rest.
func (s *Store) AheadTail(older bool) (*File, error) {
	which := 0
	if older {
		which = 1
	}
	if err := s.makeAhead(aheadTails[which]); err != nil {
		return nil, fmt.Errorf("fetch ahead: %w", err)
	}
	return &File{s, aheadTail + which}, nil
}

func (s *Store) makeAhead(name string) error {
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	f, err := s.makeFile(name)
	if err != nil {
		return err
	}
	return f.Close()
}

// TrimAhead drops what was fetched of volumes after number last.
func (s *Store) TrimAhead(last int) error {
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.enter(); err != nil {
		return fmt.Errorf("drop what was fetched ahead: %w", err)
	}
	defer s.leave()
	if _, err := s.removeAfter(max(last, len(s.layout.Load().full))); err != nil {
		return fmt.Errorf("drop what was fetched ahead: %w", classify(err))
	}
	return nil
}

// EndAhead drops everything that was fetched and not committed. No fetch may
// be under way.
func (s *Store) EndAhead() error {
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.enter(); err != nil {
		return fmt.Errorf("drop what was fetched ahead: %w", err)
	}
	defer s.leave()
	l := s.layout.Load()
	_, err := s.removeAfter(len(l.full))
	if err == nil {
		err = cutFile(s.disk.files(), len(l.full), l.tailLength(), l.tailLength())
	}
	if err == nil {
		_, err = s.removeAhead()
	}
	if err != nil {
		return fmt.Errorf("drop what was fetched ahead: %w", classify(err))
	}
	return nil
}

// keepsAhead says whether the last life left a download.
func (s *Store) keepsAhead() (bool, error) {
	f, err := s.disk.files().open(aheadFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// removeAfter removes the files of volumes after number last.
func (s *Store) removeAfter(last int) (removed bool, err error) {
	d := s.disk.files()
	names, err := d.list(streamDir)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for _, name := range names {
		if number, ok := volumeNumber(name); !ok || number <= last {
			continue
		}
		if err := d.remove(path.Join(streamDir, name)); err != nil {
			return removed, err
		}
		removed = true
	}
	return removed, nil
}

// removeAhead removes the tails without a number, and last the word that
// anything is to be kept.
func (s *Store) removeAhead() (removed bool, err error) {
	for _, name := range append(aheadTails[:], aheadFile) {
		err := s.disk.files().remove(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, err
		}
		removed = removed || err == nil
	}
	return removed, nil
}
