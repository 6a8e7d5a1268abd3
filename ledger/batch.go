package ledger

import (
	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger/wire"
)

// Fixed is the part of a State beside its accounts, as a store keeps it.
type Fixed struct {
	Size, Length, Volume uint64
	Volumes              int
	Root                 wire.Hash
	Time                 int64
	Accepted, Refused    uint64
}

// Decided is one entry of a batch as it was made or read.
type Decided struct {
	Index  uint64 // Merkle leaf
	Offset uint64 // of its frame in the stream
	Entry  wire.Entry
	Body   *wire.Body // nil when blanked
	Frame  int        // bytes of the frame in the stream, sealed or not
}

// Batch is what one merge adds, or one replayed batch added: everything a
// store has to write, in one commit. In a batch that Replay gave, Frames and,
// in a readable database, what Entries hold alias the frames it was given. In an
// encrypted one Frames are sealed; Entries are plain everywhere.
type Batch struct {
	Fixed            // after the batch
	Start     uint64 // stream offset of Frames
	Frames    []byte
	Entries   []Decided   // empty only in Found's batch, whose leaf is the charter
	Hashes    []tlog.Hash // the stored hashes to append, from FirstHash
	FirstHash int64
	Accounts  []Account // every account that changed, as it is after, by number

	Successions []wire.Succeed // of the batch, in order
}
