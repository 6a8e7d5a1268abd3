package member

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// twin is a second machine with the manager's key and its log, as it is now.
func (k *keeper) twin(t testing.TB, n uint64) *keeper {
	t.Helper()
	o := &keeper{host: k.world.host(n), id: k.id, seq: k.seq, key: k.key, noChunk: k.noChunk}
	o.db = must[*store.Store](t)(store.Create(store.NewCrashable(n, nil), k.db.Charter(), k.options()))
	t.Cleanup(func() { o.db.Close() })
	from := o.db.State().Length
	stream := make([]byte, k.db.State().Length-from)
	must[int](t)(k.db.ReadStream(stream, from))
	check(t, o.db.Commit(must[[]*ledger.Batch](t)(o.db.State().Replay(stream, o.db, sign.ZIP215{}))))
	return o
}

// parted is a reader of a log that goes on from where its manager's other
// machine goes another way: it holds ours entries after that, and the other has
// so many.
func parted(t testing.TB, encrypted bool, common, ours, theirs int, noChunk bool) (*world, *keeper, *reader) {
	t.Helper()
	w := newWorld(t)
	k := newKeeperOf(t, w, encrypted)
	k.admit(identity(11), "ann")
	k.admit(identity(12), "ben")
	if common > 0 {
		k.grow(identity(11), common)
	}
	other := k.twin(t, 99)
	w.run(time.Second)
	k.grow(identity(11), ours)
	k.publish()
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	r.follows(t, k)
	k.swarm.mute = true
	other.noChunk, other.seq = noChunk, k.seq
	other.grow(identity(12), theirs)
	return w, other, r
}

// evidence is what a reader keeps, each piece checked as a stranger would who
// has only its bytes and the charter.
func (r *reader) evidence(t testing.TB) (all []*wire.Evidence) {
	t.Helper()
	st := r.Store().State()
	check(t, r.Store().Scan("evidence/", func(_ string, v []byte) bool {
		e := must[*wire.Evidence](t)(wire.ParseEvidence(v))
		check(t, ledger.CheckEvidence(e, st.ID, st.Digest, st.LogKey, sign.ZIP215{}))
		all = append(all, e)
		return true
	}))
	return all
}

func TestALongerLogThatDoesNotContinueTheOneHereIsEvidenceAndEndsFollowing(t *testing.T) {
	for _, c := range []struct {
		name                 string
		encrypted, noChunk   bool
		deaf                 bool
		common, ours, theirs int
	}{
		{name: "chunks that reach back to where they part", common: 3, ours: 1, theirs: 3, deaf: true},
		{name: "chunks, and they part in the middle of one", common: 50, ours: 2, theirs: 9, deaf: true},
		{name: "a torrent", ours: 1, theirs: 3, noChunk: true},
		{name: "a torrent of a longer tail", common: 200, ours: 100, theirs: 150, noChunk: true},
		{name: "a torrent of many pieces", common: 10, ours: 30, theirs: 2000, noChunk: true},
		{name: "a torrent, encrypted", encrypted: true, common: 20, ours: 4, theirs: 9, noChunk: true},
		{name: "chunks, encrypted", encrypted: true, common: 5, ours: 1, theirs: 2, deaf: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, other, r := parted(t, c.encrypted, c.common, c.ours, c.theirs, c.noChunk)
			held := r.Store().State().Fixed
			r.swarm.deaf = c.deaf
			other.publish()
			w.run(2 * time.Minute)
			for range 2 {
				s := r.Status()
				if s.Phase != Stopped || !strings.Contains(s.Reason, "two histories") || s.Problem != "" || len(s.Dropped) > 0 {
					t.Fatalf("%+v", s)
				}
				all := r.evidence(t)
				if len(all) != 1 || all[0].Kind != wire.EvidenceGrowth {
					t.Fatalf("evidence: %+v", all)
				}
				small, large := all[0].Sizes()
				if small != r.checkpoint || small.Root != held.Root || large != other.newest.Checkpoint {
					t.Errorf("evidence of %+v and %+v", small, large)
				}
				if st := r.Store().State(); st.Fixed != held {
					t.Fatalf("it took %d entries of another log", st.Size-held.Size)
				}
				r.rests(t)
				r.reopen(t, other)
				w.run(time.Minute)
			}
			if audit := must[*store.Report](t)(r.Store().Audit(nil)); !audit.OK() {
				t.Fatalf("audit: %v", audit.Findings)
			}
		})
	}
}

func TestALongerLogThatCannotBeHadWholeIsNoEvidence(t *testing.T) {
	t.Run("chunks that begin after where they part", func(t *testing.T) {
		w, other, r := parted(t, false, 3, 60, 70, false)
		r.swarm.deaf = true
		other.publish()
		w.run(10 * time.Minute)
		s := r.Status()
		if s.Phase != Fetching || !strings.Contains(s.Problem, errOther.Error()) || strings.Contains(s.Problem, "newer weir") || len(r.evidence(t)) > 0 {
			t.Fatalf("%+v", s)
		}
		r.swarm.deaf = false // and whole it is
		w.run(2 * time.Minute)
		if s := r.Status(); s.Phase != Stopped || len(r.evidence(t)) != 1 {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("bytes that are not what was signed", func(t *testing.T) {
		w, other, r := parted(t, false, 3, 4, 9, true)
		st := other.db.State()
		other.newest.Checkpoint = wire.SignCheckpoint(st.ID, other.id.Log, st.Size, st.Root)
		state := must[[]byte](t)((&wire.StateFile{Checkpoint: other.newest.Checkpoint}).Encode())
		for i, at := range []uint64{1, 200, 600} { // from the end: in a frame's body, in earlier ones
			stream := make([]byte, st.Length)
			must[int](t)(other.db.ReadStream(stream, 0))
			stream[st.Length-at] ^= 1
			content := append(stream, state...)
			info := wire.NewestInfo(st.ID, st.Length, len(state), pieces(content))
			other.swarm.served[wire.Infohash(info)] = served{info, &memory{content}}
			other.put(wire.Head{Newest: wire.Infohash(info), Length: st.Length, Checkpoint: other.newest.Checkpoint, Time: w.now.UnixMilli()})
			w.run(2 * time.Minute)
			s := r.Status()
			if s.Phase != Fetching || len(s.Dropped) != i+1 || !strings.Contains(s.Dropped[i], errOther.Error()) || len(r.evidence(t)) > 0 {
				t.Fatalf("byte %d from the end: %+v", at, s)
			}
		}
	})
}

func TestAnHonestManagerIsNotMadeToLookGuiltyByWhoeverServesAnotherLog(t *testing.T) {
	w, k := scene(t)
	k.noChunk = true
	other := k.twin(t, 99)
	k.grow(identity(11), 3)
	k.publish()
	r := newReader(t, k, 2)
	w.run(time.Minute)
	r.follows(t, k)
	// The honest manager goes on. Under its signed checkpoint somebody serves
	// frames that parted from its log before the reader's end, as many as it has.
	other.grow(identity(12), 8)
	k.grow(identity(11), 5)
	k.publish()
	honest, theirs := k.newest, other.db.State()
	stream := make([]byte, theirs.Length)
	must[int](t)(other.db.ReadStream(stream, 0))
	state := must[[]byte](t)((&wire.StateFile{Checkpoint: honest.Checkpoint}).Encode())
	content := append(stream, state...)
	info := wire.NewestInfo(theirs.ID, theirs.Length, len(state), pieces(content))
	k.swarm.served[wire.Infohash(info)] = served{info, &memory{content}}
	h := honest
	h.Newest, h.Older = wire.Infohash(info), [][20]byte{honest.Newest}
	h.Length = max(h.Length, theirs.Length)
	k.swarm.Stop(honest.Newest)
	k.put(h)
	w.run(2 * time.Minute)
	k.publish() // serves the honest one again
	w.run(time.Minute)
	s := r.Status()
	if s.Phase == Stopped || s.Size != k.db.State().Size || len(r.evidence(t)) > 0 || len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0], errOther.Error()) {
		t.Fatalf("%+v", s)
	}
}

func TestTheHashesThatAreKeptOnTheWayAreThoseOfTheProof(t *testing.T) {
	var all hashesOf
	var leaves [][]byte
	for n := range int64(40) {
		leaf := fmt.Appendf(nil, "leaf %d", n)
		leaves = append(leaves, leaf)
		all = append(all, must[[]tlog.Hash](t)(tlog.StoredHashes(n, leaf, all))...)
	}
	for size := uint64(2); size <= 40; size++ {
		for old := uint64(1); old < size; old++ {
			want := must[tlog.TreeProof](t)(ledger.ConsistencyProof(old, size, all))
			root := must[wire.Hash](t)(ledger.RootAt(old, all))
			for first := uint64(1); first <= old; first++ {
				edge := must[frontier](t)(newFrontier(first, all))
				edge.kept = must[kept](t)(proofHashes(old, size, first, all[:tlog.StoredHashCount(int64(first))]))
				for _, leaf := range leaves[first:size] {
					edge.append(leaf)
				}
				got := must[tlog.TreeProof](t)(ledger.ConsistencyProof(old, size, edge.kept))
				if fmt.Sprint(got) != fmt.Sprint(want) || must[wire.Hash](t)(ledger.RootAt(old, edge.kept)) != root {
					t.Fatalf("from leaf %d, the proof from %d to %d is another", first, old, size)
				}
				if len(edge.kept) > 128 {
					t.Fatalf("%d hashes are kept", len(edge.kept))
				}
			}
		}
	}
}

// hashesOf is a tree's stored hashes.
type hashesOf []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (h hashesOf) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}
