package store

import "slices"

// upgrade makes the store one of the newest format.
//
// Format 3 knew no earlier keys and names: a store that has none is as it was.
//
// Format 2 did not count its commits: the count begins before FORMAT says so.
//
// Format 1 had no shelves: its rows of full volumes lack what a volume adds to
// its shelf. That is computed, once, from the files. Before that FORMAT is
// written, so that an older weir says that a newer one was here and does not take
// the new rows for damage; what a crash leaves out, the next Open adds.
func (s *Store) upgrade(format int) error {
	if format < 3 {
		if err := s.startCounting(); err != nil {
			return err
		}
	}
	if format < formatVersion {
		if err := writeFormat(s.disk.files(), true); err != nil {
			return err
		}
	}
	return s.upgradeShelves()
}

func (s *Store) startCounting() error {
	if err := s.beginCounts(); err != nil {
		return err
	}
	if err := s.apply(s.index.db.NewBatch()); err != nil {
		return err
	}
	return s.promise()
}

func (s *Store) upgradeShelves() error {
	next := *s.layout.Load()
	if !slices.ContainsFunc(next.full, func(v volume) bool { return !v.shelved }) {
		return nil
	}
	next.full = slices.Clone(next.full)
	batch := s.index.db.NewBatch()
	for number := range next.full {
		v := &next.full[number]
		if err := s.addToShelf(&next, number, v); err != nil {
			return err
		}
		if err := batch.Set(key4(rowVolume, uint32(number)), encodeVolume(*v), nil); err != nil {
			return err
		}
	}
	if err := s.apply(batch); err != nil {
		return err
	}
	s.layout.Store(&next)
	return nil
}
