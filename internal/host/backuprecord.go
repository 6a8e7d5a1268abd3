package host

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// BackupRecord is what a directory remembers of its newest backup: a backup that
// nobody knows the age of is not made again in time.
type BackupRecord struct {
	Made time.Time `json:"made"`
	File string    `json:"file"` // where it was written to
}

// backupOld is the age from which on people are told to make a new one.
const backupOld = 30 * 24 * time.Hour

// BackupFile is where that is remembered.
func (d Directory) BackupFile() string { return filepath.Join(string(d), "backup") }

// Backup is what is remembered of the newest backup; false: there has never been
// one. What does not read is taken for none: a backup more does no harm.
func (d Directory) Backup() (BackupRecord, bool, error) {
	var r BackupRecord
	ok, err := readState(d.BackupFile(), &r)
	if errors.Is(err, errUnread) || r.Made.IsZero() {
		return BackupRecord{}, false, nil
	}
	return r, ok, err
}

// BackupAge is how old the newest backup is at a time; false: there has never been
// one. One from the future, by a clock that was wrong, is new.
func (d Directory) BackupAge(now time.Time) (time.Duration, bool, error) {
	r, ok, err := d.Backup()
	return max(now.Sub(r.Made), 0), ok, err
}

// BackupHint says in plain words that it is time for a backup; "" when it is not.
func (d Directory) BackupHint(now time.Time) (string, error) {
	switch age, ok, err := d.BackupAge(now); {
	case err != nil:
		return "", err
	case !ok:
		return "there has never been a backup of this directory", nil
	case age > backupOld:
		return fmt.Sprintf("the newest backup is %d days old", int(age.Hours()/24)), nil
	}
	return "", nil
}
