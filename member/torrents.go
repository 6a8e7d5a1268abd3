package member

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"errors"
	"io"
	"slices"
	"time"

	"weir/internal/seed"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// newestTorrent is a newest torrent that is here whole.
type newestTorrent struct {
	infohash [20]byte
	info     *wire.Info
	file     *store.File // of its tail
	content  *store.Span
}

// fetch asks for a torrent of an attempt, and goes on from what of it an
// earlier attempt, or an earlier life, has left in the files.
// It is given up when nothing of it comes for first; 0: no sooner than later on.
func (f *Follower) fetch(r *catchUp, infohash [20]byte, first time.Duration, plan func(info []byte) (seed.Content, int64, error), done func(seed.Result)) {
	r.fetched, r.fetching = append(r.fetched, infohash), true
	r.cancel = f.ports.Swarm.Fetch(seed.Fetch{
		Infohash: infohash,
		Stall:    f.patience(),
		First:    first,
		Resume:   true,
		Plan: func(info []byte) (seed.Content, int64, error) {
			r.moved = true
			return plan(info)
		},
		Progress: func(int64, int64) { r.moved = true },
		Done: guard(f, func(got seed.Result) {
			f.got += got.Received
			if r.over {
				return
			}
			r.cancel, r.fetching = nil, false
			done(got)
		}),
	})
}

// fetchNewest fetches a newest torrent, and what its state file says is
// missing before its tail.
func (f *Follower) fetchNewest(r *catchUp, infohash [20]byte) {
	if t := f.newest; t != nil && t.infohash == infohash {
		f.fetchedNewest(r, t) // the volumes before it were what was missing
		return
	}
	f.newest = nil
	var t *newestTorrent
	begun, first := f.ports.Clock.Now(), f.firstPatience(infohash)
	f.fetch(r, infohash, first, func(b []byte) (seed.Content, int64, error) {
		r.heard, f.overtaken = true, false
		f.took = min(f.ports.Clock.Now().Sub(begun), f.cfg.Stall) // the clock may leap
		var have int64
		var err error
		if t, have, err = f.planNewest(b, infohash); err != nil {
			return nil, 0, err
		}
		return t.content, have, nil
	}, func(got seed.Result) {
		switch {
		case got.Err == nil && t == nil:
			got.Err = errors.New("it came without an info dictionary")
		case got.Err == nil:
			got.Err = t.file.Sync()
		case t != nil && got.Received >= int64(t.info.Tail)+int64(t.info.State)-got.Here:
			f.distrust[infohash] = true
		}
		if errors.Is(got.Err, seed.ErrStalled) {
			f.unheard(infohash, first)
		}
		if got.Err != nil {
			f.finished(r, explain(got.Err))
			return
		}
		delete(f.stalls, infohash)
		f.newest = t
		f.fetchedNewest(r, t)
	})
}

// planNewest says where the bytes of a newest torrent go: into the growing
// volume's own file when it is the same volume, else into a file of its own,
// until the volumes before it are here. A tail is never longer than
// wire.VolumeBytesMax. A fetch into the volume's file that received enough and
// yet did not get right pieces is distrusted, since the bytes before the end of
// the log here may be other ones: the next one goes into the other file.
func (f *Follower) planNewest(b []byte, infohash [20]byte) (t *newestTorrent, have int64, err error) {
	info, err := wire.ParseInfo(b)
	if err != nil {
		return nil, 0, bad("%w", err)
	}
	if info.ID != f.id || !info.Newest {
		return nil, 0, bad("%w", ErrNotNewest)
	}
	newest := infohash == f.head.Newest
	if old, err := f.holds(info); err != nil || old && !newest {
		return nil, 0, cmp.Or(err, errOlder)
	}
	st := f.store.State()
	same, err := f.common(st.Volumes, info)
	if err == nil {
		err = f.keepAhead()
	}
	if err != nil {
		return nil, 0, err
	}
	t = &newestTorrent{infohash: infohash, info: info}
	own := st.Length - st.Volume
	grows := same > 0 || newest && f.head.Length == st.Volume+info.Tail
	if grows && same == own-own%wire.PieceBytes && info.Tail >= own && !f.distrust[infohash] {
		have = int64(own)
		t.file, err = f.store.Volume(st.Volumes)
	} else {
		t.file, err = f.store.AheadTail(!newest)
	}
	t.content = store.NewSpan(t.file, int64(info.Tail), make([]byte, info.State))
	return t, have, err
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
func (f *Follower) fetchedNewest(r *catchUp, t *newestTorrent) {
	b := make([]byte, t.info.State)
	if _, err := t.content.ReadAt(b, int64(t.info.Tail)); err != nil && !errors.Is(err, io.EOF) {
		f.finished(r, err)
		return
	}
	state, err := wire.ParseStateFile(b)
	if err != nil {
		f.finished(r, bad("%w", err))
		return
	}
	if !f.signed(state.Checkpoint) {
		f.finished(r, bad("%w", ErrStateUnsigned))
		return
	}
	if !f.agrees(state.Checkpoint) {
		f.cfg.Changed() // following has ended
		return
	}
	st := f.store.State()
	tail := extent{start: state.Start, end: state.Start + t.info.Tail, at: t.content}
	switch {
	case state.Checkpoint.Size <= st.Size:
		f.finished(r, errOlder)
		return
	case volumesOf(state) < st.Volumes || state.Start < st.Volume:
		f.finished(r, bad("%w: it has %d full volumes, and there are %d", errOther, volumesOf(state), st.Volumes))
		return
	case !f.sameRows(state):
		f.finished(r, bad("%w: its volumes before the end of that log are others", errOther))
		return
	case tail.end > f.head.Length:
		f.finished(r, bad("its stream has %d bytes, and the newest head's %d", tail.end, f.head.Length))
		return
	}
	if t.infohash == f.head.Newest { // no disk holds more than what the newest head promises
		if err := f.store.TrimAhead(volumesOf(state)); err != nil {
			f.finished(r, err)
			return
		}
	}
	r.heard = true
	v := &volumes{Follower: f, run: r, state: state, next: st.Volumes, tail: tail}
	v.fetch()
}

// sameRows compares a state file's rows of what is full here with the log's own.
func (f *Follower) sameRows(state *wire.StateFile) bool {
	shelves, volumes := f.store.ShelfRows(), f.store.VolumeRows(len(state.Shelves)*wire.ShelfVolumes)
	n := min(len(shelves), len(state.Shelves))
	return slices.Equal(state.Shelves[:n], shelves[:n]) && slices.Equal(state.Volumes[:len(volumes)], volumes)
}

// keepAhead makes the store keep what is fetched, in case this process ends
// before it can be committed.
func (f *Follower) keepAhead() error {
	f.tidy = false
	return f.store.KeepAhead()
}

// dropAhead drops what was fetched and is of no use: it can never verify, or
// the log here has come to where it leads.
func (f *Follower) dropAhead() {
	if f.tidy {
		return
	}
	f.newest = nil
	clear(f.ahead)
	clear(f.shelves)
	if err := f.store.EndAhead(); err != nil {
		f.problem = err.Error()
		return
	}
	f.tidy = true
}
