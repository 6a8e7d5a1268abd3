package store

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// TestADirectoryThatCannotBeListedEndsOpenAndNotTheProcess lists fail once
// pebble has begun to write what its log held, and so perhaps to compact.
func TestADirectoryThatCannotBeListedEndsOpenAndNotTheProcess(t *testing.T) {
	story := newStory(t, 3)
	for range 60 {
		story.pay(t, 1)
	}
	refused := 0
	most := 60
	if testing.Short() { // as with the race detector
		most = 12
	}
	for commits := range most {
		d := NewCrashable(uint64(commits), nil)
		var on, begun atomic.Bool
		d.faults = func(fs vfs.FS) vfs.FS {
			return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if !on.Load() {
					return nil
				}
				if op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".sst") && begun.Load() {
					<-time.After(2 * time.Millisecond) // a compaction that is slower than Open
				}
				if strings.Contains(op.Path, "dbtmp") {
					begun.Store(true)
				}
				if begun.Load() && op.Kind == errorfs.OpList {
					return errInjected
				}
				return nil
			}))
		}
		s := must[*Store](t)(Create(d, story.charter, Options{Small: true}))
		for n := range commits {
			check(t, s.Commit(story.batches[n:n+1], records(n)...))
		}
		d = d.Restart()
		on.Store(true)
		_, err := Open(d, Options{Small: true})
		if err != nil {
			refused++
			if !errors.Is(err, errInjected) {
				t.Errorf("after %d commits: %v", commits, err)
			}
		}
		on.Store(false)
		if err == nil {
			continue
		}
		again := must[*Store](t)(Open(d.Restart(), Options{Small: true}))
		if got := again.State().Size; got != story.batches[max(commits-1, 0)].Size && commits > 0 {
			t.Errorf("after %d commits: %d entries", commits, got)
		}
		check(t, again.Close())
	}
	if refused == 0 && !testing.Short() {
		t.Error("no list was met")
	}
}
