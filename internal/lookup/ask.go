package lookup

import (
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	freshWanted = 2
	windowMin   = 64 // packets under way where round trips are short
	asksMax     = 1 << 24
)

// pollMark is the last byte of a poll's transaction ids; those of other queries
// end with the number of the try, which is below triesMax.
const pollMark = 0x80

// ask is a packet to a holder. Its transaction id is tag (32 bits) ‖ place in
// asks (24) ‖ pollMark: the place says which poll, key and holder it belongs to,
// and the tag, drawn for each packet, that the answer is by somebody who saw it.
type ask struct {
	tag  uint32 // 0: the place is free
	key  uint32
	poll uint32
	node uint32
	sent int64
	wave uint8
	late bool
}

// asks are the packets on their way. Those that were sent form a queue: up to
// lateUpTo they were answered or are late, up to goneUpTo they were answered or
// given up.
type asks struct {
	list     []ask
	free     []uint32
	queue    []askRef
	lateUpTo int
	goneUpTo int
	open     int // neither answered nor late
}

type askRef struct{ place, tag uint32 }

// reserve puts a packet into the line of the key's best holder; false: there is
// none left to ask.
func (p *poller) reserve(key uint32, wave uint8) bool {
	k := &p.keys[key]
	i := p.choose(k)
	if i < 0 {
		return false
	}
	k.asked.add(i)
	k.pending.add(i)
	k.open++
	node := k.holders[i].node
	p.nodes.list[node].refs++
	p.enqueue(turn{due: p.nodes.due(node, p.now), key: key, node: node, wave: wave})
	return true
}

func (p *poller) enqueue(t turn) {
	p.nodes.list[t.node].line++
	p.serial++
	t.serial = p.serial
	p.line.push(t)
}

// clearLine gives up what waits for keys that were decided without it.
func (p *poller) clearLine() {
	for _, t := range p.line {
		p.nodes.list[t.node].line--
		p.nodes.drop(t.node)
	}
	p.line = p.line[:0]
}

// window is how many packets may be on their way: few at first, one more with
// each answer, as many as the rate and the round-trip time make.
func (p *poller) window() int {
	most := int(float64(p.config.Rate) * p.client.rtt.smoothed.Seconds())
	if p.poll != nil {
		most = min(most, windowMin+p.poll.answers)
	}
	return min(max(most, windowMin), asksMax)
}

// send sends what is due.
func (p *poller) send() {
	if len(p.line) == 0 || p.line[0].due > p.now {
		return
	}
	window := p.window()
	for p.asks.open < window && len(p.line) > 0 && p.line[0].due <= p.now {
		t := p.line.pop()
		p.nodes.list[t.node].line--
		k := &p.keys[t.key]
		if !k.asking || k.poll != p.number { // decided without it
			p.nodes.drop(t.node)
			continue
		}
		if due := p.nodes.may(t.node, p.now); due > p.now {
			t.due = due // something else went there in the meantime
			p.enqueue(t)
			continue
		}
		p.transmit(k, t)
	}
}

func (p *poller) transmit(k *pollKey, t turn) {
	a := ask{tag: p.tag(), key: t.key, poll: p.number, node: t.node, sent: p.now, wave: t.wave}
	var place uint32
	if n := len(p.asks.free); n > 0 {
		place = p.asks.free[n-1]
		p.asks.free = p.asks.free[:n-1]
		p.asks.list[place] = a
	} else {
		place = uint32(len(p.asks.list))
		p.asks.list = append(p.asks.list, a)
	}
	p.asks.queue = append(p.asks.queue, askRef{place, a.tag})
	p.asks.open++
	p.nodes.sent(t.node, p.now)

	var id [transactionBytes]byte
	binary.BigEndian.PutUint64(id[:], uint64(a.tag)<<32|uint64(place)<<8|pollMark)
	m := Message{Kind: KindQuery, Transaction: id[:], Method: MethodGet, ReadOnly: true, ID: p.client.id, Target: k.target, Want: WantNone}
	if k.seq >= 0 {
		m.Seq, m.HasSeq = k.seq, true
	}
	data := p.client.encoder.Encode(&m)
	p.client.out = append(p.client.out, Packet{To: unpackAddr(p.nodes.list[t.node].at), Data: data})
	p.poll.report.Packets++
	p.poll.report.BytesOut += int64(len(data))
}

func (p *poller) tag() uint32 {
	for {
		if t := uint32(p.client.random.Uint64()); t != 0 {
			return t
		}
	}
}

// handle takes a message; false: it answers no packet of a poll.
func (p *poller) handle(from netip.AddrPort, m *Message, size int) bool {
	if m.Kind == KindQuery || len(m.Transaction) != transactionBytes {
		return false
	}
	id := binary.BigEndian.Uint64(m.Transaction)
	place, tag := uint32(id>>8)&(asksMax-1), uint32(id>>32)
	if id&0xff != pollMark || tag == 0 || int(place) >= len(p.asks.list) || p.asks.list[place].tag != tag {
		return false
	}
	a := p.asks.list[place]
	node := &p.nodes.list[a.node]
	if at, ok := packAddr(from); !ok || at != node.at {
		return false
	}
	c := p.client
	now := p.time()
	c.rtt.sample(time.Duration(p.now - a.sent))
	c.heard = now
	c.unheard = 0
	c.silent.answered(from)
	if m.Kind == KindResponse {
		node.id = m.ID
		c.memory.heardFrom(Node{m.ID, from})
	}
	if !a.late {
		p.asks.open--
	}
	if p.poll != nil {
		p.poll.answers++
		p.poll.report.BytesIn += int64(size)
	}
	p.answered(a, m)
	p.release(place)
	return true
}

// late finds the packets that were not answered in time, and makes up for them.
func (p *poller) late() {
	q := &p.asks
	if q.open > 0 {
		before := p.now - int64(p.client.rtt.hedge())
		for ; q.lateUpTo < len(q.queue); q.lateUpTo++ {
			r := q.queue[q.lateUpTo]
			a := &q.list[r.place]
			if a.tag != r.tag {
				continue
			}
			if a.sent > before {
				break
			}
			a.late = true
			q.open--
			p.missed(*a)
		}
	}
	p.giveUp()
}

// nextLate is when the oldest open packet grows late.
func (p *poller) nextLate() int64 {
	q := &p.asks
	for q.lateUpTo < len(q.queue) {
		r := q.queue[q.lateUpTo]
		if a := &q.list[r.place]; a.tag == r.tag {
			return a.sent + int64(p.client.rtt.hedge())
		}
		q.lateUpTo++
	}
	return p.now
}

// giveUp forgets packets that will not be answered any more. Nothing waits for
// it.
func (p *poller) giveUp() {
	q := &p.asks
	before := p.now - int64(p.client.config.Timeout)
	for ; q.goneUpTo < q.lateUpTo; q.goneUpTo++ {
		r := q.queue[q.goneUpTo]
		a := &q.list[r.place]
		if a.tag != r.tag {
			continue
		}
		if a.sent > before {
			break
		}
		if p.heardSince(a.sent) {
			p.client.memory.failed(unpackAddr(p.nodes.list[a.node].at))
		}
		p.release(r.place)
	}
	if q.goneUpTo == len(q.queue) {
		q.queue, q.lateUpTo, q.goneUpTo = q.queue[:0], 0, 0
	} else if q.goneUpTo > 4096 && 2*q.goneUpTo > len(q.queue) {
		q.queue = append(q.queue[:0], q.queue[q.goneUpTo:]...)
		q.lateUpTo -= q.goneUpTo
		q.goneUpTo = 0
	}
}

// heardSince says whether anybody answered since a time: if not, the fault may
// be on our side.
func (p *poller) heardSince(at int64) bool { return int64(p.client.heard.Sub(p.base)) > at }

// release frees the place of a packet that was answered or given up.
func (p *poller) release(place uint32) {
	p.nodes.drop(p.asks.list[place].node)
	p.asks.list[place] = ask{}
	p.asks.free = append(p.asks.free, place)
}

// forgetAsks forgets all packets on their way and in line.
func (p *poller) forgetAsks() {
	for i := range p.asks.list {
		if p.asks.list[i].tag != 0 {
			p.nodes.drop(p.asks.list[i].node)
		}
	}
	p.asks = asks{}
}
