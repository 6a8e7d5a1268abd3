package member

import (
	"weir/internal/lookup"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Checkpoint is the newest signed checkpoint that a follower's log has
// reached; false: none yet, or a manager's own store.
func Checkpoint(s *store.Store) (wire.Checkpoint, bool) {
	c, ok, err := readRecord[wire.Checkpoint](s, keyCheckpoint)
	return c, ok && err == nil
}

// SignedHead is the newest head that a follower's log has reached, as it was
// signed; false: none yet, or a manager's own store.
func SignedHead(s *store.Store) (lookup.Item, bool, error) {
	r, ok, err := readRecord[itemRecord](s, keyHead)
	if err != nil || !ok {
		return lookup.Item{}, false, err
	}
	terms, err := Terms(s) // a head of older keys is not kept
	if err != nil {
		return lookup.Item{}, false, err
	}
	return r.item(terms.Newest().Manager, s.State().ID.Salt()), true, nil
}

// Unfollow takes a follower's records out of a store, for whoever goes on with it
// as its manager.
func Unfollow() []store.KV {
	return []store.KV{{Key: keyHead}, {Key: keyCheckpoint}, {Key: keyStopped}, {Key: keySuccession}}
}
