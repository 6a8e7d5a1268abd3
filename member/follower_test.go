package member

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/lookup"
	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// reader is a follower on a host and disk of its own.
type reader struct {
	*Follower
	*host
	disk *store.Crashable
}

func newReader(t testing.TB, k *keeper, n uint64) *reader {
	return newReaderOn(t, k, k.world.host(n))
}

func newReaderOn(t testing.TB, k *keeper, h *host) *reader {
	r := &reader{host: h, disk: store.NewCrashable(1, nil)}
	r.open(t, k)
	return r
}

// open starts a follower on what the disk has.
func (r *reader) open(t testing.TB, k *keeper) {
	t.Helper()
	s, err := store.Open(r.disk, k.options())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	disk := r.disk
	r.Follower = must[*Follower](t)(NewFollower(Config{
		Store: s, Link: k.link(),
		Create: func(charter []byte) (*store.Store, error) {
			return store.Create(disk, charter, k.options())
		},
	}, r.edges()))
	f := r.Follower
	t.Cleanup(func() {
		f.Stop()
		if f.Store() != nil {
			f.Store().Close()
		}
	})
	r.Start()
}

// reopen ends the follower, takes the power away and starts another.
func (r *reader) reopen(t testing.TB, k *keeper) {
	t.Helper()
	r.Follower.Stop()
	r.disk.Crash()
	if r.Store() != nil {
		r.Store().Close()
	}
	r.disk = r.disk.Restart()
	r.open(t, k)
}

// rests fails if the reader, whose following has ended, looks for heads.
func (r *reader) rests(t testing.TB) {
	t.Helper()
	gets := len(r.gets)
	r.world.run(10 * time.Minute)
	st := r.Store().State()
	succession := wire.MutableTarget(st.Charter.Recovery, st.ID.Salt())
	for _, target := range r.gets[gets:] {
		if target != succession { // which alone could say that it may go on
			t.Fatal("it goes on following")
		}
	}
}

// follows fails unless the reader's log is the keeper's.
func (r *reader) follows(t testing.TB, k *keeper) {
	t.Helper()
	s, st := r.Status(), k.db.State()
	if s.Phase != Current || s.Size != st.Size || s.Root != st.Root || s.Length != st.Length {
		t.Fatalf("%s with %d entries and root %s, the manager has %d and %s; %q", s.Phase, s.Size, s.Root, st.Size, st.Root, s.Warnings())
	}
}

func scene(t testing.TB) (*world, *keeper) {
	w := newWorld(t)
	k := newKeeper(t, w)
	k.admit(identity(11), "ann")
	k.admit(identity(12), "ben")
	k.publish()
	return w, k
}

func TestAStrangerWithTheLinkGetsTheDatabase(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	r.follows(t, k)
	if s := r.Status(); s.Source != nameChunks || s.Name != "Mill Lane" || s.Holding != 8 || s.Checked.IsZero() || len(s.Warnings()) != 0 {
		t.Fatalf("%+v", s)
	}
	if _, ok := r.swarm.served[k.newest.Newest]; !ok || r.Status().Serving != 1 {
		t.Fatal("it does not serve the torrent that the head names")
	}
	audit := must[*store.Report](t)(r.Store().Audit(nil))
	if !audit.OK() {
		t.Fatalf("audit: %v", audit.Findings)
	}
}

func TestItFollowsByChunksWhileTheyReachAndByTorrentBeyond(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	for i, c := range []struct {
		entries int
		source  string
	}{{1, "chunks"}, {3, "chunks"}, {200, "torrent"}, {3, "chunks"}, {60, "torrent"}, {500, "torrent"}} {
		k.grow(identity(11), c.entries)
		k.publish()
		before, length := r.swarm.got, r.Store().State().Length
		w.run(45 * time.Second)
		r.follows(t, k)
		if s := r.Status(); !strings.HasPrefix(s.Source, c.source) {
			t.Errorf("%d: %d entries came by %s", i, c.entries, s.Source)
		}
		added := int64(k.db.State().Length - length)
		if got := r.swarm.got - before; got > added+2*wire.PieceBytes {
			t.Errorf("%d: %d bytes were fetched for %d", i, got, added)
		}
	}
	if n := len(r.swarm.served); n > 5 {
		t.Errorf("it serves %d torrents", n)
	}
}

func TestKickLooksAtOnce(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	k.grow(identity(11), 1)
	k.publish()
	r.Kick()
	r.Kick()
	w.run(time.Second)
	r.follows(t, k)
}

func TestAHeadIsKeptOverARestart(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	r.offline = true
	r.reopen(t, k)
	w.run(time.Minute)
	s := r.Status()
	if s.Phase != Current || s.Newest != 3 || !strings.Contains(s.Problem, "no") || s.Answered != 0 {
		t.Fatalf("%+v", s)
	}
	if len(r.swarm.served) != 1 {
		t.Fatal("it does not serve what it holds")
	}
	w.run(3 * time.Hour)
	if s := r.Status(); !s.Stale || !strings.Contains(strings.Join(s.Warnings(), " "), "old") {
		t.Fatalf("the head is three hours old: %+v", s)
	}
}

func TestAWrongCharterIsNotTaken(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	other := must[lookup.Item](t)(lookup.Immutable([]byte("d1:Vi1ee")))
	r.alter = func(g lookup.Get, f *lookup.Found) { f.Item = &other }
	w.run(time.Minute)
	if s := r.Status(); r.Store() != nil || s.Phase != Seeking || !strings.Contains(s.Problem, "not the link's") {
		t.Fatalf("%+v", s)
	}
	r.alter = nil
	w.run(time.Minute)
	r.follows(t, k)
}

func TestHeadsThatAreNotTheNewestSignedOneAreNotBelieved(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	st := k.db.State()
	old := k.items[k.headTarget()]
	bigger := k.newest
	bigger.Checkpoint = wire.SignCheckpoint(st.ID, identity(9).Log, 99, wire.Hash{9})
	bigger.Length += 500
	rubbish := must[lookup.Item](t)(lookup.Sign(k.id.Publish, st.ID.Salt(), k.seq+1, []byte("4:head")))
	smaller := k.newest
	smaller.Checkpoint = wire.SignCheckpoint(st.ID, k.id.Log, 2, must[wire.Hash](t)(k.db.RootAt(2)))
	k.grow(identity(11), 1)
	k.publish()
	w.run(45 * time.Second)
	r.follows(t, k)
	for _, c := range []struct {
		name string
		item lookup.Item
		want string
	}{
		{"an old head", old, ""},
		{"another log key", k.signed(bigger, k.seq+10), "not signed by the database's log key"},
		{"no head at all", rubbish, "read a head"},
		{"a smaller log under a newer seq", k.signed(smaller, k.seq+11), "it may run from an old copy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.alter = func(g lookup.Get, f *lookup.Found) {
				if g.Target == k.headTarget() {
					f.Item = &c.item
				}
			}
			w.run(45 * time.Second)
			if s := r.Status(); s.Phase != Current || s.Size != k.db.State().Size || !strings.Contains(s.Problem, c.want) || c.want == "" && s.Problem != "" {
				t.Fatalf("%s, %d entries: %q", s.Phase, s.Size, s.Problem)
			}
		})
	}
}

func TestARewrittenHistoryIsEvidenceAndEndsFollowing(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	st := k.db.State()
	for _, c := range []struct {
		name string
		size uint64
	}{{"of the same size", st.Size}, {"smaller", st.Size - 1}} {
		t.Run(c.name, func(t *testing.T) {
			r := newReader(t, k, 3+c.size)
			w.run(2 * time.Second)
			forked := k.newest
			forked.Checkpoint = wire.SignCheckpoint(st.ID, k.id.Log, c.size, wire.Hash{9})
			it := k.signed(forked, k.seq+5)
			r.alter = func(g lookup.Get, f *lookup.Found) {
				if g.Target == k.headTarget() {
					f.Item = &it
				}
			}
			w.run(time.Minute)
			r.alter = nil
			for range 2 {
				s := r.Status()
				if s.Phase != Stopped || !strings.Contains(s.Reason, "signed") {
					t.Fatalf("%+v", s)
				}
				kept := 0
				check(t, r.Store().Scan("evidence/", func(_ string, v []byte) bool {
					kept++
					e := must[*wire.Evidence](t)(wire.ParseEvidence(v))
					check(t, ledger.CheckEvidence(e, st.ID, st.Digest, st.LogKey, sign.ZIP215{}))
					if small, large := e.Sizes(); small.Size != c.size || large.Size != st.Size {
						t.Errorf("evidence of %d and %d entries", small.Size, large.Size)
					}
					return true
				}))
				if kept != 1 {
					t.Fatalf("%d pieces of evidence", kept)
				}
				r.rests(t)
				r.reopen(t, k)
				w.run(time.Minute)
			}
		})
	}
	r.follows(t, k)
}

func TestTwoHeadsOfOneSizeAndTwoRootsAreEvidenceBeforeTheirLogIsHere(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	k.grow(identity(11), 1)
	k.publish()
	forked := k.newest
	forked.Checkpoint = wire.SignCheckpoint(k.db.State().ID, k.id.Log, k.newest.Checkpoint.Size, wire.Hash{9})
	r.alter = func(g lookup.Get, f *lookup.Found) {
		if g.Target == k.headTarget() {
			f.Conflicts = []lookup.Item{k.signed(forked, k.seq)}
		}
	}
	w.run(time.Minute)
	if s := r.Status(); s.Phase != Stopped || !strings.Contains(s.Reason, "two different logs") {
		t.Fatalf("%+v", s)
	}
}

func TestWhoeverFindsSomethingMissingPutsItBack(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	head, charter := k.headTarget(), wire.Target(k.db.State().ID)

	t.Run("the head", func(t *testing.T) {
		it := w.items[head]
		delete(w.items, head)
		w.run(time.Minute)
		if back, ok := w.items[head]; !ok || back.Seq != it.Seq {
			t.Fatal("it did not put the head back")
		}
	})
	t.Run("a head that is thinly held, and not at every look", func(t *testing.T) {
		w.run(healInterval)
		before := r.putTimes(head)
		r.alter = func(g lookup.Get, f *lookup.Found) {
			for i := range f.Closest[1:] {
				f.Closest[1+i].Seq = -1
			}
		}
		w.run(4 * time.Minute)
		r.alter = nil
		if n := r.putTimes(head) - before; n != 1 {
			t.Fatalf("it was put %d times", n)
		}
	})
	t.Run("the charter", func(t *testing.T) {
		delete(w.items, charter)
		w.run(90 * time.Minute)
		if _, ok := w.items[charter]; !ok {
			t.Fatal("it did not put the charter back")
		}
	})
	t.Run("chunks that came by torrent", func(t *testing.T) {
		k.grow(identity(11), 2)
		k.publish()
		lost := k.newest.Chunks[len(k.newest.Chunks)-1]
		delete(w.items, lost)
		w.run(time.Minute)
		r.follows(t, k)
		if _, ok := w.items[lost]; !ok || !strings.HasPrefix(r.Status().Source, "torrent") {
			t.Fatal("it did not put the chunk back")
		}
	})
}

func TestACatchUpIsCrashSafeAtEveryWriteStep(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	for step := 1; ; step++ {
		k.grow(identity(11), 40)
		k.publish()
		r.disk.CrashAt(step)
		w.run(time.Minute)
		_, err := r.Store().ReadStream(make([]byte, 1), 0)
		crashed := err != nil
		if crashed {
			r.reopen(t, k)
			w.run(time.Minute)
		}
		r.follows(t, k)
		if !crashed {
			if step < 6 {
				t.Fatalf("a catch-up has only %d write steps", step)
			}
			break
		}
	}
	if audit := must[*store.Report](t)(r.Store().Audit(nil)); !audit.OK() {
		t.Fatalf("audit: %v", audit.Findings)
	}
}

func TestAFullDiskIsSaidAndPassesWhenThereIsRoom(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	r.disk.Fill(2000)
	k.noChunk = true
	k.grow(identity(11), 100)
	k.publish()
	w.run(2 * time.Minute)
	if s := r.Status(); s.Phase != Fetching || !strings.Contains(s.Problem, "space") || len(s.Dropped) != 0 {
		t.Fatalf("%+v", s)
	}
	r.disk.Fill(-1)
	w.run(2 * time.Minute)
	r.follows(t, k)
}

func TestAfterStopNothingHappensAndNothingIsServed(t *testing.T) {
	w, k := scene(t)
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	k.grow(identity(11), 100)
	k.publish()
	r.Kick()
	w.run(60 * time.Millisecond) // the head is here, the torrent is not
	r.Stop()
	size, gets := r.Store().State().Size, len(r.gets)
	w.run(time.Hour)
	if r.Store().State().Size != size || len(r.gets) != gets || len(r.swarm.served) != 0 {
		t.Fatalf("%d entries, %d look-ups more, %d torrents", r.Store().State().Size, len(r.gets)-gets, len(r.swarm.served))
	}
}

func TestAFrontierHasTheRootOfTheTree(t *testing.T) {
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	var edges []frontier // one begun at each size
	for n := range int64(70) {
		edges = append(edges, must[frontier](t)(newFrontier(uint64(n), hashes)))
		leaf := []byte{byte(n)}
		stored = append(stored, must[[]tlog.Hash](t)(tlog.StoredHashes(n, leaf, hashes))...)
		want := must[tlog.Hash](t)(tlog.TreeHash(n+1, hashes))
		for from := range edges {
			edges[from].append(leaf)
			if got := edges[from].root(); got != wire.Hash(want) || edges[from].size != uint64(n+1) {
				t.Fatalf("from %d to %d: %s", from, n+1, got)
			}
		}
	}
}

// FuzzFollower has the manager itself sign whatever the fuzzer says: a head,
// a chunk, a torrent. The log held is never left for it.
func FuzzFollower(f *testing.F) {
	for _, n := range []uint64{2, 3, 4, 1 << 40} {
		f.Add(n, uint64(1500), uint8(2), []byte("frames"), []byte("tail"), []byte("state"))
	}
	f.Fuzz(func(t *testing.T, size, length uint64, chunks uint8, chunk, tail, state []byte) {
		w, k := scene(t)
		r := newReader(t, k, 2)
		w.run(2 * time.Second)
		st := k.db.State()
		held, root := st.Size, st.Root
		h := wire.Head{Length: length, Checkpoint: wire.SignCheckpoint(st.ID, k.id.Log, size, wire.Hash{9})}
		it, err := lookup.Immutable(wire.String(chunk))
		if err != nil {
			return
		}
		w.items[it.Target] = it
		for range chunks % 17 {
			h.Chunks = append(h.Chunks, it.Target)
		}
		content := append(append([]byte(nil), tail...), state...)
		if len(tail) > 0 && len(state) > 0 {
			info := wire.NewestInfo(st.ID, uint64(len(tail)), len(state), pieces(content))
			h.Newest = wire.Infohash(info)
			k.swarm.served[h.Newest] = served{info, &memory{content}}
		}
		if _, err := h.Encode(); err != nil {
			return
		}
		k.put(h)
		w.run(90 * time.Second)
		if st := r.Store().State(); st.Size != held || st.Root != root {
			t.Fatalf("it took %d entries that nobody made", st.Size)
		}
	})
}
