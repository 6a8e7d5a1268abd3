package simnet

import (
	"net/netip"
	"slices"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// Nodes is a DHT: nodes that know each other as a network that has run for
// long does.
type Nodes struct {
	All    []*Node // ordered by id; then those that joined, in that order
	net    *Network
	config NodeConfig // of all
}

// NewNodes makes n nodes of one configuration, with random ids, and wires them:
// each knows up to 8 nodes of every bucket. Verify, when nil, remembers: see Remember.
func NewNodes(net *Network, n int, c NodeConfig) *Nodes {
	if c.Verify == nil {
		c.Verify = NewRemember(nil).Item
	}
	c.ID = [20]byte{}
	d := &Nodes{net: net, config: c}
	for range n {
		d.All = append(d.All, NewNode(net, c))
	}
	d.Wire()
	return d
}

// Add takes one more node into the network; Wire makes it known.
func (d *Nodes) Add(n *Node) { d.All = append(d.All, n) }

// Wire fills every node's routing table anew from all that are alive.
func (d *Nodes) Wire() {
	slices.SortFunc(d.All, byID)
	living, contacts := d.living()
	draw := d.net.world.Stream("wiring")
	for i, n := range living {
		n.table = table{own: n.config.ID}
		n.table.wire(contacts, i, draw.IntN)
	}
}

func byID(a, b *Node) int { return slices.Compare(a.config.ID[:], b.config.ID[:]) }

// living is the nodes that live, by id.
func (d *Nodes) living() (living []*Node, contacts []lookup.Node) {
	for _, n := range d.All {
		if n.up {
			living = append(living, n)
		}
	}
	slices.SortFunc(living, byID)
	for _, n := range living {
		contacts = append(contacts, n.Contact())
	}
	return living, contacts
}

// Join takes a new node with an id into the network; zero: a random one. It has
// heard of nodes of every bucket and tells those closest to it that it is there.
func (d *Nodes) Join(id [20]byte) *Node {
	c := d.config
	c.ID = id
	n := NewNode(d.net, c)
	d.All = append(d.All, n)
	living, contacts := d.living()
	n.table.wire(contacts, slices.Index(living, n), d.net.world.Stream("wiring").IntN)
	for _, o := range d.Closest(n.config.ID, 2*bucketContacts) {
		if o != n {
			n.query(o.addr, n.config.ID)
		}
	}
	return n
}

// Bootstrap is the addresses of n living nodes.
func (d *Nodes) Bootstrap(n int) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, node := range d.All {
		if node.up && len(addrs) < n {
			addrs = append(addrs, node.addr)
		}
	}
	return addrs
}

// Closest is the n living nodes closest to a target, closest first.
func (d *Nodes) Closest(t wire.Target, n int) []*Node {
	var best []*Node
	for _, node := range d.All {
		if !node.up {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, node, func(a, b *Node) int {
			return lookup.Closer(t, a.config.ID, b.config.ID)
		})
		if at < n {
			best = slices.Insert(best, at, node)
			best = best[:min(len(best), n)]
		}
	}
	return best
}

// Holding is the living nodes that store an item at a target, with whatever seq.
func (d *Nodes) Holding(t wire.Target) []*Node {
	var holding []*Node
	for _, n := range d.All {
		if _, ok := n.Item(t); ok && n.up {
			holding = append(holding, n)
		}
	}
	return holding
}

// Place stores an item at the 8 nodes closest to its target, with no packet and
// no check: for worlds too large to be filled by puts.
func (d *Nodes) Place(it lookup.Item) {
	for _, n := range d.Closest(it.Target, bucketContacts) {
		n.Place(it)
	}
}
