package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAFileForTheRecoveryWordsIsTriedBeforeItIsTaken(t *testing.T) {
	at := t.TempDir()
	d := Directory(filepath.Join(at, "m"))
	in := func(names ...string) string { return filepath.Join(append([]string{at}, names...)...) }
	if err := os.WriteFile(in("there"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(in("locked"), 0o500); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		in("words"):             "",
		in("m", "words"):        "lies in the data directory",
		in("there"):             "is there already",
		in("locked"):            "is a folder",
		in("stick", "words"):    "the folder " + in("stick") + " is not there",
		in("there", "words"):    "is a file, and no folder",
		in("locked", "words"):   "nothing can be written into " + in("locked"),
		in("words\x00of it"):    "cannot be a file there",
		in("stick\x00", "word"): "nothing can be written into",
	} {
		if file == in("locked", "words") && (runtime.GOOS == "windows" || os.Geteuid() == 0) {
			continue // whom nothing is closed to
		}
		err := d.TakesRecovery(file)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), ".weir-")) {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
	left, err := os.ReadDir(at)
	if err != nil || len(left) != 2 {
		t.Errorf("trying left something: %v, %v", left, err)
	}
	if !d.Beside(in("words")) {
		t.Error("a file beside the data directory is said to be on another disk")
	}
	if err := WriteRecovery(in("stick", "words"), "x"); err == nil || strings.Contains(err.Error(), ".words.") || !strings.Contains(err.Error(), "nothing was founded") {
		t.Errorf("a write that fails says %v", err)
	}
}
