package simnet

import (
	"encoding/binary"
	"net/netip"
	"time"

	"weir/internal/lookup"
)

// Network carries datagrams between endpoints.
type Network struct {
	world *World
	all   []*Endpoint // the one at 10.0.0.0 + i + 1 is all[i]
	link  Link
	pairs map[pair]Link
	stats Stats
	tap   func(Passage)

	encoder lookup.Encoder // of honest nodes' answers
}

// Stats counts datagrams.
type Stats struct {
	Sent        uint64
	Delivered   uint64 // duplicates counted twice
	Lost        uint64 // by the link's loss
	Unreachable uint64 // nobody there, dead, behind a NAT, or in another part of the network
	Bytes       uint64 // sent
}

type pair struct{ from, to netip.AddrPort }

type packet struct {
	from netip.AddrPort
	data []byte
}

// Passage is one datagram as a tap sees it.
type Passage struct {
	At   time.Time
	From netip.AddrPort
	To   netip.AddrPort
	Data []byte
	Fate Fate
}

// Fate is what became of a datagram.
type Fate uint8

const (
	Delivered Fate = iota
	Lost
	Unreachable
)

// NewNetwork makes a network whose links are all like l until told otherwise.
func NewNetwork(w *World, l Link) *Network {
	return &Network{
		world: w,
		link:  l,
		pairs: make(map[pair]Link),
	}
}

// World is the world the network is in.
func (n *Network) World() *World { return n.world }

// Stats counts what was carried so far.
func (n *Network) Stats() Stats { return n.stats }

// SetLink changes all links that have not been set by SetPair or
// Endpoint.SetLink.
func (n *Network) SetLink(l Link) { n.link = l }

// SetPair changes the link from one address to another, that way only.
func (n *Network) SetPair(from, to netip.AddrPort, l Link) { n.pairs[pair{from, to}] = l }

// Tap shows every datagram to f when it is delivered or dropped; nil: to nobody.
func (n *Network) Tap(f func(Passage)) { n.tap = f }

// linkOf is the link from one endpoint to another: the pair's, else the
// sender's, else the receiver's, else the network's.
func (n *Network) linkOf(from, to *Endpoint) *Link {
	if len(n.pairs) > 0 {
		if l, ok := n.pairs[pair{from.addr, to.addr}]; ok {
			return &l
		}
	}
	switch {
	case from.link != nil:
		return from.link
	case to.link != nil:
		return to.link
	}
	return &n.link
}

const (
	endpointNet  = 10 << 24
	endpointPort = 6881
)

// Endpoint makes an endpoint at the next free address, 10.x.y.z:6881, an IP
// address of its own. receive is called with what is delivered to it; data
// is never changed afterwards and may be kept.
func (n *Network) Endpoint(receive func(from netip.AddrPort, data []byte)) *Endpoint {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], endpointNet|uint32(len(n.all)+1))
	e := &Endpoint{
		net:     n,
		addr:    netip.AddrPortFrom(netip.AddrFrom4(ip), endpointPort),
		receive: receive,
		up:      true,
	}
	s := n.world.Stream("network/" + e.addr.String())
	e.random.Seed(s.Uint64(), s.Uint64())
	n.all = append(n.all, e)
	return e
}

// at is the endpoint at an address; nil: there is none.
func (n *Network) at(a netip.AddrPort) *Endpoint {
	i := addressWord(a) - endpointNet - 1
	if i >= uint32(len(n.all)) || n.all[i].addr != a {
		return nil
	}
	return n.all[i]
}

// Partition cuts the endpoints off from all that are not in the same part.
// Part 0 is where everybody begins.
func (n *Network) Partition(part int, ends ...*Endpoint) {
	for _, e := range ends {
		e.part = part
	}
}

// Heal puts everybody back into one part.
func (n *Network) Heal() {
	for _, e := range n.all {
		e.part = 0
	}
}

// send takes a datagram from an endpoint. claimed is the source it shows.
func (n *Network) send(e *Endpoint, claimed, to netip.AddrPort, data []byte) {
	n.stats.Sent++
	n.stats.Bytes += uint64(len(data))
	p := packet{from: claimed, data: data}
	e.opened(to)
	dest := n.at(to)
	if dest == nil || dest.part != e.part {
		n.dropped(to, p, Unreachable)
		return
	}
	l := n.linkOf(e, dest)
	if chance(&e.random, l.Loss) {
		n.dropped(to, p, Lost)
		return
	}
	n.carry(dest, p, l.way(&e.random))
	if chance(&e.random, l.Duplicate) {
		n.carry(dest, p, l.way(&e.random))
	}
}

func (n *Network) carry(to *Endpoint, p packet, d time.Duration) {
	w := n.world
	slot := w.slot()
	e := &w.slots[slot]
	e.to, e.pkt = to, p
	w.schedule(d, slot)
}

// deliver hands over a datagram that has arrived.
func (n *Network) deliver(to *Endpoint, p packet) {
	if !to.up || !to.admits(p.from) {
		n.dropped(to.addr, p, Unreachable)
		return
	}
	n.stats.Delivered++
	w := n.world
	w.trace.word(uint64(addressWord(p.from))<<32 | uint64(addressWord(to.addr)))
	w.trace.bytes(p.data)
	if n.tap != nil {
		n.tap(Passage{w.Now(), p.from, to.addr, p.data, Delivered})
	}
	to.receive(p.from, p.data)
}

func (n *Network) dropped(to netip.AddrPort, p packet, f Fate) {
	if f == Lost {
		n.stats.Lost++
	} else {
		n.stats.Unreachable++
	}
	if n.tap != nil {
		n.tap(Passage{n.world.Now(), p.from, to, p.data, f})
	}
}

func addressWord(a netip.AddrPort) uint32 {
	ip := a.Addr().As16() // of an IPv4 address, its IPv6-mapped form
	return binary.BigEndian.Uint32(ip[12:])
}
