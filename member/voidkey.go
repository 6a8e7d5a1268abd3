package member

import (
	"errors"
	"fmt"
	"time"

	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Entries that become void may have given an account another key. Then it is its
// key's of before again: whoever lost it by such an entry goes on, and whoever got
// it has to get it anew.

// held is which entries of an account are the own key's, of a log that is taken back.
type held struct {
	own   bool   // the key has the account at the end, or had it in what becomes void
	given bool   // by an entry that becomes void
	good  uint64 // number of the account's newest entry that stands
	after uint64 // the own ones are those after this number
	last  uint64 // and up to this one
}

// held finds the own account and what this key signed of it beyond size leaves.
func (d *Desk) held(size uint64) (ledger.Account, held, error) {
	own, st := d.Identity.Public(), d.Store.State()
	a, ok := st.ByKey(own)
	if !ok {
		a, ok = st.ByFormerKey(own)
	}
	if !ok || a.Number == 0 {
		return a, held{}, nil
	}
	h := held{good: a.Last}
	for ; h.good > 0; h.good-- {
		e, ok, err := d.Store.Find(a.Number, h.good)
		if err == nil && !ok {
			err = fmt.Errorf("number %d: %w", h.good, ErrNotFound)
		}
		if err != nil {
			return a, h, err
		}
		if e.Index < size {
			break
		}
	}
	ends := []uint64{} // the account's newest number at each void entry that gave it another key
	if a.Rekeyed > 0 || len(a.FormerKeys) > 0 {
		last := h.good
		if err := d.Store.Entries(size, func(e ledger.Decided) bool {
			if e.Entry.Account == a.Number {
				last = e.Entry.Number
			}
			if e.Entry.Kind == wire.KindRekey && e.Entry.Verdict == wire.Applied {
				if r, err := wire.ParseRekeyEffect(e.Entry.Effect); err == nil && r.Account == a.Number {
					ends = append(ends, last)
				}
			}
			return true
		}); err != nil {
			return a, h, err
		}
	}
	all := a.Keys()
	all = all[max(0, len(all)-1-len(ends)):] // the key that stands, and those that void entries gave
	ends = append(ends, a.Last)
	h.after = h.good
	for i, k := range all {
		if h.last = ends[i]; k == own {
			h.own, h.given = true, i > 0
			return a, h, nil
		}
		h.after = h.last
	}
	return a, held{}, nil
}

// signedAfter is what this key signed after its newest entry; nil: another device
// did, or what is here does not fit the log.
func (d *Desk) signedAfter(a ledger.Account, h held) (*outbox.Sender, error) {
	if h.last == a.Last && a.Key == d.Identity.Public() {
		s, err := d.ready()
		switch {
		case errors.Is(err, ErrRestored):
		case errors.Is(err, ErrOtherDevice):
			return nil, nil
		default:
			return s, err
		}
	}
	if why, err := d.Foreign(); err != nil || why != "" {
		return nil, err
	}
	at := a
	if at.Last = h.last; h.last < a.Last {
		at.Chain = wire.Hash{}
		if h.last > 0 {
			e, ok, err := d.Store.Find(a.Number, h.last)
			if err != nil || !ok {
				return nil, err
			}
			at.Chain = e.Entry.Chain
		}
	}
	s, err := d.unlooked(at)
	if err != nil {
		return nil, nil // what the directory holds does not fit the log: the look on the DHT decides
	}
	return s, nil
}

// lost is changes that were signed after entries that are void, of a key that had the
// account before: what they follow cannot be handed over by this one.
type lost struct {
	Time    int64    `json:"time"` // Unix ms
	Changes []Signed `json:"changes"`
}

// losing gives up what can never be taken.
func (d *Desk) losing(a ledger.Account, h held, later []wire.Message, now int64) []store.KV {
	gone := lost{Time: now}
	for n := h.after + 1; n <= h.last; n++ {
		e, ok, err := d.Store.Find(a.Number, n)
		if err != nil || !ok {
			continue
		}
		change, _, _ := d.Store.Get(refusedKey(n))
		if e.Body != nil {
			change = e.Body.Change
		}
		gone.Changes = append(gone.Changes, Signed{n, change})
	}
	for i, m := range later {
		gone.Changes = append(gone.Changes, Signed{h.last + 1 + uint64(i), m.Change})
	}
	return []store.KV{{Key: keyOutbox}, {Key: keyOwed}, record(keyLost, gone), record(keyUnkeyed, unkeyed{a.Number, a.Name})}
}

// lostNumbers is the numbers of changes that were lately given up so.
func (d *Desk) lostNumbers() (numbers []uint64) {
	gone, ok, err := readRecord[lost](d.Store, keyLost)
	if err != nil || !ok || d.Now().Sub(time.UnixMilli(gone.Time)) >= voidShown {
		return nil
	}
	for _, c := range gone.Changes {
		numbers = append(numbers, c.Number)
	}
	return numbers
}

// unkeyed is the account that a void entry had given to this key.
type unkeyed struct {
	Account uint64 `json:"account"`
	Name    string `json:"name"`
}

// unkeyed says why this key has no account any more; "": it never had one.
func (d *Desk) unkeyed() string {
	u, ok, err := readRecord[unkeyed](d.Store, keyUnkeyed)
	if err != nil || !ok {
		return ""
	}
	return fmt.Sprintf("the manager's key was replaced, and the entry that gave account %d, %s, to the key of this device is void. "+
		"Show the manager what weir member code prints here, and ask for weir manager rekey once more; or go on on the device with the key of before", u.Account, u.Name)
}

// outlived says whether an outbox is of when this key got its account. It is not when
// a void entry had given it, and the key of before signed others under its numbers
// until the manager gave it anew: then its changes are given up.
func (d *Desk) outlived(a ledger.Account, outboxBytes []byte) (bool, error) {
	s, err := outbox.ParseSnapshot(outboxBytes)
	if err != nil || s.First > a.Rekeyed {
		return err == nil, err
	}
	gone := lost{Time: d.Now().UnixMilli()}
	for i, m := range s.Messages {
		gone.Changes = append(gone.Changes, Signed{s.First + uint64(i), m.Change})
	}
	kv := []store.KV{{Key: keyOutbox}, {Key: keyOwed}}
	if len(gone.Changes) > 0 {
		kv = append(kv, record(keyLost, gone))
		for _, c := range gone.Changes {
			kv = append(kv, store.KV{Key: voidKey(c.Number)})
		}
	}
	return false, d.Store.Commit(nil, kv...)
}
