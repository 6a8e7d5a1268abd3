package host

import (
	"context"
	"errors"
	"fmt"
	"os"

	"weir/ledger/store"
)

// openStore opens a database's store for what is done with it as a whole, without
// a role. store.ErrNotFound when there is none yet, store.ErrLocked when somebody
// has it.
func (d Directory) openStore(db Database) (*store.Store, error) {
	id, err := ParseID(db.ID)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(d.Store(id)); errors.Is(err, os.ErrNotExist) {
		return nil, store.ErrNotFound // and none is made by looking
	}
	key, err := db.readKey()
	if err != nil {
		return nil, err
	}
	disk, err := store.OS(d.Store(id))
	if err != nil {
		return nil, err
	}
	s, err := store.Open(disk, store.Options{ReadKey: key})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", db.ID[:8], err), disk.Close())
	}
	return s, nil
}

// Snapshot is a store at one moment: rows in a file of the data directory, which
// whoever asked removes, and what belongs to them of the stream.
type Snapshot struct {
	Rows      string `json:"rows"` // path
	RowsBytes int64  `json:"rows_bytes"`
	store.Dump
}

const snapshotPattern = "backup-*.rows"

// snapshot writes one; it may run beside commits.
func (d Directory) snapshot(s *store.Store) (_ Snapshot, err error) {
	f, err := os.CreateTemp(string(d), snapshotPattern) // mode 0600
	if err != nil {
		return Snapshot{}, fmt.Errorf("copy the database: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	dump, err := s.Dump(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return Snapshot{}, err
	}
	i, err := os.Stat(f.Name())
	if err != nil {
		return Snapshot{}, fmt.Errorf("copy the database: %w", err)
	}
	return Snapshot{Rows: f.Name(), RowsBytes: i.Size(), Dump: dump}, nil
}

// snapshot is a call: off the loop, since it may take minutes and reads only what
// is committed.
func (m *Manager) snapshot() (any, error) { return m.dir.snapshot(m.store) }

func (a *Agent) snapshot(ctx context.Context, r Request) (any, error) {
	var st *store.Store
	if _, err := a.on(ctx, r.DB, func(s *seat) (any, error) {
		st = s.open()
		return nil, nil
	}); err != nil {
		return nil, err
	}
	if st == nil {
		return nil, ErrNotInitialised
	}
	return a.cfg.Dir.snapshot(st)
}
