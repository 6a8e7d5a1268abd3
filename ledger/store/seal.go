package store

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"weir/ledger/wire"
)

// hash brings the piece hashes up to date with what was written, and computes
// those of the volumes that became full.
func (s *Store) hash(p *plan, t *tail, batch *pebble.Batch) error {
	number, from := p.first, len(t.whole)
	flush := func() error {
		pieces := t.pieces()[from:]
		for i := 0; len(pieces) > 0; i++ {
			piece := uint32(from/pieceHashBytes + i)
			if err := batch.Set(key44(rowPiece, uint32(number), piece), pieces[:pieceHashBytes], nil); err != nil {
				return err
			}
			pieces = pieces[pieceHashBytes:]
		}
		return nil
	}
	for _, g := range p.segments {
		for number < g.number {
			if err := flush(); err != nil {
				return err
			}
			if err := s.seal(p, number, t.pieces(), batch); err != nil {
				return err
			}
			*t = *newTail()
			number, from = number+1, 0
		}
		t.write(g.data)
	}
	return flush()
}

// seal computes what is fixed of a volume that became full, from its file.
func (s *Store) seal(p *plan, number int, pieces []byte, batch *pebble.Batch) error {
	v := &p.full[number-p.first]
	f, err := s.disk.files().open(volumeName(number))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, int64(v.length))); err != nil {
		return fmt.Errorf("read volume %d: %w", number, err)
	}
	h.Sum(v.sha256[:0])
	v.infohash = wire.Infohash(wire.VolumeInfo(s.state.ID, number, v.length, pieces))
	if err := s.shelve(p, number); err != nil {
		return err
	}
	return batch.Set(key4(rowVolume, uint32(number)), encodeVolume(*v), nil)
}
