package ledger

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"weir/keys"
	"weir/ledger/wire"
)

// grow is a log of n leaves: its hashes, its leaves, its roots by size.
func grow(t *testing.T, n int) (h hashes, leaves [][]byte, roots []wire.Hash) {
	t.Helper()
	roots = append(roots, wire.Hash{})
	for i := range n {
		leaf := fmt.Appendf(nil, "leaf %d", i)
		more, err := tlog.StoredHashes(int64(i), leaf, h)
		if err != nil {
			t.Fatal(err)
		}
		h = append(h, more...)
		root, err := RootAt(uint64(i+1), h)
		if err != nil {
			t.Fatal(err)
		}
		leaves, roots = append(leaves, leaf), append(roots, root)
	}
	return h, leaves, roots
}

func TestEveryLeafIsProvedInEveryTreeThatHasItAndNowhereElse(t *testing.T) {
	h, leaves, roots := grow(t, 20)
	for size := uint64(1); size <= 20; size++ {
		for i := range size {
			p, err := InclusionProof(i, size, h)
			if err != nil {
				t.Fatal(err)
			}
			if err := CheckInclusion(p, i, size, roots[size], leaves[i]); err != nil {
				t.Error(err)
			}
			for name, err := range map[string]error{
				"another leaf":  CheckInclusion(p, i, size, roots[size], []byte("x")),
				"another root":  CheckInclusion(p, i, size, roots[size-1], leaves[i]),
				"another index": CheckInclusion(p, i+1, size, roots[size], leaves[i]),
				"a longer one":  CheckInclusion(append(slices.Clone(p), tlog.Hash{}), i, size, roots[size], leaves[i]),
			} {
				if !errors.Is(err, ErrProof) {
					t.Errorf("leaf %d of %d: %s: %v", i, size, name, err)
				}
			}
		}
	}
}

func TestEveryTreeIsProvedToBeginWithEverySmallerOne(t *testing.T) {
	h, _, roots := grow(t, 20)
	for size := uint64(1); size <= 20; size++ {
		for old := uint64(1); old <= size; old++ {
			p, err := ConsistencyProof(old, size, h)
			if err != nil {
				t.Fatal(err)
			}
			if err := CheckConsistency(p, old, roots[old], size, roots[size]); err != nil {
				t.Error(err)
			}
			if old == size {
				continue
			}
			for name, err := range map[string]error{
				"another old root": CheckConsistency(p, old, roots[old-1], size, roots[size]),
				"another new root": CheckConsistency(p, old, roots[old], size, roots[old]),
				"turned around":    CheckConsistency(p, size, roots[size], old, roots[old]),
				"no proof":         CheckConsistency(nil, old, roots[old], size, roots[size]),
			} {
				if !errors.Is(err, ErrProof) {
					t.Errorf("%d to %d: %s: %v", old, size, name, err)
				}
			}
		}
	}
}

func TestSizesThatCannotBeAreErrorsAndNotPanics(t *testing.T) {
	h, leaves, roots := grow(t, 3)
	huge := uint64(1)<<63 + 1
	for name, err := range map[string]error{
		"root of nothing":            second(RootAt(0, h)),
		"root past integers":         second(RootAt(huge, h)),
		"inclusion in nothing":       second(InclusionProof(0, 0, h)),
		"inclusion past the end":     second(InclusionProof(3, 3, h)),
		"inclusion past integers":    second(InclusionProof(huge, huge+1, h)),
		"consistency from nothing":   second(ConsistencyProof(0, 3, h)),
		"consistency backwards":      second(ConsistencyProof(3, 2, h)),
		"consistency past integers":  second(ConsistencyProof(1, huge, h)),
		"check past the end":         CheckInclusion(nil, 3, 3, roots[3], leaves[0]),
		"check past integers":        CheckInclusion(nil, huge, huge+1, roots[3], leaves[0]),
		"check growth from nothing":  CheckConsistency(nil, 0, roots[0], 3, roots[3]),
		"check growth past integers": CheckConsistency(nil, 1, roots[1], huge, roots[3]),
		"root of unread hashes":      second(RootAt(3, failing{})),
		"inclusion of unread hashes": second(InclusionProof(1, 3, failing{})),
		"growth of unread hashes":    second(ConsistencyProof(1, 3, failing{})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// A log of the tests' world verifies with tlog alone.
func TestEntriesAndCharterAreTheLeaves(t *testing.T) {
	both(t, entriesAreTheLeaves)
}

func entriesAreTheLeaves(t *testing.T, key *keys.ReadKey) {
	w := busy(t, key)
	founding := len(charterFrame(w.charter))
	frames := append([]wire.Frame{{Entry: w.charter}}, w.plain(w.stream[founding:], uint64(founding))...)
	if uint64(len(frames)) != w.state.Size {
		t.Fatalf("%d frames of %d leaves", len(frames), w.state.Size)
	}
	for i, f := range frames {
		p, err := tlog.ProveRecord(int64(w.state.Size), int64(i), w.hashes)
		if err != nil {
			t.Fatal(err)
		}
		err = tlog.CheckRecord(p, int64(w.state.Size), tlog.Hash(w.state.Root), int64(i), tlog.RecordHash(f.Entry))
		if err != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
	}
}

func TestATreeAnswersOnlyForHashesThatExist(t *testing.T) {
	h, _, roots := grow(t, 5)
	tr, err := newTree(5, roots[5], h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.ReadHashes([]int64{int64(len(h))}); err == nil {
		t.Error("a hash that is not made yet")
	}
	short := tlog.HashReaderFunc(func([]int64) ([]tlog.Hash, error) { return nil, nil })
	if _, err := newTree(5, roots[5], short); err == nil {
		t.Error("a reader that gives fewer hashes than asked for")
	}
}
