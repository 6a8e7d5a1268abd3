package store

import (
	"errors"
	"fmt"
	"strings"

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
	cacheBytes         = 32 << 20
	openFilesMax       = 256
)

// index is the pebble database behind its gate.
type index struct {
	db   *pebble.DB
	gate *gate
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
func openIndex(d Disk, o Options, to access) (x *index, err error) {
	fs, dir, inject := d.index()
	x = &index{gate: newGate(fs, inject)}
	opts := &pebble.Options{
		FS:                 x.gate,
		FormatMajorVersion: indexFormat,
		ReadOnly:           to == toRead,
		ErrorIfNotExists:   to != toMake,
		Logger:             x,
		MemTableSize:       memTableBytes,
		CacheSize:          cacheBytes,
		MaxOpenFiles:       openFilesMax,
		EventListener:      listen(o.Event),
	}
	if o.Small {
		opts.MemTableSize = memTableBytesSmall
		opts.CacheSize = memTableBytesSmall
		opts.MaxOpenFiles = 64
		opts.Experimental.FileCacheShards = 1
	}
	if c, ok := d.(*Crashable); ok && c.cache != nil {
		opts.Cache = c.cache.blocks
	}
	// A damaged file must not end the process.
	defer func() {
		if p := recover(); p != nil {
			x, err = nil, fmt.Errorf("%w: open the index: %v", ErrDamaged, p)
		}
	}()
	x.db, err = pebble.Open(dir, opts)
	x.gate.armed.Store(true)
	if err == nil {
		err = x.gate.broken()
	}
	if err != nil {
		return nil, fmt.Errorf("open the index: %w", classify(err))
	}
	return x, nil
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
	done := make(chan error, 1)
	go func() { done <- x.db.Apply(b, pebble.Sync) }()
	select {
	case err := <-done:
		return errors.Join(err, x.gate.broken())
	case <-x.gate.tripped:
		return x.gate.err
	}
}

// close closes the database, or abandons one whose gate is tripped.
func (x *index) close() error {
	if err := x.gate.broken(); err != nil {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- x.db.Close() }()
	select {
	case err := <-done:
		return err
	case <-x.gate.tripped:
		return x.gate.err
	}
}

// Infof, Errorf and Fatalf implement pebble.Logger. Pebble expects Fatalf
// not to return; where the gate lets it, the caller gives back the error.
func (x *index) Infof(string, ...any)  {}
func (x *index) Errorf(string, ...any) {}
func (x *index) Fatalf(format string, args ...any) {
	x.gate.trip(fmt.Errorf(format, args...))
	x.gate.stop()
}

// listen turns what somebody should know into lines for event.
func listen(event func(line string)) *pebble.EventListener {
	if event == nil {
		event = func(string) {}
	}
	line := func(format string, args ...any) {
		event(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " "))
	}
	return &pebble.EventListener{
		BackgroundError: func(err error) { line("index: background work is tried again: %v", err) },
		DataCorruption:  func(i pebble.DataCorruptionInfo) { line("index: damaged: %s", i) },
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) { line("index: writes wait: %s", i) },
		WALCreated: func(i pebble.WALCreateInfo) {
			if i.Err != nil {
				line("index: %s", i)
			}
		},
	}
}
