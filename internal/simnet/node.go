package simnet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// Dialect is whose server behaviour a node has, where two widespread programs
// differ: anacrolix/dht v2 behind our guard, and libtorrent 2.0 (node.cpp).
type Dialect uint8

const (
	// Anacrolix: tokens bound to the IP address, a bad one gets silence, other
	// bytes of the stored seq are refused with 302.
	Anacrolix Dialect = iota
	// Libtorrent: tokens bound to IP address and target, a bad one gets 203,
	// other bytes of the stored seq are acknowledged and dropped, unknown
	// methods with a target get nodes.
	Libtorrent
)

// NodeConfig is what a Node needs.
type NodeConfig struct {
	ID      [20]byte // zero: a random one
	Dialect Dialect
	// Refresh is how often the node asks one of its contacts for others, so
	// that dead ones leave its table; 0: never.
	Refresh time.Duration
	// Verify checks signatures of items; nil: lookup.VerifyEd25519.
	Verify lookup.Verify
}

// Node is a model of a DHT node: how it answers ping, find_node, get_peers,
// announce_peer (BEP 5), get and put (BEP 44), and how it keeps its table.
type Node struct {
	*Endpoint
	config    NodeConfig
	behaviour Behaviour
	gang      *gang // of an eclipsing node
	table     table
	items     items
	peers     peers
	secret    uint64 // of its tokens
	draw      *rand.Rand
	turn      uint64 // counts what a hostile node sends
	asked     *refresh
	nodes     [bucketContacts * 26]byte // room for an answer's nodes
	token     [8]byte                   // and its token
}

// NewNode makes a living node at the network's next address. It knows nobody:
// see NewNodes.
func NewNode(net *Network, c NodeConfig) *Node {
	n := &Node{config: c}
	if c.Verify == nil {
		n.config.Verify = lookup.VerifyEd25519
	}
	n.Endpoint = net.Endpoint(n.handle)
	n.draw = net.world.Stream("node/" + n.addr.String())
	if n.config.ID == ([20]byte{}) {
		for i := 0; i < 20; i += 4 {
			binary.BigEndian.PutUint32(n.config.ID[i:], n.draw.Uint32())
		}
	}
	n.table.own = n.config.ID
	n.items.expiry = itemExpiry
	n.start()
	return n
}

// ID is the node's id.
func (n *Node) ID() [20]byte { return n.config.ID }

// Contact is the node as others know it.
func (n *Node) Contact() lookup.Node { return lookup.Node{ID: n.config.ID, Addr: n.addr} }

func (n *Node) start() {
	n.secret = n.draw.Uint64()
	n.items, n.peers, n.asked = items{expiry: n.items.expiry}, peers{}, nil
	n.refreshSoon()
}

// Restart begins a new life at the same address and id: what it stored is gone,
// its table is kept, as from a file.
func (n *Node) Restart() {
	if n.up {
		n.Kill()
	}
	n.Endpoint.Restart()
	n.start()
}

// Item is what the node stores at a target.
func (n *Node) Item(t wire.Target) (lookup.Item, bool) {
	if it := n.items.get(t, n.now()); it != nil {
		return it.Item, true
	}
	return lookup.Item{}, false
}

// Place makes the node store an item, unverified.
func (n *Node) Place(it lookup.Item) { n.items.put(it, 0, n.now()) }

// Forget makes the node lose an item.
func (n *Node) Forget(t wire.Target) {
	if it := n.items.at[t]; it != nil {
		n.items.remove(it)
	}
}

// Expire makes the node keep items for another time than 2 hours after they were
// last put.
func (n *Node) Expire(after time.Duration) { n.items.expiry = after }

// Stored counts the items, expired ones included that have not yet gone.
func (n *Node) Stored() int { return len(n.items.at) }

func (n *Node) now() int64 { return n.net.world.now }

// handle takes a datagram.
func (n *Node) handle(from netip.AddrPort, data []byte) {
	if n.behaviour == Silent {
		return
	}
	m, err := lookup.ParseMessage(data)
	if err != nil {
		return // real nodes say nothing either
	}
	switch m.Kind {
	case lookup.KindQuery:
		if !m.ReadOnly {
			n.table.saw(lookup.Node{ID: m.ID, Addr: from}, max(n.now(), 1))
		}
		if n.behaviour != Honest {
			n.misbehave(from, &m)
			return
		}
		n.answer(from, &m)
	case lookup.KindResponse:
		n.refreshed(from, &m)
	}
}

// answer is what an honest node does.
func (n *Node) answer(from netip.AddrPort, q *lookup.Message) {
	r := n.reply(q)
	switch q.Method {
	case lookup.MethodPing:
	case lookup.MethodFindNode:
		n.name(&r, q)
	case lookup.MethodGet:
		n.get(from, q, &r)
	case lookup.MethodGetPeers:
		n.getPeers(from, q, &r)
	case lookup.MethodPut:
		if !n.put(from, q, &r) {
			return
		}
	case lookup.MethodAnnouncePeer:
		if !n.announce(from, q, &r) {
			return
		}
	default:
		if n.config.Dialect == Libtorrent && q.Target != (wire.Target{}) {
			n.name(&r, q)
			break
		}
		refuse(&r, lookup.CodeMethodUnknown, "Method Unknown")
	}
	n.Send(from, n.net.encoder.Encode(&r))
}

// reply begins the answer to a query.
func (n *Node) reply(q *lookup.Message) lookup.Message {
	return lookup.Message{Kind: lookup.KindResponse, Transaction: q.Transaction, ID: n.config.ID}
}

// refuse makes an answer an error.
func refuse(r *lookup.Message, code int, text string) {
	*r = lookup.Message{Kind: lookup.KindError, Transaction: r.Transaction, Code: code, Text: text}
}

// name adds the nodes closest to the target, if the query wants any.
func (n *Node) name(r, q *lookup.Message) {
	if q.Want == 0 || q.Want&lookup.WantN4 != 0 {
		r.Nodes = n.table.appendClosest(n.nodes[:0], q.Target)
	}
}

func (n *Node) get(from netip.AddrPort, q, r *lookup.Message) {
	n.name(r, q)
	r.Token = n.makeToken(from, q.Target)
	it := n.items.get(q.Target, n.now())
	if it == nil {
		return
	}
	if it.Mutable || n.config.Dialect == Anacrolix {
		r.Seq, r.HasSeq = it.Seq, true
	}
	if q.HasSeq && it.Mutable && it.Seq <= q.Seq {
		return
	}
	r.Value = it.Value
	if it.Mutable {
		r.Key, r.Sig = it.Key[:], it.Sig[:]
	}
}

// put stores an item; false: the node says nothing.
func (n *Node) put(from netip.AddrPort, q, r *lookup.Message) bool {
	it := q.Item()
	if !n.goodToken(q.Token, from, it.Target) {
		refuse(r, lookup.CodeProtocol, "invalid token")
		return n.config.Dialect == Libtorrent
	}
	if !q.HasSeq && it.Mutable {
		refuse(r, lookup.CodeProtocol, "expected seq argument")
		return true
	}
	if code, text := n.judge(&it, q); code != 0 {
		refuse(r, code, text)
		return true
	}
	if old := n.items.get(it.Target, n.now()); old != nil && (!it.Mutable || old.Seq == it.Seq) {
		n.items.touch(old, n.now())
		return true
	}
	n.items.put(it, q.Cas, n.now())
	return true
}

// judge says why a put is refused: BEP 44's codes, 0: it is not.
func (n *Node) judge(it *lookup.Item, q *lookup.Message) (code int, text string) {
	switch {
	case len(it.Value) == 0:
		return lookup.CodeProtocol, "expected v argument"
	case len(it.Value) > wire.ItemBytesMax:
		return lookup.CodeValueTooBig, "message (v field) too big"
	case !it.Mutable:
		it.Seq = 0
		return 0, ""
	case len(it.Salt) > lookup.SaltBytesMax:
		return lookup.CodeSaltTooBig, "salt (salt field) too big"
	case !n.config.Verify(it.Key, wire.ItemSigned(it.Salt, it.Seq, it.Value), it.Sig):
		return lookup.CodeBadSignature, "invalid signature"
	}
	old := n.items.get(it.Target, n.now())
	switch {
	case old == nil:
	case old.Seq == it.Seq && (n.config.Dialect == Libtorrent || bytes.Equal(old.Value, it.Value)):
	case old.Seq >= it.Seq:
		return lookup.CodeSeqTooLow, "sequence number less than current"
	case n.config.Dialect == Anacrolix && old.cas != 0 && old.cas != q.Cas,
		n.config.Dialect == Libtorrent && q.HasCas && q.Cas != old.Seq:
		return lookup.CodeCasMismatch, "the CAS hash mismatched, re-read value and try again"
	}
	return 0, ""
}

func (n *Node) getPeers(from netip.AddrPort, q, r *lookup.Message) {
	r.Token = n.makeToken(from, q.Target)
	r.Peers = n.peers.get(q.Target, n.now())
	if r.Peers == nil || n.config.Dialect == Libtorrent {
		n.name(r, q)
	}
}

// announce notes a torrent peer; false: the node says nothing.
func (n *Node) announce(from netip.AddrPort, q, r *lookup.Message) bool {
	if !n.goodToken(q.Token, from, q.Target) {
		refuse(r, lookup.CodeProtocol, "invalid token")
		return n.config.Dialect == Libtorrent
	}
	port := uint16(q.Port)
	if q.ImpliedPort {
		port = from.Port()
	}
	if port != 0 {
		n.peers.add(q.Target, netip.AddrPortFrom(from.Addr(), port), n.now())
	}
	return true
}
