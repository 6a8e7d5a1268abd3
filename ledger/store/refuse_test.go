package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"weir/ledger"
)

func TestAFormatOfALaterVersionIsNotOpened(t *testing.T) {
	charter, _ := shortStory(t)
	disks(t, func(t *testing.T, again func() Disk) {
		d := again()
		s := must[*Store](t)(Create(d, charter, Options{}))
		check(t, s.Close())
		check(t, d.acquire())
		check(t, writeFile(d.files(), formatFile, []byte("weir store 5\n")))
		check(t, d.release())
		_, err := Open(again(), Options{})
		if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "format is 5") {
			t.Errorf("got %v", err)
		}
		if _, err := Audit(again(), Options{}, nil); !errors.Is(err, ErrVersion) {
			t.Errorf("got %v", err)
		}
		if _, err := Create(again(), charter, Options{}); !errors.Is(err, ErrVersion) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCreateTouchesNothingThatIsNotAStore(t *testing.T) {
	charter, _ := shortStory(t)
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, indexDir), 0o700))
	mine := filepath.Join(dir, indexDir, "mine")
	check(t, os.WriteFile(mine, []byte("precious"), 0o600))
	if _, err := Create(must[Disk](t)(OS(dir)), charter, Options{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if b := must[[]byte](t)(os.ReadFile(mine)); string(b) != "precious" {
		t.Errorf("it says %q", b)
	}
	dir = t.TempDir()
	mine = filepath.Join(dir, charterFile)
	check(t, os.WriteFile(mine, []byte("precious"), 0o600))
	if _, err := Create(must[Disk](t)(OS(dir)), charter, Options{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if b := must[[]byte](t)(os.ReadFile(mine)); string(b) != "precious" {
		t.Errorf("it says %q", b)
	}
}

func TestABatchThatDoesNotContinueTheStreamIsRefused(t *testing.T) {
	charter, batches := shortStory(t)
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, Options{Small: true}))
	defer func() { check(t, s.Close()) }()
	for name, change := range map[string]func(b *ledger.Batch){
		"another start":     func(b *ledger.Batch) { b.Start++ },
		"another length":    func(b *ledger.Batch) { b.Length++ },
		"another size":      func(b *ledger.Batch) { b.Size++ },
		"another hash":      func(b *ledger.Batch) { b.FirstHash++ },
		"a hash too few":    func(b *ledger.Batch) { b.Hashes = b.Hashes[1:] },
		"a volume too many": func(b *ledger.Batch) { b.Volumes++ },
		"a tail elsewhere":  func(b *ledger.Batch) { b.Volume++ },
		"no frames":         func(b *ledger.Batch) { b.Frames = nil },
		"an entry elsewhere": func(b *ledger.Batch) {
			b.Entries = slices.Clone(b.Entries)
			b.Entries[1].Offset++
		},
	} {
		b := *batches[0]
		change(&b)
		if err := s.Commit([]*ledger.Batch{&b}); err == nil || errors.Is(err, ErrBroken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := s.Commit(batches[1:]); err == nil {
		t.Error("a batch is missing, and nobody says so")
	}
	check(t, s.Commit(batches))
	clean(t, s)
}
