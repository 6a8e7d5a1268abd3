package store

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"slices"

	"weir/ledger/wire"
)

// What a volume adds to its shelf stands in its own row, from the moment it is
// full: the hashes of the shelf's pieces that end in it, and in the last volume
// of a shelf the shelf's row. So no commit hashes more than the volume that it
// fills, however long the shelf. Of format 1 nothing of it is there.
//
//	pieces u16 ‖ SHA-1 (20) of each ‖ the shelf's row (56), of a last volume

// appendShelf appends that to a volume's row.
func (v volume) appendShelf(b []byte) []byte {
	if !v.shelved {
		return b
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(v.large)/pieceHashBytes))
	b = append(b, v.large...)
	if v.shelf.Length > 0 {
		b = v.shelf.Append(b)
	}
	return b
}

// readShelf reads it from the rest of a volume's row.
func (v *volume) readShelf(r *reader) {
	if len(r.b) == 0 {
		return
	}
	n := int(binary.BigEndian.Uint16(r.take(2)))
	v.shelved, v.large = true, string(r.take(n*pieceHashBytes))
	if len(r.b) == 0 {
		return
	}
	v.shelf.Length = binary.BigEndian.Uint32(r.take(4))
	copy(v.shelf.Infohash[:], r.take(20))
	v.shelf.SHA256 = r.hash()
	r.bad = r.bad || v.shelf.Length == 0
}

// row is a full volume's row in a state file.
func (v volume) row() wire.VolumeRow {
	return wire.VolumeRow{Length: uint32(v.length), Infohash: v.infohash, SHA256: v.sha256}
}

// shelve computes what a volume that became full adds to its shelf, once its
// own hashes are there.
func (s *Store) shelve(p *plan, number int) error {
	l := s.layout.Load()
	full := slices.Concat(l.full, p.full[:number-p.first+1])
	return s.addToShelf(&layout{full: full}, number, &p.full[number-p.first])
}

// addToShelf computes what volume number of a layout adds to its shelf.
func (s *Store) addToShelf(l *layout, number int, v *volume) error {
	first := number - number%wire.ShelfVolumes
	last := number == first+wire.ShelfVolumes-1
	start, end := l.full[first].start, v.start+v.length
	var large []byte
	b := make([]byte, wire.ShelfPieceBytes)
	for at := start + (v.start-start)/wire.ShelfPieceBytes*wire.ShelfPieceBytes; at < end; at += wire.ShelfPieceBytes {
		b = b[:min(wire.ShelfPieceBytes, end-at)]
		if len(b) < wire.ShelfPieceBytes && !last {
			break // it ends in a later volume
		}
		if err := s.readStream(l, b, at); err != nil {
			return fmt.Errorf("read volume %d: %w", number, err)
		}
		sum := sha1.Sum(b)
		large = append(large, sum[:]...)
	}
	v.shelved, v.large, v.shelf = true, string(large), wire.VolumeRow{}
	if last {
		before := l.full[first:number]
		v.shelf = wire.ShelfRow(wire.CharterID(s.charter), first/wire.ShelfVolumes,
			append(rowsOf(before), v.row()), append(largeOf(before), large...))
	}
	return nil
}

func rowsOf(full []volume) []wire.VolumeRow {
	rows := make([]wire.VolumeRow, 0, len(full)+1)
	for _, v := range full {
		rows = append(rows, v.row())
	}
	return rows
}

// largeOf is the packed hashes of the shelf pieces that end in some volumes.
func largeOf(full []volume) (pieces []byte) {
	for _, v := range full {
		pieces = append(pieces, v.large...)
	}
	return pieces
}

// ShelfRows is the rows of all whole shelves, as state files have them. It costs
// no reading.
func (s *Store) ShelfRows() []wire.VolumeRow {
	l := s.layout.Load()
	var rows []wire.VolumeRow
	for n := wire.ShelfVolumes - 1; n < len(l.full); n += wire.ShelfVolumes {
		rows = append(rows, l.full[n].shelf)
	}
	return rows
}

// ShelfPieces is the packed hashes of the pieces of a shelf that end in full
// volumes, and the lengths of those volumes. The shelf need not be whole.
func (s *Store) ShelfPieces(number int) (pieces []byte, lengths []uint64) {
	l := s.layout.Load()
	first := number * wire.ShelfVolumes
	if number < 0 || first >= len(l.full) {
		return nil, nil
	}
	full := l.full[first:min(first+wire.ShelfVolumes, len(l.full))]
	for _, v := range full {
		lengths = append(lengths, v.length)
	}
	return largeOf(full), lengths
}

// ShelfTorrent is the torrent of a whole shelf, over the files of its volumes.
func (s *Store) ShelfTorrent(number int) (Torrent, error) {
	pieces, lengths := s.ShelfPieces(number)
	if len(lengths) < wire.ShelfVolumes {
		return Torrent{}, fmt.Errorf("make a shelf's torrent: shelf %d is not full", number)
	}
	content, err := s.ShelfContent(number, lengths)
	if err != nil {
		return Torrent{}, fmt.Errorf("make a shelf's torrent: %w", err)
	}
	info := wire.ShelfInfo(s.State().ID, number, lengths, pieces)
	return Torrent{Info: info, Infohash: wire.Infohash(info), Content: content}, nil
}

// ShelfContent joins the files of a shelf's volumes, which have these lengths.
// Files that are not there are made, to fetch ahead.
func (s *Store) ShelfContent(number int, lengths []uint64) (*Span, error) {
	content := &Span{}
	for i, n := range lengths {
		f, err := s.Volume(number*wire.ShelfVolumes + i)
		if err != nil {
			return nil, err
		}
		content.files = append(content.files, spanFile{f, content.length})
		content.length += int64(n)
	}
	return content, nil
}
