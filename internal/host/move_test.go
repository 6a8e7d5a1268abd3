package host

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Whenever a move is interrupted, the directory or the file goes on, and never both.
func TestAMoveThatIsInterruptedLeavesOneThatGoesOn(t *testing.T) {
	for _, c := range []struct {
		what              string
		record            any // in the directory; nil: none
		part, file        bool
		moved, partRemain bool
	}{
		{"before it began", nil, false, false, false, false},
		{"while the file is written", nil, true, false, false, true},
		{"before the file has its name", MoveRecord{}, true, false, false, false},
		{"when the file has its name", MoveRecord{}, false, true, true, false},
		{"when all is done", MoveRecord{Done: true}, false, true, true, false},
		{"and the file was taken away", MoveRecord{Done: true}, false, false, true, false},
		{"and the file was taken away before that was noted", MoveRecord{}, false, false, true, false},
		{"what was noted does not read", "garbled", false, false, true, false},
	} {
		d, out := Directory(t.TempDir()), filepath.Join(t.TempDir(), "a.move")
		put := func(there bool, path string) {
			if there {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(c.part, partOf(out))
		put(c.file, out)
		if r, ok := c.record.(MoveRecord); ok {
			r.Begun, r.File, r.Part = time.Now(), out, partOf(out)
			c.record = r
		}
		if c.record != nil {
			if err := writeState(d.movedFile(), c.record); err != nil {
				t.Fatal(err)
			}
		}
		err := d.goesOn()
		if (err != nil) != c.moved || err != nil && Code(err) != CodeRefused {
			t.Errorf("%s: got %v", c.what, err)
		}
		if _, err := os.Lstat(partOf(out)); (err == nil) != c.partRemain {
			t.Errorf("%s: its part: %v", c.what, err)
		}
		if err := d.Unmove(); err != nil || d.Live() != nil {
			t.Errorf("%s: unlocked: %v, %v", c.what, err, d.Live())
		}
	}
}

func TestADirectoryKnowsWhenItIsElsewhere(t *testing.T) {
	top := t.TempDir()
	d := Directory(filepath.Join(top, "a"))
	if why, err := d.Elsewhere(); why != "" || err != nil {
		t.Fatalf("before it is there: %q, %v", why, err)
	}
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if why, err := d.Elsewhere(); why != "" || err != nil {
			t.Fatalf("where it was: %q, %v", why, err)
		}
	}
	b, err := os.ReadFile(d.machineFile())
	if err != nil {
		t.Fatal(err)
	}
	copied := Directory(filepath.Join(top, "b"))
	if err := copied.Make(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied.machineFile(), b, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as long as nobody says that it is right
		if why, err := copied.Elsewhere(); why == "" || err != nil {
			t.Fatalf("a copy: %q, %v", why, err)
		}
	}
	renamed := Directory(filepath.Join(top, "c"))
	if err := os.Rename(string(d), string(renamed)); err != nil {
		t.Fatal(err)
	}
	if why, err := renamed.Elsewhere(); why != "" || err != nil {
		t.Fatalf("renamed: %q, %v", why, err)
	}
	var r machineRecord
	if _, err := readState(renamed.machineFile(), &r); err != nil {
		t.Fatal(err)
	}
	r.Machine = "another"
	if err := writeState(renamed.machineFile(), r); err != nil {
		t.Fatal(err)
	}
	if why, err := renamed.Elsewhere(); why == "" || err != nil {
		t.Fatalf("on another machine: %q, %v", why, err)
	}
}
