package member

import (
	"slices"
	"strings"
	"testing"
	"time"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// restart ends the follower in good order and starts another.
func (r *reader) restart(t testing.TB, k *keeper) {
	t.Helper()
	r.Follower.Stop()
	if len(r.swarm.served) != 0 {
		t.Errorf("%d torrents are served after Stop", len(r.swarm.served))
	}
	if r.Store() != nil {
		check(t, r.Store().Close())
	}
	r.open(t, k)
}

// interrupted sees that a newcomer receives k + k/256 + 64 KiB in all, also when
// what it fetches is broken off on the way.
func interrupted(t *testing.T, w *world, k *keeper) {
	length := int64(k.db.State().Length)
	volume := must[store.VolumeInfo](t)(k.db.VolumeInfo(0)).Length
	for i, c := range []struct {
		name      string
		part      int64 // percent that came before
		lost      int64
		interrupt func(r *reader)
	}{
		{"a stall", 99, 0, func(r *reader) {}},
		{"a restart in the first volume", 45, 0, func(r *reader) { r.restart(t, k) }},
		{"a restart in the second", 90, 0, func(r *reader) { r.restart(t, k) }},
		{"a power loss", 90, int64(volume), func(r *reader) { r.reopen(t, k) }}, // the volume under way was not synced
	} {
		r := newReader(t, k, uint64(100+i))
		r.swarm.budget = length * c.part / 100
		for r.swarm.budget > 0 {
			w.run(time.Second)
		}
		before := r.Follower
		c.interrupt(r)
		w.run(2 * time.Minute)
		if r.Status().Phase == Current {
			t.Fatalf("%s: it came to its end before", c.name)
		}
		r.swarm.deaf = false
		w.run(5 * time.Minute)
		r.follows(t, k)
		got := r.Status().Got
		if before != r.Follower {
			got += before.Status().Got
		}
		t.Logf("%s at %d %%: %d bytes for %d, %d over", c.name, c.part, got, length, got-length)
		if got > length+length/256+64<<10+c.lost {
			t.Errorf("%s at %d %%: %d bytes for %d", c.name, c.part, got, length)
		}
		st := r.Store().State()
		tail := must[*store.File](t)(r.Store().Volume(st.Volumes))
		if n := must[int64](t)(tail.Size()); !r.tidy || n != int64(st.Length-st.Volume) {
			t.Errorf("%s: it keeps what it fetched", c.name)
		}
		r.Follower.Stop()
		check(t, r.Store().Close())
	}
}

// rowsLie has the newest head name a state file in which one row is wrong.
func rowsLie(t *testing.T, w *world, k *keeper) {
	st, honest := k.db.State(), k.newest
	rows := k.db.VolumeRows(0)
	rows[0].SHA256[5] ^= 1
	state := must[[]byte](t)((&wire.StateFile{Start: st.Volume, Checkpoint: honest.Checkpoint, Volumes: rows}).Encode())
	lie := must[store.Torrent](t)(k.db.TailTorrent(st.Volumes, st.Length-st.Volume, state))
	check(t, k.swarm.Serve(lie.Info, lie.Content, true))
	h := honest
	h.Newest, h.Older = lie.Infohash, [][20]byte{honest.Newest}
	k.put(h)
	r := newReader(t, k, 200)
	w.run(5 * time.Minute)
	r.follows(t, k)
	if s := r.Status(); len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0], "volume 0") || !strings.Contains(s.Dropped[0], "SHA-256") {
		t.Fatalf("dropped: %q", s.Dropped)
	}
	r.lasting(t)
	k.put(honest)
}

// lasting fails unless everything that the reader serves can still be stopped
// by it, and is when it stops.
func (r *reader) lasting(t testing.TB) {
	t.Helper()
	if n, s := len(r.swarm.served), r.Status(); n != s.Serving {
		t.Errorf("%d torrents are served, and %d will be stopped", n, s.Serving)
	}
	r.Follower.Stop()
	if n := len(r.swarm.served); n != 0 {
		t.Errorf("%d torrents are served after Stop", n)
	}
}

func TestATorrentThatCameTooLateIsNotLeftBehind(t *testing.T) {
	for name, c := range map[string]struct {
		older bool // the newest cannot be had, only the one before it
		mute  bool
	}{
		"the head moved on":       {},
		"an older one":            {older: true},
		"for one that serves not": {mute: true},
	} {
		t.Run(name, func(t *testing.T) {
			w, k := scene(t)
			k.noChunk = true
			r := newReader(t, k, 2)
			r.Follower.cfg.Mute = c.mute
			w.run(2 * time.Second)
			k.grow(identity(11), 100)
			k.publish()
			if !c.older {
				r.Kick()
				w.run(60 * time.Millisecond) // the head is here, the torrent is not
			}
			size := k.db.State().Size
			for range 3 {
				k.grow(identity(11), 100)
				k.publish()
				if c.older {
					k.swarm.Stop(k.newest.Newest)
				}
				if !c.older {
					r.Kick()
					w.run(40 * time.Millisecond)
				}
			}
			if c.older {
				w.run(5 * time.Minute)
				if got := r.Status().Size; got != size {
					t.Fatalf("it has %d entries, not the older torrent's %d", got, size)
				}
				if !r.serving[k.newest.Older[2]] {
					t.Error("it does not serve the older torrent that it holds")
				}
			} else {
				w.run(5 * time.Minute)
				r.follows(t, k)
			}
			r.lasting(t)
		})
	}
}

// A fetch that the newest head does not name any more is given up at the next
// look that finds nothing of it come, and not when its time is over.
func TestATorrentThatEverybodyHasLeftIsNotWaitedFor(t *testing.T) {
	w, k := scene(t)
	k.noChunk = true
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	publish := func() {
		k.grow(identity(11), 100)
		k.publish()
	}
	look := func() {
		r.Kick()
		w.run(time.Second)
	}
	publish()
	left := k.newest.Newest
	k.swarm.Stop(left)
	k.newest.Older = nil // the other ways
	k.put(k.newest)
	look()
	if r.run == nil || r.run.infohash != left {
		t.Fatalf("it does not fetch the newest torrent: %+v", r.Status())
	}
	look()
	if r.run == nil || r.run.infohash != left {
		t.Fatal("it has left a torrent that the newest head names")
	}
	for slices.Contains(append(k.newest.Older, k.newest.Newest), left) {
		publish()
	}
	r.run.moved = true
	look()
	if r.run == nil || r.run.infohash != left {
		t.Fatal("it has left a torrent of which something came")
	}
	look()
	r.follows(t, k)
	if s := r.Status(); len(s.Dropped) != 0 || s.Problem != "" {
		t.Errorf("%+v", s)
	}
}
