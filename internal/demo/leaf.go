package demo

import (
	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger/wire"
)

// leafHash is the root of a log that holds the charter alone.
func leafHash(charter []byte) wire.Hash { return wire.Hash(tlog.RecordHash(charter)) }
