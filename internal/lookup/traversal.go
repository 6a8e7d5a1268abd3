package lookup

import (
	"net/netip"
	"slices"

	"weir/ledger/wire"
)

// traversal walks towards a target. It is the asking half of a get and of a
// put.
type traversal struct {
	client *Client
	owner  operation
	get    Get
	first  bool   // end at the first valid answer
	near   []Node // asked first
	only   bool   // near is asked and nobody else
	plain  bool   // ends at Width nodes, however crowded they are

	started bool
	ended   bool // by first
	list    []*candidate
	known   map[netip.AddrPort]*candidate // list by address
	ips     map[netip.Addr]*ipUse         // public addresses
	tried   []netip.AddrPort

	usual    uint64 // see density; 0: not known
	aside    int    // walks under way; see lookAside
	asided   bool   // they were begun
	opening  *query // the first one sent
	tired    bool   // it has gone on for traversalMax
	asked    int
	answers  int
	invalid  int
	accepted []*Item // different valid items, at most validItemsMax, the newest
}

func newTraversal(c *Client, owner operation, g Get, first bool) traversal {
	if g.Mutable {
		g.Salt = slices.Clone(g.Salt)
		g.Target = wire.MutableTarget(g.Key, g.Salt)
	}
	return traversal{client: c, owner: owner, get: g, first: first,
		known: make(map[netip.AddrPort]*candidate), ips: make(map[netip.Addr]*ipUse)}
}

// stay keeps the traversal to some holders.
func (t *traversal) stay(holders []Holder) {
	t.only = true
	for _, h := range holders {
		t.near = append(t.near, h.Node)
	}
}

// start takes what the client remembers when the traversal's turn comes, which
// may be later than the request.
func (t *traversal) start() {
	t.started = true
	for _, n := range t.near {
		t.addKnown(n, nil)
	}
	if t.only {
		return
	}
	t.client.density.walks = true
	if !t.plain {
		t.usual = t.client.density.usual(t.get.Target, t.client.heard)
	}
	for _, n := range t.client.memory.closest(t.get.Target, startNodes) {
		t.addKnown(n, nil)
	}
	for _, a := range t.client.config.Bootstrap {
		t.add(&candidate{Node: Node{Addr: a}, distance: farthest})
	}
}

// next picks the node to ask: the closest fresh one, as long as fewer than
// Alpha are being waited for and not enough closer ones answer. Nodes that are
// late or known to be silent do not count, so that dead ones cost little time. Doubtful ones have their
// turn when nothing else is under way.
func (t *traversal) next(r *running) *query {
	if !t.started {
		t.start()
	}
	if t.ended || r.active() >= t.client.config.Alpha && !t.only || t.spent() {
		return nil
	}
	if c := t.closestFresh(false); c != nil {
		return t.ask(c)
	}
	if !t.asided && t.crowded() {
		t.asided = true
		t.lookAside()
	}
	if len(r.open) > 0 || t.aside > 0 {
		return nil
	}
	if c := t.closestFresh(true); c != nil {
		return t.ask(c)
	}
	return nil
}

// closestFresh is the candidate to ask next, doubtful ones among them or not.
func (t *traversal) closestFresh(doubtful bool) *candidate {
	closer := 0
	for _, c := range t.list {
		switch {
		case c.state == holding, c.state == waiting && c.query.awaited():
			if closer++; t.enough(closer, c) {
				return nil
			}
		case c.state != fresh, c.doubtful() && !doubtful:
		case t.afford(c.Addr.Addr()):
			return c
		default:
			c.state = passed
		}
	}
	return nil
}

// ask makes the query for a candidate. One without a known id is a bootstrap
// node: it is asked for nodes only, which every node can answer, and then placed.
func (t *traversal) ask(c *candidate) *query {
	method := MethodGet
	if !c.placed {
		method = MethodFindNode
	}
	c.state = waiting
	c.query = &query{to: c.Addr, candidate: c, once: t.client.hopeless(c.Addr, t.client.heard),
		message: Message{Kind: KindQuery, Method: method, Target: t.get.Target, Want: t.want()}}
	if t.opening == nil {
		t.opening = c.query
	}
	t.asked++
	if !c.heard {
		t.tried = append(t.tried, c.Addr)
	}
	return c.query
}

// want is the nodes that a traversal asks for.
func (t *traversal) want() Want {
	if t.only {
		return WantNone
	}
	return WantN4
}

// over says that the nodes closest to the target have all answered or failed,
// or that enough was asked.
func (t *traversal) over() bool {
	if t.ended || !t.started {
		return t.ended
	}
	_, over, _ := t.survey()
	return over && (t.spent() || t.aside == 0 && (t.asided || !t.crowded()))
}

// survey counts the closest nodes that hold a place, and says whether nothing
// more will come, and whether that is because nobody is left to ask.
func (t *traversal) survey() (holders int, over, exhausted bool) {
	left := 0 // fresh ones passed over
	for _, c := range t.list {
		switch c.state {
		case fresh:
			if !t.spent() && !c.doubtful() {
				return holders, false, false
			}
			left++
		case waiting:
			return holders, false, false
		case holding:
			holders++
			if t.enough(holders, c) {
				return holders, true, false
			}
		}
	}
	return holders, left == 0 || t.spent(), left == 0
}

// spent says that nobody more is asked: many that answer, each as late as it
// may, shall not hold up whoever waits.
func (t *traversal) spent() bool { return t.asked >= askedMax || t.tired }

// clock learns from a query how long the traversal has gone on.
func (t *traversal) clock(q *query) {
	if q.sent[len(q.sent)-1].Sub(t.opening.sent[0]) >= traversalMax {
		t.tired = true
	}
}

// late notes that a first try went unanswered.
func (t *traversal) late(q *query) {
	t.clock(q)
	if by := q.candidate.by; by != nil {
		by.silent++
	}
}

func (t *traversal) failed(q *query) {
	t.clock(q)
	if !q.late() { // it had one try only
		t.late(q)
	}
	q.candidate.state = passed
}

// answered takes an answer. The node is placed by the id it gives itself.
func (t *traversal) answered(q *query, m *Message) {
	t.clock(q)
	c := q.candidate
	asked := c.placed
	if m.Kind == KindError || t.client.self(Node{m.ID, c.Addr}) {
		c.state = passed
		return
	}
	if !c.heard {
		c.heard = true
		t.answers++
		c.credit(q.late())
	}
	t.place(c, m.ID)
	from := scope(c.Addr.Addr())
	for _, n := range ParseNodes(m.Nodes, replyNodesMax) {
		if scope(n.Addr.Addr()) >= from && !t.only {
			t.addKnown(n, c)
		}
	}
	if !asked {
		c.state = fresh
		return
	}
	t.weigh(c, m)
	t.take(c, m)
}

// weigh decides whether a node that answered counts among the closest.
func (t *traversal) weigh(c *candidate, m *Message) {
	use := t.use(c.Addr.Addr())
	if len(m.Token) == 0 || len(m.Token) > tokenBytesMax || use != nil && use.holds {
		c.state = passed
		return
	}
	if use != nil {
		use.holds = true
	}
	c.state = holding
	c.token = slices.Clone(m.Token)
}
