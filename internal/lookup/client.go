package lookup

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// Packet is a datagram to send.
type Packet struct {
	To   netip.AddrPort
	Data []byte
}

// Config configures a Client. Zero fields take the defaults named.
type Config struct {
	// Random is required. It gives 52 bytes to New and is not kept: crypto/rand in the program, a
	// seed in the world. Transaction ids and the sender id derive from them.
	Random    io.Reader
	Bootstrap []netip.AddrPort // nodes whose ids are unknown, asked when too few others are known
	Self      Node             // our own node on this port, never asked; zero: there is none
	Alpha     int              // concurrent queries of one traversal: 4
	Width     int              // closest nodes wanted: 8; fewer only in tests
	Timeout   time.Duration    // the longest wait for an answer, and the first: 2 s; adaptive to measured RTT
	Tries     int              // of one query: 3, at most 16
	InFlight  int              // queries at once over all operations: 256
	NodesMax  int              // remembered nodes: 4096
	Verify    Verify           // VerifyEd25519
	Poll      PollConfig
}

// Client is the machine: it runs many gets and puts at once. It does no IO and
// is owned by one goroutine. Callbacks run inside Handle and Tick, never inside
// Get or Put.
type Client struct {
	config  Config
	id      [20]byte // sender of our queries; read-only, so nobody remembers it
	random  *rand.ChaCha8
	rtt     rtt
	memory  memory
	density density
	silent  silence
	unheard int       // queries in vain since
	heard   time.Time // of the last answer from anybody
	poller  *poller   // nil: nothing was polled

	queries  map[uint64]*query // by id; only for look-up, never walked
	timeouts timeouts          // the same queries, next deadline first
	ready    []operation       // may have something to send, served in turn
	served   int               // of ready, the first ones: done with
	settled  []operation       // over, to be finished by the next Handle or Tick
	wake     time.Time         // when the first of settled came
	out      []Packet
	encoder  Encoder // of out
}

// operation is a get or a put under way.
type operation interface {
	running() *running
	next() *query                  // what to send now; nil: nothing at present
	answered(q *query, m *Message) // a response or an error came
	late(q *query)                 // nothing came to the first of several tries
	failed(q *query)               // nothing came to any try
	over() bool                    // nothing more to do
	finish()                       // call back, or go on with what comes next
}

// running is what the Client keeps of every operation.
type running struct {
	open    []*query // on their way
	packets int      // sent
	out, in int64    // bytes
	queued  bool     // in Client.ready
	settled bool     // in Client.settled, or done
}

// active is how many queries keep the operation from asking others.
func (o *running) active() int {
	n := 0
	for _, q := range o.open {
		if q.awaited() {
			n++
		}
	}
	return n
}

// New makes a Client. It panics when Random fails.
func New(c Config) *Client {
	c.Alpha = orDefault(c.Alpha, 4)
	c.Width = orDefault(c.Width, closestNodes)
	c.Tries = min(orDefault(c.Tries, 3), triesMax)
	c.InFlight = orDefault(c.InFlight, 256)
	c.NodesMax = orDefault(c.NodesMax, 4096)
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Second
	}
	if c.Verify == nil {
		c.Verify = VerifyEd25519
	}
	c.Self.Addr = unmap(c.Self.Addr)
	c.Bootstrap = slices.Clone(c.Bootstrap)
	for i := range c.Bootstrap {
		c.Bootstrap[i] = unmap(c.Bootstrap[i])
	}
	client := &Client{
		config:  c,
		rtt:     rtt{ceiling: c.Timeout},
		memory:  newMemory(c.NodesMax),
		queries: make(map[uint64]*query),
	}
	var seed [32]byte
	for _, b := range [][]byte{seed[:], client.id[:]} {
		if _, err := io.ReadFull(c.Random, b); err != nil {
			panic(fmt.Sprintf("lookup: the source of randomness fails: %v", err))
		}
	}
	client.random = rand.NewChaCha8(seed)
	return client
}

func orDefault(v, def int) int {
	if v <= 0 {
		return def
	}
	return v
}

// Get starts a get. now is monotonic enough for timeouts.
func (c *Client) Get(now time.Time, g Get, done func(Found)) {
	c.start(now, newGetting(c, now, g, done))
}

// Put starts a put. The item is verified first.
func (c *Client) Put(now time.Time, p Put, done func(Stored)) {
	c.start(now, newPutting(c, now, p, done))
}

func (c *Client) start(now time.Time, op operation) {
	c.advance(now, op)
	c.pump(now)
}

// Handle takes a datagram; false: it is not an answer to one of our queries
// (and may be for the node that shares the port).
func (c *Client) Handle(now time.Time, from netip.AddrPort, data []byte) bool {
	m, err := ParseMessage(data)
	if err != nil {
		return false
	}
	from = unmap(from)
	if p := c.poller; p != nil {
		p.clock(now)
		if p.handle(from, &m, len(data)) {
			p.run()
			return true
		}
	}
	q, try, ok := c.match(from, &m)
	if !ok {
		return false
	}
	c.remove(q)
	q.op.running().in += int64(len(data))
	c.rtt.sample(now.Sub(q.sent[try]))
	c.heard = now
	c.unheard = 0
	c.silent.answered(q.to)
	if m.Kind == KindResponse {
		c.memory.answered(Node{m.ID, q.to})
	}
	q.op.answered(q, &m)
	c.advance(now, q.op)
	c.pump(now)
	c.settle(now)
	c.runPolls()
	return true
}

func (c *Client) runPolls() {
	if c.poller != nil {
		c.poller.run()
	}
}

// Tick runs timeouts.
func (c *Client) Tick(now time.Time) {
	for len(c.timeouts) > 0 && !c.timeouts[0].deadline.After(now) {
		c.expire(now, c.timeouts[0])
	}
	if c.poller != nil {
		c.poller.clock(now)
	}
	c.pump(now)
	c.settle(now)
	c.runPolls()
}

// Next is when the Client wants the next Tick; zero: nothing is under way.
func (c *Client) Next() time.Time {
	var next time.Time
	switch {
	case len(c.settled) > 0:
		next = c.wake
	case len(c.timeouts) > 0:
		next = c.timeouts[0].deadline
	}
	if c.poller != nil {
		if at, ok := c.poller.next(); ok && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// Packets drains what is to be sent. The caller owns it.
func (c *Client) Packets() []Packet {
	out := c.out
	c.out = nil
	return out
}

// AddNodes remembers nodes, from an earlier run or a routing table, as far as
// there is room. Nodes that answered are worth more.
func (c *Client) AddNodes(nodes []Node) {
	for _, n := range nodes {
		n.Addr = unmap(n.Addr)
		if askable(n.Addr) && !c.self(n) {
			c.memory.add(n)
		}
	}
}

// Nodes gives up to max nodes for a cache, those that answered last first.
func (c *Client) Nodes(max int) []Node { return c.memory.nodes(max) }

// self says whether a node is our own.
func (c *Client) self(n Node) bool {
	return n.Addr == c.config.Self.Addr || n.ID == c.config.Self.ID && n.ID != [20]byte{}
}

// expire sends a query again, or gives it up.
func (c *Client) expire(now time.Time, q *query) {
	if len(q.sent) < c.config.Tries && !q.once {
		c.transmit(now, q)
		c.timeouts.fix(q)
		if len(q.sent) == 2 {
			q.op.late(q)
		}
		c.advance(now, q.op)
		return
	}
	c.remove(q)
	// When nobody answered since, the fault may be on our side.
	if c.heard.After(q.sent[0]) {
		c.memory.failed(q.to)
		c.silent.failed(q.to, now)
	}
	if !q.once || c.deaf() { // of those known to be silent nothing was expected
		c.unheard++
	}
	q.op.failed(q)
	c.advance(now, q.op)
}

// advance puts an operation in line for sending, or for finishing. What is still on
// its way for one that is over is forgotten.
func (c *Client) advance(now time.Time, op operation) {
	o := op.running()
	switch {
	case o.settled:
	case op.over():
		for len(o.open) > 0 {
			c.remove(o.open[len(o.open)-1])
		}
		o.settled = true
		if len(c.settled) == 0 {
			c.wake = now
		}
		c.settled = append(c.settled, op)
	default:
		c.queue(op)
	}
}

// queue puts an operation in line for sending.
func (c *Client) queue(op operation) {
	if o := op.running(); !o.queued && !o.settled {
		o.queued = true
		c.ready = append(c.ready, op)
	}
}

// pump lets operations send in turn, one query each, while there is room.
func (c *Client) pump(now time.Time) {
	for c.served < len(c.ready) && len(c.queries) < c.config.InFlight {
		op := c.ready[c.served]
		c.ready[c.served] = nil
		c.served++
		op.running().queued = false
		if op.running().settled {
			continue
		}
		if q := op.next(); q != nil {
			q.op = op
			c.send(now, q)
			c.survey(now)
		} else if !op.over() {
			continue // an answer or a timeout will bring it back
		}
		c.advance(now, op)
	}
	if c.served == len(c.ready) || c.served > 1024 && 2*c.served > len(c.ready) {
		c.ready, c.served = append(c.ready[:0], c.ready[c.served:]...), 0
	}
}

// settle finishes the operations that are over. Those that callbacks start and that
// are over at once wait for the next Tick.
func (c *Client) settle(now time.Time) {
	over := c.settled
	c.settled = nil
	for _, op := range over {
		op.finish()
		if !op.running().settled { // it goes on
			c.advance(now, op)
		}
	}
	c.pump(now)
}
