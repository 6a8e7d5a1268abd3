package member

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger/wire"
)

// frontier is the right edge of a Merkle tree: the roots of its complete
// subtrees, largest first. It gives the root of a log that is read once from
// front to back, in memory that grows with the logarithm of its size
// (RFC 6962 section 2.1).
type frontier struct {
	size  uint64
	roots []tlog.Hash
	kept  kept // of the hashes that are made on the way, those whose index it has
}

// newFrontier is the edge of the first size leaves of a stored tree.
func newFrontier(size uint64, stored tlog.HashReader) (frontier, error) {
	f := frontier{size: size}
	var indexes []int64
	for at, left := uint64(0), size; left > 0; {
		level := bits.Len64(left) - 1
		indexes = append(indexes, tlog.StoredHashIndex(level, int64(at>>level)))
		at += 1 << level
		left -= 1 << level
	}
	var err error
	if len(indexes) > 0 {
		f.roots, err = stored.ReadHashes(indexes)
	}
	return f, err
}

// append adds a leaf.
func (f *frontier) append(leaf []byte) {
	h := tlog.RecordHash(leaf)
	f.keep(0, f.size, h)
	for level, n := 1, f.size; n&1 != 0; level, n = level+1, n>>1 {
		last := len(f.roots) - 1
		h = tlog.NodeHash(f.roots[last], h)
		f.roots = f.roots[:last]
		f.keep(level, n>>1, h)
	}
	f.roots = append(f.roots, h)
	f.size++
}

// keep keeps the hash of subtree n of a level, if it is to be kept.
func (f *frontier) keep(level int, n uint64, h tlog.Hash) {
	if f.kept == nil {
		return
	}
	x := tlog.StoredHashIndex(level, int64(n))
	if _, ok := f.kept[x]; ok {
		f.kept[x] = h
	}
}

// root is the root of the tree; that of no leaves is not asked for.
func (f *frontier) root() wire.Hash {
	last := len(f.roots) - 1
	h := f.roots[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return wire.Hash(h)
}
