package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
)

// Pebble cannot tell the end of its log from a place in the middle that was
// damaged later: it then goes back to what was before, without a word. So the
// index counts its commits, and the count stands once more in a file of its own,
// which is written and synced behind each of them. An index with a lower count
// has lost what was promised to be there.
//
// The file has two places in two sectors, used in turn, so that a power loss in
// the middle of one leaves the other. A place is the count, 8 bytes big endian,
// and SHA-256 over countLabel and them.
const (
	countFile  = "commits"
	countLabel = "weir store commits\n"
	countBytes = 8 + sha256.Size
	countApart = 4096 // from one place to the other: more than any sector has
)

func encodeCount(n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)
	sum := sha256.Sum256(append([]byte(countLabel), b...))
	return append(b, sum[:]...)
}

// decodeCount reads the front of b; false if no count stands there.
func decodeCount(b []byte) (uint64, bool) {
	if len(b) < countBytes {
		return 0, false
	}
	n := binary.BigEndian.Uint64(b)
	return n, bytes.Equal(b[:countBytes], encodeCount(n))
}

// decodeCounts is the higher of the counts in a file.
func decodeCounts(b []byte) (uint64, error) {
	one, okOne := decodeCount(b)
	two, okTwo := decodeCount(b[min(countApart, len(b)):])
	switch {
	case !okOne && !okTwo:
		return 0, fmt.Errorf("%w: %s does not read", ErrDamaged, countFile)
	case !okOne || okTwo && two > one:
		return two, nil
	}
	return one, nil
}

// counted is how many commits were promised to be there.
func counted(d fileSystem) (uint64, error) {
	b, err := readFile(d, countFile, countApart+countBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%w: %s is missing", ErrDamaged, countFile)
	}
	if err != nil {
		return 0, err
	}
	return decodeCounts(b)
}

// loadCount is how many commits the index has.
func loadCount(r rows) (uint64, error) {
	v, ok, err := get(r, []byte{rowCount})
	if err != nil || !ok {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("%w: the record of how many commits there are", ErrDamaged)
	}
	return binary.BigEndian.Uint64(v), nil
}

// compareCounts is ErrDamaged when the index has not all the commits that were promised,
// or more than can be.
func compareCounts(has, promised uint64) error {
	switch {
	case has < promised:
		return fmt.Errorf("%w: the last %d of its %d commits are missing from the index: a file in %s was damaged or is an older one",
			ErrDamaged, promised-has, promised, indexDir)
	case has > promised+1: // the last one may have met a power loss
		return fmt.Errorf("%w: %s says that there were %d commits, the index has %d", ErrDamaged, countFile, promised, has)
	}
	return nil
}

// loadCounts takes the count over from the index, if nothing is lost. Before
// format 3 there was none.
func (s *Store) loadCounts(format int) (err error) {
	if format < 3 {
		return nil
	}
	if s.commits, err = loadCount(s.index.db); err != nil {
		return err
	}
	if s.promised, err = counted(s.disk.files()); err != nil {
		return err
	}
	return compareCounts(s.commits, s.promised)
}

// beginCounts makes the file anew.
func (s *Store) beginCounts() error {
	place := make([]byte, s.commits%2*countApart)
	if err := writeFile(s.disk.files(), countFile, append(place, encodeCount(s.commits)...)); err != nil {
		return err
	}
	s.promised = s.commits
	return nil
}

// promise writes down how many commits there are. After an error the next
// commit does it before anything else.
func (s *Store) promise() error {
	if s.promised == s.commits {
		return nil
	}
	if err := s.writeCount(); err != nil {
		return fmt.Errorf("write %s: %w", countFile, classify(err))
	}
	s.promised = s.commits
	return nil
}

func (s *Store) writeCount() (err error) {
	if s.counts == nil {
		if s.counts, err = s.disk.files().open(countFile); err != nil {
			return err
		}
	}
	if _, err := s.counts.WriteAt(encodeCount(s.commits), int64(s.commits%2*countApart)); err != nil {
		return err
	}
	return s.counts.Sync()
}
