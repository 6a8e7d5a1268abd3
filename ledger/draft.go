package ledger

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"weir/keys"
	"weir/ledger/wire"
)

// draft is a State and what a merge or a replay has added to it, until the
// caller adopts the batches. It copies only the accounts that it touches.
type draft struct {
	Fixed
	base     *State
	tree     *tree
	accounts map[uint64]*touched
	count    uint64 // accounts there are
	byKey    map[keys.Public]uint64
	byName   map[string]uint64 // folded
	sum      int64
	terms    Terms // successions since

	// Of the batch being made.
	batch   int // its number in this draft
	start   uint64
	hashed  int // tree.added that belong to earlier batches
	entries []Decided
	termed  int      // terms that belong to earlier batches
	changed []uint64 // accounts
}

type touched struct {
	Account
	batch int // that touched it last
}

func newDraft(s *State, hashes tlog.HashReader) (*draft, error) {
	t, err := newTree(s.Size, s.Root, hashes)
	if err != nil {
		return nil, err
	}
	return &draft{
		Fixed:    s.Fixed,
		base:     s,
		tree:     t,
		accounts: map[uint64]*touched{},
		count:    uint64(len(s.accounts)),
		byKey:    map[keys.Public]uint64{},
		byName:   map[string]uint64{},
		sum:      s.sum,
		start:    s.Length,
	}, nil
}

// account gives an account to read; nil when there is none.
func (d *draft) account(number uint64) *Account {
	if t, ok := d.accounts[number]; ok {
		return &t.Account
	}
	if number < uint64(len(d.base.accounts)) {
		return &d.base.accounts[number]
	}
	return nil
}

// member is account, but nil for account 0 too.
func (d *draft) member(number uint64) *Account {
	if number == managerAccount {
		return nil
	}
	return d.account(number)
}

// touch gives an account that exists, to change.
func (d *draft) touch(number uint64) *Account {
	t, ok := d.accounts[number]
	if !ok {
		t = &touched{Account: d.base.accounts[number], batch: -1}
		d.accounts[number] = t
	}
	if t.batch != d.batch {
		t.batch = d.batch
		d.changed = append(d.changed, number)
	}
	return &t.Account
}

// admit adds the next account.
func (d *draft) admit(a Account) {
	d.accounts[a.Number] = &touched{Account: a, batch: d.batch}
	d.changed = append(d.changed, a.Number)
	d.byKey[a.Key] = a.Number
	d.byName[foldName(a.Name)] = a.Number
	d.count = a.Number + 1
}

// keyUsed says whether a key is or was an account's, or has another use.
func (d *draft) keyUsed(k keys.Public) bool {
	_, old := d.base.keyed[k]
	_, added := d.byKey[k]
	return old || added || d.managerKey(k)
}

// named gives the account that has or had a name.
func (d *draft) named(name string) (number uint64, ok bool) {
	folded := foldName(name)
	if number, ok = d.byName[folded]; !ok {
		number, ok = d.base.byName[folded]
	}
	return number, ok
}

// sweepDue says whether the next entry must be a sweep.
func (d *draft) sweepDue() bool { return d.Length-d.Volume > d.base.cut }

// append makes an entry the next of the batch: its leaf, its effect (a nil act
// is a refused entry's), its account's numbers and quota. leaf is the entry's
// bytes, frame the length of its frame.
func (d *draft) append(e wire.Entry, leaf []byte, body *wire.Body, a act, frame int) error {
	if err := d.tree.append(d.Size, leaf); err != nil {
		return err
	}
	signer := d.touch(e.Account)
	signer.Last, signer.Chain = e.Number, e.Chain
	signer.count(e.Time, a != nil, e.Verdict == wire.UnknownHistory && d.term().Number > 0)
	if e.Kind == wire.KindSweep && a != nil {
		d.Volume = d.Length
		d.Volumes++
	}
	d.entries = append(d.entries, Decided{
		Index:  d.Size,
		Offset: d.Length,
		Entry:  e,
		Body:   body,
		Frame:  frame,
	})
	d.Size++
	d.Length += uint64(frame)
	if a == nil {
		d.Refused++
		return nil
	}
	d.Accepted++
	a.apply(d, e.Time)
	if d.sum != 0 {
		return fmt.Errorf("the balances sum to %d, not zero", d.sum)
	}
	return nil
}

// finish ends the batch; frames are all its frames. The draft goes on after
// it.
func (d *draft) finish(frames []byte) (*Batch, error) {
	if uint64(len(frames)) != d.Length-d.start {
		return nil, errors.New("the frames are not as long as their entries say")
	}
	root, err := d.tree.root(d.Size)
	if err != nil {
		return nil, err
	}
	d.Root = root
	b := &Batch{
		Fixed:     d.Fixed,
		Start:     d.start,
		Frames:    frames,
		Entries:   d.entries,
		Hashes:    slices.Clone(d.tree.added[d.hashed:]),
		FirstHash: d.tree.first + int64(d.hashed),
		Accounts:  make([]Account, len(d.changed)),

		Successions: slices.Clone(d.terms[d.termed:]),
	}
	d.termed = len(d.terms)
	slices.Sort(d.changed)
	for i, n := range d.changed {
		b.Accounts[i] = d.accounts[n].Account
	}
	d.batch++
	d.start, d.hashed = d.Length, len(d.tree.added)
	d.entries, d.changed = nil, d.changed[:0]
	return b, nil
}
