package store

import "encoding/binary"

// The rows of the pebble database. Numbers in keys are big endian, so that
// rows lie in their order.
//
//	f                       ledger.Fixed (record.go)
//	a account(8)            ledger.Account (record.go)
//	h index(8)              Merkle hashes from that stored index on, 32 bytes each
//	o leaf(8)               stream offsets of the frames from that leaf on, 8 bytes each
//	n account(8) number(8)  leaf(8) of the account's entry with that number
//	t account(8) leaf(8)    empty; an applied entry of another that touches the account
//	v volume(4)             start(8) length(8) SHA-256(32) infohash(20) of a full volume,
//	                        and what it adds to its shelf (shelf.go)
//	p volume(4) piece(4)    SHA-1(20) of a piece, the last one as far as it is committed
//	c                       how many commits there were, this one included (count.go)
//	s number(8)             a succession of the log, as the arguments of its change
//	k key                   a role's own record
const (
	rowFixed   = 'f'
	rowAccount = 'a'
	rowHashes  = 'h'
	rowOffsets = 'o'
	rowNumber  = 'n'
	rowTouch   = 't'
	rowVolume  = 'v'
	rowPiece   = 'p'
	rowCount   = 'c'
	rowTerm    = 's'
	rowKey     = 'k'
)

// packMax is how many hashes or offsets one row holds at most. A commit begins
// new rows, so that it writes only what it adds.
const packMax = 64

func key8(row byte, a uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{row}, a)
}

func key16(row byte, a, b uint64) []byte {
	return binary.BigEndian.AppendUint64(key8(row, a), b)
}

func key4(row byte, a uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{row}, a)
}

func key44(row byte, a, b uint32) []byte {
	return binary.BigEndian.AppendUint32(key4(row, a), b)
}

// after is the least key above every key that begins with prefix, which is not
// all 0xff.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}
