package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"weir/internal/backup"
	"weir/keys/keyfile"
	"weir/ledger/store"
	"weir/member"
)

// UnpackView is what weir restore gives.
type UnpackView struct {
	Directory string           `json:"directory"`
	Kind      string           `json:"kind"` // backup or move
	Made      string           `json:"made"` // when the file was written
	Databases []BackupDatabase `json:"databases"`
}

// Restore makes a data directory of a backup: beside its place at first, where all
// of it is checked, and only then there. ask gives the passphrase of an encrypted
// file. A directory that holds something is left as it is.
func Restore(ctx context.Context, file string, d Directory, ask func() (string, error), now time.Time) (_ UnpackView, err error) {
	to, err := filepath.Abs(string(d))
	if err != nil {
		return UnpackView{}, err
	}
	if err := vacant(to); err != nil {
		return UnpackView{}, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return UnpackView{}, fmt.Errorf("restore: %w", err)
	}
	// What an interrupted restore has left is nobody's.
	begun := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".restoring")
	if err := os.RemoveAll(begun); err != nil {
		return UnpackView{}, fmt.Errorf("restore: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(begun)
		}
	}()
	r := Directory(begun)
	l, err := r.extract(ctx, file, ask)
	if err != nil {
		return UnpackView{}, err
	}
	v := UnpackView{Directory: to, Kind: l.Kind, Made: viewTime(l.Made)}
	if v.Databases, err = r.assemble(l, now); err != nil {
		return UnpackView{}, err
	}
	if err := writeState(r.machineFile(), machineAt(to, begun)); err != nil {
		return UnpackView{}, fmt.Errorf("restore: %w", err)
	}
	if l.Kind == backup.KindBackup {
		if abs, err := filepath.Abs(file); err == nil {
			file = abs
		}
		if err := writeState(r.BackupFile(), BackupRecord{Made: l.Made, File: file}); err != nil {
			return UnpackView{}, fmt.Errorf("restore: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return UnpackView{}, err
	}
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty one
		return UnpackView{}, fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(begun, to); err != nil {
		return UnpackView{}, fmt.Errorf("restore: %w", err)
	}
	if err := keyfile.SyncDir(filepath.Dir(to)); err != nil {
		return UnpackView{}, fmt.Errorf("restore: %w", err)
	}
	return v, nil
}

// vacant is an error unless nothing is at a path, or an empty directory.
func vacant(path string) error {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("restore: %w", err)
	case len(entries) > 0:
		return refused("%s holds something already, which is left as it is; nothing was restored: name a new directory with --dir", path)
	}
	return nil
}

// extract writes a backup's files into a directory that is made for them.
func (d Directory) extract(ctx context.Context, file string, ask func() (string, error)) (*backup.List, error) {
	begin := func(l *backup.List) error {
		if err := d.Make(); err != nil {
			return err
		}
		// Twice the room: an index is made of the rows.
		if free, err := store.Free(string(d)); err == nil && free/2 < uint64(l.Bytes()) {
			return fmt.Errorf("%w: %d MB are needed and %d MB are free; nothing was restored", store.ErrNoSpace, 2*l.Bytes()>>20, free>>20)
		}
		return nil
	}
	return readBackup(ctx, file, ask, begin, func(f backup.File, r io.Reader) error {
		return writeFrom(filepath.Join(string(d), filepath.FromSlash(f.Name)), r)
	})
}

// writeFrom writes a new file of mode 0600 and has it on the disk.
func writeFrom(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return keyfile.SyncDir(filepath.Dir(path))
}

// assemble makes stores of what was extracted, checks all of each, and has a
// member's know that it is older than what was signed since.
func (d Directory) assemble(l *backup.List, now time.Time) ([]BackupDatabase, error) {
	if _, err := d.Key().Public(); err != nil {
		return nil, fmt.Errorf("%w: %w", backup.ErrDamaged, err)
	}
	dbs, err := d.Databases()
	if err != nil {
		return nil, err
	}
	var all []BackupDatabase
	for _, db := range dbs {
		v := BackupDatabase{ID: db.ID, Name: db.Name, Role: db.Role}
		id, err := ParseID(db.ID)
		if err != nil {
			return nil, err
		}
		if _, err := os.Lstat(d.Store(id)); err == nil {
			v.Found = true
			if v.Entries, err = d.assembleStore(db, l, now); err != nil {
				return nil, fmt.Errorf("restore the database %s: %w", db.text(), err)
			}
		}
		all = append(all, v)
	}
	return all, d.Orphan()
}

func (d Directory) assembleStore(db Database, l *backup.List, now time.Time) (entries uint64, err error) {
	id, err := ParseID(db.ID)
	if err != nil {
		return 0, err
	}
	disk, err := store.OS(d.Store(id))
	if err != nil {
		return 0, err
	}
	err = store.Assemble(disk)
	if err = errors.Join(err, disk.Close()); err != nil {
		return 0, err
	}
	s, err := d.openStore(db)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if s.State().ID != id {
		return 0, fmt.Errorf("%w: %s holds another database", backup.ErrDamaged, db.ID)
	}
	v, err := audit(s, db.Role)
	if err == nil {
		err = v.Err()
	}
	if err == nil && db.Role == RoleMember && l.Kind == backup.KindBackup {
		err = member.Restored(s, "a backup of "+l.Made.UTC().Format("2006-01-02 15:04")+" UTC", now)
	}
	return v.Entries, err
}
