package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"weir/ledger"
)

// BenchmarkCommit commits batches durably on a real directory. Its floor is what
// the disk takes for the same number of synced writes: one of the frames to a
// file, one of a pebble batch with one row.
func BenchmarkCommit(b *testing.B) {
	for _, entries := range []int{1, 1024} {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			story := newStory(b, 16)
			for range 8 {
				story.pay(b, entries)
			}
			var spent, floor time.Duration
			done := 0
			for b.Loop() {
				s := must[*Store](b)(Create(must[Disk](b)(OS(filepath.Join(b.TempDir(), "db"))), story.charter, Options{}))
				check(b, s.Commit(story.batches[:1]))
				for _, batch := range story.batches[1:] {
					floor += syncedWrites(b, s, batch)
					began := time.Now()
					check(b, s.Commit([]*ledger.Batch{batch}))
					spent += time.Since(began)
					done += len(batch.Entries)
				}
				check(b, s.Close())
			}
			b.ReportMetric(float64(done)/spent.Seconds(), "entries/s")
			b.ReportMetric(float64(done)/floor.Seconds(), "floor-entries/s")
			b.ReportMetric(floor.Seconds()/spent.Seconds(), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// syncedWrites is the floor of one commit.
func syncedWrites(b *testing.B, s *Store, batch *ledger.Batch) time.Duration {
	f := must[file](b)(s.disk.files().create("floor"))
	defer f.Close()
	size := must[int64](b)(f.Size())
	began := time.Now()
	must[int](b)(f.WriteAt(batch.Frames, size))
	check(b, f.Sync())
	check(b, s.index.db.Set([]byte{rowKey, 'f'}, []byte{1}, pebble.Sync))
	return time.Since(began)
}

// BenchmarkSimulatedCommit is one commit in a simulated world of many stores.
func BenchmarkSimulatedCommit(b *testing.B) {
	story := newStory(b, 2)
	cache := NewCache(8 << 20)
	defer cache.Close()
	for range 200 {
		story.pay(b, 1)
	}
	b.ResetTimer()
	for i := 0; i < b.N; {
		s := must[*Store](b)(Create(NewCrashable(1, cache), story.charter, Options{Small: true}))
		for _, batch := range story.batches {
			check(b, s.Commit([]*ledger.Batch{batch}, KV{"head", batch.Frames}))
			i++
		}
		check(b, s.Close())
	}
}
