package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"weir/keys"
	"weir/ledger/wire"
)

// State is the database after some number of entries. It is not safe for
// concurrent use; Merge and Replay do not change it, Adopt does.
type State struct {
	Charter *wire.Charter
	ID      wire.ID
	Digest  wire.Digest
	ReadKey *keys.ReadKey // of an encrypted database; nil in a readable one

	// Fixed is promoted: Size is the entries, the charter included, Root that
	// of the tree of Size leaves; Length is the stream's bytes, Volume the
	// stream offset at which the tail begins, Volumes the full volumes before
	// the tail; Time is the newest batch's (at first the charter's), Unix ms;
	// Accepted and Refused count entries, account 0's included, so that Size
	// is always one more than their sum.
	Fixed

	accounts []Account // by number
	terms    Terms
	keyed    map[keys.Public]uint64 // by every key that an account has or had
	byName   map[string]uint64      // by every name, folded; account 0 has none
	sum      int64
	cut      uint64 // a tail longer than this is swept; wire.VolumeBytes outside tests
}

// Found makes a new database: its state, which holds leaf 0 already and must
// not Adopt the batch, and the batch with the stream's first frame, the first
// Merkle hash and account 0. Charter is kept, not copied. The read key is that
// of an encrypted database, nil for a readable one; else ErrReadKey.
func Found(charter []byte, key *keys.ReadKey) (*State, *Batch, error) {
	s, err := newState(charter, key)
	if err != nil {
		return nil, nil, fmt.Errorf("found a database: %w", err)
	}
	frame := charterFrame(charter)
	leaf := tlog.RecordHash(charter)
	s.Fixed = Fixed{
		Size:   1,
		Length: uint64(len(frame)),
		Root:   wire.Hash(leaf),
		Time:   s.Charter.Created,
	}
	s.put(s.founder())
	return s, &Batch{
		Fixed:    s.Fixed,
		Frames:   frame,
		Hashes:   []tlog.Hash{leaf},
		Accounts: s.Accounts(),
	}, nil
}

// Load rebuilds a state from what a store kept: Fixed as it was in the last
// Batch, every account, in any order, and the successions, in theirs. The read
// key is as for Found.
func Load(charter []byte, key *keys.ReadKey, fixed Fixed, accounts []Account, successions ...wire.Succeed) (*State, error) {
	s, err := newState(charter, key)
	if err != nil {
		return nil, fmt.Errorf("load a database: %w", err)
	}
	s.Fixed = fixed
	s.terms = append(s.terms, successions...)
	sorted := slices.Clone(accounts)
	slices.SortFunc(sorted, func(a, b Account) int { return cmp.Compare(a.Number, b.Number) })
	for i, a := range sorted {
		if a.Number != uint64(i) {
			return nil, fmt.Errorf("load a database: account %d is missing or there twice", min(a.Number, uint64(i)))
		}
		if !s.free(a) {
			return nil, fmt.Errorf("load a database: account %d has another's key or name", i)
		}
		s.put(a)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("load a database: %w", err)
	}
	return s, nil
}

// free says whether nothing that an account has or had is another's.
func (s *State) free(a Account) bool {
	for _, k := range append(a.formerKeys(), a.Key) {
		if _, used := s.keyed[k]; used {
			return false
		}
	}
	for _, name := range append(a.EarlierNames(), a.Name) {
		if _, used := s.byName[foldName(name)]; used && a.Number != managerAccount {
			return false
		}
	}
	return true
}

// check is what must hold of every state.
func (s *State) check() error {
	tail := s.Volume <= s.Length
	counted := s.Size == 1+s.Accepted+s.Refused
	switch {
	case len(s.accounts) == 0 || s.accounts[managerAccount].Key != s.terms.Newest().Manager:
		return errors.New("account 0 is not the charter's manager, or its newest successor")
	case !s.terms.follow(s.Size):
		return errors.New("the successions do not follow each other")
	case s.sum != 0:
		return fmt.Errorf("the balances sum to %d, not zero", s.sum)
	case s.Size == 0 || s.Size > wire.IntMax || !tail || !counted || s.Volumes < 0:
		return errors.New("size, length and counts do not fit each other")
	}
	return nil
}

func newState(charter []byte, key *keys.ReadKey) (*State, error) {
	c, err := wire.ParseCharter(charter)
	if err != nil {
		return nil, err
	}
	if err := checkReadKey(c, key); err != nil {
		return nil, err
	}
	return &State{
		Charter: c,
		ID:      wire.CharterID(charter),
		Digest:  wire.CharterDigest(charter),
		ReadKey: cloneKey(key),
		keyed:   map[keys.Public]uint64{},
		byName:  map[string]uint64{},
		terms:   CharterTerms(c),
		cut:     wire.VolumeBytes,
	}, nil
}

// founder is account 0 as the charter makes it.
func (s *State) founder() Account {
	return Account{
		Number:   managerAccount,
		Key:      s.Charter.Manager,
		Seal:     s.Charter.Seal,
		Admitted: s.Charter.Created,
	}
}

func charterFrame(charter []byte) []byte {
	return wire.AppendFrame(nil, wire.Frame{State: wire.BodyBlanked, Entry: charter})
}

// Account gives an account by number.
func (s *State) Account(number uint64) (Account, bool) {
	if number >= uint64(len(s.accounts)) {
		return Account{}, false
	}
	return s.accounts[number], true
}

// ByKey gives the account of a publish key that signs for it.
func (s *State) ByKey(k keys.Public) (Account, bool) {
	n, ok := s.keyed[k]
	if !ok || s.accounts[n].Key != k {
		return Account{}, false
	}
	return s.accounts[n], true
}

// ByFormerKey gives the account for which a publish key signed before it was
// replaced.
func (s *State) ByFormerKey(k keys.Public) (Account, bool) {
	n, ok := s.keyed[k]
	if !ok || s.accounts[n].Key == k {
		return Account{}, false
	}
	return s.accounts[n], true
}

// ByName gives the member that has or had a name, A-Z and a-z alike. A name
// never becomes another member's.
func (s *State) ByName(name string) (Account, bool) {
	n, ok := s.byName[foldName(name)]
	if !ok {
		return Account{}, false
	}
	return s.accounts[n], true
}

// Accounts is a copy of all accounts by number, account 0 first.
func (s *State) Accounts() []Account { return slices.Clone(s.accounts) }

// Members is how many accounts there are without account 0.
func (s *State) Members() int { return len(s.accounts) - 1 }

// Sum is the sum of all balances: always 0.
func (s *State) Sum() int64 { return s.sum }

// Adopt makes the state what the batch says. Batches are adopted in order,
// each once; another is a mistake of the caller's, and panics.
func (s *State) Adopt(b *Batch) {
	if b.Start != s.Length || b.Size != s.Size+uint64(len(b.Entries)) {
		panic(fmt.Sprintf("ledger: adopt a batch at %d in a state of %d bytes", b.Start, s.Length))
	}
	s.Fixed = b.Fixed
	s.terms = append(s.terms, b.Successions...)
	for _, a := range b.Accounts {
		s.put(a)
	}
}

// put replaces an account, or appends the next.
func (s *State) put(a Account) {
	if a.Number < uint64(len(s.accounts)) {
		old := &s.accounts[a.Number]
		s.sum += a.Balance - old.Balance
		same := old.Key == a.Key && old.Name == a.Name
		*old = a
		if same {
			return
		}
	} else {
		s.sum += a.Balance
		s.accounts = append(s.accounts, a)
	}
	for _, k := range append(a.formerKeys(), a.Key) {
		s.keyed[k] = a.Number
	}
	if a.Number == managerAccount {
		return
	}
	for _, name := range append(a.EarlierNames(), a.Name) {
		s.byName[foldName(name)] = a.Number
	}
}
