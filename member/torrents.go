package member

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"weir/internal/seed"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// held is a torrent's content that can be read back.
type held interface {
	seed.Content
	io.ReaderAt
}

// fetchNewest fetches a newest torrent, and what its state file says is
// missing before its tail.
func (f *Follower) fetchNewest(r *catchUp, infohash [20]byte) {
	var info *wire.Info
	var content *store.Span
	var wanted int64 // bytes that were missing
	cancel := f.ports.Swarm.Fetch(seed.Fetch{
		Infohash: infohash,
		Stall:    f.cfg.Stall,
		Plan: func(b []byte) (seed.Content, int64, error) {
			var have int64
			var err error
			if info, content, have, err = f.planNewest(b, infohash); err == nil {
				wanted = int64(info.Tail) + int64(info.State) - have
			}
			return content, have, err
		},
		Done: guard(f, func(got seed.Result) {
			f.got += got.Received
			if r.over {
				return
			}
			r.cancel = nil
			if got.Err == nil && content == nil {
				got.Err = errors.New("it came without an info dictionary")
			}
			if got.Err != nil {
				if content != nil && got.Received >= wanted {
					f.distrust[infohash] = true
				}
				f.finished(r, explain(got.Err))
				return
			}
			f.fetchedNewest(r, info, content)
		}),
	})
	r.cancel = cancel
}

// planNewest says where the bytes of a newest torrent go: into the growing
// volume's own file when it is the same volume, else into memory, until the
// volumes before it are here. A tail is never longer than
// wire.VolumeBytesMax. A fetch into the volume's file that received enough and
// yet did not get right pieces is distrusted, since the bytes before the end of
// the log here may be other ones: the next one goes into memory.
func (f *Follower) planNewest(b []byte, infohash [20]byte) (*wire.Info, *store.Span, int64, error) {
	info, err := wire.ParseInfo(b)
	if err != nil {
		return nil, nil, 0, bad("%w", err)
	}
	if info.ID != f.id || !info.Newest {
		return nil, nil, 0, bad("it is not a newest torrent of this database")
	}
	st := f.store.State()
	state := make([]byte, info.State)
	have, err := f.common(st.Volumes, info)
	if err != nil {
		return nil, nil, 0, err
	}
	newest := infohash == f.head.Newest && f.head.Length == st.Volume+info.Tail
	if own := st.Length - st.Volume; !f.distrust[infohash] && (have > 0 || newest) && have == own-own%wire.PieceBytes && info.Tail >= own {
		file, err := f.store.Volume(st.Volumes)
		return info, store.NewSpan(file, int64(info.Tail), state), int64(own), err
	}
	return info, store.NewSpan(&memory{b: make([]byte, info.Tail)}, int64(info.Tail), state), 0, nil
}

// common is how many bytes at the front of a torrent, in whole pieces, are
// those of an own volume.
func (f *Follower) common(volume int, info *wire.Info) (uint64, error) {
	own, err := f.store.VolumeInfo(volume)
	if err != nil {
		return 0, err
	}
	n := uint64(0)
	for most := min(own.Length, info.Tail) / wire.PieceBytes; n < most; n++ {
		if i := n * sha1.Size; !bytes.Equal(own.Pieces[i:i+sha1.Size], info.Pieces[i:i+sha1.Size]) {
			break
		}
	}
	return n * wire.PieceBytes, nil
}

// fetchedNewest reads the state file and goes on with the volumes that are
// missing before the tail.
func (f *Follower) fetchedNewest(r *catchUp, info *wire.Info, content held) {
	b := make([]byte, info.State)
	if _, err := content.ReadAt(b, int64(info.Tail)); err != nil && !errors.Is(err, io.EOF) {
		f.finished(r, err)
		return
	}
	state, err := wire.ParseStateFile(b)
	if err != nil {
		f.finished(r, bad("%w", err))
		return
	}
	if !f.signed(state.Checkpoint) {
		f.finished(r, bad("the checkpoint in its state file is not signed by the database's log key"))
		return
	}
	if !f.agrees(state.Checkpoint) {
		f.cfg.Changed() // following has ended
		return
	}
	st := f.store.State()
	switch {
	case state.Checkpoint.Size <= st.Size:
		f.finished(r, errOlder)
		return
	case len(state.Shelves) > 0:
		f.finished(r, errors.New("its volumes are on shelves, which need a newer version of weir"))
		return
	case len(state.Volumes) < st.Volumes || state.Start < st.Volume:
		f.finished(r, bad("%w: it has %d full volumes, and there are %d", errOther, len(state.Volumes), st.Volumes))
		return
	}
	tail := extent{start: state.Start, end: state.Start + info.Tail, at: content}
	f.fetchVolumes(r, state, st.Volumes, nil, tail)
}

// fetchVolumes fetches the volumes from number n on that come before the tail,
// one after the other, each into its own file beyond the committed log. Nothing
// of them is committed before the tail's checkpoint was checked over all of it.
func (f *Follower) fetchVolumes(r *catchUp, state *wire.StateFile, n int, before source, tail extent) {
	start := f.store.State().Volume
	if len(before) > 0 {
		start = before.end()
	}
	if n == len(state.Volumes) {
		if start != tail.start {
			f.finished(r, bad("%w: its tail begins at %d, and the volume here at %d", errOther, tail.start, start))
			return
		}
		f.take(r, append(before, tail), state.Checkpoint)
		return
	}
	row := state.Volumes[n]
	file, err := f.store.Volume(n)
	if err != nil {
		f.finished(r, err)
		return
	}
	before = append(before, extent{start: start, end: start + uint64(row.Length), at: file})
	if f.ahead[n] == row.Infohash {
		f.fetchVolumes(r, state, n+1, before, tail)
		return
	}
	r.cancel = f.ports.Swarm.Fetch(seed.Fetch{
		Infohash: row.Infohash,
		Stall:    f.cfg.Stall,
		Plan: func(b []byte) (seed.Content, int64, error) {
			have, err := f.planVolume(b, n, row)
			return store.NewSpan(file, int64(row.Length), nil), have, err
		},
		Done: guard(f, func(got seed.Result) {
			f.got += got.Received
			if r.over {
				return
			}
			r.cancel = nil
			if got.Err != nil {
				f.ports.Swarm.Stop(row.Infohash)
				f.finished(r, fmt.Errorf("volume %d, torrent %s: %w", n, hex.EncodeToString(row.Infohash[:]), explain(got.Err)))
				return
			}
			f.ahead[n] = row.Infohash
			f.fetchVolumes(r, state, n+1, before, tail)
		}),
	})
}

// planVolume checks a volume's info dictionary; have is what of it is here.
func (f *Follower) planVolume(b []byte, n int, row wire.VolumeRow) (have int64, err error) {
	info, err := wire.ParseInfo(b)
	if err != nil {
		return 0, bad("%w", err)
	}
	if info.ID != f.id || info.Newest || info.Number != n || info.Tail != uint64(row.Length) {
		return 0, bad("it is not volume %d of this database", n)
	}
	st := f.store.State()
	if n != st.Volumes {
		return 0, nil
	}
	same, err := f.common(n, info)
	if err != nil {
		return 0, err
	}
	own := st.Length - st.Volume
	if own > info.Tail || same != own-own%wire.PieceBytes {
		return 0, bad("%w", errOther)
	}
	return int64(own), nil
}

// memory is bytes that are fetched before it is known where they belong.
type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(m.b)) {
		return 0, errors.New("past the end")
	}
	return copy(m.b[off:], p), nil
}
