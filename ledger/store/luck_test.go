package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"weir/ledger"
)

// faulty makes operations on pebble's files fail at random, in whatever
// goroutine they are: a run of it does not replay.
type faulty struct {
	mu       sync.Mutex
	random   *rand.Rand
	share    map[string]float64 // kind → of the operations that fail; nil: none does
	happened map[string]int
}

// kind is what an operation means to pebble: an error at a table is met by
// compactions and gets, one at anything else by commits and Open.
func kind(op errorfs.Op) string {
	what := "other files"
	if ext := path.Ext(op.Path); ext == ".sst" || ext == ".blob" {
		what = "tables"
	}
	return strings.ToLower(op.Kind.ReadOrWrite().String()) + " of " + what
}

// MaybeError implements errorfs.Injector. Lists are left out: where the last of
// pebble's Open fails, it takes its caches away from a compaction that it has
// begun, and that ends the process.
func (f *faulty) MaybeError(op errorfs.Op) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kind(op)
	if op.Kind == errorfs.OpList || f.random.Float64() >= f.share[k] {
		return nil
	}
	f.happened[k]++
	return fmt.Errorf("%s: %w", path.Base(op.Path), errInjected)
}

func (f *faulty) String() string { return "random errors" }

// on draws how much of each kind fails in a life, and off ends that.
func (f *faulty) on() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.share = map[string]float64{
		"reads of tables":       0.05 * f.random.Float64(),
		"writes of tables":      0.2 * f.random.Float64(),
		"reads of other files":  0.02 * f.random.Float64(),
		"writes of other files": 0.02 * f.random.Float64(),
	}
}

func (f *faulty) off() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.share = nil
}

// inOrder is a file system on which names reach the disk in the order in which
// they were made, as journals have it. Pebble relies on that in one place: it
// makes the marker that names a manifest before it syncs the directory that has
// the manifest, and without it cannot be opened.
type inOrder struct{ vfs.FS }

func (o inOrder) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(o.PathBase(name), "marker.") {
		dir, err := o.OpenDir(o.PathDir(name))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return nil, err
		}
	}
	return o.FS.Create(name, c)
}

// unlucky is one store that lives again and again on a disk with no luck.
type unlucky struct {
	*testing.T
	random  *rand.Rand
	faults  *faulty
	faulty  bool // something may fail in this life
	charter []byte
	batches []*ledger.Batch
	disk    *Crashable

	acknowledged int // commits that succeeded
	begun        int // and those that may have happened
	seen         map[string]int
}

// slots is how many large records there are; commits write them in turn, so
// that tables are flushed and compacted.
const slots = 5

func large(n int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%15d\n", n), 768) }

func records(n int) []KV {
	return []KV{{"last", fmt.Append(nil, n)}, {fmt.Sprint("large/", n%slots), large(n)}}
}

// excused sees that an error says what was made to happen here, and takes it for
// no damage.
func (u *unlucky) excused(doing string, err error) {
	u.Helper()
	// Pebble keeps only the text of some errors.
	told := strings.Contains(err.Error(), errInjected.Error()) || errors.Is(err, ErrCrashed)
	if !u.faulty || !told || errors.Is(err, ErrDamaged) {
		u.Fatalf("%s: %v", doing, err)
	}
}

// open opens or makes the store; nil: it could not, for a reason.
func (u *unlucky) open() *Store {
	u.Helper()
	s, err := Open(u.disk, Options{Small: true})
	if errors.Is(err, ErrNotFound) && u.acknowledged == 0 {
		s, err = Create(u.disk, u.charter, Options{Small: true})
	}
	if err != nil {
		u.excused("open", err)
		u.seen["refused to open"]++
		return nil
	}
	return s
}

// reading does what reads. In a store that breaks meanwhile it may wait for
// ever.
func reading(s *Store, read func() error) error {
	done := make(chan error, 1)
	go func() { done <- read() }()
	select {
	case err := <-done:
		return err
	case <-s.index.gate.tripped:
		return s.index.gate.err
	}
}

// life is one life of the store, and the one after it, in which nothing fails.
func (u *unlucky) life() {
	u.disk.unsynced = 1 + u.random.IntN(99)
	u.disk.CrashAt(1 + u.random.IntN(200))
	u.disk.FailStream(1+u.random.IntN(60), errInjected)
	u.faults.on()
	u.faulty = true
	if s := u.open(); s != nil {
		u.look(s)
		u.commit(s)
		if err := s.Close(); err != nil {
			u.excused("close", err)
		}
	}
	u.faults.off()
	u.faulty = false
	if u.random.IntN(4) > 0 || u.disk.crashed != nil {
		u.disk = u.disk.Restart()
	}
	u.disk.CrashAt(1 << 40)
	u.disk.FailStream(0, nil)
	s, err := Open(u.disk, Options{Small: true})
	if errors.Is(err, ErrNotFound) && u.acknowledged == 0 {
		return
	}
	check(u, err)
	u.look(s)
	check(u, s.Close())
}

// commit goes on with the story until the store breaks or the power goes.
func (u *unlucky) commit(s *Store) {
	for n, tries := u.there(s), 0; n < len(u.batches) && tries < 100; tries++ {
		u.begun = max(u.begun, n+1)
		err := s.Commit(u.batches[n:n+1], records(n)...)
		if err == nil {
			n, u.acknowledged = n+1, n+1
			u.look(s)
			continue
		}
		u.excused("commit", err)
		if errors.Is(err, ErrBroken) {
			u.seen["broke"]++
			return
		}
		u.seen["could commit again"]++
	}
}

// there is how many commits a store has.
func (u *unlucky) there(s *Store) (n int) {
	for n < len(u.batches) && u.batches[n].Length <= s.State().Length {
		n++
	}
	return n
}

// look sees that a store holds one of the committed prefixes, with everything
// that was acknowledged, as far as it can be read.
func (u *unlucky) look(s *Store) {
	u.Helper()
	n := u.there(s)
	if n < u.acknowledged || n > u.begun || n > 0 && s.State().Fixed != u.batches[n-1].Fixed {
		u.Fatalf("%d commits succeeded, %d were begun, and %d are there: %+v", u.acknowledged, u.begun, n, s.State().Fixed)
	}
	err := reading(s, func() error { return u.compare(s, n) })
	if err == nil {
		u.seen["read"]++
		return
	}
	u.excused("read", err)
	u.seen["could not be read"]++
}

// compare holds a store's records and bytes against those of n commits.
func (u *unlucky) compare(s *Store, n int) error {
	want := map[string]string{}
	for i := range n {
		for _, r := range records(i) {
			want[r.Key] = string(r.Value)
		}
	}
	got := map[string]string{}
	if err := s.Scan("", func(key string, value []byte) bool { got[key] = string(value); return true }); err != nil {
		return err
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("the records are not those of %d commits", n)
	}
	for key := range want {
		if v, ok, err := s.Get(key); err != nil {
			return err
		} else if !ok || string(v) != want[key] {
			return fmt.Errorf("record %s is not that of %d commits", key, n)
		}
	}
	if n%4 != 0 { // audits are dear
		return nil
	}
	r, err := s.Audit(nil)
	if err == nil && (!r.OK() || r.Root != s.State().Root || r.Length != s.State().Length) {
		err = fmt.Errorf("the audit found %q in %+v", r.Findings, r)
	}
	return err
}

// TestNoLuckLosesNothingThatWasAcknowledged is about what does not replay:
// pebble's unsynced bytes survive in part, and files fail at random while the store
// is opened, read and written, and while pebble flushes and compacts.
func TestNoLuckLosesNothingThatWasAcknowledged(t *testing.T) {
	story := newStory(t, 3)
	for range 40 {
		story.pay(t, 1)
	}
	seen, happened := map[string]int{}, map[string]int{}
	seeds := uint64(40)
	if testing.Short() { // as with the race detector
		seeds = 6
	}
	for seed := range seeds {
		u := &unlucky{
			T: t, random: rand.New(rand.NewPCG(seed, 1)), charter: story.charter, batches: story.batches, seen: seen,
			faults: &faulty{random: rand.New(rand.NewPCG(seed, 2)), happened: happened},
			disk:   NewCrashable(seed, nil),
		}
		u.disk.faults = func(fs vfs.FS) vfs.FS { return errorfs.Wrap(inOrder{fs}, u.faults) }
		for lives := 0; lives < 12 && u.acknowledged < len(u.batches); lives++ {
			u.life()
		}
	}
	t.Log(seen, happened)
	if testing.Short() {
		return // too few to have met everything
	}
	for _, counts := range []map[string]int{seen, happened} {
		for what, n := range counts {
			if n < 10 {
				t.Errorf("%q only %d times", what, n)
			}
		}
	}
	if len(seen) < 5 || len(happened) < 4 {
		t.Error("some of it never happened")
	}
}
