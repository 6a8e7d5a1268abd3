package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/wire"
)

// ReadStream reads stream bytes from an absolute offset on, across volumes, up
// to the committed length: a read that ends there is short, with io.EOF.
func (s *Store) ReadStream(p []byte, off uint64) (int, error) {
	if err := s.enter(); err != nil {
		return 0, fmt.Errorf("read the stream at %d: %w", off, err)
	}
	defer s.leave()
	l := s.layout.Load()
	if off >= l.length {
		return 0, io.EOF
	}
	n := int(min(uint64(len(p)), l.length-off))
	if err := s.readStream(l, p[:n], off); err != nil {
		return 0, fmt.Errorf("read the stream at %d: %w", off, err)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readStream reads exactly p, which the layout has.
func (s *Store) readStream(l *layout, p []byte, off uint64) error {
	for len(p) > 0 {
		number := l.find(off)
		v := l.volume(number)
		n := min(uint64(len(p)), v.start+v.length-off)
		f, err := s.disk.files().open(volumeName(number))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		err = readFull(f, p[:n], int64(off-v.start))
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: %s ends early", ErrDamaged, volumeName(number))
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		p, off = p[n:], off+n
	}
	return nil
}

// ReadHashes implements tlog.HashReader over the committed log.
func (s *Store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if err := s.enter(); err != nil {
		return nil, fmt.Errorf("read Merkle hashes: %w", err)
	}
	defer s.leave()
	end := tlog.StoredHashCount(int64(s.layout.Load().size))
	return s.edge.read(indexes, func(missing []int64) ([]tlog.Hash, error) {
		return readHashes(s.index.db, missing, end)
	})
}

// edge remembers the Merkle hashes that were asked for last, or after a commit
// those of the log's right edge, which are asked for next. A stored hash never
// changes, and from one commit to the next most of the right edge is the same.
type edge struct {
	mu     sync.Mutex
	hashes map[int64]tlog.Hash // of one call, edgeMax at most; guarded by mu
}

const edgeMax = 64

func (e *edge) read(indexes []int64, from func([]int64) ([]tlog.Hash, error)) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	var missing []int64
	var places []int
	e.mu.Lock()
	for i, x := range indexes {
		h, ok := e.hashes[x]
		if hashes[i] = h; !ok {
			missing, places = append(missing, x), append(places, i)
		}
	}
	e.mu.Unlock()
	if len(missing) == 0 {
		return hashes, nil
	}
	read, err := from(missing)
	if err != nil {
		return nil, err
	}
	for i, h := range read {
		hashes[places[i]] = h
	}
	if len(indexes) <= edgeMax {
		next := make(map[int64]tlog.Hash, len(indexes))
		for i, x := range indexes {
			next[x] = hashes[i]
		}
		e.mu.Lock()
		e.hashes = next
		e.mu.Unlock()
	}
	return hashes, nil
}

// grow remembers the right edge of a log that batches have made longer, as far
// as it is in them or was remembered.
func (e *edge) grow(batches []*ledger.Batch) {
	next := make(map[int64]tlog.Hash)
	e.mu.Lock()
	defer e.mu.Unlock()
	for at, left := uint64(0), batches[len(batches)-1].Size; left > 0; {
		level := bits.Len64(left) - 1
		x := tlog.StoredHashIndex(level, int64(at>>level))
		at, left = at+1<<level, left-1<<level
		h, ok := e.hashes[x]
		for _, b := range batches {
			if i := x - b.FirstHash; i >= 0 && i < int64(len(b.Hashes)) {
				h, ok = b.Hashes[i], true
			}
		}
		if ok {
			next[x] = h
		}
	}
	e.hashes = next
}

// readHashes reads stored hashes with indexes below end.
func readHashes(r rows, indexes []int64, end int64) (_ []tlog.Hash, err error) {
	p, err := newPacked(r, rowHashes, tlog.HashSize)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= end {
			return nil, fmt.Errorf("read Merkle hash %d: there are %d", x, end)
		}
		h, err := p.at(uint64(x))
		if err != nil {
			return nil, err
		}
		hashes[i] = tlog.Hash(h)
	}
	return hashes, nil
}

// RootAt is the root of the first size leaves.
func (s *Store) RootAt(size uint64) (wire.Hash, error) {
	if n := s.layout.Load().size; size > n {
		return wire.Hash{}, fmt.Errorf("root at size %d: the log has %d", size, n)
	}
	return ledger.RootAt(size, s)
}

// Fingerprint is a hash over everything that is committed: stream and rows,
// never over pebble's own files. Two runs of one simulated world agree on it.
func (s *Store) Fingerprint() (wire.Hash, error) {
	if err := s.enter(); err != nil {
		return wire.Hash{}, fmt.Errorf("hash the contents: %w", err)
	}
	defer s.leave()
	l := s.layout.Load()
	h := sha256.New()
	buffer := make([]byte, 64<<10)
	for off := uint64(0); off < l.length; {
		n := min(uint64(len(buffer)), l.length-off)
		if err := s.readStream(l, buffer[:n], off); err != nil {
			return wire.Hash{}, fmt.Errorf("hash the contents: %w", err)
		}
		h.Write(buffer[:n])
		off += n
	}
	it, err := s.index.db.NewIter(nil)
	if err != nil {
		return wire.Hash{}, fmt.Errorf("hash the contents: %w", err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if it.Key()[0] == rowCount {
			continue
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return wire.Hash{}, fmt.Errorf("hash the contents: %w", err)
		}
		for _, b := range [][]byte{it.Key(), v} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
			h.Write(b)
		}
	}
	return wire.Hash(h.Sum(nil)), it.Error()
}
