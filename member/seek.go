package member

import (
	"errors"
	"fmt"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// TakeOverFound is the desk's WillTakeOver, and begins with it.
func (m *Member) TakeOverFound() error {
	if m.desk == nil {
		return ErrNoCharter
	}
	if err := m.desk.WillTakeOver(); err != nil {
		return err
	}
	m.hand.trouble, m.hand.retries = "", 0
	m.handSoon(0)
	return nil
}

// latest says whether the log here is that of the newest head, by a look of this
// life.
func (m *Member) latest() bool {
	return m.head != nil && m.checkpoint == m.head.Checkpoint && !m.checked.IsZero() && m.problem == ""
}

// awake hands over what has waited for the newest log.
func (m *Member) awake() {
	if m.hand.awaits && m.latest() {
		m.hand.awaits = false
		m.handSoon(0)
	}
}

// adopt fetches the own outbox from the DHT, with its chunks, and goes on with what
// it has; see Desk.adopt.
func (m *Member) adopt(r restoredRecord) {
	if !m.latest() {
		m.hand.awaits = true // awake goes on
		return
	}
	m.hand.busy, m.hand.again = true, false
	m.ports.DHT.Get(mutableGet(m.cfg.Identity.Public(), m.id.Salt()), guard(m.Follower, func(f lookup.Found) {
		if !f.Complete() {
			m.handed(unlooked(errors.New("too few of the DHT nodes nearest to your outbox answered")))
			return
		}
		found, err := m.desk.openFound(f)
		if err != nil {
			m.handed(err)
			return
		}
		m.fetchFound(r, found)
	}))
}

// unlooked says why a restored device does not sign yet.
func unlooked(err error) error {
	return fmt.Errorf("what the network has of yours could not be fetched yet, and is looked for again: %w. Nothing is signed before that", err)
}

// fetchFound fetches the chunks of the outboxes that were found.
func (m *Member) fetchFound(r restoredRecord, found []*foundOutbox) {
	a, err := m.desk.Account()
	if err != nil {
		m.handed(err)
		return
	}
	type piece struct {
		of     *foundOutbox
		target wire.Target
	}
	var wanted []piece
	for _, o := range found {
		if o.unread != nil {
			continue
		}
		for _, t := range o.receiver.Wanted(a.Last, wire.WindowTargetsMax) {
			wanted = append(wanted, piece{o, t})
		}
	}
	next, waiting, missing := 0, len(wanted), 0
	if waiting == 0 {
		m.found(r, found)
		return
	}
	var start func()
	start = func() {
		p := wanted[next]
		next++
		m.ports.DHT.Get(lookup.Get{Target: p.target, First: true}, guard(m.Follower, func(f lookup.Found) {
			if f.Item == nil {
				missing++
			} else {
				_ = p.of.receiver.Chunk(p.target, f.Item.Value) // Messages says it again
			}
			if next < len(wanted) {
				start()
			}
			if waiting--; waiting > 0 {
				return
			}
			if missing > 0 {
				m.handed(unlooked(fmt.Errorf("%d of the %d parts of your outbox are not to be had just now. If they stay away, weir member takeover --offline gives them up", missing, len(wanted))))
				return
			}
			m.found(r, found)
		}))
	}
	for next < min(chunksAtOne, len(wanted)) {
		start()
	}
}

// found ends the look.
func (m *Member) found(r restoredRecord, found []*foundOutbox) {
	err := m.desk.adopt(r, found, m.ports.Verify)
	if err != nil && !errors.Is(err, ErrOtherDevice) {
		err = unlooked(err)
	}
	if err == nil {
		m.hand.again = true // the outbox that carries it all goes out at once
	}
	m.handed(err)
}
