package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"weir/internal/backup"
	"weir/ledger/store"
)

// MoveRecord is what a directory remembers that was moved away: it is of no more use,
// so that one key does not live on two devices.
//
// It is written before the file is, as begun, and as done after. In between the file
// has another name (part). So, whenever this is interrupted, exactly one of the two
// goes on: the directory as long as the file lies there under its other name, and
// the file from the moment on in which it gets its own. Where neither is to be
// found, the file may have been taken away: the directory stays locked until somebody
// says that it was not.
type MoveRecord struct {
	Begun time.Time `json:"begun"`
	File  string    `json:"file"`
	Part  string    `json:"part"`
	Done  bool      `json:"done"`
}

func (d Directory) movedFile() string { return filepath.Join(string(d), "moved") }

// Moved says whether the directory was moved away, and to which file.
func (d Directory) Moved() (MoveRecord, bool, error) {
	var r MoveRecord
	ok, err := readState(d.movedFile(), &r)
	switch {
	case errors.Is(err, errUnread):
		return MoveRecord{}, true, nil // somebody began to
	case err != nil || !ok || r.Done:
		return r, ok, err
	}
	if _, err := os.Lstat(r.File); err == nil {
		return r, true, nil
	}
	if _, err := os.Lstat(r.Part); err == nil {
		return r, false, nil // it has not become a file
	}
	return r, true, nil
}

// Live is an error for a directory that was moved away: nothing signs or runs there.
// Whoever opens a store asks once it is open, since a move has the stores while it
// lasts.
func (d Directory) Live() error {
	r, moved, err := d.Moved()
	if err != nil || !moved {
		return err
	}
	return refused("this directory was moved away on %s, to %s, and goes on only where that file is restored (weir restore). "+
		"If the file was never used and never will be, weir doctor --fix makes this directory usable again", r.Begun.Local().Format("2006-01-02 15:04"), r.File)
}

// movedText is what Live says; "": it was not moved away.
func (d Directory) movedText() string {
	if err := d.Live(); err != nil {
		return err.Error()
	}
	return ""
}

// goesOn is Live for whoever has a store of the directory open, which nobody who moves
// it lets happen: a move that was interrupted before its file was one is forgotten.
func (d Directory) goesOn() error {
	if err := d.Live(); err != nil {
		return err
	}
	r, moved, err := d.Moved()
	if err != nil || moved || r.Part == "" {
		return err
	}
	err = d.Unmove()
	if err == nil {
		os.Remove(r.Part)
	}
	return err
}

// Unmove takes the lock off. The caller has asked.
func (d Directory) Unmove() error {
	if err := os.Remove(d.movedFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take the lock off: %w", err)
	}
	return nil
}

// MoveOut writes a file that the directory goes on from elsewhere, and locks the
// directory. c.Snapshot is not used: nobody else may have a store meanwhile, which
// is store.ErrLocked.
func MoveOut(ctx context.Context, c BackupConfig) (_ BackupView, err error) {
	if err := c.Dir.Live(); err != nil {
		return BackupView{}, err
	}
	out, err := c.outFile()
	if err != nil {
		return BackupView{}, err
	}
	open := map[string]*store.Store{}
	defer func() {
		for _, s := range open {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, db := range c.Databases {
		s, err := c.Dir.openStore(db)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return BackupView{}, err
		}
		open[db.ID] = s
	}
	c.Snapshot = func(db Database) (Snapshot, error) {
		if s := open[db.ID]; s != nil {
			return c.Dir.snapshot(s)
		}
		return Snapshot{}, store.ErrNotFound
	}
	r := MoveRecord{Begun: c.Now.UTC().Truncate(time.Second), File: out, Part: partOf(out)}
	// Until last is called there is nothing to restore, so there is no lock either.
	v, err := writeBackup(ctx, c, backup.KindMove, func() error { return writeState(c.Dir.movedFile(), r) })
	if err != nil {
		if _, there := os.Lstat(out); errors.Is(there, fs.ErrNotExist) {
			err = errors.Join(err, c.Dir.Unmove())
		}
		return BackupView{}, err
	}
	r.Done = true
	if err := writeState(c.Dir.movedFile(), r); err != nil {
		return v, fmt.Errorf("the directory was moved, and that could not be noted in full: %w", err)
	}
	return v, nil
}
