package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"weir/ledger/store"
)

// TestWhatIsNoSmallFileIsNotRead is about what somebody, or a disk, put where a
// directory's own small files were: reading a device would take all memory.
func TestWhatIsNoSmallFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	large, folder, endless := filepath.Join(dir, "large"), filepath.Join(dir, "folder"), filepath.Join(dir, "endless")
	if err := errors.Join(os.WriteFile(large, make([]byte, 11), 0o600), os.Mkdir(folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	places := []string{large, folder}
	if os.Symlink("/dev/zero", endless) == nil {
		if _, err := os.Stat(endless); err == nil { // this system has one
			places = append(places, endless)
		}
	}
	for _, path := range places {
		if b, err := readSmall(path, 10); !errors.Is(err, errUnread) {
			t.Errorf("%s: got %d bytes, %v", path, len(b), err)
		}
	}
	if b, err := readSmall(large, 11); err != nil || len(b) != 11 {
		t.Errorf("got %d bytes, %v", len(b), err)
	}
	if _, err := readSmall(filepath.Join(dir, "none"), 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}

	d := Directory(dir)
	record := d.record("c48bdb6b719755c0452873d9f956c4e7cabc2bba")
	if err := errors.Join(os.MkdirAll(filepath.Dir(record), 0o700), os.WriteFile(record, make([]byte, stateBytesMax+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Databases(); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
