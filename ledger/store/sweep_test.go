package store

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"weir/ledger"
	"weir/ledger/wire"
)

// longStory has three volumes; its sweeps are inside of batches.
func longStory(t testing.TB) (charter []byte, batches []*ledger.Batch) {
	s := newStory(t, 3)
	s.memo = strings.Repeat("m", wire.MemoBytesMax)
	for s.store.State().Volumes < 2 {
		s.pay(t, 1000)
	}
	return s.charter, s.batches
}

func TestSweeps(t *testing.T) {
	if testing.Short() { // as with the race detector, which finds nothing in what runs on one thread
		t.Skip("long, on one thread")
	}
	charter, batches := longStory(t)
	t.Run("cut the stream into volumes, and survive a power loss at any step", func(t *testing.T) {
		sweepsSurvive(t, charter, batches)
	})
	t.Run("add to a shelf what an audit compares", func(t *testing.T) {
		auditComparesShelves(t, charter, batches)
	})
	t.Run("are taken back", func(t *testing.T) { sweepsAreTakenBack(t, charter, batches) })
	t.Run("are scrubbed", func(t *testing.T) { scrubbed(t, charter, batches) })
	disks(t, func(t *testing.T, again func() Disk) {
		t.Run("what was fetched ahead is committed and everything else dropped", func(t *testing.T) {
			fetchedAhead(t, charter, batches, again)
		})
	})
}

func sweepsSurvive(t *testing.T, charter []byte, batches []*ledger.Batch) {
	crossing := 0
	for batches[crossing].Volumes == 0 {
		crossing++
	}
	last := batches[len(batches)-1]
	if last.Volumes < 2 || crossing == 0 || crossing == len(batches)-1 {
		t.Fatalf("the story has %d volumes, the first sweep in batch %d of %d", last.Volumes, crossing, len(batches))
	}

	base := NewCrashable(1, nil)
	s := must[*Store](t)(Create(base, charter, Options{}))
	check(t, s.Commit(batches[:crossing]))
	check(t, s.Close())

	s = must[*Store](t)(Open(base.Restart(), Options{}))
	check(t, s.Commit(batches[crossing:])) // one commit over both sweeps
	if s.State().Fixed != last.Fixed {
		t.Fatalf("the state is %+v, want %+v", s.State().Fixed, last.Fixed)
	}
	clean(t, s)
	volumesAre(t, s, charter, batches)
	check(t, s.Close())

	d := base.Restart()
	s = must[*Store](t)(Open(d, Options{}))
	before := d.Steps()
	commit := batches[crossing : crossing+1]
	check(t, s.Commit(commit))
	steps := d.Steps() - before
	want := must[wire.Hash](t)(s.Fingerprint())
	check(t, s.Close())
	for step := 1; step <= steps; step++ {
		d := base.Restart()
		s := must[*Store](t)(Open(d, Options{}))
		d.CrashAt(step)
		if err := s.Commit(commit); !errors.Is(err, ErrCrashed) {
			t.Fatalf("step %d of %d: got %v", step, steps, err)
		}
		check(t, s.Close())
		d = d.Restart()
		s = must[*Store](t)(Open(d, Options{}))
		switch s.State().Fixed {
		case batches[crossing-1].Fixed:
			if n := streamBytes(d); n != int(s.State().Length) {
				t.Fatalf("step %d: %d bytes are left behind the committed length", step, n-int(s.State().Length))
			}
			check(t, s.Commit(commit))
		case commit[0].Fixed:
		default:
			t.Fatalf("step %d: the store is between two commits: %+v", step, s.State().Fixed)
		}
		if got := must[wire.Hash](t)(s.Fingerprint()); got != want {
			t.Fatalf("step %d: the contents are others than without a crash", step)
		}
		check(t, s.Close())
	}
	t.Logf("%d steps", steps)
}

// volumesAre compares what the store says of its volumes with the stream.
func volumesAre(t *testing.T, s *Store, charter []byte, batches []*ledger.Batch) {
	t.Helper()
	_, first, err := ledger.Found(charter, s.State().ReadKey)
	check(t, err)
	stream := bytes.Clone(first.Frames)
	for _, b := range batches {
		stream = append(stream, b.Frames...)
	}
	all := make([]byte, len(stream))
	must[int](t)(s.ReadStream(all, 0))
	if !bytes.Equal(all, stream) {
		t.Fatal("the stream is another")
	}
	end := uint64(0)
	for number := range s.State().Volumes + 1 {
		v := must[VolumeInfo](t)(s.VolumeInfo(number))
		data := stream[v.Start : v.Start+v.Length]
		var pieces []byte
		for rest := data; len(rest) > 0; {
			n := min(len(rest), wire.PieceBytes)
			sum := sha1.Sum(rest[:n])
			pieces, rest = append(pieces, sum[:]...), rest[n:]
		}
		if v.Start != end || !bytes.Equal(v.Pieces, pieces) {
			t.Fatalf("volume %d at %d has other pieces", number, v.Start)
		}
		end += v.Length
		if number == s.State().Volumes {
			break
		}
		rows := s.VolumeRows(number)
		if v.SHA256 != sha256.Sum256(data) || rows[0].SHA256 != v.SHA256 || rows[0].Infohash != v.Infohash ||
			uint64(rows[0].Length) != v.Length || v.Length <= wire.VolumeBytes {
			t.Fatalf("volume %d of %d bytes has other hashes", number, v.Length)
		}
		torrent := must[Torrent](t)(s.VolumeTorrent(number))
		if torrent.Infohash != v.Infohash {
			t.Fatalf("volume %d has two infohashes", number)
		}
	}
	if end != uint64(len(stream)) {
		t.Fatalf("the volumes end at %d of %d", end, len(stream))
	}
}

func fetchedAhead(t *testing.T, charter []byte, batches []*ledger.Batch, again func() Disk) {
	last := batches[len(batches)-1]
	s := must[*Store](t)(Create(again(), charter, Options{Small: true}))
	founded := int64(s.State().Length)
	rubbish := bytes.Repeat([]byte{0xaa}, int(founded)+1000)

	tail := must[*File](t)(s.Volume(0))
	if n, err := tail.WriteAt(rubbish, 0); n != len(rubbish) || err != nil {
		t.Fatalf("write over the committed end: %d, %v", n, err)
	}
	got := make([]byte, len(rubbish))
	must[int](t)(tail.ReadAt(got, 0))
	if !bytes.Equal(got[founded:], rubbish[founded:]) || bytes.Contains(got[:founded], []byte{0xaa, 0xaa, 0xaa}) {
		t.Fatal("what lies beyond the committed length must be as it was written, and the rest untouched")
	}
	if _, err := s.ReadStream(got, uint64(founded)); err == nil {
		t.Error("bytes that were only fetched are read as the stream")
	}
	// A torrent of rubbish that is longer than the volume will be.
	if _, err := tail.WriteAt(rubbish, wire.VolumeBytes+1<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := tail.WriteAt(rubbish, wire.VolumeBytesMax-10); err == nil {
		t.Error("a volume of any length can be written")
	}
	ahead := must[*File](t)(s.Volume(2))
	must[int](t)(ahead.WriteAt(rubbish, 0))
	check(t, s.Commit(batches))
	volumesAre(t, s, charter, batches)

	full := must[*File](t)(s.Volume(0))
	must[int](t)(full.WriteAt(rubbish, 100))
	must[int](t)(full.WriteAt(rubbish, wire.VolumeBytes+1<<20))
	check(t, s.Close())
	s = must[*Store](t)(Open(again(), Options{}))
	defer func() { check(t, s.Close()) }()
	volumesAre(t, s, charter, batches)
	if n, err := must[*File](t)(s.Volume(2)).ReadAt(got, int64(last.Length-last.Volume)); n != 0 || err == nil {
		t.Errorf("%d bytes that were fetched ahead are left", n)
	}
}
