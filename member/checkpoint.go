package member

import (
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Checkpoint is the newest signed checkpoint that a follower's log has
// reached; false: none yet, or a manager's own store.
func Checkpoint(s *store.Store) (wire.Checkpoint, bool) {
	c, ok, err := readRecord[wire.Checkpoint](s, keyCheckpoint)
	return c, ok && err == nil
}
