package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func openedLog(t *testing.T) (*LogFile, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weir.log")
	l, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.now = func() time.Time { return noon }
	return l, path
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestALogHasALineATimeAndNothingThatMovesATerminal(t *testing.T) {
	l, path := openedLog(t)
	l.Printf("cycle %d\n  the disk\x1b[2J \u202eis full\xff", 7)
	if got := content(t, path); got != "2026-11-28 12:00:00 cycle 7   the disk [2J  is full�\n" {
		t.Errorf("%q", got)
	}
	l.Printf("%s", strings.Repeat("x", 1<<20))
	if got := content(t, path); len(got) > 2*logLineBytes {
		t.Errorf("a line of %d bytes", len(got))
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", i.Mode(), err)
	}
}

func TestALogIsBounded(t *testing.T) {
	l, path := openedLog(t)
	l.most = 200
	for i := range 100 {
		l.Printf("this is line %d", i)
	}
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) != logFilesMax+1 {
		t.Fatalf("%v, %v", names, err)
	}
	next := 99
	for i := range logFilesMax + 1 {
		name := path
		if i > 0 {
			name = fmt.Sprintf("%s.%d", path, i)
		}
		text := content(t, name)
		if len(text) > 200 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		lines := strings.Split(strings.TrimSpace(text), "\n")
		for j := len(lines) - 1; j >= 0; j-- {
			if want := fmt.Sprintf("2026-11-28 12:00:00 this is line %d", next); lines[j] != want {
				t.Fatalf("%s: %q, want %q", name, lines[j], want)
			}
			next--
		}
	}
}

func TestALogGoesOnWhenItsFileIsMovedDeletedOrCannotBeWritten(t *testing.T) {
	l, path := openedLog(t)
	l.Printf("one")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	l.Printf("two")
	if content(t, path) != "2026-11-28 12:00:00 two\n" || content(t, path+".old") != "2026-11-28 12:00:00 one\n" {
		t.Errorf("after a move: %q", content(t, path))
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	l.Printf("three")
	l.Printf("four")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	l.Printf("five")
	if got := content(t, path); !strings.HasSuffix(got, "five\n") || !strings.Contains(got, "2 lines could not be written here: "+path+" is no regular file") {
		t.Errorf("afterwards: %q", got)
	}
	l.file.Close() // as a disk that fails
	l.Printf("six")
	l.Printf("seven")
	if got := content(t, path); !strings.HasSuffix(got, "seven\n") {
		t.Errorf("after a failure: %q", got)
	}
}

func TestALogIsNoDevice(t *testing.T) {
	for _, path := range []string{os.DevNull, t.TempDir(), filepath.Join(t.TempDir(), "none", "weir.log")} {
		if _, err := OpenLog(path); err == nil {
			t.Errorf("%s is taken for a log file", path)
		}
	}
}
