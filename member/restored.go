package member

import (
	"fmt"
	"time"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// A directory that was restored from a copy, or made anew from a key's words, may
// have forgotten changes that the key has signed. Under their numbers it must not
// sign others: so it signs nothing until a Member that has the newest log has
// fetched the key's own outbox from the DHT, and has taken over what waits there.

// restoredRecord says that a store is such a copy.
type restoredRecord struct {
	Why  string `json:"why"`
	When int64  `json:"when"` // Unix ms
	// TakeOver: the owner has said that this device goes on. What contradicts the
	// log or the DHT is given up, and stops nobody.
	TakeOver bool `json:"take_over,omitempty"`
}

// Restored writes down that a member's store was restored, and from what, in words
// that complete "this directory was restored from …". Whoever restores one calls it
// before anything else opens the store.
func Restored(s *store.Store, why string, now time.Time) error {
	if err := s.Commit(nil, record(keyRestored, restoredRecord{Why: why, When: now.UnixMilli()})); err != nil {
		return fmt.Errorf("write down that the directory was restored: %w", err)
	}
	return nil
}

// Bare says whether nothing was ever signed, restored or taken over in a store.
func Bare(s *store.Store) (bool, error) {
	for _, key := range []string{keyOutbox, keyItem, keyRestored, keyAdopted} {
		if _, ok, err := s.Get(key); err != nil || ok {
			return false, err
		}
	}
	return true, nil
}

func (r restoredRecord) err() error {
	if r.TakeOver {
		return fmt.Errorf("%w: this device takes the account over, and first looks what the network has of yours. Leave weir member run running until weir member status says that it has looked", ErrRestored)
	}
	return fmt.Errorf("%w: it was restored from %s, and first looks what the network has of yours. Leave weir member run running until weir member status says that it has looked", ErrRestored, r.Why)
}

// Adoption is what the look at the own outbox on the DHT came to.
type Adoption struct {
	Why      string   `json:"why"`                 // what the directory was restored from; "": it took over
	Time     int64    `json:"time"`                // Unix ms
	After    uint64   `json:"after"`               // newest number of the log then
	First    uint64   `json:"first"`               // the changes that were taken over from the DHT
	Last     uint64   `json:"last"`                // First - 1: none
	Own      uint64   `json:"own,omitempty"`       // newest number that waited here already; 0: none
	GivenUp  []Signed `json:"given_up,omitempty"`  // what contradicted the log or the DHT
	Unread   string   `json:"unread,omitempty"`    // why nothing of what is on the DHT could be read
	TakeOver bool     `json:"take_over,omitempty"` // the owner had said that this device goes on
}

// Signed is a change that was signed under a number which another one has.
type Signed struct {
	Number uint64 `json:"number"`
	Change []byte `json:"change"`
}

// Result shows a change that was given up.
func (s Signed) Result() Result {
	r := Result{Number: s.Number, Outcome: Waiting}
	if c, err := wire.ParseChange(s.Change); err == nil {
		r.Change = c
	}
	return r
}

// Restored says whether the store was restored, and from what, or takes over, and has
// not looked yet.
func (d *Desk) Restored() (why string, takesOver, ok bool, err error) {
	r, ok, err := readRecord[restoredRecord](d.Store, keyRestored)
	return r.Why, r.TakeOver, ok, err
}

// WillTakeOver writes down that this device goes on, whatever another one did with the
// key: a Member that has the newest log does it, with what waits on the DHT under the
// key and goes together with the log. What contradicts either is given up; the caller
// has asked. Adoption says what came of it, as soon as Restored says that it has
// looked. It needs no more than the public key.
func (d *Desk) WillTakeOver() error {
	if _, err := d.Account(); err != nil {
		return err
	}
	if _, err := d.owned(); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	now := restoredRecord{When: d.Now().UnixMilli(), TakeOver: true}
	if err := d.Store.Commit(nil, store.KV{Key: keyForeign}, record(keyRestored, now)); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	return nil
}

// Adoption is the last one; false: there was none.
func (d *Desk) Adoption() (Adoption, bool, error) {
	return readRecord[Adoption](d.Store, keyAdopted)
}
