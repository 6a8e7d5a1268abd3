package store

import (
	"bytes"
	"crypto/sha256"

	"weir/ledger/wire"
)

// volumes hashes every volume again, and compares where it lies, its pieces,
// its SHA-256 and its infohash.
func (a *auditor) volumes() error {
	for number := range len(a.layout.full) + 1 {
		if err := a.volume(number); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditor) volume(number int) error {
	v := a.layout.volume(number)
	// Replay may have stopped before it came here.
	if v.start <= a.state.Length && v.start != a.cut(number) {
		return a.report.stop("volume %d: it begins at %d, by the sweeps at %d", number, v.start, a.cut(number))
	}
	t, whole := newTail(), sha256.New()
	buffer := make([]byte, 0, auditBytes)
	for off := uint64(0); off < v.length; {
		buffer = buffer[:min(uint64(auditBytes), v.length-off)]
		if err := a.store.readStream(a.layout, buffer, v.start+off); err != nil {
			return err
		}
		t.write(buffer)
		whole.Write(buffer)
		off += uint64(len(buffer))
		a.progress(a.layout.length+v.start+off, 2*a.layout.length)
	}
	a.report.Volumes++
	if err := a.pieces(number, v, t.pieces()); err != nil {
		return err
	}
	if number == len(a.layout.full) {
		return nil
	}
	a.report.Rows++
	if got := [32]byte(whole.Sum(nil)); got != v.sha256 {
		if err := a.report.find("volume %d: its SHA-256 is %x, not the recorded %x", number, got, v.sha256); err != nil {
			return err
		}
	}
	info := wire.VolumeInfo(a.state.ID, number, v.length, t.pieces())
	if got := wire.Infohash(info); got != v.infohash {
		if err := a.report.find("volume %d: its infohash is %x, not the recorded %x", number, got, v.infohash); err != nil {
			return err
		}
	}
	return a.shelf(number, v)
}

// shelf compares what a full volume adds to its shelf. Format 1 has nothing of
// it, which the next Open adds.
func (a *auditor) shelf(number int, v volume) error {
	if !v.shelved {
		return nil
	}
	got := v
	if err := a.store.addToShelf(a.layout, number, &got); err != nil {
		return err
	}
	if got != v {
		return a.report.find("volume %d: what it adds to its shelf is not what is recorded", number)
	}
	return nil
}

// cut is where the sweeps say that a volume begins.
func (a *auditor) cut(number int) uint64 {
	switch {
	case number == 0:
		return 0
	case number <= len(a.cuts):
		return a.cuts[number-1]
	}
	return a.state.Length
}

func (a *auditor) pieces(number int, v volume, got []byte) error {
	want, err := loadPieces(a.rows, number, v.length)
	if err != nil {
		return err
	}
	for i := 0; i < len(want); i += pieceHashBytes {
		piece := i / pieceHashBytes
		a.report.Pieces++
		a.report.Rows++
		if !bytes.Equal(want[i:i+pieceHashBytes], got[i:i+pieceHashBytes]) {
			err := a.report.find("volume %d: piece %d, stream bytes from %d on, is not what was written",
				number, piece, v.start+uint64(piece)*wire.PieceBytes)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
