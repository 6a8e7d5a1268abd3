package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	indexDir = "db"
	// indexFormat is pebble's on-disk format. A later one is taken on purpose,
	// with a new number in FORMAT.
	indexFormat = pebble.FormatValueSeparation

	memTableBytes      = 8 << 20
	memTableBytesSmall = 64 << 10
	memTableBytesWorld = 512 << 10
	cacheBytes         = 32 << 20
	openFilesMax       = 256
)

// waitedTries is how often background work that somebody waits for may fail in
// a row. Pebble itself would try again for ever, without a pause.
const waitedTries = 10

// index is the pebble database behind its gate.
type index struct {
	db      *pebble.DB
	gate    *gate
	reading bool // only: the disk was full

	waiting atomic.Int32 // how many calls cannot go on before background work is done
	failed  atomic.Int32 // times in a row that background work could not be done
}

// access is for what an index is opened.
type access int

const (
	toMake  access = iota // it may not be there
	toWrite               // it must be there
	toRead                // nothing is changed
)

// openIndex opens the database. One that should be there and is not, or does
// not read, is ErrDamaged.
//
// On a full disk what is to be written to is opened to be read: pebble writes
// when it is opened, what it kept in its log first of all, and fills the rest of
// the disk with it. Commit asks for more free space than that by itself, and
// once there is some, a commit breaks the store, so that it is opened again.
func openIndex(d Disk, o Options, to access) (*index, error) {
	full := to == toWrite && crowded(d, o)
	if !full {
		x, err := openPebble(d, o, to)
		if to != toWrite || !errors.Is(err, ErrNoSpace) {
			return x, err
		}
	}
	x, err := openPebble(d, o, toRead)
	if err != nil {
		return nil, err
	}
	x.reading = true
	if o.Event != nil {
		o.Event("index: opened only to be read: " + ErrNoSpace.Error())
	}
	return x, nil
}

// crowded says that no commit would find room. Whoever cannot tell tries.
func crowded(d Disk, o Options) bool {
	free, err := d.files().free()
	return err == nil && !o.Small && free < SpaceKept
}

// openPebble opens the database as it is told to.
func openPebble(d Disk, o Options, to access) (*index, error) {
	files, dir, inject := d.index()
	x := &index{gate: newGate(files, inject)}
	opts := &pebble.Options{
		FS:                 x.gate,
		FormatMajorVersion: indexFormat,
		ReadOnly:           to == toRead,
		ErrorIfNotExists:   to != toMake,
		Logger:             x,
		MemTableSize:       memTableBytes,
		CacheSize:          cacheBytes,
		MaxOpenFiles:       openFilesMax,
		EventListener:      x.listen(o.Event),
	}
	if o.Small {
		opts.MemTableSize = memTableBytesSmall
		opts.CacheSize = memTableBytesSmall
		opts.MaxOpenFiles = 64
		opts.Experimental.FileCacheShards = 1
	}
	if c, ok := d.(*Crashable); ok && c.cache != nil {
		opts.Cache = c.cache.blocks
		opts.MemTableSize = memTableBytesWorld
	}
	x.waiting.Add(1)
	defer x.waiting.Add(-1)
	err := x.until(func() (err error) {
		// A damaged file must not end the process.
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("%w: %v", ErrDamaged, p)
			}
		}()
		x.db, err = pebble.Open(dir, opts)
		return err
	})
	if err != nil {
		if x.gate.broken() != nil {
			err = errors.Join(err, x.gate.abandon())
		}
		if to != toMake && x.gate.broken() == nil && !ofSystem(err) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return nil, fmt.Errorf("open the index: %w", classify(err))
	}
	return x, nil
}

// ofSystem says that an error came from the operating system, and is not about a
// file that is missing: pebble has no one word for what does not fit together.
func ofSystem(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number) && !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrCrashed)
}

// until calls pebble, and waits for it or for the gate: behind a tripped one a
// call may never end.
func (x *index) until(call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return errors.Join(err, x.gate.broken())
	case <-x.gate.tripped:
		return x.gate.err
	}
}

// classify makes pebble's word for damage ours, and that for a full disk.
func classify(err error) error {
	switch {
	case pebble.IsCorruptionError(err), errors.Is(err, pebble.ErrDBDoesNotExist):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case vfs.IsNoSpaceError(err):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

// apply commits a batch durably. After an error nobody knows whether it is there.
func (x *index) apply(b *pebble.Batch) error {
	return x.until(func() error { return x.db.Apply(b, pebble.Sync) })
}

// close closes the database, or abandons one whose gate is tripped.
func (x *index) close() error {
	if x.gate.broken() != nil {
		return x.gate.abandon()
	}
	return x.until(x.db.Close)
}

// Infof, Errorf and Fatalf implement pebble.Logger. Pebble expects Fatalf
// not to return.
func (x *index) Infof(string, ...any)  {}
func (x *index) Errorf(string, ...any) {}
func (x *index) Fatalf(format string, args ...any) {
	x.gate.trip(fmt.Errorf(format, args...))
	x.gate.stop()
}

// listen turns what somebody should know into lines for event, and sees that
// nobody waits for ever for background work that cannot be done.
func (x *index) listen(event func(line string)) *pebble.EventListener {
	if event == nil {
		event = func(string) {}
	}
	line := func(format string, args ...any) {
		event(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
	}
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			// A damaged table holds up nothing but its own compaction.
			if !pebble.IsCorruptionError(err) && x.failed.Add(1) >= waitedTries && x.waiting.Load() > 0 {
				x.gate.trip(fmt.Errorf("background work failed %d times: %w", x.failed.Load(), err))
				return // the next try waits at the gate
			}
			line("index: background work is tried again: %v", err)
		},
		FlushEnd:       func(i pebble.FlushInfo) { x.worked(i.Err) },
		CompactionEnd:  func(i pebble.CompactionInfo) { x.worked(i.Err) },
		DataCorruption: func(i pebble.DataCorruptionInfo) { line("index: damaged: %s", i) },
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) {
			x.waiting.Add(1)
			line("index: writes wait: %s", i)
		},
		WriteStallEnd: func() { x.waiting.Add(-1) },
		WALCreated: func(i pebble.WALCreateInfo) {
			if i.Err != nil {
				line("index: %s", i)
			}
		},
	}
}

// worked is told how background work ended.
func (x *index) worked(err error) {
	if err == nil {
		x.failed.Store(0)
	}
}
