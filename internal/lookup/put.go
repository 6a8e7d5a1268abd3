package lookup

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// ErrNotStored: nodes answered, but none acknowledged the item.
var ErrNotStored = errors.New("no DHT node stored the item")

// Put stores an item at the nodes closest to its target.
type Put struct {
	Item    Item
	Holders []Holder // from a Found, to skip the traversal; nil: traverse first
	// Remembered, without Holders, puts to the holders that polls of, or an earlier put to, the same key
	// and salt remember: one round trip where tokens of the last 10 minutes are there, two with a Check, which then sees
	// what these holders answered. Where fewer than half of Width are known, or take it, it goes on
	// with a traversal.
	Remembered bool
	// Check, when set, sees what the traversal found before anything is put; an error
	// stops the put and is returned in Stored.Err. With Holders it is not called.
	Check func(Found) error
}

// Stored says what became of a put.
type Stored struct {
	Acknowledged int         // nodes that said yes, or that they have this immutable item
	Tried        int         // nodes that were asked to store
	Refused      map[int]int // KRPC error code → nodes
	Found        Found       // by the traversal
	Packets      int         // sent, the traversal's included
	Err          error       // nil when at least one node acknowledged; ErrNoNodes, ErrNotStored, ErrItem or what Check said
}

// putting is a put under way: a traversal, then a put to each of the holders it
// found.
type putting struct {
	run     running
	client  *Client
	put     Put
	done    func(Stored)
	search  *traversal // nil once it is over
	holders []*holder
	result  Stored
	stopped bool // by an error
	direct  bool // to remembered holders, with a traversal to come if they are too few
}

// holder is a node that shall store the item.
type holder struct {
	Holder
	step    step
	tried   bool // asked to store
	renewed bool // asked for another token
	stored  bool // acknowledged
}

type step uint8

const (
	toStore step = iota // has a token
	toRenew             // needs one
	asked
	settled
)

func newPutting(c *Client, now time.Time, p Put, done func(Stored)) *putting {
	p.Item.Salt, p.Item.Value = slices.Clone(p.Item.Salt), slices.Clone(p.Item.Value)
	op := &putting{client: c, put: p, done: done}
	it := &op.put.Item
	switch err := it.VerifyWith(c.config.Verify); {
	case err != nil:
		op.stop(err)
	case p.Holders != nil:
		op.setHolders(p.Holders)
	case p.Remembered:
		op.recall(c.remembered(now, it.Target))
	default:
		op.walk()
	}
	return op
}

// walk begins a traversal.
func (p *putting) walk() {
	it := &p.put.Item
	t := newTraversal(p.client, p, Get{Target: it.Target, Mutable: it.Mutable, Key: it.Key, Salt: it.Salt}, false)
	p.search, p.direct = &t, false
}

// recall begins with remembered holders: with a look at what they hold when it
// is to be checked.
func (p *putting) recall(holders []Holder) {
	p.walk()
	if len(holders) < p.client.enough() {
		return
	}
	p.direct = true
	if p.put.Check == nil {
		p.search = nil
		p.setHolders(holders)
		return
	}
	p.search.stay(holders)
}

func (p *putting) running() *running { return &p.run }

func (p *putting) stop(err error) {
	p.result.Err, p.stopped = err, true
}

func (p *putting) setHolders(holders []Holder) {
	for _, h := range holders {
		h.Addr = unmap(h.Addr)
		if !askable(h.Addr) || len(h.Token) > tokenBytesMax || p.client.self(h.Node) || p.has(h.Addr) {
			continue
		}
		to := &holder{Holder: h}
		to.Token = slices.Clone(h.Token)
		if len(h.Token) == 0 {
			to.step = toRenew
		}
		p.holders = append(p.holders, to)
	}
}

// has says whether a node has stored the item already.
func (p *putting) has(a netip.AddrPort) bool {
	return slices.ContainsFunc(p.holders, func(h *holder) bool { return h.stored && h.Addr == a })
}

func (p *putting) over() bool {
	if p.stopped {
		return true
	}
	if p.search != nil {
		return p.search.over()
	}
	return !slices.ContainsFunc(p.holders, func(h *holder) bool { return h.step != settled })
}

func (p *putting) next() *query {
	if p.search != nil {
		return p.search.next(&p.run)
	}
	for _, h := range p.holders {
		switch h.step {
		case toStore:
			h.step = asked
			if !h.tried {
				h.tried = true
				p.result.Tried++
			}
			return &query{to: h.Addr, holder: h, message: p.put.Item.put(h.Token)}
		case toRenew:
			h.step, h.renewed = asked, true
			return &query{to: h.Addr, holder: h, message: Message{
				Kind: KindQuery, Method: MethodGet, Target: p.put.Item.Target, Want: WantNone}}
		}
	}
	return nil
}

func (p *putting) answered(q *query, m *Message) {
	h := q.holder
	switch {
	case p.search != nil:
		p.search.answered(q, m)
	case q.message.Method == MethodGet:
		h.step = settled
		if m.Kind == KindResponse && len(m.Token) > 0 && len(m.Token) <= tokenBytesMax {
			h.step, h.Token = toStore, slices.Clone(m.Token)
		}
	case m.Kind == KindResponse, p.holds(m):
		h.step, h.stored = settled, true
		p.result.Acknowledged++
	case m.Code == CodeProtocol && !h.renewed:
		h.step = toRenew
	default:
		h.step = settled
		if p.result.Refused == nil {
			p.result.Refused = make(map[int]int)
		}
		p.result.Refused[m.Code]++
	}
}

// holds says whether a node refuses an immutable item because it has it already. Some take an immutable item's
// seq, which BEP 44 does not give it, for what a later put must exceed, so anybody's put with a high one makes
// them refuse ours with 302. As the target is the value's hash, what they have there is this very value; they
// keep it until two hours after the other put, and take it anew when that time is over.
func (p *putting) holds(m *Message) bool {
	return m.Kind == KindError && m.Code == CodeSeqTooLow && !p.put.Item.Mutable
}

func (p *putting) late(q *query) {
	if p.search != nil {
		p.search.late(q)
	}
}

// failed gives a node up; one that was given with a token may be silent because
// the token is old, and is asked for another.
func (p *putting) failed(q *query) {
	h := q.holder
	switch {
	case p.search != nil:
		p.search.failed(q)
	case q.message.Method == MethodPut && !h.renewed && (p.put.Holders != nil || p.direct):
		h.step = toRenew
	default:
		h.step = settled
	}
}

// finish goes on from the traversal to the holders, from remembered holders to a
// traversal, or calls back.
func (p *putting) finish() {
	if p.search != nil && p.begin() || p.widen() {
		p.run.settled = false
		return
	}
	p.result.Packets = p.run.packets
	if !p.stopped && p.result.Acknowledged == 0 {
		p.result.Err = fmt.Errorf("put %s: %w: %d asked", p.put.Item.Target, ErrNotStored, p.result.Tried)
	}
	p.done(p.result)
}

// widen says whether too few remembered holders took the item, and a traversal
// is to find others.
func (p *putting) widen() bool {
	if p.stopped || !p.direct || p.result.Acknowledged >= p.client.enough() {
		return false
	}
	p.holders = slices.DeleteFunc(p.holders, func(h *holder) bool { return !h.stored })
	p.result.Tried = len(p.holders)
	p.walk()
	return true
}

// begin says whether there is something to put after the traversal.
func (p *putting) begin() bool {
	found := p.search.found(p.run.packets)
	if p.direct && len(found.Closest) < p.client.enough() {
		p.walk()
		return true
	}
	p.search, p.result.Found = nil, found
	if found.Err != nil {
		p.stop(fmt.Errorf("put %s: %w", found.Target, found.Err))
		return false
	}
	if p.put.Check != nil {
		if err := p.put.Check(found); err != nil {
			p.stop(err)
			return false
		}
	}
	p.setHolders(found.Closest)
	if p.put.Item.Mutable && !p.direct {
		p.client.remember(found)
	}
	return len(p.holders) > 0
}
