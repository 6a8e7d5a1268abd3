package manager

import (
	"bytes"
	"errors"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

// questions are the keys of one poll, and who takes what it learns of each.
type questions struct {
	keys  []lookup.PollKey
	hears []func(lookup.Polled)
}

// ask adds a key, of which the newest item known is given; nil: none is.
func (q *questions) ask(k keys.Public, known *lookup.Item, hear func(lookup.Polled)) {
	seq := int64(-1)
	if known != nil {
		seq = known.Seq
	}
	q.keys, q.hears = append(q.keys, lookup.PollKey{Key: k, Seq: seq}), append(q.hears, hear)
}

// poll asks for the outboxes of all members, for the requests of invitations
// that are due, and for the own head, which another machine may have put. The
// first poll walks to every key, so that it misses nothing (DESIGN section 3.6).
func (m *Manager) poll(c *cycle) {
	var q questions
	for _, a := range m.Store.State().Accounts() {
		if a.Number == 0 {
			continue
		}
		var known *lookup.Item
		if l, ok := m.members[a.Key]; ok {
			known = l.item
		}
		q.ask(a.Key, known, func(r lookup.Polled) { m.heard(c, a.Key, r) })
	}
	c.report.Polled = len(q.keys)
	m.pollInvitations(c, &q)
	if m.phase == Running && m.newest != nil {
		own := m.ownHead()
		q.ask(own.Key, &own, func(r lookup.Polled) { m.heardOwn(r) })
	}
	c.waiting++
	done := m.one(c)
	m.ports.Poller.Poll(lookup.Poll{Salt: m.Store.State().ID.Salt(), Keys: q.keys, Traverse: !m.walked},
		func(i int, r lookup.Polled) {
			if !m.closed && m.cycle == c {
				q.hears[i](r)
			}
		},
		guard(m, func(r lookup.PollReport) {
			m.walked = m.walked || r.Err == nil
			c.report.Polling = r
			c.report.Packets += r.Packets + r.Background
			m.count(c)
			done()
		}))
}

// count counts the members that were heard of.
func (m *Manager) count(c *cycle) {
	for _, a := range m.Store.State().Accounts() {
		if a.Number == 0 {
			continue
		}
		if l, ok := m.members[a.Key]; ok && l.heard == c && !l.short {
			c.report.Answered++
		}
	}
	c.report.Short = c.report.Polled - c.report.Answered
}

// ownHead is the newest signed head as an item.
func (m *Manager) ownHead() lookup.Item {
	return item(m.Identity.Public(), m.Store.State().ID.Salt(), m.head.Value, m.head.Seq, m.head.Sig)
}

// heardOwn takes what a poll found of the own head: one that is not of this
// machine's making stops the manager, and nodes that lost it are given it again.
func (m *Manager) heardOwn(r lookup.Polled) {
	if m.checkOwn(items(r.Item, r.Conflicts)) == nil && m.headDone && len(r.Behind) > 0 {
		m.ports.DHT.Put(lookup.Put{Item: m.ownHead(), Holders: r.Behind}, func(lookup.Stored) {})
	}
}

const twoDevices = "two different outboxes under one seq: two devices use this key"

// heard takes what a poll found of a member.
func (m *Manager) heard(c *cycle, k keys.Public, r lookup.Polled) {
	l, err := m.member(k)
	if err != nil {
		return
	}
	if l.heard != c {
		l.heard, l.short = c, true
	}
	l.short = l.short && r.Answered == 0
	if r.Walked {
		l.holders = r.Holding
	}
	switch it := r.Item; {
	case it == nil:
	case l.item == nil || it.Seq > l.item.Seq:
		c.report.Newer++
		now := m.ports.Clock.Now()
		if l.seen = now; l.item == nil { // it may be as old as the last life
			l.seen = signedAt(it.Seq, now)
		}
		l.item = it
		m.open(k, l)
		m.checkNewest(k, l)
	case it.Seq == l.item.Seq && !bytes.Equal(it.Value, l.item.Value):
		l.problem = twoDevices
	}
	if len(r.Conflicts) > 0 && r.Item.Seq == l.item.Seq {
		l.problem = twoDevices
	}
	// Anybody may put a signed item again where it is missing or old.
	if l.item != nil && len(r.Behind) > 0 {
		m.ports.DHT.Put(lookup.Put{Item: *l.item, Holders: r.Behind}, func(lookup.Stored) {})
	}
	m.fetchChunks(c, k, l)
	m.keepChunks(k, l)
}

// open opens a member's newest outbox. After a succession members go on sealing for
// the key of before until they meet it, which is no fault of theirs.
func (m *Manager) open(k keys.Public, l *member) {
	l.problem, l.earlier = "", false
	switch err := l.receiver.Accept(l.item.Value); {
	case err == nil:
		l.opened = true
	case errors.Is(err, wire.ErrOpen) && !l.opened && !m.knowsSuccessor(k):
		l.earlier = true
	case errors.Is(err, wire.ErrOpen):
		l.problem = "what this member's device sealed does not open with this manager's key: it is damaged, or was sealed for another key"
	default:
		l.problem = err.Error()
	}
}

// knowsSuccessor says whether a member has sealed for the present keys before.
func (m *Manager) knowsSuccessor(k keys.Public) bool {
	newest := m.Store.State().Terms().Newest()
	if newest.Number == 0 {
		return true // there is no other
	}
	a, ok := m.Store.State().ByKey(k)
	if !ok || a.Last == 0 {
		return false
	}
	e, ok, err := m.Store.Find(a.Number, a.Last)
	return err == nil && ok && e.Index > newest.Size
}

// signedAt is when an outbox was signed, by its sender's clock: its seq is the time
// in Unix ms, or a little more (DESIGN section 3.4). None is from the future.
func signedAt(seq int64, now time.Time) time.Time {
	if at := time.UnixMilli(seq); at.Before(now) {
		return at
	}
	return now
}

// keepChunks puts the chunks again that a member's waiting messages lie in, so
// that they outlive their sender's absence (DESIGN section 3.5): each an hour
// after it came, a few a member and cycle.
func (m *Manager) keepChunks(k keys.Public, l *member) {
	a, ok := m.Store.State().ByKey(k)
	if !ok {
		return
	}
	was, puts := l.keeping, 0
	l.keeping = nil
	for _, value := range l.receiver.Held(a.Last) {
		it, err := lookup.Immutable(value)
		if err != nil {
			continue // cannot be: it was found as an item
		}
		at, known := was[it.Target]
		switch {
		case !known:
			at = m.next()
		case m.due(at) && puts < m.cfg.ChunkLookups:
			puts++
			at = m.next()
			m.ports.DHT.Put(lookup.Put{Item: it}, func(lookup.Stored) {})
		}
		if l.keeping == nil {
			l.keeping = map[wire.Target]time.Duration{}
		}
		l.keeping[it.Target] = at
	}
}

// fetchChunks looks up the chunks that a member's waiting messages lie in.
func (m *Manager) fetchChunks(c *cycle, k keys.Public, l *member) {
	a, ok := m.Store.State().ByKey(k)
	if !ok || l.problem != "" {
		return
	}
	for _, t := range l.receiver.Wanted(a.Last, m.cfg.ChunkLookups) {
		if l.fetching[t] || len(l.fetching) >= m.cfg.ChunkLookups {
			continue
		}
		l.fetching[t] = true
		waits := l.distrust == 0
		if waits {
			c.chunks++
		}
		m.ports.DHT.Get(lookup.Get{Target: t}, guard(m, func(f lookup.Found) {
			delete(l.fetching, t)
			l.trust(f.Item != nil)
			if f.Item != nil {
				if err := l.receiver.Chunk(t, f.Item.Value); err != nil && l.problem == "" {
					l.problem = err.Error()
				}
			}
			if m.cycle == c {
				c.report.Packets += f.Packets
				if !waits {
					return
				}
				c.chunks--
				// What else of the window is wanted now waits for the next cycle: the limit
				// is a member's share of one.
				m.ready(c)
			}
		}))
	}
}

// trust notes whether a chunk was to be had. A cycle waits for the chunks of
// those who keep theirs: one that nobody holds makes it not wait for many of
// the same member, and each further one for twice as many, for good, so that no
// member delays the others cycle by cycle. Whoever is not waited for is not
// worse off than by a cycle.
func (l *member) trust(had bool) {
	if had {
		l.distrust = max(0, l.distrust-1)
	} else {
		l.distrust = max(l.distrust, distrustChunk<<l.vain)
		l.vain = min(l.vain+1, distrustDoubled)
	}
}

const (
	distrustChunk   = 16
	distrustDoubled = 8 // times at most
)
