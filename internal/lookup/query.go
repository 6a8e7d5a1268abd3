package lookup

import (
	"container/heap"
	"encoding/binary"
	"net/netip"
	"time"
)

// query is one question to one node, on its way until it is answered or was
// sent Tries times in vain.
//
// Its transaction id is 7 random bytes and the number of the try, so an answer
// to any try counts, and its round-trip time is known.
type query struct {
	id       uint64 // the transaction id with try 0
	to       netip.AddrPort
	message  Message
	once     bool        // has one try
	sent     []time.Time // of each try
	room     [1]time.Time
	tid      [transactionBytes]byte // of the newest try
	deadline time.Time
	index    int // in Client.timeouts

	op        operation
	candidate *candidate // of a traversal
	holder    *holder    // of a put
}

const transactionBytes = 8

// late says that the first try went unanswered.
func (q *query) late() bool { return len(q.sent) > 1 }

// awaited says that the query keeps the operation from asking others.
func (q *query) awaited() bool { return !q.once && !q.late() }

// timeouts orders queries by deadline, and those of one deadline by id, so
// that the order never depends on how the heap was built.
type timeouts []*query

func (t timeouts) Len() int { return len(t) }
func (t timeouts) Less(i, j int) bool {
	if !t[i].deadline.Equal(t[j].deadline) {
		return t[i].deadline.Before(t[j].deadline)
	}
	return t[i].id < t[j].id
}
func (t timeouts) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}
func (t *timeouts) Push(x any) {
	q := x.(*query)
	q.index = len(*t)
	*t = append(*t, q)
}
func (t *timeouts) Pop() any {
	last := len(*t) - 1
	q := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return q
}

// send starts a query.
func (c *Client) send(now time.Time, q *query) {
	for {
		q.id = c.random.Uint64() &^ 0xff
		if _, taken := c.queries[q.id]; !taken {
			break
		}
	}
	q.sent = q.room[:0]
	c.queries[q.id] = q
	q.op.running().open = append(q.op.running().open, q)
	c.transmit(now, q)
	heap.Push(&c.timeouts, q)
}

// transmit sends a query once more and sets its deadline.
func (c *Client) transmit(now time.Time, q *query) {
	try := len(q.sent)
	binary.BigEndian.PutUint64(q.tid[:], q.id|uint64(try))
	q.message.Transaction = q.tid[:]
	q.message.ID, q.message.ReadOnly = c.id, true
	q.deadline = now.Add(c.rtt.timeout(try))
	q.sent = append(q.sent, now)
	data := c.encoder.Encode(&q.message)
	q.op.running().packets++
	q.op.running().out += int64(len(data))
	c.out = append(c.out, Packet{To: q.to, Data: data})
	if c.poller != nil {
		c.poller.nodes.charge(q.to, c.poller.now)
	}
}

// match finds the query, and the try, that a message from an address answers.
func (c *Client) match(from netip.AddrPort, m *Message) (q *query, try int, ok bool) {
	if m.Kind == KindQuery || len(m.Transaction) != transactionBytes {
		return nil, 0, false
	}
	id := binary.BigEndian.Uint64(m.Transaction)
	q, ok = c.queries[id&^0xff]
	try = int(id & 0xff)
	if !ok || q.to != from || try >= len(q.sent) {
		return nil, 0, false
	}
	return q, try, true
}

// remove forgets a query, answered or not.
func (c *Client) remove(q *query) {
	delete(c.queries, q.id)
	heap.Remove(&c.timeouts, q.index)
	open := q.op.running().open
	for i := range open {
		if open[i] == q {
			open[i] = open[len(open)-1]
			open[len(open)-1] = nil
			q.op.running().open = open[:len(open)-1]
			return
		}
	}
}

// fix restores the order after a query's deadline changed.
func (t *timeouts) fix(q *query) { heap.Fix(t, q.index) }
