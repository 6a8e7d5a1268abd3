package ledger

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"

	"weir/ledger/wire"
)

// The order of a batch: account 0 first, all of its acts. Then rounds over the
// members, sorted by SHA-256(root before the batch ‖ key), which nobody can
// choose; each one's next change a round. A member whose change fails a limit
// leaves the rounds, since somebody may still pay it in this batch. When the
// rounds are over, the same rounds over those members, from that change on,
// are final. An account's entries are in number order.

// waiting is what a member has left in a merge.
type waiting struct {
	account uint64
	rank    int // in the order
	place   [sha256.Size]byte
	changes []Candidate
}

// order gives the acts of account 0, and the members that have anything
// waiting in the order of this batch. Accounts that do not exist yet wait for
// the next.
func (s *State) order(queues []Queue) (acts []Candidate, members []*waiting, err error) {
	given := make(map[uint64]bool, len(queues))
	for _, q := range queues {
		if given[q.Account] {
			return nil, nil, fmt.Errorf("two queues of account %d", q.Account)
		}
		given[q.Account] = true
		a, ok := s.Account(q.Account)
		switch {
		case !ok || len(q.Changes) == 0:
		case q.Account == managerAccount:
			acts = q.Changes
		default:
			w := &waiting{account: q.Account, place: place(s.Root, a), changes: q.Changes}
			members = append(members, w)
		}
	}
	slices.SortFunc(members, func(a, b *waiting) int {
		return bytes.Compare(a.place[:], b.place[:])
	})
	for i, w := range members {
		w.rank = i
	}
	return acts, members, nil
}

func place(root wire.Hash, a Account) [sha256.Size]byte {
	return sha256.Sum256(append(root[:], a.Key[:]...))
}

// outcome is what became of a member's next change.
type outcome int

const (
	entered  outcome = iota // it is an entry
	held                    // over quota: it and what follows stay in the queue
	deferred                // it fails a limit, and not for good
)

// rounds takes the members' next changes in turns until nothing more is
// taken, and gives the members whose change was deferred, in the order.
func rounds(members []*waiting, take func(*waiting) (outcome, error)) ([]*waiting, error) {
	var left []*waiting
	for len(members) > 0 {
		var again []*waiting
		for _, w := range members {
			result, err := take(w)
			if err != nil {
				return nil, err
			}
			switch result {
			case entered:
				if w.changes = w.changes[1:]; len(w.changes) > 0 {
					again = append(again, w)
				}
			case deferred:
				left = append(left, w)
			}
		}
		members = again
	}
	slices.SortFunc(left, func(a, b *waiting) int { return cmp.Compare(a.rank, b.rank) })
	return left, nil
}
