package store

import (
	"errors"
	"fmt"
	"slices"

	"weir/ledger/wire"
)

// Report is what an audit found. The counts are of what was computed again, not
// of what was recorded.
type Report struct {
	Size    uint64    // leaves, the charter included
	Root    wire.Hash // of the tree of Size leaves: compare it with a signed checkpoint
	Length  uint64    // stream bytes
	Sum     int64     // of all balances
	Entries uint64
	Batches uint64 // as the times of entries tell them apart
	Members int
	Volumes int // the tail included
	Pieces  int
	Hashes  uint64 // stored Merkle hashes compared
	Rows    uint64 // rows of the index compared
	Records uint64 // records of the role, which are not looked into

	// Findings is what is wrong, a line each with its place, in the order in
	// which it was found. Empty: everything holds. After findingsMax the audit
	// stops.
	Findings []string
}

const findingsMax = 100

// OK says that nothing was found.
func (r *Report) OK() bool { return len(r.Findings) == 0 }

// errStop ends an audit whose report says why.
var errStop = errors.New("the audit cannot go on")

// find adds a finding, once; errStop when there are enough.
func (r *Report) find(format string, args ...any) error {
	if text := fmt.Sprintf(format, args...); !slices.Contains(r.Findings, text) {
		r.Findings = append(r.Findings, text)
	}
	if len(r.Findings) >= findingsMax {
		return errStop
	}
	return nil
}

// stop adds a finding after which there is nothing to go on with.
func (r *Report) stop(format string, args ...any) error {
	_ = r.find(format, args...)
	return errStop
}
