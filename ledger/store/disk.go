package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Disk is where one store lives: a directory of the operating system (OS), or
// the disk of a simulated machine (Crashable).
type Disk interface {
	// Close gives up the lock, if it is still held. Closing the Store does so
	// too; Open and Create on the same Disk take it again.
	Close() error

	// acquire takes the exclusive lock for one store; release gives it up.
	acquire() error
	release() error
	// files has FORMAT, charter and stream.
	files() fileSystem
	// index is pebble's file system and directory there. inject, if not nil, is
	// asked before each write to it; vital is false for tables.
	index() (fs vfs.FS, dir string, inject func(vital bool) error)
	// step is told of a write step that is not a call of fileSystem's, before
	// and after it.
	step(at Step, after bool) error
}

// Step is a kind of write step: a moment at which a power loss is of interest.
type Step string

// The write steps of this package.
const (
	StepWrite Step = "write" // bytes into a file of the stream
	StepCut   Step = "cut"   // a file of the stream made shorter
	StepSync  Step = "sync"  // a file or directory
	StepName  Step = "name"  // a file made, renamed or removed
	StepBatch Step = "batch" // the synced pebble batch
	StepZero  Step = "zero"  // a deleted body, at a sweep (later)
)

// fileSystem is what this package asks of a disk beside pebble's vfs. Names
// are slash-separated and relative to the store's directory. Errors are those
// of package os: fs.ErrNotExist is recognised.
type fileSystem interface {
	open(name string) (file, error)
	create(name string) (file, error) // opens it if it exists
	rename(from, to string) error
	remove(name string) error    // a file
	removeAll(name string) error // a directory and what is in it; not an error if absent
	list(dir string) ([]string, error)
	mkdir(name string) error // not an error if it exists
	syncDir(dir string) error
	free() (uint64, error) // bytes that may still be written
}

type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Size() (int64, error)
	Close() error
}

// readFile reads a whole small file; more than max bytes is ErrDamaged.
func readFile(d fileSystem, name string, max int64) ([]byte, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := f.Size()
	if err != nil {
		return nil, err
	}
	if n > max {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d are possible", ErrDamaged, name, n, max)
	}
	b := make([]byte, n)
	if err := readFull(f, b, 0); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// writeFile makes the file whole or not at all, and durable.
func writeFile(d fileSystem, name string, b []byte) error {
	temporary := name + ".new"
	if err := d.remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := d.create(temporary)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := d.rename(temporary, name); err != nil {
		return err
	}
	return d.syncDir(".")
}

// readFull reads exactly p; a file that ends before is io.ErrUnexpectedEOF.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
