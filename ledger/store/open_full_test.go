package store

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"weir/ledger"
)

// soon ends the test when what may not hang does.
func soon(t *testing.T, doing string, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		t.Fatalf("%s: not over after a minute", doing)
		return nil
	}
}

func openSoon(t *testing.T, d Disk, o Options) (s *Store, err error) {
	t.Helper()
	err = soon(t, "open", func() (err error) { s, err = Open(d, o); return err })
	return s, err
}

// allTables and allFiles say which files of pebble's cannot be written.
func allTables(name string) bool { return path.Ext(name) == ".sst" || path.Ext(name) == ".blob" }
func allFiles(string) bool       { return true }

// stuck makes every write to some of pebble's files fail, until it is lifted.
type stuck struct {
	err    error
	what   func(name string) bool
	lifted atomic.Bool
	writes atomic.Int64 // that were asked for
}

func (s *stuck) fs(fs vfs.FS) vfs.FS { return errorfs.Wrap(fs, s) }

func (s *stuck) String() string { return "stuck" }

// MaybeError implements errorfs.Injector. As on a full disk, what only removes
// or closes works.
func (s *stuck) MaybeError(op errorfs.Op) error {
	switch {
	case op.Kind.ReadOrWrite() == errorfs.OpIsRead, op.Kind == errorfs.OpFileClose,
		op.Kind == errorfs.OpRemove, op.Kind == errorfs.OpRemoveAll:
		return nil
	}
	s.writes.Add(1)
	if s.lifted.Load() || !s.what(op.Path) {
		return nil
	}
	return fmt.Errorf("%s: %w", path.Base(op.Path), s.err)
}

// owing makes a disk with a store on which the power went while so much stood
// in pebble's log alone that Open has to write it into a table.
func owing(t *testing.T, o Options) (d *Crashable, batches []*ledger.Batch) {
	t.Helper()
	charter, batches := shortStory(t)
	d = NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, o))
	value := bytes.Repeat([]byte("0123456789abcdef"), 400)
	if !o.Small {
		value = bytes.Repeat(value, 200)
	}
	half := len(batches) - 1
	for i, b := range batches[:half] {
		check(t, s.Commit([]*ledger.Batch{b}, KV{"last", fmt.Append(nil, i)}, KV{fmt.Sprint("large/", i), value}))
	}
	again := d.Restart()
	check(t, s.Close())
	return again, batches
}

// resumes sees that a store on a disk with room again has all of owing's
// commits, and takes the next.
func resumes(t *testing.T, d Disk, o Options, batches []*ledger.Batch) {
	t.Helper()
	s, err := openSoon(t, d, o)
	check(t, err)
	half := len(batches) - 1
	if n := whole(t, s, batches); n != half {
		t.Fatalf("%d commits are there, want %d", n, half)
	}
	for i := range half {
		if _, ok, err := s.Get(fmt.Sprint("large/", i)); err != nil || !ok {
			t.Fatalf("record %d is lost: %v", i, err)
		}
	}
	check(t, s.Commit(batches[half:], KV{"last", fmt.Append(nil, half)}))
	whole(t, s, batches)
	check(t, s.Close())
}

func TestOpenEndsWhenTablesCannotBeWritten(t *testing.T) {
	small := Options{Small: true}
	d, batches := owing(t, small)
	bad := &stuck{err: syscall.EIO, what: allTables}
	d.faults = bad.fs
	for range 3 {
		if _, err := openSoon(t, d, small); !errors.Is(err, syscall.EIO) || errors.Is(err, ErrBroken) || errors.Is(err, ErrDamaged) {
			t.Fatalf("got %v", err)
		}
	}
	// To look at it nothing need be written.
	var r *Report
	check(t, soon(t, "audit", func() (err error) { r, err = Audit(d, Options{}, nil); return err }))
	if !r.OK() {
		t.Errorf("the audit found %v", r.Findings)
	}
	bad.lifted.Store(true)
	resumes(t, d, small, batches)
}

func TestAStoreOnAFullDiskIsOpenedToBeReadUntilThereIsSpace(t *testing.T) {
	for name, what := range map[string]func(string) bool{"tables": allTables, "everything": allFiles} {
		t.Run(name, func(t *testing.T) {
			var lines []string
			o := Options{Small: true, Event: func(line string) { lines = append(lines, line) }}
			d, batches := owing(t, Options{Small: true})
			bad := &stuck{err: syscall.ENOSPC, what: what}
			d.faults = bad.fs
			s, err := openSoon(t, d, o)
			check(t, err)
			if n := whole(t, s, batches); n != len(batches)-1 {
				t.Errorf("%d commits can be read, want %d", n, len(batches)-1)
			}
			if text := strings.Join(lines, "\n"); !strings.Contains(text, "only to be read: the disk is full") {
				t.Errorf("nobody is told: %q", text)
			}
			// Small stores hold no space back: the commit gets as far as the index.
			if err := s.Commit(batches[len(batches)-1:]); !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "disk was full") {
				t.Errorf("a commit gave %v", err)
			}
			check(t, s.Close())
			bad.lifted.Store(true)
			resumes(t, d, Options{Small: true}, batches)
		})
	}
}

func TestAStoreIsNotWrittenToWhereNoCommitWouldFit(t *testing.T) {
	d, batches := owing(t, Options{})
	writes := &stuck{what: allFiles}
	writes.lifted.Store(true)
	d.faults = writes.fs
	last := batches[len(batches)-1:]
	for range 2 {
		d.Fill(SpaceKept / 2)
		s, err := openSoon(t, d, Options{})
		check(t, err)
		whole(t, s, batches)
		for _, b := range [][]*ledger.Batch{last, nil} {
			if err := s.Commit(b, KV{"a", []byte("b")}); !errors.Is(err, ErrNoSpace) || errors.Is(err, ErrBroken) {
				t.Errorf("a commit gave %v", err)
			}
		}
		if n := writes.writes.Load(); n != 0 {
			t.Fatalf("%d writes to pebble's files", n)
		}
		// As soon as a commit fits, the store asks to be opened again.
		d.Fill(-1)
		if err := s.Commit(last); !errors.Is(err, ErrBroken) || errors.Is(err, ErrNoSpace) {
			t.Errorf("a commit gave %v", err)
		}
		check(t, s.Close())
	}
	resumes(t, d, Options{}, batches)
}

func TestAnyFailedWriteToTheIndexWhileItIsOpenedEndsOpen(t *testing.T) {
	small := Options{Small: true}
	base, batches := owing(t, small)
	for _, injected := range []error{syscall.EIO, syscall.ENOSPC} {
		n := 1
		for ; ; n++ {
			d := base.Restart()
			d.FailIndex(n, injected)
			s, err := openSoon(t, d, small)
			over := d.fails[1].in > 0
			d.FailIndex(0, nil)
			switch {
			case err == nil: // nothing failed, or the disk was full
				if there := whole(t, s, batches); there != len(batches)-1 {
					t.Fatalf("write %d: %d commits can be read", n, there)
				}
				check(t, s.Close())
			case over, !errors.Is(err, injected), errors.Is(err, ErrNoSpace):
				t.Fatalf("write %d: %v", n, err)
			}
			resumes(t, d, small, batches)
			if over {
				break
			}
		}
		if n < 10 {
			t.Errorf("only %d writes failed", n-1)
		}
	}
}

func TestACommitThatWaitsForTablesThatCannotBeWrittenEnds(t *testing.T) {
	charter, batches := shortStory(t)
	small := Options{Small: true}
	d := NewCrashable(1, nil)
	bad := &stuck{err: syscall.EIO, what: allTables}
	d.faults = bad.fs
	s := must[*Store](t)(Create(d, charter, small))
	value := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	done := 0
	var err error
	for err == nil && done < 1000 {
		err = soon(t, "commit", func() error { return s.Commit(nil, KV{fmt.Sprint("large/", done), value}) })
		if err == nil {
			done++
		}
	}
	if !errors.Is(err, ErrBroken) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("after %d commits: %v", done, err)
	}
	check(t, soon(t, "close", s.Close))
	bad.lifted.Store(true)
	s, err = openSoon(t, d, small)
	check(t, err)
	for i := range done {
		if v, ok, err := s.Get(fmt.Sprint("large/", i)); err != nil || !ok || !bytes.Equal(v, value) {
			t.Fatalf("record %d is lost: %v", i, err)
		}
	}
	check(t, s.Commit(batches, KV{"last", []byte(fmt.Sprint(len(batches) - 1))}))
	whole(t, s, batches)
	check(t, s.Close())
}
