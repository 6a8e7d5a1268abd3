package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"weir/ledger"
	"weir/ledger/wire"
)

// play makes a store and commits the batches, each with a record of its number,
// from the next one that is not there yet. It gives how many commits succeeded.
func play(d Disk, charter []byte, batches []*ledger.Batch) (done int, s *Store, err error) {
	s, err = Open(d, Options{Small: true})
	if errors.Is(err, ErrNotFound) {
		s, err = Create(d, charter, Options{Small: true})
	}
	if err != nil {
		return 0, nil, err
	}
	for i, b := range batches {
		if b.Length <= s.State().Length {
			continue
		}
		if err := s.Commit([]*ledger.Batch{b}, KV{"last", fmt.Append(nil, i)}); err != nil {
			return done, s, err
		}
		done++
	}
	return done, s, nil
}

// whole sees that a store is as it was after some number of commits, its
// record included, and gives that number.
func whole(t testing.TB, s *Store, batches []*ledger.Batch) int {
	t.Helper()
	n := 0
	for n < len(batches) && batches[n].Length <= s.State().Length {
		n++
	}
	if n > 0 && s.State().Fixed != batches[n-1].Fixed {
		t.Fatalf("the store is between two commits: %+v", s.State().Fixed)
	}
	v, ok, err := s.Get("last")
	check(t, err)
	if want := fmt.Sprint(n - 1); ok != (n > 0) || ok && string(v) != want {
		t.Fatalf("the record is %q, want %s", v, want)
	}
	clean(t, s)
	return n
}

func clean(t testing.TB, s *Store) {
	t.Helper()
	r := must[*Report](t)(s.Audit(nil))
	if !r.OK() {
		t.Fatalf("the audit found:\n%s", strings.Join(r.Findings, "\n"))
	}
	if r.Size != s.State().Size || r.Root != s.State().Root || r.Length != s.State().Length {
		t.Fatalf("the audit gives %+v, the state is %+v", r, s.State().Fixed)
	}
}

func shortStory(t testing.TB) (charter []byte, batches []*ledger.Batch) {
	s := newStory(t, 3)
	for n := range 5 {
		s.pay(t, n+1)
	}
	return s.charter, s.batches
}

func TestAPowerLossAtAnyWriteStepLeavesTheCommitWholeOrNotAtAll(t *testing.T) {
	cache := NewCache(1 << 20)
	defer cache.Close()
	t.Run("a store alone", func(t *testing.T) { loseAtEveryStep(t, nil) })
	t.Run("a store of a world", func(t *testing.T) { loseAtEveryStep(t, cache) })
}

func loseAtEveryStep(t *testing.T, cache *Cache) {
	charter, batches := shortStory(t)
	d := NewCrashable(0, cache)
	_, s, err := play(d, charter, batches)
	check(t, err)
	want := must[wire.Hash](t)(s.Fingerprint())
	check(t, s.Close())
	steps := d.Steps()
	for step := 1; step <= steps; step++ {
		d := NewCrashable(uint64(step), cache)
		d.CrashAt(step)
		done, s, err := play(d, charter, batches)
		if !errors.Is(err, ErrCrashed) {
			t.Fatalf("step %d of %d: got %v", step, steps, err)
		}
		if s != nil {
			if err := s.Commit(nil, KV{"x", []byte("y")}); !errors.Is(err, ErrBroken) {
				t.Fatalf("step %d: a commit after the crash gave %v", step, err)
			}
			check(t, s.Close())
		}
		again := d.Restart()
		if r, err := Audit(again, Options{}, nil); err == nil && !r.OK() || err != nil && !errors.Is(err, ErrNotFound) {
			t.Fatalf("step %d: the audit before Open: %v, %v", step, r, err)
		}
		s, err = Open(again, Options{Small: true})
		if done > 0 || !errors.Is(err, ErrNotFound) {
			if err != nil {
				t.Fatalf("step %d, after %d commits: %v", step, done, err)
			}
			if n := whole(t, s, batches); n != done && n != done+1 {
				t.Fatalf("step %d: %d commits succeeded, %d are there", step, done, n)
			}
			check(t, s.Close())
		}
		_, s, err = play(again, charter, batches)
		if err != nil {
			t.Fatalf("step %d: go on: %v", step, err)
		}
		if got := must[wire.Hash](t)(s.Fingerprint()); got != want {
			t.Fatalf("step %d: the contents are others than without a crash", step)
		}
		check(t, s.Close())
	}
	t.Logf("%d steps", steps)
}

func TestTornWritesLoseNothingThatWasCommitted(t *testing.T) {
	if testing.Short() { // as with the race detector, which finds nothing in what runs on one thread
		t.Skip("long, on one thread")
	}
	charter, batches := shortStory(t)
	cache := NewCache(1 << 20)
	defer cache.Close()
	torn := 0
	for seed := range uint64(400) {
		d := NewCrashable(seed, []*Cache{nil, cache}[seed%2])
		d.CrashAt(1 + int(seed*31)%84)
		done := 0
		for range 4 { // several lives
			n, s, err := play(d, charter, batches)
			done += n
			if s != nil {
				check(t, s.Close())
			}
			if err != nil && !errors.Is(err, ErrCrashed) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			d = d.Restart()
			if size := streamBytes(d); size > 0 {
				s, err := Open(d, Options{Small: true})
				if err == nil {
					if size > int(s.State().Length) {
						torn++
					}
					if there := whole(t, s, batches); there < done {
						t.Fatalf("seed %d: %d commits succeeded, %d are there", seed, done, there)
					} else {
						done = there
					}
					check(t, s.Close())
				} else if done > 0 || !errors.Is(err, ErrNotFound) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			d.CrashAt(1 + int(seed*17)%31)
		}
	}
	if torn < 50 {
		t.Errorf("only %d crashes left bytes behind the committed length", torn)
	}
}

func streamBytes(d *Crashable) int {
	n := 0
	for name, m := range d.names {
		if strings.HasPrefix(name, streamDir) {
			n += len(m.data)
		}
	}
	return n
}

func TestTheSameSeedGivesTheSameDisk(t *testing.T) {
	charter, batches := shortStory(t)
	run := func(seed uint64) (string, wire.Hash) {
		d := NewCrashable(seed, nil)
		d.CrashAt(20 + int(seed)%40)
		_, s, err := play(d, charter, batches)
		if !errors.Is(err, ErrCrashed) {
			t.Fatalf("got %v", err)
		}
		if s != nil {
			check(t, s.Close())
		}
		d = d.Restart()
		var files bytes.Buffer
		for _, name := range sortedNames(d.names) {
			fmt.Fprintf(&files, "%s %x\n", name, d.names[name].data)
		}
		_, s, err = play(d, charter, batches[:len(batches)-1])
		check(t, err)
		defer func() { check(t, s.Close()) }()
		return files.String(), must[wire.Hash](t)(s.Fingerprint())
	}
	different := map[string]bool{}
	for seed := range uint64(40) {
		files, contents := run(seed)
		again, contentsAgain := run(seed)
		if files != again || contents != contentsAgain {
			t.Fatalf("seed %d gives two disks", seed)
		}
		different[files] = true
	}
	if len(different) < 10 {
		t.Errorf("40 seeds give %d disks", len(different))
	}
}

func TestAFullDiskLosesNothingAndTheSameCommitCanBeTriedAgain(t *testing.T) {
	charter, batches := shortStory(t)
	_, undisturbed, err := play(NewCrashable(0, nil), charter, batches)
	check(t, err)
	want := must[wire.Hash](t)(undisturbed.Fingerprint())
	check(t, undisturbed.Close())
	for free := int64(0); free < int64(len(batches[0].Frames)); free += 61 {
		d := NewCrashable(1, nil)
		s := must[*Store](t)(Create(d, charter, Options{Small: true}))
		for i, b := range batches {
			d.Fill(min(free, int64(len(b.Frames)-1)))
			record := KV{"last", fmt.Append(nil, i)}
			for range 2 {
				if err := s.Commit([]*ledger.Batch{b}, record); !errors.Is(err, ErrNoSpace) || errors.Is(err, ErrBroken) {
					t.Fatalf("%d bytes free: got %v", free, err)
				}
			}
			if n := streamBytes(d); n != int(b.Start) {
				t.Fatalf("the failed commit left %d bytes", n-int(b.Start))
			}
			if n := whole(t, s, batches); n != i {
				t.Fatalf("%d commits are there, want %d", n, i)
			}
			d.Fill(-1)
			check(t, s.Commit([]*ledger.Batch{b}, record))
		}
		if got := must[wire.Hash](t)(s.Fingerprint()); got != want {
			t.Fatalf("%d bytes free: the contents are others", free)
		}
		check(t, s.Close())
	}
}

func TestACommitLeavesRoomForTheIndex(t *testing.T) {
	charter, batches := shortStory(t)
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, Options{}))
	defer func() { check(t, s.Close()) }()
	d.Fill(SpaceKept)
	if err := s.Commit(batches[:1]); !errors.Is(err, ErrNoSpace) {
		t.Fatalf("got %v", err)
	}
	if err := s.Commit(nil, KV{"a", []byte("b")}); err != nil {
		t.Fatalf("a record alone: %v", err)
	}
	d.Fill(SpaceKept + 1<<20)
	check(t, s.Commit(batches[:1]))
}

var errInjected = fmt.Errorf("injected: %w", syscall.EIO)

func TestAFailedWriteToTheStreamIsTakenBackOrBreaksTheStore(t *testing.T) {
	charter, batches := shortStory(t)
	broken, retried := 0, 0
	for n := 1; ; n++ {
		d := NewCrashable(1, nil)
		s := must[*Store](t)(Create(d, charter, Options{Small: true}))
		d.FailStream(n, errInjected)
		err := s.Commit(batches)
		switch {
		case err == nil:
			check(t, s.Close())
			if broken == 0 || retried == 0 {
				t.Errorf("%d broke the store, %d could be tried again", broken, retried)
			}
			return
		case !errors.Is(err, errInjected):
			t.Fatalf("got %v", err)
		case errors.Is(err, ErrBroken):
			broken++
			if _, _, err := s.Get("last"); !errors.Is(err, ErrBroken) {
				t.Fatalf("a broken store still reads: %v", err)
			}
			check(t, s.Close())
			s = must[*Store](t)(Open(d, Options{Small: true}))
			check(t, s.Commit(batches))
		default:
			retried++
			check(t, s.Commit(batches))
		}
		clean(t, s)
		check(t, s.Close())
	}
}

func TestAFailedWriteToTheIndexBreaksTheStoreUntilItIsOpenedAgain(t *testing.T) {
	charter, batches := shortStory(t)
	// Records large enough that logs and tables change hands.
	value := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	broken := 0
	for n := 1; n <= 80; n++ {
		d := NewCrashable(uint64(n), nil)
		s := must[*Store](t)(Create(d, charter, Options{Small: true}))
		d.FailIndex(n, errInjected)
		done := 0
		var err error
		for i := 0; i < 12 && err == nil; i++ {
			records := []KV{{"last", fmt.Append(nil, i)}, {fmt.Sprint("large/", i), value}}
			if i < len(batches) {
				err = s.Commit(batches[i:i+1], records...)
			} else {
				records[0] = KV{"more", fmt.Append(nil, i)}
				err = s.Commit(nil, records...)
			}
			if err == nil {
				done++
			}
		}
		if err != nil {
			if !errors.Is(err, ErrBroken) || !errors.Is(err, errInjected) {
				t.Fatalf("write %d: got %v", n, err)
			}
			broken++
			if err := s.Commit(nil, KV{"a", nil}); !errors.Is(err, ErrBroken) {
				t.Fatalf("write %d: a broken store commits: %v", n, err)
			}
		}
		if err := s.Close(); err != nil && !errors.Is(err, errInjected) {
			t.Fatalf("write %d: close: %v", n, err)
		}
		d.FailIndex(0, nil)
		for _, d := range []*Crashable{d, d.Restart()} {
			s, err := Open(d, Options{Small: true})
			if errors.Is(err, ErrCrashed) {
				continue // the disk that was restarted
			}
			check(t, err)
			if there := whole(t, s, batches); there < min(done, len(batches)) || there > done+1 {
				t.Fatalf("write %d: %d commits succeeded, %d are there", n, done, there)
			}
			for i := range done {
				if v, ok, err := s.Get(fmt.Sprint("large/", i)); err != nil || !ok || !bytes.Equal(v, value) {
					t.Fatalf("write %d: record %d is lost: %v", n, i, err)
				}
			}
			check(t, s.Close())
		}
	}
	if broken < 20 {
		t.Errorf("only %d of the writes broke a store", broken)
	}
}

func TestACrashableDiskTearsWritesAtSectors(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(200) {
		d := NewCrashable(seed, nil)
		files := d.files()
		f := must[file](t)(files.create("a"))
		must[int](t)(f.WriteAt(bytes.Repeat([]byte{'1'}, 1600), 0))
		check(t, f.Sync())
		check(t, files.syncDir("."))
		must[int](t)(f.WriteAt(bytes.Repeat([]byte{'2'}, 1600), 800))
		r := must[file](t)(d.Restart().files().open("a"))
		b := make([]byte, must[int64](t)(r.Size()))
		if len(b) > 0 {
			if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(b[:800], bytes.Repeat([]byte{'1'}, 800)) {
			t.Fatalf("seed %d: synced bytes changed", seed)
		}
		for i, x := range b[800:] {
			if x != '2' && x != '1' && x != 0 {
				t.Fatalf("seed %d: byte %d is %d", seed, i, x)
			}
		}
		seen[string(b)] = true
	}
	if len(seen) < 20 {
		t.Errorf("200 seeds tear a write in %d ways", len(seen))
	}
}
