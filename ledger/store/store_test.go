package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/wire"
)

// disks runs a test on both kinds of disk.
func disks(t *testing.T, f func(t *testing.T, again func() Disk)) {
	t.Run("of the operating system", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "db")
		f(t, func() Disk { return must[Disk](t)(OS(dir)) })
	})
	t.Run("of the simulated world", func(t *testing.T) {
		d := NewCrashable(7, nil)
		f(t, func() Disk { return d })
	})
}

func TestWhatIsCommittedIsThereWhenTheStoreIsOpenedAgain(t *testing.T) {
	s := newStory(t, 3)
	s.pay(t, 5)
	s.pay(t, 1)
	disks(t, func(t *testing.T, again func() Disk) {
		st := must[*Store](t)(Create(again(), s.charter, Options{}))
		batches := s.batches
		check(t, st.Commit(batches[:1], KV{"role/a", []byte("1")}, KV{"role/b", []byte("2")}, KV{"other", []byte{}}))
		check(t, st.Commit(batches[1:], KV{"role/a", nil}))
		check(t, st.Commit(nil, KV{"role/c", []byte("3")}))
		check(t, st.Close())
		check(t, st.Close())

		st = must[*Store](t)(Open(again(), Options{}))
		defer func() { check(t, st.Close()) }()
		if got, want := st.State().Fixed, s.store.State().Fixed; got != want {
			t.Errorf("fixed state %+v, want %+v", got, want)
		}
		for i, a := range st.State().Accounts() {
			if a != s.account(uint64(i)) {
				t.Errorf("account %+v, want %+v", a, s.account(uint64(i)))
			}
		}
		if !bytes.Equal(st.Charter(), s.charter) {
			t.Error("another charter")
		}
		var keys []string
		check(t, st.Scan("role/", func(key string, value []byte) bool {
			keys = append(keys, key+"="+string(value))
			return true
		}))
		if len(keys) != 2 || keys[0] != "role/b=2" || keys[1] != "role/c=3" {
			t.Errorf("records %q", keys)
		}
		if v, ok, err := st.Get("other"); !ok || len(v) != 0 || err != nil {
			t.Errorf("an empty record: %q, %v, %v", v, ok, err)
		}
		if _, ok, err := st.Get("role/a"); ok || err != nil {
			t.Errorf("a deleted record: %v, %v", ok, err)
		}
		compare(t, st, s.store)
	})
}

func TestEveryByteOfTheStreamLiesInTheFrameOfALeaf(t *testing.T) {
	s := newStory(t, 3)
	s.pay(t, 5)
	starts := []uint64{0}
	check(t, s.store.Entries(1, func(d ledger.Decided) bool { starts = append(starts, d.Offset); return true }))
	length := s.store.State().Length
	for off, leaf := uint64(0), 0; off < length; off++ {
		if leaf+1 < len(starts) && starts[leaf+1] == off {
			leaf++
		}
		got, start, err := s.store.LeafAt(off)
		if err != nil || got != uint64(leaf) || start != starts[leaf] {
			t.Fatalf("byte %d: leaf %d from %d, %v; want %d from %d", off, got, start, err, leaf, starts[leaf])
		}
	}
	if _, _, err := s.store.LeafAt(length); err == nil {
		t.Error("a byte after the end has a leaf")
	}
}

// compare reads everything of two stores in every way there is.
func compare(t testing.TB, a, b *Store) {
	t.Helper()
	size := b.State().Size
	if a.State().Size != size {
		t.Fatalf("%d entries, want %d", a.State().Size, size)
	}
	var walked []ledger.Decided
	check(t, a.Entries(0, func(d ledger.Decided) bool { walked = append(walked, d); return true }))
	if uint64(len(walked)) != size-1 {
		t.Fatalf("walked %d entries of %d", len(walked), size-1)
	}
	for i, d := range walked {
		leaf := uint64(i + 1)
		one := must[ledger.Decided](t)(a.Entry(leaf))
		other := must[ledger.Decided](t)(b.Entry(leaf))
		found, ok, err := a.Find(d.Entry.Account, d.Entry.Number)
		if !ok || err != nil {
			t.Fatalf("entry %d is not found: %v", leaf, err)
		}
		for _, x := range []ledger.Decided{one, other, found} {
			if !sameDecided(x, d) {
				t.Fatalf("entry %d is %+v, want %+v", leaf, x, d)
			}
		}
	}
	for n := uint64(1); n <= size; n++ {
		if must[wire.Hash](t)(a.RootAt(n)) != must[wire.Hash](t)(b.RootAt(n)) {
			t.Fatalf("another root at %d", n)
		}
	}
	for n := range a.State().Accounts() {
		var newest, want []uint64
		check(t, a.Newest(uint64(n), func(d ledger.Decided) bool { newest = append(newest, d.Index); return true }))
		for i := len(walked) - 1; i >= 0; i-- {
			touched := must[[]uint64](t)(touches(&walked[i].Entry))
			if walked[i].Entry.Account == uint64(n) || slices.Contains(touched, uint64(n)) {
				want = append(want, walked[i].Index)
			}
		}
		if !slices.Equal(newest, want) {
			t.Fatalf("account %d: newest %v, want %v", n, newest, want)
		}
	}
}

func sameDecided(a, b ledger.Decided) bool {
	x, errX := a.Entry.Encode()
	y, errY := b.Entry.Encode()
	if errX != nil || errY != nil || !bytes.Equal(x, y) || a.Index != b.Index || a.Offset != b.Offset || a.Frame != b.Frame {
		return false
	}
	if (a.Body == nil) != (b.Body == nil) {
		return false
	}
	return a.Body == nil || bytes.Equal(a.Body.Encode(), b.Body.Encode())
}

func TestOnlyTheOwnerMayReadTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	s := newStory(t, 1)
	st := must[*Store](t)(Create(must[Disk](t)(OS(dir)), s.charter, Options{}))
	check(t, st.Close())
	check(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		check(t, err)
		info := must[fs.FileInfo](t)(e.Info())
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	}))
	if info := must[os.FileInfo](t)(os.Stat(dir)); info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v", info.Mode())
	}
}

func TestADiskWithoutAStoreSaysSo(t *testing.T) {
	disks(t, func(t *testing.T, again func() Disk) {
		if _, err := Open(again(), Options{}); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
		s := newStory(t, 1)
		st := must[*Store](t)(Create(again(), s.charter, Options{}))
		check(t, st.Close())
		if _, err := Create(again(), s.charter, Options{}); !errors.Is(err, ErrExists) {
			t.Errorf("got %v", err)
		}
	})
}

func TestHashesThatWereJustReadAreNotReadAgain(t *testing.T) {
	var e edge
	var asked [][]int64
	from := func(missing []int64) ([]tlog.Hash, error) {
		asked = append(asked, missing)
		hashes := make([]tlog.Hash, len(missing))
		for i, x := range missing {
			if x == 9 {
				return nil, errInjected
			}
			hashes[i] = tlog.Hash{byte(x)}
		}
		return hashes, nil
	}
	for _, indexes := range [][]int64{{3, 5}, {5, 3}, {3, 7, 5}, {3, 9}, {7, 5}, nil} {
		got, err := e.read(indexes, from)
		if (err != nil) != slices.Contains(indexes, 9) {
			t.Fatal(err)
		}
		for i, h := range got {
			if h != (tlog.Hash{byte(indexes[i])}) {
				t.Errorf("%v gives %v", indexes, got)
			}
		}
	}
	if want := [][]int64{{3, 5}, {7}, {9}}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}
