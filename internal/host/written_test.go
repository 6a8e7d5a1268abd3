package host

import (
	"os"
	"path/filepath"
	"testing"

	"weir/keys"
)

func TestWhatWasWrittenDownIsRememberedOfOneKey(t *testing.T) {
	d := Directory(t.TempDir())
	if d.Written() {
		t.Error("nothing was written down")
	}
	first, second := keys.Seed{1}, keys.Seed{2}
	if err := d.Key().Create(first, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.SetWritten(keys.Derive(second).Public()); err != nil || d.Written() {
		t.Error("the words of another key say nothing of this one", err)
	}
	if err := d.SetWritten(keys.Derive(first).Public()); err != nil || !d.Written() {
		t.Error("it was written down", err)
	}
	if err := os.WriteFile(d.written(), make([]byte, 1<<20), 0o600); err != nil || d.Written() {
		t.Error("a file that cannot be ours", err)
	}
}

func TestAFileLiesInTheDirectoryByWhicheverNames(t *testing.T) {
	top := t.TempDir()
	d := filepath.Join(top, "data")
	if err := os.Mkdir(d, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(d, filepath.Join(top, "other")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	for file, want := range map[string]bool{
		"data/words": true, "data/new/deep/words": true, "other/words": true, "data": true,
		"words": false, "data2/words": false, "stick/data/words": false, "data/../words": false, "..data/words": false,
	} {
		if got := Directory(d).Holds(filepath.Join(top, file)); got != want {
			t.Errorf("%s: %v", file, got)
		}
	}
	if !Directory(filepath.Join(top, "yet", "to be")).Holds(filepath.Join(top, "yet", "to be", "words")) {
		t.Error("also of a directory that is yet to be made")
	}
}
