package member

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"weir/internal/seed"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// volumes fetches the volumes that are missing before a tail: those of whole
// shelves a shelf at a time, those after them one by one, each into its own
// file beyond the committed log. Nothing of them is committed before the tail's
// checkpoint was checked over all of it.
type volumes struct {
	*Follower
	run    *catchUp
	state  *wire.StateFile
	next   int    // volume
	before source // what is here of the stream before it, from the volume that grows here on
	tail   extent
}

// volumesOf is how many full volumes a state file tells of.
func volumesOf(s *wire.StateFile) int { return len(s.Shelves)*wire.ShelfVolumes + len(s.Volumes) }

// start is the stream offset at which the next volume begins.
func (v *volumes) start() uint64 {
	if len(v.before) > 0 {
		return v.before.end()
	}
	return v.store.State().Volume
}

// fetch goes on with the next volume; when there is none, everything is here.
func (v *volumes) fetch() {
	if v.next == volumesOf(v.state) {
		if start := v.start(); start != v.tail.start {
			v.finished(v.run, bad("%w: its tail begins at %d, and the volume here at %d", errOther, v.tail.start, start))
			return
		}
		v.take(v.run, append(v.before, v.tail), v.state.Checkpoint)
		return
	}
	shelved := len(v.state.Shelves) * wire.ShelfVolumes
	if v.next < shelved {
		v.shelf(v.next / wire.ShelfVolumes)
		return
	}
	row := v.state.Volumes[v.next-shelved]
	file, err := v.store.Volume(v.next)
	if err != nil {
		v.finished(v.run, err)
		return
	}
	// An earlier attempt may have fetched it.
	size, err := file.Size()
	switch {
	case err != nil:
		v.finished(v.run, err)
	case v.ahead[v.next] == row.Infohash:
		v.here(file, row)
	case size >= int64(row.Length):
		v.compare(file, row, func(same bool) {
			if same {
				v.here(file, row)
				return
			}
			v.download(file, row)
		})
	default:
		v.download(file, row)
	}
}

// here goes on behind a volume that is here whole.
func (v *volumes) here(file *store.File, row wire.VolumeRow) {
	v.ahead[v.next] = row.Infohash
	v.add(file, uint64(row.Length))
	v.fetch()
}

// add takes the next volume for a part of the stream.
func (v *volumes) add(file *store.File, length uint64) {
	start := v.start()
	v.before = append(v.before, extent{start: start, end: start + length, at: file})
	v.next++
}

// download fetches what is missing of the next volume.
func (v *volumes) download(file *store.File, row wire.VolumeRow) {
	n := v.next
	v.Follower.fetch(v.run, row.Infohash, 0, func(b []byte) (seed.Content, int64, error) {
		have, err := v.plan(b, n, row)
		return store.NewSpan(file, int64(row.Length), nil), have, err
	}, func(got seed.Result) {
		err := got.Err
		if err == nil {
			err = file.Sync()
		}
		if err != nil {
			v.finished(v.run, fmt.Errorf("volume %d, torrent %s: %w", n, hex.EncodeToString(row.Infohash[:]), explain(err)))
			return
		}
		v.compare(file, row, func(same bool) {
			if !same {
				v.finished(v.run, bad("volume %d, torrent %s: %w", n, hex.EncodeToString(row.Infohash[:]), ErrVolumeHash))
				return
			}
			v.here(file, row)
		})
	})
}

// plan checks a volume's info dictionary; have is what of it is committed here.
func (v *volumes) plan(b []byte, n int, row wire.VolumeRow) (have int64, err error) {
	info, err := wire.ParseInfo(b)
	if err != nil {
		return 0, bad("%w", err)
	}
	if info.ID != v.id || info.Newest || info.Shelf || info.Number != n || info.Tail != uint64(row.Length) {
		return 0, bad("it is not volume %d of this database", n)
	}
	if err := v.keepAhead(); err != nil {
		return 0, err
	}
	st := v.store.State()
	if n != st.Volumes {
		return 0, nil
	}
	same, err := v.common(n, info)
	if err != nil {
		return 0, err
	}
	own := st.Length - st.Volume
	if own > info.Tail || same != own-own%wire.PieceBytes {
		return 0, bad("%w", errOther)
	}
	return int64(own), nil
}

// compare says whether a file is the volume of a row, to the last bit of its
// SHA-256.
func (v *volumes) compare(file *store.File, row wire.VolumeRow, done func(same bool)) {
	sum := sha256.New()
	v.digest(file, sum, 0, int64(row.Length), func() { done([32]byte(sum.Sum(nil)) == row.SHA256) })
}

// digest hashes a file from an offset to an end, a part at a time, so that the
// loop gets its turn.
func (v *volumes) digest(file *store.File, sum io.Writer, at, end int64, done func()) {
	b := make([]byte, min(ingestBytes, end-at))
	if n, err := file.ReadAt(b, at); n < len(b) {
		v.finished(v.run, fmt.Errorf("read what was fetched: %w", err))
		return
	}
	sum.Write(b)
	if at += int64(len(b)); at >= end {
		done()
		return
	}
	v.later(v.run, func() { v.digest(file, sum, at, end, done) })
}
