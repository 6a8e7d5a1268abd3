package member

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/ledger/wire"
)

// fallback is how long the fall-back from one torrent that cannot be had to the
// next may take.
const fallback = 6*time.Second + 200*time.Millisecond

// five makes a log whose head names five torrents of 40 entries each; the last of
// them ends with size.
func five(t *testing.T) (w *world, k *keeper, size uint64) {
	w, k = scene(t)
	k.noChunk = true
	k.newest, k.older = wire.Head{}, nil
	for range 5 {
		w.run(time.Minute)
		k.grow(identity(11), 40)
		k.publish()
	}
	return w, k, k.db.State().Size
}

// only leaves one torrent, and nothing of the others.
func (k *keeper) only(good [20]byte) {
	for ih := range k.swarm.served {
		if ih != good {
			k.swarm.Stop(ih)
		}
	}
}

// reaches is how long it takes until a reader has so many entries.
func (r *reader) reaches(t testing.TB, w *world, size uint64, most time.Duration) (took time.Duration) {
	t.Helper()
	const step = 100 * time.Millisecond
	for ; r.Status().Size != size; took += step {
		if took >= most {
			t.Fatalf("after %v it has %d entries and not %d: %+v", took, r.Status().Size, size, r.Status())
		}
		w.run(step)
	}
	return took
}

func TestItFallsBackThroughTheFiveInfohashesWithinSeconds(t *testing.T) {
	for i := range 4 {
		w, k, size := five(t)
		size -= uint64(40 * (i + 1))
		k.only(k.newest.Older[i])
		r := newReader(t, k, 2)
		t.Logf("the older infohash %d: %v", i, r.reaches(t, w, size, time.Second+time.Duration(i+1)*fallback))
		w.run(10 * time.Minute)
		if s := r.Status(); s.Size != size || s.Phase != Fetching || len(s.Dropped) != 0 || !strings.Contains(s.Problem, "nobody who has it") {
			t.Fatalf("%+v", s)
		}
		length := int64(r.Store().State().Length)
		if got := r.Status().Got; got > length+length/256+64<<10 {
			t.Errorf("%d bytes were received for %d", got, length)
		}
		k.publish()            // the newest torrent is back
		w.run(3 * time.Minute) // by now each of the others gets 30 s
		r.follows(t, k)
		r.lasting(t)
	}
}

// The clock of a fall-back begins anew with every head, also when those before it
// could not be had either.
func TestEveryNewHeadFallsBackWithinSeconds(t *testing.T) {
	t.Run("of one that serves", func(t *testing.T) { everyHead(t, false) })
	t.Run("of one that serves nothing", func(t *testing.T) { everyHead(t, true) })
}

func everyHead(t *testing.T, mute bool) {
	w, k, _ := five(t)
	r := newReader(t, k, 2)
	r.Follower.cfg.Mute = mute
	w.run(2 * time.Second)
	r.follows(t, k)
	for range 8 {
		k.grow(identity(11), 40)
		k.publish()
		size := k.db.State().Size
		k.grow(identity(11), 40)
		k.publish()
		k.swarm.Stop(k.newest.Newest)
		before := r.Status().Got
		length := int64(r.Store().State().Length)
		r.Kick()
		r.reaches(t, w, size, time.Second+fallback)
		w.run(5 * time.Minute)
		added := int64(r.Store().State().Length) - length
		if got := r.Status().Got - before; got > added+added/256+64<<10 {
			t.Errorf("%d bytes were received for %d", got, added)
		}
	}
}

func TestWhatWasGivenUpTooEarlyIsTriedAgainWithMorePatience(t *testing.T) {
	w, k, size := five(t)
	r := newReader(t, k, 2)
	r.swarm.slow = 20 * time.Second // until it has found torrent peers
	r.Follower.cfg.Follow = time.Hour
	// Five for 6 s each, five for 12, and the first for 24 at most.
	r.reaches(t, w, size, 2*time.Minute)
	r.follows(t, k)
	// And the next one for as long as that took.
	k.grow(identity(11), 40)
	k.publish()
	r.Kick()
	r.reaches(t, w, k.db.State().Size, 21*time.Second)
	// Where it is quick again, so is the fall-back.
	r.swarm.slow = 0
	k.grow(identity(11), 40)
	k.publish()
	r.Kick()
	w.run(2 * time.Second)
	r.follows(t, k)
	k.grow(identity(11), 40)
	k.publish()
	k.grow(identity(11), 40)
	size = k.db.State().Size - 40
	k.publish()
	k.swarm.Stop(k.newest.Newest)
	r.Kick()
	r.reaches(t, w, size, time.Second+fallback)
}

func TestATorrentThatStandsStillOnTheWayIsNotGivenUpEarly(t *testing.T) {
	w, k, size := five(t)
	length := int64(k.db.State().Length)
	r := newReader(t, k, 2)
	r.swarm.budget = length / 2
	for r.swarm.budget > 0 {
		w.run(100 * time.Millisecond)
	}
	w.run(25 * time.Second)
	if r.run == nil || r.run.infohash != k.newest.Newest {
		t.Fatalf("it has left the torrent of which half is here: %+v", r.Status())
	}
	w.run(5 * time.Second)
	if r.run == nil || r.run.infohash != k.newest.Older[0] {
		t.Fatalf("it waits for it for more than 30 s: %+v", r.Status())
	}
	r.swarm.deaf = false
	k.only(k.newest.Newest)
	r.reaches(t, w, size, time.Minute)
	if got := r.Status().Got; got > length+length/256+64<<10 {
		t.Errorf("%d bytes were received for %d", got, length)
	}
}

func TestATorrentWithOtherBytesIsDroppedWithTheReason(t *testing.T) {
	w, k := scene(t)
	k.noChunk = true
	k.grow(identity(11), 40)
	k.publish()
	honest := k.newest
	st := k.db.State()
	// The tail of a torrent that the head names is not what was signed.
	stream := make([]byte, st.Length)
	must[int](t)(k.db.ReadStream(stream, 0))
	state := wire.StateFile{Checkpoint: k.newest.Checkpoint}
	for _, c := range []struct {
		name   string
		stream []byte
		state  func() []byte
		want   string
	}{
		{"a changed byte", func() []byte { b := append([]byte(nil), stream...); b[len(b)-300] ^= 1; return b }(),
			func() []byte { return must[[]byte](t)(state.Encode()) }, "its body is not"},
		{"a stream cut short", stream[:len(stream)-10], func() []byte { return must[[]byte](t)(state.Encode()) }, "too early"},
		{"a stream longer than the head's", append(append([]byte(nil), stream...), stream...), func() []byte { return must[[]byte](t)(state.Encode()) }, "the newest head's"},
		{"a state file of rubbish", stream, func() []byte { return []byte("rubbish") }, "state file"},
		{"a state that nobody signed", stream, func() []byte {
			s := state
			s.Checkpoint.Sig[0] ^= 1
			return must[[]byte](t)(s.Encode())
		}, "not signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := append(append([]byte(nil), c.stream...), c.state()...)
			info := wire.NewestInfo(st.ID, uint64(len(c.stream)), len(c.state()), pieces(content))
			k.swarm.served[wire.Infohash(info)] = served{info, &memory{content}}
			h := honest
			h.Newest, h.Older = wire.Infohash(info), [][20]byte{honest.Newest}
			k.put(h)
			r := newReader(t, k, uint64(100+len(c.name)))
			w.run(2 * time.Second)
			r.follows(t, k)
			if s := r.Status(); len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0], c.want) {
				t.Fatalf("dropped: %q", s.Dropped)
			}
			if _, ok := r.swarm.served[h.Newest]; ok {
				t.Fatal("it serves what it dropped")
			}
			r.lasting(t)
		})
	}
}

func TestATorrentOfSomethingElseIsDropped(t *testing.T) {
	w, k := scene(t)
	k.noChunk = true
	k.publish()
	honest := k.newest
	st := k.db.State()
	for name, info := range map[string][]byte{
		"a volume":           wire.VolumeInfo(st.ID, 0, 100, make([]byte, 20)),
		"another database":   wire.NewestInfo(wire.ID{9}, 100, 100, make([]byte, 20)),
		"no torrent of ours": []byte("d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:a piece's SHA-1 hashe"),
	} {
		t.Run(name, func(t *testing.T) {
			k.swarm.served[wire.Infohash(info)] = served{info, &memory{make([]byte, 200)}}
			h := honest
			h.Newest, h.Older = wire.Infohash(info), [][20]byte{honest.Newest}
			k.put(h)
			r := newReader(t, k, uint64(200+len(name)))
			w.run(2 * time.Second)
			r.follows(t, k)
			if s := r.Status(); len(s.Dropped) != 1 {
				t.Fatalf("dropped: %q", s.Dropped)
			}
			r.Stop()
		})
	}
}

func TestAFloodOfBadTorrentsIsForgotten(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	k.noChunk = true
	h := k.newest
	h.Checkpoint = wire.SignCheckpoint(k.db.State().ID, k.id.Log, 99, wire.Hash{9})
	h.Length, h.Chunks = h.Length+500, nil
	for n := range 50 {
		info := wire.NewestInfo(wire.ID{9}, uint64(100+n), 100, make([]byte, 20))
		k.swarm.served[wire.Infohash(info)] = served{info, &memory{make([]byte, 300)}}
		h.Newest, h.Older = wire.Infohash(info), nil
		k.put(h)
		w.run(40 * time.Second)
	}
	if len(r.dropped) > 2 || len(r.Status().Dropped) != dropsMax || len(r.swarm.served) > 1 {
		t.Fatalf("it remembers %d, tells of %d and serves %d", len(r.dropped), len(r.Status().Dropped), len(r.swarm.served))
	}
}

// wide makes a database of more than two volumes.
func wide(t testing.TB) (*world, *keeper) {
	w, k := scene(t)
	for n := byte(13); n < 13+62; n++ {
		k.admit(identity(n), fmt.Sprintf("member %d", n))
	}
	for k.db.State().Volumes < 2 {
		w.run(time.Second)
		k.grow(identity(11), 2500)
	}
	w.run(time.Second)
	k.grow(identity(11), 100)
	k.publish()
	return w, k
}

func TestANewcomerFetchesTheVolumesBeforeTheTail(t *testing.T) {
	if testing.Short() {
		t.Skip("16 MiB of changes: not with -short")
	}
	w, k := wide(t)
	old := newReader(t, k, 2)
	w.run(5 * time.Minute)
	old.follows(t, k)
	if st := k.db.State(); old.Status().Serving != 1+st.Volumes {
		t.Fatalf("it serves %d torrents", old.Status().Serving)
	}
	got := old.Status().Got
	if length := int64(k.db.State().Length); got > length+length/256+64<<10 {
		t.Fatalf("%d bytes for %d", got, length)
	}

	// Others are interrupted: in the middle of fetching, and of committing.
	for i, steps := range []int{60, old.disk.Steps() - 40} {
		r := newReader(t, k, uint64(10+i))
		r.disk.CrashAt(steps)
		w.run(2 * time.Minute)
		if r.Status().Phase == Current {
			t.Fatalf("it came to its end before write step %d of %d", steps, r.disk.Steps())
		}
		t.Logf("crashed with %d of %d entries", r.Status().Size, k.db.State().Size)
		r.reopen(t, k)
		w.run(5 * time.Minute)
		r.follows(t, k)
		r.Stop()
	}

	t.Run("and receives nothing twice after an interruption", func(t *testing.T) { interrupted(t, w, k) })

	t.Run("and drops a torrent whose rows lie", func(t *testing.T) { rowsLie(t, w, k) })

	// The manager goes away; the two that have everything serve a third.
	for ih := range k.swarm.served {
		k.swarm.Stop(ih)
	}
	third := newReader(t, k, 4)
	w.run(5 * time.Minute)
	third.follows(t, k)
}
