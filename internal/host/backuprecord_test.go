package host

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestADirectoryRemembersItsNewestBackup(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what, file, hint string
		known            bool
	}{
		{"there was none", "", "never been a backup", false},
		{"a new one", `{"made":"2026-02-20T12:00:00Z","file":"b"}`, "", true},
		{"an old one", `{"made":"2026-01-20T12:00:00Z","file":"b"}`, "is 40 days old", true},
		{"one of a clock that was ahead", `{"made":"2031-01-20T12:00:00Z","file":"b"}`, "", true},
		{"what does not read", `{"made":`, "never been a backup", false},
		{"what says nothing", `{}`, "never been a backup", false},
		{"too much", strings.Repeat(" ", stateBytesMax+1), "never been a backup", false},
	} {
		d := Directory(t.TempDir())
		if c.file != "" {
			if err := os.WriteFile(d.BackupFile(), []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		hint, err := d.BackupHint(now)
		if err != nil || (c.hint == "") != (hint == "") || !strings.Contains(hint, c.hint) {
			t.Errorf("%s: the hint is %q, %v", c.what, hint, err)
		}
		if _, ok, err := d.Backup(); ok != c.known || err != nil {
			t.Errorf("%s: known is %v, %v", c.what, ok, err)
		}
	}
}

func TestWhatADirectoryRemembersIsReadAgain(t *testing.T) {
	d := Directory(t.TempDir())
	wrote := BackupRecord{Made: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), File: "/media/stick/weir.backup"}
	if err := writeState(d.BackupFile(), wrote); err != nil {
		t.Fatal(err)
	}
	if read, ok, err := d.Backup(); read != wrote || !ok || err != nil {
		t.Errorf("read %+v, %v, %v", read, ok, err)
	}
}
