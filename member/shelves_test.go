package member

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// library is a keeper's database of many short volumes: sweeps and nothing else,
// one after the other. Its root is that of its entries, so everything that is
// fetched of it verifies; but no rule allows such sweeps, so in the end nobody
// takes it, and says so.
type library struct {
	*keeper
	fixed  ledger.Fixed
	hashes []tlog.Hash
}

const tooManySweeps = "breaks its own rules"

// libraryOf puts so many volumes into a keeper's database.
func libraryOf(t testing.TB, volumes int) (*world, *library) {
	w := newWorld(t)
	l := &library{keeper: newKeeper(t, w)}
	l.fixed = l.db.State().Fixed
	l.hashes = []tlog.Hash{tlog.RecordHash(l.db.Charter())}
	if volumes > 0 {
		check(t, l.db.Commit([]*ledger.Batch{l.sweep(volumes)}))
	}
	l.publish()
	return w, l
}

// ReadHashes implements tlog.HashReader.
func (l *library) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

// sweep makes a batch of sweeps, of more than 8 KiB each: a shelf has two pieces.
func (l *library) sweep(n int) *ledger.Batch {
	b := &ledger.Batch{Start: l.fixed.Length, FirstHash: int64(len(l.hashes))}
	for range n {
		change := make([]byte, wire.ChangeBytesMax-int(l.fixed.Size%100))
		must[int](l.t)(l.random.Read(change))
		body := wire.Body{Change: change}.Encode()
		e := wire.Entry{Kind: wire.KindSweep, Number: l.fixed.Size, Time: l.fixed.Time + 1, Body: sha256.Sum256(body)}
		leaf := must[[]byte](l.t)(e.Encode())
		frame := wire.AppendFrame(nil, wire.Frame{Entry: leaf, Body: body})
		b.Entries = append(b.Entries, ledger.Decided{Index: l.fixed.Size, Offset: l.fixed.Length, Frame: len(frame), Entry: e})
		b.Frames = append(b.Frames, frame...)
		l.hashes = append(l.hashes, must[[]tlog.Hash](l.t)(tlog.StoredHashes(int64(l.fixed.Size), leaf, l))...)
		l.fixed.Size, l.fixed.Accepted, l.fixed.Time = l.fixed.Size+1, l.fixed.Accepted+1, e.Time
		l.fixed.Volume, l.fixed.Length, l.fixed.Volumes = l.fixed.Length, l.fixed.Length+uint64(len(frame)), l.fixed.Volumes+1
	}
	l.fixed.Root = must[wire.Hash](l.t)(ledger.RootAt(l.fixed.Size, l))
	b.Fixed, b.Hashes = l.fixed, l.hashes[b.FirstHash:]
	return b
}

// publish serves shelves too, and nothing of volumes that are on one.
func (l *library) publish() {
	l.keeper.noChunk = true
	l.keeper.publish()
	for n := range l.db.ShelfRows() {
		shelf := must[store.Torrent](l.t)(l.db.ShelfTorrent(n))
		if _, ok := l.swarm.served[shelf.Infohash]; !ok {
			check(l.t, l.swarm.Serve(shelf.Info, shelf.Content, true))
		}
	}
	for n := range l.db.ShelfRows() {
		for _, row := range l.db.VolumeRows(n * wire.ShelfVolumes)[:wire.ShelfVolumes] {
			l.swarm.Stop(row.Infohash)
		}
	}
}

// refuses lets a reader fetch, until it has seen the whole stream and refused it.
func (r *reader) refuses(t *testing.T, w *world) {
	t.Helper()
	w.run(2 * time.Minute)
	s := r.Status()
	if len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0], tooManySweeps) {
		t.Fatalf("dropped %q, problem %q", s.Dropped, s.Problem)
	}
}

func TestANewcomerFetchesWholeShelvesAndThenTheVolumesAfterThem(t *testing.T) {
	for _, volumes := range []int{128, 129, 300} {
		w, l := libraryOf(t, volumes)
		r := newReader(t, l.keeper, 2)
		r.refuses(t, w)
		k := int64(l.fixed.Length)
		if got := r.Status().Got; got > k+k/256+64<<10+overheadOf(l) || got < k-wire.PieceBytes {
			t.Errorf("%d volumes: %d bytes for %d", volumes, got, k)
		}
		r.lasting(t)
	}
}

// overheadOf is what short volumes cost beyond what long ones do: the files'
// names, and an info dictionary for a few kilobytes.
func overheadOf(l *library) int64 {
	rows := len(l.db.VolumeRows(0))
	return int64(rows)*100 + int64(rows%wire.ShelfVolumes)*250
}

func TestOfAShelfOnlyWhatIsNotHereIsFetched(t *testing.T) {
	t.Run("after a restart", func(t *testing.T) {
		w, l := libraryOf(t, 300)
		r := newReader(t, l.keeper, 2)
		r.swarm.budget = 1<<20 + 100<<10 // the tail, and the first piece of a shelf
		for r.swarm.budget > 0 {
			w.run(time.Second)
		}
		before := r.Status().Got
		r.restart(t, l.keeper)
		r.swarm.deaf = false
		r.refuses(t, w)
		k := int64(l.fixed.Length)
		if got := before + r.Status().Got; got > k+k/256+64<<10+overheadOf(l) {
			t.Errorf("%d bytes for %d", got, k)
		}
		r.lasting(t)
	})
	t.Run("whole ones after a restart", func(t *testing.T) {
		w, l := libraryOf(t, 300)
		r := newReader(t, l.keeper, 2)
		r.swarm.budget = int64(l.fixed.Length) - 10*wire.PieceBytes // near the end
		for r.swarm.budget > 0 {
			w.run(time.Second)
		}
		before := r.Status().Got
		r.restart(t, l.keeper)
		r.swarm.deaf = false
		for n := range l.db.ShelfRows() {
			l.swarm.Stop(l.db.ShelfRows()[n].Infohash)
		}
		r.refuses(t, w)
		if got := before + r.Status().Got; got > int64(l.fixed.Length)+overheadOf(l)+64<<10 {
			t.Errorf("%d bytes for %d", got, l.fixed.Length)
		}
	})
	t.Run("when the log has volumes of it already", func(t *testing.T) {
		w, l := libraryOf(t, 0)
		r := newReader(t, l.keeper, 2)
		w.run(2 * time.Second)
		first := l.sweep(200)
		check(t, r.Store().Commit([]*ledger.Batch{first}))
		check(t, l.db.Commit([]*ledger.Batch{first}))
		second := l.sweep(100)
		check(t, l.db.Commit([]*ledger.Batch{second}))
		l.publish()
		before := r.Status().Got
		r.refuses(t, w)
		k := int64(len(second.Frames))
		// The piece in which the log here ends comes again.
		if got := r.Status().Got - before; got > k+wire.ShelfPieceBytes+64<<10+overheadOf(l) {
			t.Errorf("%d bytes for %d", got, k)
		}
	})
	t.Run("and not when the log here is another", func(t *testing.T) {
		w, l := libraryOf(t, 0)
		r := newReader(t, l.keeper, 2)
		w.run(2 * time.Second)
		other := &library{keeper: l.keeper, fixed: l.fixed, hashes: l.hashes}
		check(t, r.Store().Commit([]*ledger.Batch{other.sweep(200)}))
		check(t, l.db.Commit([]*ledger.Batch{l.sweep(300)}))
		l.publish()
		w.run(2 * time.Minute)
		if s := r.Status(); len(s.Dropped) != 1 || !strings.Contains(s.Dropped[0], errOther.Error()) {
			t.Fatalf("dropped %q, problem %q", s.Dropped, s.Problem)
		}
	})
}

func TestAShelfThatIsNotItsRowsIsDropped(t *testing.T) {
	w, l := libraryOf(t, 130)
	st, honest := l.db.State(), l.newest
	shelves := l.db.ShelfRows()
	shelves[0].SHA256[7] ^= 1
	state := must[[]byte](t)((&wire.StateFile{Start: st.Volume, Checkpoint: honest.Checkpoint, Shelves: shelves, Volumes: l.db.VolumeRows(128)}).Encode())
	lie := must[store.Torrent](t)(l.db.TailTorrent(st.Volumes, st.Length-st.Volume, state))
	check(t, l.swarm.Serve(lie.Info, lie.Content, true))
	h := honest
	h.Newest, h.Older = lie.Infohash, [][20]byte{honest.Newest}
	l.put(h)
	r := newReader(t, l.keeper, 2)
	w.run(2 * time.Minute)
	s := r.Status()
	if len(s.Dropped) != 2 || !strings.Contains(s.Dropped[0], "shelf 0") || !strings.Contains(s.Dropped[1], tooManySweeps) {
		t.Fatalf("dropped %q, problem %q", s.Dropped, s.Problem)
	}
	r.lasting(t)
}

func TestAMemberServesItsShelves(t *testing.T) {
	w, l := libraryOf(t, 0)
	r := newReader(t, l.keeper, 2)
	w.run(2 * time.Second)
	r.follows(t, l.keeper)
	all := l.sweep(300)
	c := wire.SignCheckpoint(r.id, l.id.Log, all.Size, all.Root)
	check(t, r.Store().Commit([]*ledger.Batch{all}, record(keyCheckpoint, c)))
	r.restart(t, l.keeper)
	if n := len(r.swarm.served); n != 1+300+2 || r.Status().Serving != n {
		t.Fatalf("%d torrents are served, and %d counted", n, r.Status().Serving)
	}
	for n, row := range r.Store().ShelfRows() {
		if _, ok := r.swarm.served[row.Infohash]; !ok {
			t.Errorf("shelf %d is not served", n)
		}
	}
	r.lasting(t)
}
