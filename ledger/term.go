package ledger

import (
	"slices"

	"weir/keys"
	"weir/ledger/wire"
)

// Terms are the manager's keys from the charter's on, in the order of their
// numbers and sizes. The first is the charter's: number 0, size 0, unsigned.
// Each holds for logs that are larger than its size.
type Terms []wire.Succeed

// CharterTerms is the manager's keys before any succession.
func CharterTerms(c *wire.Charter) Terms {
	return Terms{{Succession: wire.Succession{Manager: c.Manager, Log: c.Log, Seal: c.Seal}}}
}

// Newest is the keys that the manager has now.
func (t Terms) Newest() wire.Succeed { return t[len(t)-1] }

// At is the keys of a log of some size.
func (t Terms) At(size uint64) wire.Succeed {
	for i := len(t) - 1; i > 0; i-- {
		if t[i].Size < size {
			return t[i]
		}
	}
	return t[0]
}

// LogKey signs the checkpoint of a log of some size.
func (t Terms) LogKey(size uint64) keys.LogPublic { return t.At(size).Log }

// With is the terms as a succession makes them that is known and may not be in
// the log yet: what the older ones signed beyond its size is void. One that is
// no newer than the newest, or nil, changes nothing.
func (t Terms) With(known *wire.Succeed) Terms {
	if known == nil || !known.After(t.Newest()) {
		return t
	}
	kept := slices.Clone(t)
	for len(kept) > 1 && kept.Newest().Size >= known.Size {
		kept = kept[:len(kept)-1]
	}
	return append(kept, *known)
}

// follow says whether numbers and sizes grow, within a log of some size.
func (t Terms) follow(size uint64) bool {
	for i, s := range t[1:] {
		if s.Number <= t[i].Number || s.Size <= t[i].Size || s.Size >= size {
			return false
		}
	}
	return true
}

// Terms is the manager's keys as the log has them.
func (s *State) Terms() Terms { return slices.Clone(s.terms) }

// LogKey signs the checkpoint of a log of some size, as this log has it.
func (s *State) LogKey(size uint64) keys.LogPublic { return s.terms.LogKey(size) }

// succession gives the manager other keys. It stands where it says, and the
// recovery key signed it.
type succession struct {
	wire.Succeed
	root wire.Hash // of the log before it
}

func (s *succession) judge(d *draft, signer *Account) wire.Verdict {
	switch {
	case signer.Number != managerAccount,
		s.Size != d.Size, s.Root != s.root,
		s.Number <= d.term().Number,
		!s.Verify(d.base.ID, d.base.Charter.Recovery):
		return wire.NotPermitted
	case d.keyUsed(s.Manager), d.keyUsed(keys.Public(s.Log)):
		return wire.KeyInUse
	}
	return wire.Applied
}

func (s *succession) apply(d *draft, _ int64) {
	a := d.touch(managerAccount)
	a.rekey(s.Manager, s.Seal)
	a.Rekeyed-- // the succession itself is the new key's
	d.byKey[s.Manager] = managerAccount
	d.terms = append(d.terms, s.Succeed)
}

func (s *succession) effect() []byte { return s.Effect().Encode() }

// term is the manager's keys as the draft has them.
func (d *draft) term() wire.Succeed {
	if len(d.terms) > 0 {
		return d.terms.Newest()
	}
	return d.base.terms.Newest()
}

// managerKey says whether a key is the recovery key, or is or was the manager's
// log key.
func (d *draft) managerKey(k keys.Public) bool {
	if k == d.base.Charter.Recovery {
		return true
	}
	for _, terms := range []Terms{d.base.terms, d.terms} {
		for _, t := range terms {
			if keys.LogPublic(k) == t.Log {
				return true
			}
		}
	}
	return false
}
