package manager

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"weir/internal/lookup"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Report is one cycle in figures.
type Report struct {
	Cycle     uint64 // of the newest head
	Started   time.Time
	Polled    int               // keys asked for
	Answered  int               // keys for which at least one node answered
	Short     int               // keys without any answer
	Newer     int               // keys with a new outbox
	Packets   int               // sent by the poll and the look-ups of the cycle
	Admitted  int               // by invitation
	Accepted  int               // entries applied
	Refused   int               // entries refused, and messages dismissed in verification
	Polling   lookup.PollReport // of every key: members, open invitations, the own head
	Poll      time.Duration
	Merge     time.Duration
	Publish   time.Duration
	HeadNodes int  // nodes that acknowledged the head; 0 when it was not put
	Published bool // a head was put and acknowledged
	LogSize   uint64
	Sum       int64
	Phase     Phase
	Problem   string // what kept the cycle from its work
}

// cycle is one cycle under way.
type cycle struct {
	report  Report
	start   time.Duration // Mono
	mark    time.Duration // Mono when the present step began
	waiting int           // polls, invitations and the own head not answered yet
	chunks  int           // chunk look-ups not answered yet
	polled  bool
	merged  bool
	grace   func()
	own     *lookup.Found // what was found of the own head
}

// begin starts a cycle: every member, every due invitation and, while
// starting, the own head.
func (m *Manager) begin() {
	if m.closed || m.cycle != nil || m.phase == Stopped {
		return
	}
	m.timer = nil
	now := m.ports.Clock.Mono()
	c := &cycle{start: now, mark: now, waiting: 1} // begin itself
	c.report.Started = m.ports.Clock.Now()
	m.cycle = c

	m.poll(c)
	if m.phase != Running {
		c.waiting++
		finish := m.one(c)
		m.ports.DHT.Get(mutableGet(m.Identity.Public(), m.Store.State().ID.Salt()), guard(m, func(f lookup.Found) {
			c.report.Packets += f.Packets
			c.own = &f
			finish()
		}))
	}
	m.one(c)()
}

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

// one gives the function that counts one awaited answer as come.
func (m *Manager) one(c *cycle) func() {
	return func() {
		if m.closed || m.cycle != c {
			return
		}
		if c.waiting--; c.waiting == 0 {
			m.polled(c)
		}
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
		l.item, l.seen = it, m.ports.Clock.Now()
		l.problem = ""
		if err := l.receiver.Accept(it.Value); err != nil {
			l.problem = err.Error()
		}
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
				// More chunks of the same window may be wanted in this cycle's stead of the
				// ones that came: no, the limit is a member's share of a cycle.
				m.ready(c)
			}
		}))
	}
}

// trust notes whether a chunk was to be had. A cycle waits for the chunks of
// those who keep theirs: one that nobody holds makes it not wait for many of
// the same member, so that no member delays the others cycle by cycle.
func (l *member) trust(had bool) {
	if had {
		l.distrust = max(0, l.distrust-1)
	} else {
		l.distrust = min(l.distrust+distrustChunk, distrustMax)
	}
}

const (
	distrustChunk = 16
	distrustMax   = 256
)

// polled is called when every key has answered or was given up: the cycle
// waits a moment for chunks, never for anyone in particular.
func (m *Manager) polled(c *cycle) {
	c.polled = true
	now := m.ports.Clock.Mono()
	c.report.Poll, c.mark = now-c.mark, now
	if c.chunks > 0 {
		c.grace = m.ports.Clock.After(m.cfg.ChunkGrace, func() {
			if !m.closed && m.cycle == c {
				c.grace = nil
				m.decide(c)
			}
		})
		return
	}
	m.decide(c)
}

func (m *Manager) ready(c *cycle) {
	if !c.polled || c.chunks > 0 || c.grace == nil {
		return
	}
	c.grace()
	c.grace = nil
	m.decide(c)
}

// decide merges, commits and publishes, as far as the manager's phase lets it.
func (m *Manager) decide(c *cycle) {
	if c.merged {
		return
	}
	c.merged = true
	if m.phase != Running {
		m.checkStart(c)
	}
	m.checkClock()
	if m.phase != Running {
		m.finish(c)
		return
	}
	m.admitJoiners(c)
	if err := m.merge(c); err != nil {
		c.report.Problem = "this cycle's changes could not be written, and are kept for the next: " + err.Error()
		m.finish(c)
		return
	}
	now := m.ports.Clock.Mono()
	c.report.Merge, c.mark = now-c.mark, now
	m.publish(c)
}

// merge decides every change that waits.
func (m *Manager) merge(c *cycle) error {
	st := m.Store.State()
	var mail []ledger.Mail
	var from []*member
	var kv []store.KV
	for _, a := range st.Accounts() {
		l, ok := m.members[a.Key]
		if a.Number == 0 || !ok || l.item == nil {
			continue
		}
		messages, evidence := m.waiting(c, a, l)
		if len(messages) > 0 {
			mail = append(mail, ledger.Mail{Account: a.Number, Key: a.Key, First: a.Last + 1, Before: a.Chain, Messages: messages})
			from = append(from, l)
		}
		if evidence != nil {
			pair, err := m.evidence(*evidence)
			if err != nil {
				return fmt.Errorf("keep evidence: %w", err)
			}
			kv = append(kv, pair...)
		}
	}
	queues, problems := ledger.VerifyMail(st.Digest, mail, m.ports.Verify)
	for i, err := range problems {
		if err != nil {
			from[i].problem = err.Error()
			m.dismiss(c, mail[i].Key, wire.AppendMessage(nil, mail[i].Messages[len(queues[i].Changes)]))
		}
	}
	if len(queues) == 0 && len(kv) == 0 {
		return nil
	}
	batch, err := st.Merge(ledger.MergeInput{
		Now: m.ports.Clock.Now().UnixMilli(), Queues: queues, Hashes: m.Store, Manager: &m.Desk, Salts: m.Random,
	})
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	var batches []*ledger.Batch
	if batch != nil {
		batches = append(batches, batch)
	}
	if len(batches) == 0 && len(kv) == 0 {
		return nil
	}
	if err := m.Store.Commit(batches, kv...); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if batch != nil {
		for _, d := range batch.Entries {
			if d.Entry.Account == 0 {
				continue
			}
			if d.Entry.Verdict == wire.Applied {
				c.report.Accepted++
			} else {
				c.report.Refused++
			}
		}
	}
	return nil
}

// waiting gives a member's messages after its last entry, as far as they are
// here and whole: what is wrong behind them does not hold them up. A window
// that does not continue the log becomes the outbox's problem, and, where a
// number was signed twice, evidence.
func (m *Manager) waiting(c *cycle, a ledger.Account, l *member) ([]wire.Message, *wire.Evidence) {
	messages, err := l.receiver.Messages(a.Last, a.Chain)
	if err == nil {
		return messages, nil
	}
	l.problem = err.Error()
	m.dismiss(c, a.Key, l.item.Value)
	if errors.Is(err, outbox.ErrChain) {
		return messages, m.doubled(a, l)
	}
	return messages, nil
}

// dismiss counts a message that is no valid change, once.
func (m *Manager) dismiss(c *cycle, k keys.Public, message []byte) {
	if m.dismissed.add(k, message) {
		c.report.Refused++
	}
}

// doubled looks for a number that a member signed twice.
func (m *Manager) doubled(a ledger.Account, l *member) *wire.Evidence {
	for _, s := range l.receiver.Signed() {
		if s.Number > a.Last {
			break
		}
		d, ok, err := m.Store.Find(a.Number, s.Number)
		if err != nil || !ok || d.Entry.Chain == s.Chain {
			continue
		}
		signed := sign.Item{Key: a.Key, Message: wire.ChangeSigned(m.Store.State().Digest, s.Number, s.Chain), Sig: s.Sig}
		if !m.ports.Verify.Verify([]sign.Item{signed})[0] {
			continue
		}
		return &wire.Evidence{Kind: wire.EvidenceChanges, Changes: [2]wire.SignedNumber{
			{Key: a.Key, Number: s.Number, Chain: d.Entry.Chain, Sig: d.Entry.Sig},
			{Key: a.Key, Number: s.Number, Chain: s.Chain, Sig: s.Sig},
		}}
	}
	return nil
}

// finish ends the cycle and sets the timer of the next.
func (m *Manager) finish(c *cycle) {
	now := m.ports.Clock.Mono()
	c.report.LogSize, c.report.Sum, c.report.Phase = m.Store.State().Size, m.Store.State().Sum(), m.phase
	c.report.Cycle = m.head.Cycle
	if m.reason != "" && c.report.Problem == "" {
		c.report.Problem = m.reason
	}
	m.report, m.cycle = c.report, nil
	if now-m.holdersAt >= holdersPeriod {
		m.keepHolders()
	}
	if m.phase != Stopped {
		wait := max(m.cfg.Cycle-(now-c.start), m.cfg.Cycle/20)
		if m.again {
			wait = 0
		}
		m.again = false
		m.timer = m.ports.Clock.After(wait, m.begin)
	}
	if m.cfg.OnCycle != nil {
		m.cfg.OnCycle(c.report)
	}
}
