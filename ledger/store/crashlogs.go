package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// crashLogs is a MemFS that does not copy the whole of a log of pebble's at each
// sync, which costs the more the larger the memtables are. It notes how far a log
// is synced, and a power loss copies that much. A log is only ever appended to, or
// begun anew, so what was synced stays as it was.
type crashLogs struct {
	*vfs.MemFS

	mu   sync.Mutex // held for every change to the names of logs, and for a power loss
	logs map[string]*crashLog
}

func newCrashLogs(mem *vfs.MemFS) *crashLogs {
	return &crashLogs{MemFS: mem, logs: map[string]*crashLog{}}
}

// crashLog is a log that is written to.
type crashLog struct {
	vfs.File
	mu      sync.Mutex
	written int // bytes
	synced  int // of them
}

func (f *crashLog) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.File.Write(b)
	f.written += n
	return n, err
}

func (f *crashLog) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.synced = f.written
	return nil
}

func (f *crashLog) SyncData() error { return f.Sync() }

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func (c *crashLogs) Create(name string, of vfs.DiskWriteCategory) (vfs.File, error) {
	if !isLog(name) {
		return c.MemFS.Create(name, of)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.MemFS.Create(name, of)
	return c.begin(name, f, err)
}

func (c *crashLogs) ReuseForWrite(from, to string, of vfs.DiskWriteCategory) (vfs.File, error) {
	if !isLog(to) {
		return c.MemFS.ReuseForWrite(from, to, of)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.MemFS.ReuseForWrite(from, to, of)
	delete(c.logs, from)
	return c.begin(to, f, err)
}

func (c *crashLogs) begin(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	c.logs[name] = &crashLog{File: f}
	return c.logs[name], nil
}

func (c *crashLogs) Remove(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.logs, name)
	return c.MemFS.Remove(name)
}

// crash gives the files as a power loss leaves them.
func (c *crashLogs) crash() *vfs.MemFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	after := c.CrashClone(vfs.CrashCloneCfg{})
	for name, log := range c.logs {
		if _, err := after.Stat(name); err != nil {
			continue // its name was not synced
		}
		if err := c.copy(name, log, after); err != nil {
			panic(fmt.Sprintf("store: a simulated power loss: %v", err)) // in memory nothing else fails
		}
	}
	return after
}

// copy copies what is synced of a log.
func (c *crashLogs) copy(name string, log *crashLog, to *vfs.MemFS) error {
	log.mu.Lock()
	defer log.mu.Unlock()
	b, err := c.UnsafeGetFileDataBuffer(name)
	if err != nil {
		return err
	}
	f, err := to.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(b[:log.synced])
	return errors.Join(err, f.Sync(), f.Close())
}
