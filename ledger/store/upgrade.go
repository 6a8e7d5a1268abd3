package store

import (
	"slices"
	"strconv"
)

// Format 1 had no shelves: its rows of full volumes lack what a volume adds to
// its shelf. Whoever opens it to write computes that, once, from the files. FORMAT
// is written first, so that an older weir says that a newer one was here and does
// not take the new rows for damage; what a crash leaves out, the next Open adds.
func (s *Store) upgrade() error {
	files := s.disk.files()
	b, err := readFile(files, formatFile, formatBytesMax)
	if err != nil {
		return err
	}
	if string(b) != formatName+strconv.Itoa(formatVersion)+"\n" {
		if err := writeFormat(files, true); err != nil {
			return err
		}
	}
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
