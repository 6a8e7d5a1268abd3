package member

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"weir/internal/seed"
	"weir/ledger/wire"
)

// shelfAhead is a shelf whose volumes are here whole, as its row says.
type shelfAhead struct {
	infohash [20]byte
	lengths  []uint64 // of its volumes
}

// shelf goes on with the volumes of a shelf, from the next one on. The log here
// may have some of them already, and the beginning of one: of these bytes less
// than a piece is received again.
func (v *volumes) shelf(number int) {
	row := v.state.Shelves[number]
	if here := v.shelves[number]; here.infohash == row.Infohash {
		v.shelfHere(number, row, here.lengths)
		return
	}
	lengths, err := v.shelfLengths(number)
	if err != nil {
		v.finished(v.run, err)
		return
	}
	sum := uint64(0)
	for _, n := range lengths {
		sum += n
	}
	if sum != uint64(row.Length) {
		v.downloadShelf(number, row)
		return
	}
	// An earlier attempt may have fetched it.
	v.compareShelf(number, row, lengths, func(same bool) {
		if same {
			v.shelfHere(number, row, lengths)
			return
		}
		v.downloadShelf(number, row)
	})
}

// shelfLengths is how long the volumes of a shelf are, if all of them are here.
func (v *volumes) shelfLengths(number int) ([]uint64, error) {
	_, lengths := v.store.ShelfPieces(number)
	for len(lengths) < wire.ShelfVolumes {
		file, err := v.store.Volume(number*wire.ShelfVolumes + len(lengths))
		if err != nil {
			return nil, err
		}
		size, err := file.Size()
		if err != nil {
			return nil, err
		}
		lengths = append(lengths, uint64(size))
	}
	return lengths, nil
}

// shelfHere goes on behind a shelf that is here whole.
func (v *volumes) shelfHere(number int, row wire.VolumeRow, lengths []uint64) {
	v.shelves[number] = shelfAhead{row.Infohash, lengths}
	for v.next < (number+1)*wire.ShelfVolumes {
		file, err := v.store.Volume(v.next)
		if err != nil {
			v.finished(v.run, err)
			return
		}
		v.add(file, lengths[v.next%wire.ShelfVolumes])
	}
	v.fetch()
}

// downloadShelf fetches what is missing of a shelf.
func (v *volumes) downloadShelf(number int, row wire.VolumeRow) {
	name := fmt.Sprintf("shelf %d, torrent %s", number, hex.EncodeToString(row.Infohash[:]))
	var lengths []uint64
	v.Follower.fetch(v.run, row.Infohash, 0, func(b []byte) (seed.Content, int64, error) {
		info, have, err := v.planShelf(b, number, row)
		if err != nil {
			return nil, 0, err
		}
		lengths = info.Volumes
		content, err := v.store.ShelfContent(number, lengths)
		return content, have, err
	}, func(got seed.Result) {
		if got.Err != nil {
			v.finished(v.run, fmt.Errorf("%s: %w", name, explain(got.Err)))
			return
		}
		v.compareShelf(number, row, lengths, func(same bool) {
			if !same {
				v.finished(v.run, bad("%s: its volumes are not those that the state file gives the SHA-256 of", name))
				return
			}
			v.shelfHere(number, row, lengths)
		})
	})
}

// planShelf checks a shelf's info dictionary; have is what of it is committed
// here.
func (v *volumes) planShelf(b []byte, number int, row wire.VolumeRow) (info *wire.Info, have int64, err error) {
	if info, err = wire.ParseInfo(b); err != nil {
		return nil, 0, bad("%w", err)
	}
	if info.ID != v.id || !info.Shelf || info.Number != number || info.Tail != uint64(row.Length) {
		return nil, 0, bad("it is not shelf %d of this database", number)
	}
	pieces, lengths := v.store.ShelfPieces(number)
	if !bytes.HasPrefix(info.Pieces, pieces) || !slices.Equal(info.Volumes[:len(lengths)], lengths) {
		return nil, 0, bad("%w", errOther)
	}
	if err := v.keepAhead(); err != nil {
		return nil, 0, err
	}
	st := v.store.State()
	if number != st.Volumes/wire.ShelfVolumes {
		return info, 0, nil
	}
	first, err := v.store.VolumeInfo(number * wire.ShelfVolumes)
	if own := st.Length - st.Volume; err == nil && own > info.Volumes[st.Volumes%wire.ShelfVolumes] {
		err = bad("%w", errOther)
	}
	return info, int64(st.Length - first.Start), err
}

// compareShelf says whether the files of a shelf's volumes are those of its row,
// which has the SHA-256 of their rows. On the way it makes what was fetched
// outlive a power loss, a file at a time, so that the loop gets its turn.
func (v *volumes) compareShelf(number int, row wire.VolumeRow, lengths []uint64, done func(same bool)) {
	rows := v.store.VolumeRows(number * wire.ShelfVolumes)
	var next func()
	next = func() {
		if len(rows) == wire.ShelfVolumes {
			done(wire.RowsHash(rows) == row.SHA256)
			return
		}
		n := number*wire.ShelfVolumes + len(rows)
		file, err := v.store.Volume(n)
		if err == nil {
			err = file.Sync()
		}
		if err != nil {
			v.finished(v.run, err)
			return
		}
		length := lengths[len(rows)]
		if length == 0 || length > wire.VolumeBytesMax {
			done(false)
			return
		}
		var pieces pieceHashes
		sum := sha256.New()
		v.digest(file, io.MultiWriter(sum, &pieces), 0, int64(length), func() {
			info := wire.VolumeInfo(v.id, n, length, pieces)
			rows = append(rows, wire.VolumeRow{Length: uint32(length), Infohash: wire.Infohash(info), SHA256: [32]byte(sum.Sum(nil))})
			v.later(v.run, next)
		})
	}
	next()
}

// pieceHashes is the packed hashes of pieces. All that is written to it but the
// last are whole pieces.
type pieceHashes []byte

func (p *pieceHashes) Write(b []byte) (int, error) {
	for piece := range slices.Chunk(b, wire.PieceBytes) {
		sum := sha1.Sum(piece)
		*p = append(*p, sum[:]...)
	}
	return len(b), nil
}
