package member

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/ledger/wire"
)

func TestItFallsBackThroughTheFiveInfohashes(t *testing.T) {
	w, k := scene(t)
	k.noChunk = true
	for range 4 {
		w.run(time.Minute)
		k.grow(identity(11), 40)
		k.publish()
	}
	good := k.newest.Older[2]
	size := uint64(43)
	for ih := range k.swarm.served {
		if ih != good {
			k.swarm.Stop(ih)
		}
	}
	r := newReader(t, k, 2)
	w.run(10 * time.Minute)
	if s := r.Status(); s.Size != size || s.Phase != Fetching || len(s.Dropped) != 0 || !strings.Contains(s.Problem, "nobody who has it") {
		t.Fatalf("%+v", s)
	}
	k.publish() // again, with chunks that do not reach: the newest torrent is back
	w.run(10 * time.Minute)
	r.follows(t, k)
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
			w.run(time.Minute)
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
		"no torrent of ours": []byte("d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:xxxxxxxxxxxxxxxxxxxxe"),
	} {
		t.Run(name, func(t *testing.T) {
			k.swarm.served[wire.Infohash(info)] = served{info, &memory{make([]byte, 200)}}
			h := honest
			h.Newest, h.Older = wire.Infohash(info), [][20]byte{honest.Newest}
			k.put(h)
			r := newReader(t, k, uint64(200+len(name)))
			w.run(time.Minute)
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
