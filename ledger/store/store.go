package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// Options tune a store.
type Options struct {
	// Small is for simulated worlds of many stores: 64 KiB memtables and a small
	// cache (or as a Crashable with a Cache has them), no free space held back.
	Small bool
	// ReadKey is the read key of an encrypted database, and nil for a readable
	// one: else, or if it opens nothing, ErrReadKey. It keeps strangers out of
	// the published stream, and does not protect this disk: the index holds
	// accounts, names and balances in plain. That is what a disk's own encryption
	// is for.
	ReadKey *keys.ReadKey
	// Event, if not nil, gets a line for people when something happens that
	// is nobody's error: background work that is tried again, writes that have
	// to wait for it. It is called from any goroutine.
	Event func(line string)
}

// Store is one database on a disk: the stream in volume files, and a pebble
// database with the Merkle hashes, accounts, an index of entries and the
// role's own records. One goroutine owns it for State, Commit and Close; all
// else may be called from any.
type Store struct {
	disk    Disk
	options Options
	charter []byte
	index   *index

	// Of the owner's goroutine.
	state    *ledger.State
	tail     *tail
	commits  uint64 // that the index has
	promised uint64 // as countFile has it: commits, or one less
	counts   file   // countFile; nil: not opened yet

	edge   edge
	layout atomic.Pointer[layout] // what is committed, replaced by Commit

	files sync.RWMutex // held by File's writes, and by Commit while it moves guard
	guard guard        // guarded by files
	named bool         // names in the stream's directory are not synced yet; guarded by files

	mu      sync.Mutex
	reading sync.WaitGroup // calls that use the index; Add under mu
	failed  error          // why nothing works any more, or nil; guarded by mu
}

// layout is what is committed of the stream. It does not change; a commit makes
// the next one.
type layout struct {
	size   uint64   // leaves
	length uint64   // stream bytes
	full   []volume // the full volumes; elements are never changed
	start  uint64   // of the tail
	pieces []byte   // SHA-1 of the tail's whole pieces; bytes are never changed
	last   [20]byte // of the short piece at the end, if there is one

	rewinds int // how often the log was taken back since the store was opened
}

// tailLength is the committed bytes of the tail.
func (l *layout) tailLength() uint64 { return l.length - l.start }

// Create founds a store from a charter's bytes, which the caller has compared
// with an id. A disk that has one is ErrExists; one where an earlier Create
// was interrupted is begun again. ErrReadKey comes before anything is written;
// whether the key of an encrypted database is the right one shows in the first
// frame that follows.
func Create(d Disk, charter []byte, o Options) (*Store, error) {
	s, err := create(d, charter, o)
	if err != nil {
		return nil, fmt.Errorf("make a store: %w", err)
	}
	return s, nil
}

func create(d Disk, charter []byte, o Options) (_ *Store, err error) {
	charter = append([]byte(nil), charter...)
	state, batch, err := ledger.Found(charter, o.ReadKey)
	if err != nil {
		return nil, err
	}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	s := &Store{disk: d, options: o, charter: charter, state: state}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.abandon())
		}
	}()
	files := d.files()
	if err := prepare(files); err != nil {
		return nil, err
	}
	if err := writeFile(files, charterFile, charter); err != nil {
		return nil, err
	}
	if s.index, err = openIndex(d, o, toMake); err != nil {
		return nil, err
	}
	s.layout.Store(&layout{})
	s.tail = newTail()
	if err := s.beginCounts(); err != nil { // of a making that was interrupted before
		return nil, err
	}
	if err := s.commit([]*ledger.Batch{batch}, nil, true); err != nil {
		return nil, err
	}
	if err := s.promise(); err != nil {
		return nil, err
	}
	if err := writeFormat(files, true); err != nil {
		return nil, err
	}
	return s, nil
}

// Open opens the store on a disk, and cuts its stream to the committed length,
// or keeps a download behind it (KeepAhead).
// ErrNotFound, ErrLocked, ErrVersion, ErrDamaged, ErrReadKey.
//
// Open checks what is cheap: that no commit is missing, lengths, the charter,
// the root, the last piece. Damage elsewhere is Audit's. Before it has seen that
// nothing is missing it cuts nothing.
func Open(d Disk, o Options) (*Store, error) {
	s, err := open(d, o, toWrite)
	if err != nil {
		return nil, fmt.Errorf("open a store: %w", err)
	}
	return s, nil
}

// open opens a store; one to be only read is not cut.
func open(d Disk, o Options, to access) (_ *Store, err error) {
	if err := d.acquire(); err != nil {
		return nil, err
	}
	s := &Store{disk: d, options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.abandon())
		}
	}()
	files := d.files()
	format, err := readFormat(files)
	if errors.Is(err, ErrNotFound) && !errors.Is(err, errBegun) {
		if lost := strangers(files); lost != nil { // FORMAT alone
			err = lost
		}
	}
	if err != nil {
		return nil, err
	}
	if s.charter, err = readFile(files, charterFile, wire.ItemBytesMax); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if s.index, err = openIndex(d, o, to); err != nil {
		return nil, err
	}
	if err := s.loadCounts(format); err != nil {
		return nil, err
	}
	if to == toRead {
		return s, nil
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if s.index.reading {
		return s, nil
	}
	if err := s.upgrade(format); err != nil {
		return nil, err
	}
	if err := s.promise(); err != nil {
		return nil, err
	}
	return s, nil
}

// load reads what the index says, and makes the files fit it.
func (s *Store) load() error {
	fixed, err := loadFixed(s.index.db)
	if err != nil {
		return err
	}
	accounts, err := loadAccounts(s.index.db)
	if err != nil {
		return err
	}
	terms, err := loadTerms(s.index.db)
	if err != nil {
		return err
	}
	s.state, err = ledger.Load(s.charter, s.options.ReadKey, fixed, accounts, terms...)
	switch {
	case errors.Is(err, ErrReadKey):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	l, err := loadLayout(s.index.db, fixed)
	if err != nil {
		return err
	}
	s.layout.Store(l)
	s.guard = guard{len(l.full), int64(l.tailLength())}
	if err := s.cut(l); err != nil {
		return err
	}
	if s.tail, err = s.resumeTail(l); err != nil {
		return err
	}
	leaf, err := s.ReadHashes([]int64{0})
	if err != nil {
		return err
	}
	if leaf[0] != tlog.RecordHash(s.charter) {
		return fmt.Errorf("%w: %s is not the one that the store was founded on", ErrDamaged, charterFile)
	}
	root, err := s.RootAt(fixed.Size)
	if err != nil {
		return err
	}
	if root != fixed.Root {
		return fmt.Errorf("%w: the stored hashes give the root %s, not %s", ErrDamaged, root, fixed.Root)
	}
	return s.tryKey(s.index.db, l, s.state)
}

// Close closes the store and gives up the disk's lock. A second Close does
// nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	if errors.Is(s.failed, ErrClosed) {
		s.mu.Unlock()
		return nil
	}
	broken := s.failed != nil
	s.failed = ErrClosed
	s.mu.Unlock()
	if !broken {
		// In a broken store a reader may wait for ever.
		s.reading.Wait()
	}
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.abandon(); err != nil && !broken {
		return fmt.Errorf("close a store: %w", err)
	}
	return nil
}

// abandon closes what is open.
func (s *Store) abandon() error {
	var err error
	if s.index != nil {
		err = s.index.close()
	}
	if s.counts != nil {
		err = errors.Join(err, s.counts.Close())
	}
	return errors.Join(err, s.disk.release())
}

// enter begins a call that reads; leave must follow unless it gives an error.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		if err := s.index.gate.broken(); err != nil {
			s.failed = fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	if s.failed != nil {
		return s.failed
	}
	s.reading.Add(1)
	return nil
}

func (s *Store) leave() { s.reading.Done() }

// fail makes everything fail from now on but Close.
func (s *Store) fail(err error) error {
	err = fmt.Errorf("%w, since a write may or may not have reached the disk: %w", ErrBroken, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
	return err
}

// Charter is the charter's bytes. They are not to be changed.
func (s *Store) Charter() []byte { return s.charter }

// State is the live state. It belongs to the owner's goroutine; only Commit
// changes it.
func (s *Store) State() *ledger.State { return s.state }
