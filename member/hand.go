package member

import (
	"errors"
	"fmt"
	"time"

	"weir/internal/lookup"
	"weir/ledger/outbox"
	"weir/ledger/wire"
)

const (
	retryFirst  = 5 * time.Second // after a put that too few nodes acknowledged; then doubled
	retryMax    = 5 * time.Minute
	reputBusy   = 10 * time.Minute // between puts while changes wait
	chunksAtOne = 8                // chunk puts at once
)

// handOver is the state of handing the outbox over.
type handOver struct {
	busy, again bool
	awaits      bool // a restored device waits for the newest log
	timer       func()
	retries     int
	out         itemRecord                // to be replaced: our own bytes under a seq not signed here, or what TakeOver found
	chunks      map[wire.Target]time.Time // when each chunk was last acknowledged
	asked       int
	put         time.Time
	have        uint64    // the newest change that DHT nodes have; 0: none in this life
	walked      time.Time // when a put looked for the item's nodes
	trouble     string
}

// otherItem is what a look at the own item before a put may find.
type otherItem struct {
	itemRecord
	ours bool // our own bytes, which somebody put again under a higher seq
}

func (e *otherItem) Error() string {
	if e.ours {
		return "the network has this outbox as it was put again at " + wire.SeqDate(e.Seq)
	}
	return "the network has an outbox of this key that was signed at " + wire.SeqDate(e.Seq) + ", and not here"
}

// handSoon hands over after d, or at once after what is under way.
func (m *Member) handSoon(d time.Duration) {
	if m.closed || !m.started {
		return
	}
	if m.hand.busy {
		m.hand.again = true
		return
	}
	if m.hand.timer != nil {
		m.hand.timer()
	}
	m.hand.timer = m.ports.Clock.After(d, m.handNow)
}

// handNow puts the outbox: the stored item when it carries what waits and the
// checkpoint in it is fresh, else a new one.
func (m *Member) handNow() {
	if m.closed || m.hand.busy || m.stopped != "" || m.store == nil {
		return
	}
	if _, err := m.desk.Account(); err != nil {
		return // grown calls again
	}
	if r, restored, err := readRecord[restoredRecord](m.store, keyRestored); err != nil {
		m.handed(err)
		return
	} else if why, ferr := m.desk.Foreign(); restored && ferr == nil && why == "" {
		m.adopt(r)
		return
	}
	rec, chunks, current, err := m.desk.sealed()
	switch {
	case err == nil && rec.TakeOver:
		m.seek()
		return
	case err == nil && (!current || rec.Newest < m.checkpoint.Size && m.idle() || m.hand.out.Seq >= rec.Seq):
		rec, chunks, err = m.desk.seal(m.checkpoint, m.hand.out)
	}
	if err != nil {
		m.handed(err)
		return
	}
	m.hand.busy, m.hand.again = true, false
	m.putChunks(rec, chunks)
}

// idle says whether the item was put long enough ago to be worth a new one for
// the sake of its checkpoint alone.
func (m *Member) idle() bool {
	return m.ports.Clock.Now().Sub(m.hand.put) >= m.Follower.cfg.Reput/2
}

// seek looks for another device's outbox, which is to be replaced, after the
// owner has said that this device takes over.
func (m *Member) seek() {
	m.hand.busy, m.hand.again = true, false
	get := mutableGet(m.cfg.Identity.Public(), m.id.Salt())
	m.ports.DHT.Get(get, guard(m.Follower, func(f lookup.Found) {
		if f.Answered == 0 {
			m.handed(lookup.ErrNoNodes)
			return
		}
		if f.Item != nil {
			m.hand.out = itemRecord{Value: f.Item.Value, Seq: f.Item.Seq}
		}
		rec, chunks, err := m.desk.seal(m.checkpoint, m.hand.out)
		if err != nil {
			m.handed(err)
			return
		}
		m.putChunks(rec, chunks)
	}))
}

// putChunks puts the chunks that are not lately acknowledged, and then the
// item that names them.
func (m *Member) putChunks(rec outboxRecord, chunks []outbox.Chunk) {
	now := m.ports.Clock.Now()
	kept := make(map[wire.Target]time.Time, len(chunks))
	var missing []outbox.Chunk
	for _, c := range chunks {
		if last, ok := m.hand.chunks[c.Target]; ok && now.Sub(last) < m.Follower.cfg.Reput/2 && !now.Before(last) {
			kept[c.Target] = last
		} else {
			missing = append(missing, c)
		}
	}
	m.hand.chunks = kept
	if len(missing) == 0 {
		m.putItem(rec)
		return
	}
	next, waiting := 0, len(missing)
	var start func()
	start = func() {
		c := missing[next]
		next++
		it, err := lookup.Immutable(c.Value)
		if err != nil {
			m.handed(err) // cannot be: it was made as an item
			return
		}
		m.ports.DHT.Put(lookup.Put{Item: it}, guard(m.Follower, func(s lookup.Stored) {
			if s.Acknowledged > 0 {
				m.hand.chunks[c.Target] = m.ports.Clock.Now()
			}
			if next < len(missing) {
				start()
			}
			if waiting--; waiting > 0 {
				return
			}
			if len(m.hand.chunks) < len(chunks) {
				m.handed(errors.New("no DHT node took some of the outbox's chunks"))
				return
			}
			m.putItem(rec)
		}))
	}
	for next < min(chunksAtOne, len(missing)) {
		start()
	}
}

// putItem puts the item after a look at what lies in its place. The look runs
// wherever the DHT runs, so it touches nothing but its own copy.
func (m *Member) putItem(rec outboxRecord) {
	it := rec.item(m.cfg.Identity, m.id.Salt())
	check := func(f lookup.Found) error {
		for _, other := range items(f) {
			ours := rec.made(&other)
			if !ours || other.Seq > rec.Seq {
				return &otherItem{itemRecord{Value: other.Value, Seq: other.Seq}, ours}
			}
		}
		return nil
	}
	since := m.ports.Clock.Now().Sub(m.hand.walked)
	near := since >= 0 && since < m.Follower.cfg.Reput/2 // they are the closest still, but for few
	m.ports.DHT.Put(lookup.Put{Item: it, Check: check, Remembered: near}, guard(m.Follower, func(s lookup.Stored) {
		if !near && s.Acknowledged > 0 {
			m.hand.walked = m.ports.Clock.Now()
		}
		m.put(rec, s)
	}))
}

// put takes the result of the item's put.
func (m *Member) put(rec outboxRecord, s lookup.Stored) {
	m.hand.asked = s.Tried
	var other *otherItem
	switch {
	case errors.As(s.Err, &other) && other.ours:
		m.hand.out = other.itemRecord
		m.hand.busy = false
		m.handSoon(0)
		return
	case errors.As(s.Err, &other):
		m.handed(m.desk.foreign(other.Error()))
		return
	}
	if s.Acknowledged > 0 {
		m.hand.put = m.ports.Clock.Now()
		if err := m.acknowledged(rec, s.Acknowledged); err != nil {
			m.handed(err)
			return
		}
	}
	switch {
	case s.Acknowledged == 0 && s.Err != nil:
		m.handed(s.Err)
	case s.Acknowledged == 0:
		m.handed(errors.New("no DHT node took the outbox"))
	case s.Acknowledged*2 < s.Tried:
		m.handed(fmt.Errorf("only %d of %d DHT nodes took the outbox", s.Acknowledged, s.Tried))
	default:
		m.handed(nil)
	}
}

// acknowledged writes down that nodes have the item, when that is new.
func (m *Member) acknowledged(rec outboxRecord, nodes int) error {
	m.hand.have = rec.Last
	m.missed.handed(rec.First, rec.Last, m.ports.Clock.Now())
	now, _, err := readRecord[outboxRecord](m.store, keyItem)
	if err != nil || now.Seq != rec.Seq || now.Nodes == nodes {
		return err
	}
	now.Nodes = nodes
	return m.store.Commit(nil, record(keyItem, now))
}

// handed ends a hand-over and plans the next: soon after a failure, in ten
// minutes while changes wait, else hourly.
func (m *Member) handed(err error) {
	m.hand.busy = false
	defer m.Follower.cfg.Changed()
	if err == nil {
		m.hand.trouble, m.hand.retries = "", 0
		next := m.Follower.cfg.Reput
		if s, err := m.desk.ready(); err == nil && len(s.Waiting()) > 0 {
			next = min(next, reputBusy)
		}
		if m.hand.again {
			m.handSoon(0)
			return
		}
		m.handSoon(m.jitter(next))
		return
	}
	m.hand.trouble = fmt.Sprintf("hand over: %v", err)
	if errors.Is(err, ErrOtherDevice) {
		return
	}
	wait := retryMax
	if m.hand.retries < 6 {
		wait = min(wait, retryFirst<<m.hand.retries)
		m.hand.retries++
	}
	m.handSoon(m.jitter(wait))
}
