package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger/wire"
)

// ErrProof is wrapped by the errors of CheckInclusion and CheckConsistency.
var ErrProof = errors.New("the proof does not verify")

// RootAt is the root of the first size leaves (RFC 6962 section 2.1).
func RootAt(size uint64, hashes tlog.HashReader) (wire.Hash, error) {
	if size == 0 || size > wire.IntMax {
		return wire.Hash{}, fmt.Errorf("root at size %d: no such tree", size)
	}
	h, err := tlog.TreeHash(int64(size), hashes)
	if err != nil {
		return wire.Hash{}, fmt.Errorf("root at size %d: %w", size, err)
	}
	return wire.Hash(h), nil
}

// InclusionProof proves that leaf index is in the tree of the first size
// leaves (RFC 6962 section 2.1.1).
func InclusionProof(index, size uint64, hashes tlog.HashReader) (tlog.RecordProof, error) {
	if size > wire.IntMax || index >= size {
		return nil, fmt.Errorf("prove entry %d in a log of %d: no such entry", index, size)
	}
	p, err := tlog.ProveRecord(int64(size), int64(index), hashes)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d in a log of %d: %w", index, size, err)
	}
	return p, nil
}

// CheckInclusion checks that leaf, an entry's bytes or for index 0 the
// charter's, is where the proof says. The error wraps ErrProof.
func CheckInclusion(p tlog.RecordProof, index, size uint64, root wire.Hash, leaf []byte) error {
	if size > wire.IntMax || index >= size {
		return fmt.Errorf("check entry %d in a log of %d: %w", index, size, ErrProof)
	}
	err := tlog.CheckRecord(p, int64(size), tlog.Hash(root), int64(index), tlog.RecordHash(leaf))
	if err != nil {
		return fmt.Errorf("check entry %d in a log of %d: %w", index, size, ErrProof)
	}
	return nil
}

// ConsistencyProof proves that the tree of the first size leaves begins with
// that of the first old leaves (RFC 6962 section 2.1.2).
func ConsistencyProof(old, size uint64, hashes tlog.HashReader) (tlog.TreeProof, error) {
	if old == 0 || old > size || size > wire.IntMax {
		return nil, fmt.Errorf("prove that a log of %d grew from %d: no such sizes", size, old)
	}
	p, err := tlog.ProveTree(int64(size), int64(old), hashes)
	if err != nil {
		return nil, fmt.Errorf("prove that a log of %d grew from %d: %w", size, old, err)
	}
	return p, nil
}

// CheckConsistency checks what ConsistencyProof proved. The error wraps
// ErrProof.
func CheckConsistency(p tlog.TreeProof, old uint64, oldRoot wire.Hash, size uint64, root wire.Hash) error {
	if old == 0 || old > size || size > wire.IntMax {
		return fmt.Errorf("check that a log of %d grew from %d: %w", size, old, ErrProof)
	}
	err := tlog.CheckTree(p, int64(size), tlog.Hash(root), int64(old), tlog.Hash(oldRoot))
	if err != nil {
		return fmt.Errorf("check that a log of %d grew from %d: %w", size, old, ErrProof)
	}
	return nil
}

// tree is the log's Merkle tree with the leaves that were added to it since.
type tree struct {
	stored tlog.HashReader
	first  int64       // stored index of added[0]
	added  []tlog.Hash // hashes since
	roots  map[uint64]wire.Hash
}

// newTree reads the tree of size leaves, and checks that the stored hashes
// give its root: everything later is built on them.
func newTree(size uint64, root wire.Hash, stored tlog.HashReader) (*tree, error) {
	t := &tree{
		stored: stored,
		first:  tlog.StoredHashCount(int64(size)),
		roots:  map[uint64]wire.Hash{},
	}
	got, err := t.root(size)
	if err != nil {
		return nil, err
	}
	if got != root {
		return nil, fmt.Errorf("the stored hashes give the root %s at size %d, not %s", got, size, root)
	}
	return t, nil
}

// append adds leaf number size.
func (t *tree) append(size uint64, leaf []byte) error {
	h, err := tlog.StoredHashes(int64(size), leaf, t)
	if err != nil {
		return fmt.Errorf("add leaf %d: %w", size, err)
	}
	t.added = append(t.added, h...)
	return nil
}

// root is RootAt, remembered. The caller sees to it that size leaves exist.
func (t *tree) root(size uint64) (wire.Hash, error) {
	if h, ok := t.roots[size]; ok {
		return h, nil
	}
	h, err := RootAt(size, t)
	if err == nil {
		t.roots[size] = h
	}
	return h, err
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	var ask []int64 // of the stored
	var to []int    // where the answers go
	for i, x := range indexes {
		switch at := x - t.first; {
		case at < 0:
			ask, to = append(ask, x), append(to, i)
		case at < int64(len(t.added)):
			hashes[i] = t.added[at]
		default:
			return nil, fmt.Errorf("read Merkle hash %d: not made yet", x)
		}
	}
	if len(ask) == 0 {
		return hashes, nil
	}
	old, err := t.stored.ReadHashes(ask)
	if err != nil {
		return nil, err
	}
	if len(old) != len(ask) {
		return nil, fmt.Errorf("read %d Merkle hashes: %d came", len(ask), len(old))
	}
	for i, h := range old {
		hashes[to[i]] = h
	}
	return hashes, nil
}
