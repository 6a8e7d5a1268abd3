package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const lockFile = "LOCK"

// osDisk is a directory. Everything in it is for its owner only.
type osDisk struct {
	dir string

	mu   sync.Mutex
	lock io.Closer // nil: not held; guarded by mu
	busy bool      // a store is open on it; guarded by mu
}

// OS is a directory as a Disk. It is made (0700) if there is none, and locked:
// ErrLocked when another weir has it.
func OS(dir string) (Disk, error) {
	made := false
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		made = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of a store: %w", err)
	}
	// One directory has one name here, or the lock of this process would not
	// know it again.
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the directory of a store: %w", err)
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, fmt.Errorf("find the directory of a store: %w", err)
	}
	if made {
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return nil, fmt.Errorf("make the directory of a store: %w", err)
		}
	}
	d := &osDisk{dir: dir}
	if err := d.take(); err != nil {
		return nil, err
	}
	return d, nil
}

// take locks the directory unless this Disk has it locked.
func (d *osDisk) take() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock != nil {
		return nil
	}
	name := filepath.Join(d.dir, lockFile)
	lock, err := vfs.Default.Lock(name)
	if err != nil {
		return fmt.Errorf("lock %s: %w (%v)", d.dir, ErrLocked, err)
	}
	d.lock = lock
	// Not by opening it: closing it again would give up the lock.
	return os.Chmod(name, 0o600)
}

func (d *osDisk) acquire() error {
	if err := d.take(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy {
		return fmt.Errorf("open %s: %w", d.dir, ErrLocked)
	}
	d.busy = true
	return nil
}

func (d *osDisk) release() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	return d.unlock()
}

// Close implements Disk.
func (d *osDisk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy {
		return nil // the store's Close gives up the lock
	}
	return d.unlock()
}

// unlock needs mu.
func (d *osDisk) unlock() error {
	if d.lock == nil {
		return nil
	}
	err := d.lock.Close()
	d.lock = nil
	return err
}

func (d *osDisk) files() fileSystem { return osFiles(d.dir) }

func (d *osDisk) index() (vfs.FS, string, func(bool) error) {
	return ownerFS{vfs.Default}, filepath.Join(d.dir, indexDir), nil
}

func (d *osDisk) step(Step, bool) error { return nil }

// osFiles implements fileSystem in a directory.
type osFiles string

func (d osFiles) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

func (d osFiles) open(name string) (file, error) {
	return openFile(d.path(name), os.O_RDWR)
}

func (d osFiles) create(name string) (file, error) {
	return openFile(d.path(name), os.O_RDWR|os.O_CREATE)
}

func (d osFiles) rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }
func (d osFiles) remove(name string) error     { return os.Remove(d.path(name)) }
func (d osFiles) removeAll(name string) error  { return os.RemoveAll(d.path(name)) }
func (d osFiles) syncDir(name string) error    { return syncDir(d.path(name)) }

func (d osFiles) list(name string) ([]string, error) {
	entries, err := os.ReadDir(d.path(name))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (d osFiles) mkdir(name string) error { return os.MkdirAll(d.path(name), 0o700) }

func (d osFiles) free() (uint64, error) {
	usage, err := vfs.Default.GetDiskUsage(string(d))
	return usage.AvailBytes, err
}

type osFile struct{ *os.File }

func openFile(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// syncDir makes names in a directory durable.
func syncDir(path string) error {
	f, err := vfs.Default.OpenDir(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// ownerFS makes pebble's files readable by their owner only.
type ownerFS struct{ vfs.FS }

func (o ownerFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := o.FS.Create(name, c)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (o ownerFS) MkdirAll(name string, _ os.FileMode) error { return o.FS.MkdirAll(name, 0o700) }

// Free is how many bytes may still be written where a directory lies.
func Free(dir string) (uint64, error) { return osFiles(dir).free() }
