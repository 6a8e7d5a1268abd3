package member

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/wire"
)

// Proof shows that a leaf is in the log that the manager signed (RFC 6962,
// section 2.1.1).
type Proof struct {
	Index      uint64
	Leaf       []byte           // the entry's bytes
	Hash       tlog.Hash        // of the leaf: SHA-256(0x00 ‖ Leaf)
	Path       tlog.RecordProof // from the leaf's sibling up
	Checkpoint wire.Checkpoint  // the newest that the log here has reached
}

// Prove gives the proof of an entry against the newest signed checkpoint that the
// log here has reached; false: it has reached none that covers the entry.
func (d *Desk) Prove(index uint64) (Proof, bool, error) {
	c, ok := Checkpoint(d.Store)
	if !ok || index >= c.Size {
		return Proof{}, false, nil
	}
	e, err := d.Store.Entry(index)
	if err != nil {
		return Proof{}, false, fmt.Errorf("prove entry %d: %w", index, err)
	}
	leaf, err := e.Entry.Encode()
	if err != nil {
		return Proof{}, false, fmt.Errorf("prove entry %d: %w", index, err)
	}
	path, err := ledger.InclusionProof(index, c.Size, d.Store)
	if err != nil {
		return Proof{}, false, err
	}
	p := Proof{Index: index, Leaf: leaf, Hash: tlog.RecordHash(leaf), Path: path, Checkpoint: c}
	if err := ledger.CheckInclusion(path, index, c.Size, c.Root, leaf); err != nil {
		return Proof{}, false, fmt.Errorf("the log here is not what the manager signed: %w", err)
	}
	return p, true, nil
}
