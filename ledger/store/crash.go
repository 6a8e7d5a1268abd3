package store

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Cache is block cache that the stores of one simulated world share. Those have
// larger memtables, too, and logs that are quicker to sync: a world makes a
// hundred thousand small commits.
type Cache struct{ blocks *pebble.Cache }

// NewCache makes a cache of so many bytes.
func NewCache(bytes int64) *Cache { return &Cache{pebble.NewCache(bytes)} }

// Close gives up the cache; stores that still use it keep it alive.
func (c *Cache) Close() { c.blocks.Unref() }

// Crashable is the disk of a simulated machine. A power loss keeps what was
// synced. Of the rest of the stream's files it keeps, as the seed will have it,
// all, nothing, a part, or some sectors of each write; of pebble's files
// nothing. The same seed and the same calls give the same disk.
//
// Its methods may be called from any goroutine, but only calls from one
// goroutine replay.
type Crashable struct {
	mu     sync.Mutex
	random *rand.Rand
	cache  *Cache
	mem    *vfs.MemFS
	logs   *crashLogs // mem, where there is a cache
	held   bool       // a store is open

	names   map[string]*model // as running programs see them
	dirs    map[string]bool
	durable map[string]*model // as they are after a power loss
	pending []naming          // from durable to names

	steps   int   // write steps so far
	crashAt int   // the step that crashes; 0: none
	crashed error // ErrCrashed and where; nil while the power is on
	after   *vfs.MemFS

	// Set by the tests that do not replay.
	unsynced int                 // without a cache: percent of pebble's unsynced blocks and names that a power loss keeps
	faults   func(vfs.FS) vfs.FS // between pebble and its files; nil: nothing

	space int64 // bytes that the stream's files may have together; -1: any
	used  int64
	fails [2]failure // stream, pebble
}

// naming is a change to the directory that has not been synced.
type naming struct {
	dir  string
	from string // removed name, or ""
	to   string // name that now means file, or ""
	file *model
}

// failure is an injected error: the write that finds in at 1 gets err.
type failure struct {
	in  int
	err error
}

// NewCrashable makes an empty disk. A nil cache gives each store its own.
func NewCrashable(seed uint64, cache *Cache) *Crashable {
	c := &Crashable{
		random:  rand.New(rand.NewPCG(seed, 0x77656972)),
		cache:   cache,
		names:   map[string]*model{},
		dirs:    map[string]bool{".": true},
		durable: map[string]*model{},
		space:   -1,
	}
	c.mount(vfs.NewCrashableMem())
	return c
}

// mount takes pebble's files.
func (c *Crashable) mount(mem *vfs.MemFS) {
	c.mem, c.logs = mem, nil
	if c.cache != nil {
		c.logs = newCrashLogs(mem)
	}
}

// Steps is the number of write steps so far. Each is counted twice: before
// and after.
func (c *Crashable) Steps() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.steps
}

// CrashAt takes the power away at the step-th write step from now (1 is the
// next). From then on everything returns ErrCrashed, until Restart.
func (c *Crashable) CrashAt(step int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashAt = c.steps + step
}

// Crash takes the power away now.
func (c *Crashable) Crash() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crash("between two steps")
}

// Restart gives the disk as the machine finds it when the power is back, and
// takes the power away first if it is still there. The old disk stays as it is;
// a Store on it must still be closed. Another Restart of it is another machine
// that crashed at the same moment, with other luck.
func (c *Crashable) Restart() *Crashable {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crash("restart")
	r := NewCrashable(c.random.Uint64(), c.cache)
	r.mount(c.after.CrashClone(vfs.CrashCloneCfg{}))
	r.space, r.dirs = c.space, maps.Clone(c.dirs)
	r.unsynced, r.faults = c.unsynced, c.faults
	names := maps.Clone(c.durable)
	// Directory entries reach the disk in order; somewhere in it the power went.
	kept := c.pending[:c.random.IntN(len(c.pending)+1)]
	for _, n := range kept {
		n.apply(names)
	}
	for _, name := range sortedNames(names) {
		m := &model{data: names[name].survivor(c.random)}
		r.names[name], r.durable[name] = m, m
		r.used += int64(len(m.data))
	}
	return r
}

// Fill lets the stream's files together grow by free more bytes before the
// disk is full; a negative number makes it endless. Pebble's files are not
// counted.
func (c *Crashable) Fill(free int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.space = -1
	if free >= 0 {
		c.space = c.used + free
	}
}

// FailStream makes the n-th write or sync of the stream's files from now (1 is
// the next) return err.
func (c *Crashable) FailStream(n int, err error) { c.fail(0, n, err) }

// FailIndex makes the n-th write or sync of pebble's logs and manifests from
// now return err. Which one that is depends on the time: it does not replay.
func (c *Crashable) FailIndex(n int, err error) { c.fail(1, n, err) }

func (c *Crashable) fail(of, n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails[of] = failure{n, err}
}

// Damage inverts the bits of one byte of a file, below every cache.
func (c *Crashable) Damage(name string, off int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.names[name]
	if m == nil || off < 0 || off >= int64(len(m.data)) {
		return fmt.Errorf("damage %s at %d: %w", name, off, fs.ErrNotExist)
	}
	m.data[off] ^= 0xff
	return nil
}

// Close implements Disk.
func (c *Crashable) Close() error { return nil }

func (c *Crashable) acquire() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.crashed != nil {
		return c.crashed
	}
	if c.held {
		return fmt.Errorf("open a simulated disk: %w", ErrLocked)
	}
	c.held = true
	return nil
}

func (c *Crashable) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = false
	return nil
}

func (c *Crashable) files() fileSystem { return modelFiles{c} }

func (c *Crashable) index() (vfs.FS, string, func(bool) error) {
	files := vfs.FS(c.mem)
	if c.logs != nil {
		files = c.logs
	}
	if c.faults != nil {
		files = c.faults(files)
	}
	return files, "/" + indexDir, func(vital bool) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !vital {
			return nil
		}
		return c.injected(1)
	}
}

func (c *Crashable) step(at Step, after bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stepped(at, after)
}

// The rest needs mu.

// stepped counts one side of a write step, and crashes if it is the one.
func (c *Crashable) stepped(at Step, after bool) error {
	if c.crashed != nil {
		return c.crashed
	}
	if c.steps++; c.steps == c.crashAt {
		side := "before"
		if after {
			side = "after"
		}
		c.crash(fmt.Sprintf("%s a %s, step %d", side, at, c.steps))
	}
	return c.crashed
}

func (c *Crashable) crash(where string) {
	if c.crashed != nil {
		return
	}
	c.crashed = fmt.Errorf("%w %s", ErrCrashed, where)
	if c.logs != nil {
		c.after = c.logs.crash()
		return
	}
	c.after = c.mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: c.unsynced, RNG: c.random})
}

func (c *Crashable) injected(of int) error {
	f := &c.fails[of]
	if f.in == 0 {
		return nil
	}
	if f.in--; f.in > 0 {
		return nil
	}
	return f.err
}

// note makes a change to the names for running programs.
func (c *Crashable) note(n naming) {
	for _, name := range []string{n.from, n.to} {
		if old := c.names[name]; old != nil && old != n.file {
			c.used -= int64(len(old.data))
		}
	}
	n.apply(c.names)
	c.pending = append(c.pending, n)
}

func (n naming) apply(names map[string]*model) {
	delete(names, n.from)
	if n.to != "" {
		names[n.to] = n.file
	}
}

// settle makes the names in one directory durable.
func (c *Crashable) settle(dir string) {
	c.pending = slices.DeleteFunc(c.pending, func(n naming) bool {
		if n.dir == dir {
			n.apply(c.durable)
		}
		return n.dir == dir
	})
}

func sortedNames(m map[string]*model) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
