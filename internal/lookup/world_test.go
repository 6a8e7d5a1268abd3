package lookup

import (
	"bytes"
	"container/heap"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/ledger/wire"
)

// world is a small network on a virtual clock: model nodes, and links that
// lose, delay and reorder. A seed is a run.
type world struct {
	t       testing.TB
	now     time.Time
	draw    *rand.Rand
	loss    float64
	delay   time.Duration // one way, at least
	jitter  time.Duration // and up to so much more
	queue   flights
	serial  int
	nodes   []*model
	at      map[netip.AddrPort]*model
	clients map[netip.AddrPort]*Client
	trace   hash.Hash
	sent    int // by clients
	tap     func(to *model)
}

type flight struct {
	when     time.Time
	serial   int
	from, to netip.AddrPort
	data     []byte
}

type flights []flight

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	return f[i].when.Before(f[j].when) || f[i].when.Equal(f[j].when) && f[i].serial < f[j].serial
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)   { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// model is a DHT node of maps.
type model struct {
	Node
	w     *world
	table []Node
	items map[wire.Target]Item
	dead  bool
	slow  time.Duration // that its answers take longer
	// lie, when set, sees each query and the honest answer and gives what to send
	// instead; nil: nothing.
	lie func(q *Message, honest Message) []flight
	// puts counts the puts this node took, tokenless those with a bad token.
	puts, tokenless int
	epoch           byte // of tokens; another one makes all before it bad
	mute            bool // bad tokens get silence
}

func newWorld(t testing.TB, seed uint64, nodes int) *world {
	w := &world{t: t, now: time.Unix(1_700_000_000, 0), draw: rand.New(rand.NewPCG(seed, 1)),
		delay: 10 * time.Millisecond, jitter: 20 * time.Millisecond,
		at: make(map[netip.AddrPort]*model), clients: make(map[netip.AddrPort]*Client), trace: sha256.New()}
	for i := range nodes {
		w.addNode(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 6881))
	}
	w.wire()
	return w
}

func (w *world) addNode(a netip.AddrPort) *model {
	n := &model{Node: Node{Addr: a}, w: w, items: make(map[wire.Target]Item)}
	for i := range n.ID {
		n.ID[i] = byte(w.draw.Uint32())
	}
	w.nodes = append(w.nodes, n)
	w.at[a] = n
	return n
}

// wire gives each node up to 8 nodes of every bucket, and its 8 neighbours.
func (w *world) wire() {
	for _, n := range w.nodes {
		n.table = nil
		buckets := make(map[int]int)
		order := w.draw.Perm(len(w.nodes))
		for _, near := range w.closest(n.ID, 9) {
			if near != n {
				n.table = append(n.table, near.Node)
			}
		}
		for _, i := range order {
			other := w.nodes[i]
			if b := sharedBits(n.ID, other.ID); other != n && buckets[b] < 8 {
				buckets[b]++
				if !slices.Contains(n.table, other.Node) {
					n.table = append(n.table, other.Node)
				}
			}
		}
	}
}

func sharedBits(a, b [20]byte) int {
	d := Distance(a, b)
	for i := range 160 {
		if d[i/8]&(0x80>>(i%8)) != 0 {
			return i
		}
	}
	return 160
}

// closest is the true n closest nodes to a target.
func (w *world) closest(target [20]byte, n int) []*model {
	sorted := slices.Clone(w.nodes)
	slices.SortFunc(sorted, func(a, b *model) int { return Closer(target, a.ID, b.ID) })
	return sorted[:min(n, len(sorted))]
}

// client makes a Client that bootstraps from the first n nodes.
func (w *world) client(c Config, bootstrap int) *Client {
	a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, 0, byte(len(w.clients) + 1)}), 7000)
	for _, n := range w.nodes[:bootstrap] {
		c.Bootstrap = append(c.Bootstrap, n.Addr)
	}
	if c.Random == nil {
		c.Random = randomReader{w.draw}
	}
	client := New(c)
	client.density.again = w.now.Add(1000 * time.Hour) // packets are counted
	w.clients[a] = client
	return client
}

type randomReader struct{ *rand.Rand }

func (r randomReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return len(p), nil
}

func (w *world) send(from, to netip.AddrPort, data []byte) {
	if w.draw.Float64() < w.loss {
		return
	}
	w.serial++
	delay := w.delay + time.Duration(w.draw.Int64N(int64(w.jitter)+1))
	if n := w.at[from]; n != nil {
		delay += n.slow
	}
	heap.Push(&w.queue, flight{w.now.Add(delay), w.serial, from, to, data})
}

// addrs of clients in a fixed order.
func (w *world) addrs() []netip.AddrPort {
	var all []netip.AddrPort
	for a := range w.clients {
		all = append(all, a)
	}
	slices.SortFunc(all, netip.AddrPort.Compare)
	return all
}

// run goes on until nothing is under way, at most an hour.
func (w *world) run() {
	w.t.Helper()
	for end := w.now.Add(time.Hour); w.step(); {
		if w.now.After(end) {
			w.t.Fatal("something is under way for ever")
		}
	}
}

// step lets the next thing happen; false: nothing is under way.
func (w *world) step() bool {
	var tick netip.AddrPort
	var next time.Time
	for _, a := range w.addrs() {
		c := w.clients[a]
		for _, p := range c.Packets() {
			fmt.Fprintf(w.trace, "%d %v %v %x\n", w.now.UnixNano(), a, p.To, p.Data)
			w.sent++
			w.send(a, p.To, p.Data)
		}
		if n := c.Next(); !n.IsZero() && (next.IsZero() || n.Before(next)) {
			tick, next = a, n
		}
	}
	switch {
	case len(w.queue) > 0 && (next.IsZero() || w.queue[0].when.Before(next)):
		f := heap.Pop(&w.queue).(flight)
		w.now = f.when
		if c := w.clients[f.to]; c != nil {
			c.Handle(w.now, f.from, f.data)
		} else if n := w.at[f.to]; n != nil {
			n.receive(f.from, f.data)
		}
	case !next.IsZero():
		if next.After(w.now) {
			w.now = next
		}
		w.clients[tick].Tick(w.now)
	default:
		return false
	}
	return true
}

func (n *model) token(from netip.AddrPort, target wire.Target) []byte {
	h := sha256.Sum256(append([]byte(fmt.Sprint(from, n.Addr, n.epoch)), target[:]...))
	return h[:8]
}

func (n *model) receive(from netip.AddrPort, data []byte) {
	if n.w.tap != nil {
		n.w.tap(n)
	}
	q, err := ParseMessage(data)
	if err != nil || q.Kind != KindQuery || !q.ReadOnly {
		n.w.t.Errorf("a client sent what is no read-only query: %v %q", err, data)
		return
	}
	if n.dead {
		return
	}
	r := n.answer(from, &q)
	if n.lie != nil {
		for _, f := range n.lie(&q, r) {
			if !f.from.IsValid() {
				f.from = n.Addr
			}
			n.w.send(f.from, from, f.data)
		}
		return
	}
	if r.Kind != 0 {
		n.w.send(n.Addr, from, r.Encode())
	}
}

func (n *model) answer(from netip.AddrPort, q *Message) Message {
	r := Message{Kind: KindResponse, Transaction: q.Transaction, ID: n.ID}
	fail := func(code int) Message {
		return Message{Kind: KindError, Transaction: q.Transaction, Code: code, Text: "no"}
	}
	switch q.Method {
	case MethodFindNode, MethodGet:
		if q.Want&WantN4 != 0 {
			near := slices.Clone(n.table)
			slices.SortFunc(near, func(a, b Node) int { return Closer(q.Target, a.ID, b.ID) })
			for _, near := range near[:min(8, len(near))] {
				r.Nodes = AppendNode(r.Nodes, near)
			}
		}
		if q.Method == MethodGet {
			r.Token = n.token(from, q.Target)
			switch it, ok := n.items[q.Target]; {
			case ok && it.Mutable && q.HasSeq && it.Seq <= q.Seq:
				r.Seq, r.HasSeq = it.Seq, true
			case ok:
				show(&r, it)
			}
		}
	case MethodPut:
		it := q.Item()
		switch {
		case !bytes.Equal(q.Token, n.token(from, it.Target)):
			n.tokenless++
			if n.mute {
				return Message{}
			}
			return fail(CodeProtocol)
		case !q.HasSeq || q.HasCas:
			n.w.t.Errorf("a put without seq or with cas: %+v", q)
		case it.Verify() != nil:
			n.w.t.Errorf("a put of what is not valid: %v", it.Verify())
			return fail(CodeBadSignature)
		}
		if old, ok := n.items[it.Target]; ok && old.Mutable && (old.Seq > it.Seq || old.Seq == it.Seq && !bytes.Equal(old.Value, it.Value)) {
			return fail(CodeSeqTooLow)
		}
		n.items[it.Target] = it
		n.puts++
	default:
		return fail(CodeMethodUnknown)
	}
	return r
}

// show puts an item into an answer.
func show(r *Message, it Item) {
	r.Value = it.Value
	if it.Mutable {
		r.Key, r.Sig, r.Seq, r.HasSeq = it.Key[:], it.Sig[:], it.Seq, true
	}
}

// holding is how many of some nodes hold exactly this item.
func holdingItem(nodes []*model, it Item) int {
	n := 0
	for _, m := range nodes {
		if have, ok := m.items[it.Target]; ok && have.same(&it) {
			n++
		}
	}
	return n
}

func key(n uint64) ed25519.PrivateKey {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], n)
	return ed25519.NewKeyFromSeed(seed[:])
}

func signed(t testing.TB, n uint64, seq int64, text string) Item {
	t.Helper()
	it, err := Sign(key(n), []byte("salt"), seq, wire.String([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func getOf(it Item) Get {
	return Get{Target: it.Target, Mutable: it.Mutable, Key: it.Key, Salt: it.Salt}
}

// get runs one get to its end.
func (w *world) get(c *Client, g Get) Found {
	w.t.Helper()
	return w.gets(c, []Get{g})[0]
}

func (w *world) gets(c *Client, all []Get) []Found {
	w.t.Helper()
	found, calls := make([]Found, len(all)), 0
	for i, g := range all {
		c.Get(w.now, g, func(f Found) { found[i] = f; calls++ })
	}
	if calls != 0 {
		w.t.Fatal("a callback ran inside Get")
	}
	w.run()
	if calls != len(all) {
		w.t.Fatalf("%d callbacks for %d gets", calls, len(all))
	}
	return found
}

// put runs one put to its end.
func (w *world) put(c *Client, p Put) Stored {
	w.t.Helper()
	var stored Stored
	calls := 0
	c.Put(w.now, p, func(s Stored) { stored = s; calls++ })
	if calls != 0 {
		w.t.Fatal("a callback ran inside Put")
	}
	w.run()
	if calls != 1 {
		w.t.Fatalf("%d callbacks for a put", calls)
	}
	return stored
}
