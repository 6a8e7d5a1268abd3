package manager

import (
	"errors"
	"fmt"
	"io"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// A succession gives the database's manager other keys, when those of before are
// stolen or lost (SPEC section 10). It is made in three steps, each of which can
// be done again after a crash: SignSuccession signs the item with the recovery
// key and keeps it; Succeed takes the log back to the size in it, and writes it
// into the log; a Manager with the new keys puts the item, and goes on.

const succeeded = "the key in this directory is not the manager's any more: succession %d, signed by the recovery key, replaced it after entry %d, and what this key signs counts for nothing. " +
	"This one has stopped publishing, for good. If you did not replace the key, ask whoever holds the recovery key."

// ErrRecovery: the words are not those of the recovery key in the charter.
var ErrRecovery = errors.New("these are not the words of this database's recovery key")

// ErrSweep: a log cannot be taken back to where only a sweep may follow.
var ErrSweep = errors.New("a new volume begins behind this entry, and nothing else can follow it; choose the entry before or after it")

// Pending is a succession that was signed here and is not in the log yet; false:
// there is none.
func Pending(s *store.Store) (wire.Succeed, bool, error) {
	p, ok, err := readRecord[wire.Succeed](s, keySuccession)
	if err != nil || !ok || !p.After(s.State().Terms().Newest()) {
		return wire.Succeed{}, false, err
	}
	return p, true, nil
}

// SignSuccession signs and keeps a succession: the log stands up to size leaves,
// and goes on under another identity. known is the newest one that the DHT has,
// or nil; the new one replaces it. One that is pending here for the same identity
// and size, or in the log, is given again.
func SignSuccession(s *store.Store, to, recovery *keys.Identity, size uint64, known *wire.Succeed, now time.Time) (wire.Succeed, error) {
	st := s.State()
	switch {
	case recovery.Public() != st.Charter.Recovery:
		return wire.Succeed{}, ErrRecovery
	case size == 0 || size > st.Size:
		return wire.Succeed{}, fmt.Errorf("sign a succession: there is no entry %d; the log has %d", entriesOf(size), entriesOf(st.Size))
	}
	if newest := st.Terms().Newest(); newest.Manager == to.Public() && newest.Size == size {
		return newest, nil // it is in the log already
	}
	if err := unused(st, to); err != nil {
		return wire.Succeed{}, fmt.Errorf("sign a succession: %w", err)
	}
	if size < st.Size {
		next, err := s.Entry(size)
		if err != nil {
			return wire.Succeed{}, fmt.Errorf("sign a succession: %w", err)
		}
		if next.Entry.Kind == wire.KindSweep && next.Entry.Verdict == wire.Applied {
			return wire.Succeed{}, ErrSweep
		}
	}
	newest := st.Terms().Newest()
	pending, ok, err := Pending(s)
	if err != nil {
		return wire.Succeed{}, err
	}
	if ok && pending.Manager == to.Public() && pending.Size == size && (known == nil || !known.After(pending)) {
		return pending, nil
	}
	for _, other := range []*wire.Succeed{known, &pending} {
		if other != nil && other.After(newest) {
			newest = *other
		}
	}
	root, err := s.RootAt(size)
	if err != nil {
		return wire.Succeed{}, fmt.Errorf("sign a succession: %w", err)
	}
	signed, err := wire.SignSuccession(wire.Succession{
		Number: newest.Number + 1, Manager: to.Public(), Log: to.LogPublic(), Seal: to.SealPublic(), Size: size, Root: root,
	}, st.ID, max(newest.Seq+1, now.UnixMilli()), recovery.Publish)
	if err != nil {
		return wire.Succeed{}, fmt.Errorf("sign a succession: %w", err)
	}
	if err := s.Commit(nil, record(keySuccession, signed)); err != nil {
		return wire.Succeed{}, fmt.Errorf("keep a succession: %w", err)
	}
	return signed, nil
}

// unused says whether an identity has no part in the database yet.
func unused(st *ledger.State, id *keys.Identity) error {
	for _, k := range []keys.Public{id.Public(), keys.Public(id.LogPublic())} {
		_, is := st.ByKey(k)
		_, was := st.ByFormerKey(k)
		if is || was || k == st.Charter.Recovery {
			return errors.New("the key that is to take over has a part in this database already, and would not be taken; make a new one")
		}
	}
	return nil
}

// Succeed makes a signed succession true here: what the log has beyond its size
// is void and goes, with what this manager had signed and stopped for under the
// old keys, and the succession is the log's next entry. One that is in the log
// already changes nothing.
func Succeed(s *store.Store, to *keys.Identity, signed wire.Succeed, random io.Reader, now func() time.Time) error {
	if newest := s.State().Terms().Newest(); !signed.After(newest) {
		if newest.Number == signed.Number && newest.Manager == signed.Manager {
			return nil
		}
		return fmt.Errorf("succeed: the log has succession %d already", newest.Number)
	}
	head, _, err := readRecord[headRecord](s, keyHead)
	if err != nil {
		return fmt.Errorf("succeed: %w", err)
	}
	kv := []store.KV{
		record(keyHead, headRecord{Cycle: head.Cycle}), // seqs begin anew under another key
		record(keyClock, now().UnixMilli()),            // whoever succeeds has seen what the clock says
		{Key: keyStopped}, {Key: keyRefused},
	}
	torrents, err := readRecords[torrentRecord](s, keyTorrent)
	if err != nil {
		return fmt.Errorf("succeed: %w", err)
	}
	for _, t := range torrents { // their state files may be void
		kv = append(kv, store.KV{Key: t.key()})
	}
	if err := s.Rewind(signed.Size, kv...); err != nil {
		return fmt.Errorf("succeed: %w", err)
	}
	d := &Desk{Store: s, Identity: to, Random: random, Now: now}
	reopened, err := d.reopened()
	if err != nil {
		return fmt.Errorf("succeed: %w", err)
	}
	args, err := signed.Args()
	if _, err := d.act("succeed", args, err, reopened...); err != nil {
		return fmt.Errorf("succeed: %w", err)
	}
	return nil
}

// reopened is the invitations by which only void entries had admitted somebody:
// they are open again.
func (d *Desk) reopened() ([]store.KV, error) {
	all, err := d.Invitations()
	var kv []store.KV
	for _, i := range all {
		if _, there := d.Store.State().ByKey(i.Used); i.Used != (keys.Public{}) && !there {
			if _, had := d.Store.State().ByFormerKey(i.Used); had {
				continue
			}
			i.Used, i.Account = keys.Public{}, 0
			kv = append(kv, record(i.key(), i))
		}
	}
	return kv, err
}

// SuccessionItem is the newest succession of a log as an item; false: there is
// none.
func SuccessionItem(st *ledger.State) (lookup.Item, bool) {
	s := st.Terms().Newest()
	return item(st.Charter.Recovery, st.ID.Salt(), s.Value(), s.Seq, s.Sig), s.Number > 0
}

// replaced stops the manager when one of the successions that were found says that
// its keys are not the database's any more.
func (m *Manager) replaced(found []lookup.Item) error {
	newest := m.Store.State().Terms().Newest()
	for _, it := range found {
		in, err := wire.ParseSuccession(it.Value)
		if err != nil {
			continue // of a later weir, if of anybody's
		}
		if s := (wire.Succeed{Succession: *in, Seq: it.Seq, Sig: it.Sig}); s.After(newest) {
			err := m.stop(fmt.Sprintf(succeeded, s.Number, entriesOf(s.Size)), nil)
			m.lastReport()
			return err
		}
	}
	return nil
}

// lastReport tells whoever listens of a stop that came between two cycles, after
// which there is none.
func (m *Manager) lastReport() {
	if m.cycle != nil || m.timer == nil {
		return
	}
	m.timer()
	m.timer = m.ports.Clock.After(0, func() {
		if !m.closed && m.cycle == nil {
			m.finish(&cycle{start: m.ports.Clock.Mono(), report: Report{Started: m.ports.Clock.Now()}})
		}
	})
}

// lookSuccession looks, while the manager starts, whether its keys were replaced.
func (m *Manager) lookSuccession(c *cycle) {
	st := m.Store.State()
	c.waiting++
	finish := m.one(c)
	m.ports.DHT.Get(mutableGet(st.Charter.Recovery, st.ID.Salt()), guard(m, func(f lookup.Found) {
		c.report.Packets += f.Packets
		m.replaced(items(f.Item, f.Conflicts))
		finish()
	}))
}

// putSuccession looks once an hour whether the manager's keys were replaced, and
// puts the succession by which it has them itself.
func (m *Manager) putSuccession() {
	if !m.due(m.successionNext) {
		return
	}
	m.successionNext = m.next()
	again := func(answered bool) {
		if !answered {
			m.successionNext = 0 // the next cycle tries again
		}
	}
	st := m.Store.State()
	it, ok := SuccessionItem(st)
	if !ok {
		m.ports.DHT.Get(mutableGet(st.Charter.Recovery, st.ID.Salt()), guard(m, func(f lookup.Found) {
			m.replaced(items(f.Item, f.Conflicts))
			again(f.Answered > 0)
		}))
		return
	}
	m.ports.DHT.Put(lookup.Put{Item: it}, guard(m, func(s lookup.Stored) {
		m.replaced(items(s.Found.Item, s.Found.Conflicts))
		again(s.Acknowledged > 0)
	}))
}
