package member

import (
	"fmt"

	"weir/ledger/outbox"
	"weir/ledger/wire"
)

// What another device did with the key keeps this one from writing. It can still
// read what it signed itself.

// Foreign says what was met that another device made; "": nothing yet. Waiting
// looks.
func (d *Desk) Foreign() (string, error) {
	why, _, err := readRecord[string](d.Store, keyForeign)
	return why, err
}

// Kept is every change that was signed here and is not in the log, oldest first,
// also where Waiting is ErrOtherDevice: then the log may have another one under
// its number.
func (d *Desk) Kept() ([]Result, error) {
	a, err := d.Account()
	if err != nil {
		return nil, err
	}
	b, ok, err := d.Store.Get(keyOutbox)
	if err != nil || !ok {
		return nil, err
	}
	s, err := outbox.ParseSnapshot(b)
	if err != nil {
		return nil, err
	}
	rec, _, err := readRecord[outboxRecord](d.Store, keyItem)
	if err != nil {
		return nil, err
	}
	var kept []Result
	chain := s.Before
	for i, m := range s.Messages {
		number := s.First + uint64(i)
		chain = wire.ChainNext(chain, m.Change)
		if number <= a.Last {
			in, err := d.taken(a.Number, number, chain)
			if err != nil {
				return nil, err
			}
			if in {
				continue
			}
		}
		kept = append(kept, rec.waits(number, m))
	}
	return kept, nil
}

// taken says whether the log has under a number the change that was signed here,
// after the same ones.
func (d *Desk) taken(account, number uint64, chain wire.Hash) (bool, error) {
	e, ok, err := d.Store.Find(account, number)
	if err != nil {
		return false, fmt.Errorf("number %d: %w", number, err)
	}
	return ok && e.Entry.Chain == chain, nil
}

// waits is a change that was signed here and waits, as far as this item tells.
func (r *outboxRecord) waits(number uint64, m wire.Message) Result {
	out := Result{Number: number, Outcome: Waiting}
	if r.Nodes > 0 && number <= r.Last {
		out.Outcome = Seen
	}
	if c, err := wire.ParseChange(m.Change); err == nil {
		out.Change = c
	}
	return out
}
