package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lockVariable makes this test binary a second weir: it tries to lock the
// directory that the variable names, and prints what came of it.
const lockVariable = "WEIR_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockVariable); dir != "" {
		_, err := OS(dir)
		fmt.Println(errors.Is(err, ErrLocked), err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func lockedInAnotherProcess(t *testing.T, dir string) bool {
	t.Helper()
	c := exec.Command(must[string](t)(os.Executable()))
	c.Env = append(os.Environ(), lockVariable+"="+dir)
	out := must[[]byte](t)(c.CombinedOutput())
	return strings.HasPrefix(string(out), "true ")
}

func TestADirectoryHasOneStoreAtATime(t *testing.T) {
	charter, _ := shortStory(t)
	parent := t.TempDir()
	dir := filepath.Join(parent, "db")
	d := must[Disk](t)(OS(dir))
	s := must[*Store](t)(Create(d, charter, Options{}))
	check(t, os.Symlink(dir, filepath.Join(parent, "other")))
	for _, name := range []string{dir, filepath.Join(parent, "other"), filepath.Join(parent, "db", ".", "")} {
		if _, err := OS(name); !errors.Is(err, ErrLocked) {
			t.Errorf("a second lock in this process on %s: %v", name, err)
		}
	}
	if _, err := Open(d, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second store on one disk: %v", err)
	}
	if _, err := Audit(d, Options{}, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("an audit of an open store: %v", err)
	}
	if !lockedInAnotherProcess(t, dir) {
		t.Error("another process can open the directory")
	}
	check(t, d.Close()) // the store keeps the lock
	if !lockedInAnotherProcess(t, dir) {
		t.Error("the lock went with the disk, the store is still open")
	}
	check(t, s.Close())
	if lockedInAnotherProcess(t, dir) {
		t.Error("the directory is locked after Close")
	}

	s = must[*Store](t)(Open(d, Options{})) // the same Disk takes the lock again
	if !lockedInAnotherProcess(t, dir) {
		t.Error("another process can open the directory")
	}
	check(t, s.Close())
	d = must[Disk](t)(OS(dir))
	check(t, d.Close())
	check(t, d.Close())
	if lockedInAnotherProcess(t, dir) {
		t.Error("the directory is locked after Close")
	}
}

func TestASimulatedDiskHasOneStoreAtATime(t *testing.T) {
	charter, _ := shortStory(t)
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, Options{Small: true}))
	if _, err := Open(d, Options{Small: true}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	check(t, s.Close())
	s = must[*Store](t)(Open(d, Options{Small: true}))
	check(t, s.Close())
}
