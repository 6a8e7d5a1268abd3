package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// gate stands between pebble and its file system. Pebble answers a failed write
// to its log or manifest by ending the process (Logger.Fatalf, a panic, or an
// unlock of what is not locked). A store must be able to say ErrBroken instead,
// so such a failure never gets back to pebble, not even while it is opened: the
// gate is tripped, the goroutine that met the failure waits for ever, and so
// does every later one that would write. The pebble database is then abandoned,
// with no way left to touch the files that the next Open takes over.
//
// Failures at tables are passed on: pebble tries those again by itself. It does
// so for ever, so the index trips the gate where somebody waits for it.
type gate struct {
	vfs.FS
	inject func(vital bool) error // nil, or asked before each write

	writes  sync.RWMutex // held for reading by each write, for writing to trip
	once    sync.Once
	tripped chan struct{} // closed by trip
	err     error         // why; set before tripped is closed

	mu   sync.Mutex
	open map[*gateFile]bool // files and directories that can be written; guarded by mu
}

func newGate(fs vfs.FS, inject func(vital bool) error) *gate {
	return &gate{FS: fs, inject: inject, tripped: make(chan struct{}), open: map[*gateFile]bool{}}
}

// trip closes the gate for good, behind the writes that are under way.
func (g *gate) trip(err error) {
	g.once.Do(func() {
		g.writes.Lock()
		defer g.writes.Unlock()
		g.err = err
		close(g.tripped)
	})
}

// broken is why the gate was tripped, or nil.
func (g *gate) broken() error {
	select {
	case <-g.tripped:
		return g.err
	default:
		return nil
	}
}

// write does one write to the named file.
func (g *gate) write(name string, do func() error) error {
	vital := !strings.HasSuffix(name, ".sst") && !strings.HasSuffix(name, ".blob")
	err := g.pass(func() error {
		if g.inject != nil {
			if err := g.inject(vital); err != nil {
				return err
			}
		}
		return do()
	})
	if err != nil && vital {
		g.trip(fmt.Errorf("write %s: %w", g.PathBase(name), err))
		g.stop()
	}
	return err
}

// pass does what changes files, unless the gate is tripped.
func (g *gate) pass(do func() error) error {
	g.writes.RLock()
	if g.broken() != nil {
		g.writes.RUnlock()
		g.stop()
	}
	defer g.writes.RUnlock()
	return do()
}

// stop lets nobody past a tripped gate.
func (g *gate) stop() {
	if g.broken() != nil {
		select {}
	}
}

func (g *gate) file(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	w := &gateFile{File: f, gate: g, name: name}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[w] = true
	return w, nil
}

// abandon closes what was open for writing when the gate was tripped. Whoever
// would write to it waits for ever and does not see that.
func (g *gate) abandon() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for f := range g.open {
		errs = append(errs, f.File.Close())
	}
	clear(g.open)
	return errors.Join(errs...)
}

// The writing half of vfs.FS. Remove is not among it: a file that is left
// behind is removed at the next Open.

func (g *gate) Create(name string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	err = g.write(name, func() error { f, err = g.FS.Create(name, c); return err })
	return g.file(name, f, err)
}

func (g *gate) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (f vfs.File, err error) {
	err = g.write(name, func() error { f, err = g.FS.OpenReadWrite(name, c, o...); return err })
	return g.file(name, f, err)
}

func (g *gate) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (f vfs.File, err error) {
	err = g.write(to, func() error { f, err = g.FS.ReuseForWrite(from, to, c); return err })
	return g.file(to, f, err)
}

func (g *gate) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	return g.file(name, f, err)
}

func (g *gate) Rename(from, to string) error {
	return g.write(to, func() error { return g.FS.Rename(from, to) })
}

func (g *gate) Link(from, to string) error {
	return g.write(to, func() error { return g.FS.Link(from, to) })
}

func (g *gate) Remove(name string) error {
	return g.pass(func() error { return g.FS.Remove(name) })
}

func (g *gate) RemoveAll(name string) error {
	return g.pass(func() error { return g.FS.RemoveAll(name) })
}

// List reads a directory. Where that fails pebble gives up opening and closes
// its caches, under a compaction that may have begun and that ends the process
// then.
func (g *gate) List(dir string) ([]string, error) {
	names, err := g.FS.List(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.trip(fmt.Errorf("list %s: %w", g.PathBase(dir), err))
		g.stop()
	}
	return names, err
}

// Lock takes no lock: the Disk holds the directory's.
func (g *gate) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (g *gate) Unwrap() vfs.FS { return g.FS }

type gateFile struct {
	vfs.File
	gate *gate
	name string
}

func (f *gateFile) Write(p []byte) (n int, err error) {
	err = f.gate.write(f.name, func() error { n, err = f.File.Write(p); return err })
	return n, err
}

func (f *gateFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.gate.write(f.name, func() error { n, err = f.File.WriteAt(p, off); return err })
	return n, err
}

// Close closes the file, unless abandon did.
func (f *gateFile) Close() error {
	f.gate.mu.Lock()
	open := f.gate.open[f]
	delete(f.gate.open, f)
	f.gate.mu.Unlock()
	if !open {
		return nil
	}
	return f.File.Close()
}

func (f *gateFile) Sync() error     { return f.gate.write(f.name, f.File.Sync) }
func (f *gateFile) SyncData() error { return f.gate.write(f.name, f.File.SyncData) }

func (f *gateFile) SyncTo(length int64) (full bool, err error) {
	err = f.gate.write(f.name, func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}
