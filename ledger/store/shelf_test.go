package store

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/wire"
)

// library makes batches of sweeps and nothing else, whose frames are rubbish of
// any length: volumes as short as a test likes. No member would replay it.
type library struct {
	charter []byte
	fixed   ledger.Fixed
	hashes  []tlog.Hash
	stream  []byte
	starts  []int // of each volume
	random  *rand.ChaCha8
}

func newLibrary(t testing.TB) *library {
	l := &library{charter: newStory(t, 1).charter, random: rand.NewChaCha8([32]byte{1}), starts: []int{0}}
	state, first, err := ledger.Found(l.charter, nil)
	check(t, err)
	l.fixed, l.hashes, l.stream = state.Fixed, first.Hashes, bytes.Clone(first.Frames)
	return l
}

// ReadHashes implements tlog.HashReader.
func (l *library) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = l.hashes[x]
	}
	return out, nil
}

// sweep begins one volume after the other, each of its length.
func (l *library) sweep(t testing.TB, lengths ...int) *ledger.Batch {
	b := &ledger.Batch{Start: l.fixed.Length, FirstHash: int64(len(l.hashes))}
	for _, n := range lengths {
		frame := make([]byte, n)
		must[int](t)(l.random.Read(frame))
		b.Entries = append(b.Entries, ledger.Decided{
			Index: l.fixed.Size, Offset: l.fixed.Length, Frame: n,
			Entry: wire.Entry{Kind: wire.KindSweep, Number: l.fixed.Size, Time: l.fixed.Time + 1},
		})
		l.starts, l.stream = append(l.starts, len(l.stream)), append(l.stream, frame...)
		b.Frames = append(b.Frames, frame...)
		l.hashes = append(l.hashes, must[[]tlog.Hash](t)(tlog.StoredHashes(int64(l.fixed.Size), frame, l))...)
		l.fixed.Size, l.fixed.Accepted, l.fixed.Time = l.fixed.Size+1, l.fixed.Accepted+1, l.fixed.Time+1
		l.fixed.Volume, l.fixed.Length, l.fixed.Volumes = l.fixed.Length, l.fixed.Length+uint64(n), l.fixed.Volumes+1
	}
	l.fixed.Root = must[wire.Hash](t)(ledger.RootAt(l.fixed.Size, l))
	b.Fixed, b.Hashes = l.fixed, l.hashes[b.FirstHash:]
	return b
}

// volume is the bytes of a full volume.
func (l *library) volume(n int) []byte { return l.stream[l.starts[n]:l.starts[n+1]] }

func hashed(content []byte, unit int) (pieces []byte) {
	for len(content) > 0 {
		n := min(len(content), unit)
		sum := sha1.Sum(content[:n])
		pieces, content = append(pieces, sum[:]...), content[n:]
	}
	return pieces
}

// row is a volume's row, computed from the stream.
func (l *library) row(n int) wire.VolumeRow {
	b := l.volume(n)
	info := wire.VolumeInfo(wire.CharterID(l.charter), n, uint64(len(b)), hashed(b, wire.PieceBytes))
	return wire.VolumeRow{Length: uint32(len(b)), Infohash: wire.Infohash(info), SHA256: sha256.Sum256(b)}
}

// shelves compares all that a store says of its shelves, and its state file,
// with the stream.
func (l *library) shelves(t testing.TB, s *Store) {
	t.Helper()
	id, st := s.State().ID, s.State()
	c := wire.SignCheckpoint(id, newPerson(1, wire.Digest{}).Log, st.Size, st.Root)
	newest, err := s.NewestTorrent(c)
	if err != nil {
		t.Fatalf("with %d volumes: %v", st.Volumes, err)
	}
	state := must[*wire.StateFile](t)(wire.ParseStateFile(newest.State))
	if len(state.Shelves) != st.Volumes/128 || len(state.Volumes) != st.Volumes%128 || state.Start != st.Volume {
		t.Fatalf("the state file of %d volumes has %d shelves and %d volumes up to %d", st.Volumes, len(state.Shelves), len(state.Volumes), state.Start)
	}
	for i, row := range state.Volumes {
		if n := len(state.Shelves)*128 + i; row != l.row(n) {
			t.Fatalf("the row of volume %d is another", n)
		}
	}
	for n, row := range state.Shelves {
		start, end := l.starts[n*128], l.starts[(n+1)*128]
		var rows []wire.VolumeRow
		var lengths []uint64
		for i := range 128 {
			rows = append(rows, l.row(n*128+i))
			lengths = append(lengths, uint64(rows[i].Length))
		}
		info := wire.ShelfInfo(id, n, lengths, hashed(l.stream[start:end], wire.ShelfPieceBytes))
		if row.Length != uint32(end-start) || row.Infohash != wire.Infohash(info) || row.SHA256 != wire.RowsHash(rows) {
			t.Fatalf("the row of shelf %d is another", n)
		}
		torrent := must[Torrent](t)(s.ShelfTorrent(n))
		if !bytes.Equal(torrent.Info, info) || torrent.Infohash != row.Infohash {
			t.Fatalf("shelf %d has another info dictionary", n)
		}
		content := make([]byte, end-start+1)
		if got, err := torrent.Content.ReadAt(content, 0); got != end-start || err != io.EOF || !bytes.Equal(content[:got], l.stream[start:end]) {
			t.Fatalf("of shelf %d, %d bytes of %d are read: %v", n, got, end-start, err)
		}
	}
}

// small is n lengths of volumes, a hundred bytes and more; one is of some
// megabytes.
func small(n int) []int {
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = 100 + 37*i
		if i == n/2 {
			lengths[i] = 3<<20 + 11
		}
	}
	return lengths
}

func TestAManagerPublishesPastAShelfOfVolumes(t *testing.T) {
	l := newLibrary(t)
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, l.charter, Options{Small: true}))
	for _, volumes := range []int{1, 127, 128, 129, 255, 256, 300} {
		check(t, s.Commit([]*ledger.Batch{l.sweep(t, small(volumes-s.State().Volumes)...)}))
		if s.State().Volumes != volumes {
			t.Fatalf("%d volumes, want %d", s.State().Volumes, volumes)
		}
		l.shelves(t, s)
		if _, err := s.ShelfTorrent(volumes / 128); err == nil {
			t.Fatal("a shelf that is not whole has a torrent")
		}
		check(t, s.Close())
		s = must[*Store](t)(Open(d, Options{Small: true}))
		l.shelves(t, s)
	}
	check(t, s.Close())
}

// A commit that fills a volume reads what it fills and no more of the shelf.
func TestAVolumesShelfPiecesAreComputedWhenItIsFull(t *testing.T) {
	l := newLibrary(t)
	s := must[*Store](t)(Create(NewCrashable(1, nil), l.charter, Options{Small: true}))
	defer func() { check(t, s.Close()) }()
	lengths := []int{700_000, 700_000, 5 << 20, 10, 10, 2 << 20}
	for i, n := range lengths {
		check(t, s.Commit([]*ledger.Batch{l.sweep(t, n)}))
		pieces, got := s.ShelfPieces(0)
		full := l.stream[:l.starts[i+1]]
		if want := hashed(full[:len(full)/wire.ShelfPieceBytes*wire.ShelfPieceBytes], wire.ShelfPieceBytes); !bytes.Equal(pieces, want) || len(got) != i+1 {
			t.Fatalf("after %d volumes: %d bytes of pieces, want %d", i+1, len(pieces), len(want))
		}
	}
}

// old makes a store's index and FORMAT as format 1 had them.
func old(t testing.TB, d *Crashable, s *Store) {
	t.Helper()
	for n, v := range s.layout.Load().full {
		v.shelved = false
		check(t, s.index.db.Set(key4(rowVolume, uint32(n)), encodeVolume(v), pebble.Sync))
	}
	check(t, s.index.db.Delete([]byte{rowCount}, pebble.Sync))
	check(t, d.files().remove(countFile))
	check(t, d.files().syncDir("."))
	check(t, writeFile(d.files(), formatFile, []byte("weir store 1\n")))
	check(t, s.Close())
}

func TestAStoreOfFormatOneIsUpgradedWhenItIsOpened(t *testing.T) {
	l := newLibrary(t)
	base := NewCrashable(1, nil)
	s := must[*Store](t)(Create(base, l.charter, Options{Small: true}))
	check(t, s.Commit([]*ledger.Batch{l.sweep(t, small(130)...)}))
	want := must[wire.Hash](t)(s.Fingerprint())
	old(t, base, s)
	for step := 1; ; step++ {
		d := base.Restart()
		d.CrashAt(step)
		s, err := Open(d, Options{Small: true})
		if err == nil {
			l.shelves(t, s)
			if got := must[wire.Hash](t)(s.Fingerprint()); got != want {
				t.Error("the index is another than without an upgrade")
			}
			check(t, s.Close())
			break
		}
		if !errors.Is(err, ErrCrashed) {
			t.Fatalf("step %d: %v", step, err)
		}
		again := d.Restart()
		s = must[*Store](t)(Open(again, Options{Small: true}))
		if b := must[[]byte](t)(readFile(again.files(), formatFile, formatBytesMax)); string(b) != "weir store 4\n" {
			t.Fatalf("step %d: FORMAT says %q", step, b)
		}
		l.shelves(t, s)
		check(t, s.Close())
		if step > 100 {
			t.Fatal("an upgrade has no end")
		}
	}
}

func auditComparesShelves(t *testing.T, charter []byte, batches []*ledger.Batch) {
	base := NewCrashable(1, nil)
	s := must[*Store](t)(Create(base, charter, Options{Small: true}))
	check(t, s.Commit(batches))
	clean(t, s)
	check(t, s.Close())
	d := base.Restart()
	s = must[*Store](t)(Open(d, Options{Small: true}))
	v := s.layout.Load().full[1]
	v.large = v.large[:20] + string(make([]byte, 20)) + v.large[40:]
	check(t, s.index.db.Set(key4(rowVolume, 1), encodeVolume(v), pebble.Sync))
	r := must[*Report](t)(s.Audit(nil))
	if r.OK() {
		t.Error("a wrong hash of a shelf's piece is not found")
	}
	check(t, s.Close())
	d = base.Restart()
	s = must[*Store](t)(Open(d, Options{Small: true}))
	old(t, d, s)
	if r := must[*Report](t)(Audit(d, Options{}, nil)); !r.OK() {
		t.Errorf("a store of format 1: %v", r.Findings)
	}
}

func TestASpanOfManyFilesIsOnePieceOfBytes(t *testing.T) {
	l := newLibrary(t)
	s := must[*Store](t)(Create(NewCrashable(1, nil), l.charter, Options{Small: true}))
	defer func() { check(t, s.Close()) }()
	lengths := make([]uint64, wire.ShelfVolumes)
	total := 0
	for i := range lengths {
		lengths[i] = uint64(5 + i%7)
		total += 5 + i%7
	}
	content := must[*Span](t)(s.ShelfContent(3, lengths))
	data := make([]byte, total)
	must[int](t)(l.random.Read(data))
	for off := 0; off < total; off += 50 {
		part := data[off:min(off+50, total)]
		if n, err := content.WriteAt(part, int64(off)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	for off := range total {
		b := make([]byte, min(23, total-off))
		if n, err := content.ReadAt(b, int64(off)); n != len(b) || err != nil || !bytes.Equal(b, data[off:off+n]) {
			t.Fatalf("at %d: %d, %v", off, n, err)
		}
	}
	if _, err := content.WriteAt(data, 1); err == nil {
		t.Error("a write past the end")
	}
	if n, err := content.ReadAt(make([]byte, 10), int64(total)-3); n != 3 || err != io.EOF {
		t.Errorf("a read over the end gives %d, %v", n, err)
	}
	last := must[*File](t)(s.Volume(3*128 + 127))
	if n := must[int64](t)(last.Size()); n != int64(lengths[127]) {
		t.Errorf("the last file has %d bytes", n)
	}
}
