package simnet

import (
	"time"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// Limits of what a node keeps for others, of the size real nodes have.
const (
	itemsMax     = 8192
	itemExpiry   = 2 * time.Hour
	peerExpiry   = 30 * time.Minute
	peerSetsMax  = 1024
	peersPerHash = 64
)

// stored is an item in a node. Items form a list, the longest untouched first,
// which is also the order in which they expire.
type stored struct {
	lookup.Item
	cas         int64 // of the put that brought it
	touched     int64
	older, next *stored
}

// items is what a node stores: bounded, and each for 2 hours after it was last
// put, or as long as the node keeps anything.
type items struct {
	at             map[wire.Target]*stored
	oldest, newest *stored
	expiry         time.Duration
}

// get is the item of a target that has not expired; nil: none.
func (s *items) get(t wire.Target, now int64) *stored {
	if it := s.at[t]; it != nil && now-it.touched < int64(s.expiry) {
		return it
	}
	return nil
}

// put stores an item in the place of the one with its target.
func (s *items) put(it lookup.Item, cas, now int64) {
	if s.at == nil {
		s.at = make(map[wire.Target]*stored)
	}
	if old := s.at[it.Target]; old != nil {
		s.remove(old)
	}
	for s.oldest != nil && (len(s.at) >= itemsMax || now-s.oldest.touched >= int64(s.expiry)) {
		s.remove(s.oldest)
	}
	n := &stored{Item: it, cas: cas}
	s.at[it.Target] = n
	s.append(n, now)
}

// touch begins an item's 2 hours anew.
func (s *items) touch(it *stored, now int64) {
	s.unlink(it)
	s.append(it, now)
}

func (s *items) append(it *stored, now int64) {
	it.touched, it.older, it.next = now, s.newest, nil
	if s.newest != nil {
		s.newest.next = it
	} else {
		s.oldest = it
	}
	s.newest = it
}

func (s *items) remove(it *stored) {
	delete(s.at, it.Target)
	s.unlink(it)
}

func (s *items) unlink(it *stored) {
	if it.older != nil {
		it.older.next = it.next
	} else {
		s.oldest = it.next
	}
	if it.next != nil {
		it.next.older = it.older
	} else {
		s.newest = it.older
	}
}
