package lookup

import (
	"cmp"
	"encoding/binary"
	"net/netip"
)

// Node is a DHT node.
type Node struct {
	ID   [20]byte
	Addr netip.AddrPort
}

const (
	compactAddrBytes = 6  // BEP 5: IPv4 address ‖ port, big endian
	compactNodeBytes = 26 // node id ‖ compact address
)

// AppendNode appends a node in compact form (BEP 5, 26 bytes). Nodes without an
// IPv4 address have none and are left out.
func AppendNode(dst []byte, n Node) []byte {
	if !n.Addr.Addr().Unmap().Is4() {
		return dst
	}
	dst = append(dst, n.ID[:]...)
	return appendCompactAddr(dst, n.Addr)
}

// ParseNodes reads the first max compact nodes of b; a rest that is no whole
// node is ignored.
func ParseNodes(b []byte, max int) []Node {
	n := min(len(b)/compactNodeBytes, max)
	nodes := make([]Node, n)
	for i := range nodes {
		c := b[i*compactNodeBytes:][:compactNodeBytes]
		nodes[i] = Node{ID: [20]byte(c), Addr: compactAddr(c[20:])}
	}
	return nodes
}

func compactAddr(b []byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), uint16(b[4])<<8|uint16(b[5]))
}

func appendCompactAddr(dst []byte, a netip.AddrPort) []byte {
	ip := a.Addr().Unmap()
	if !ip.Is4() {
		ip = netip.IPv4Unspecified()
	}
	b := ip.As4()
	dst = append(dst, b[:]...)
	return append(dst, byte(a.Port()>>8), byte(a.Port()))
}

// Distance is the XOR metric of Kademlia, as a big-endian number.
func Distance(a, b [20]byte) (d [20]byte) {
	order := binary.BigEndian
	order.PutUint64(d[:], order.Uint64(a[:])^order.Uint64(b[:]))
	order.PutUint64(d[8:], order.Uint64(a[8:])^order.Uint64(b[8:]))
	order.PutUint32(d[16:], order.Uint32(a[16:])^order.Uint32(b[16:]))
	return d
}

// Closer compares the distances of a and b to target; it is negative when a is
// closer.
func Closer(target, a, b [20]byte) int {
	order := binary.BigEndian
	for i := 0; i < 16; i += 8 {
		t := order.Uint64(target[i:])
		if da, db := t^order.Uint64(a[i:]), t^order.Uint64(b[i:]); da != db {
			return cmp.Compare(da, db)
		}
	}
	t := order.Uint32(target[16:])
	return cmp.Compare(t^order.Uint32(a[16:]), t^order.Uint32(b[16:]))
}

// unmap gives an address its one form: IPv4 is never written as IPv6.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// askable says whether a can be the address of a node at all.
func askable(a netip.AddrPort) bool {
	ip := a.Addr()
	return a.IsValid() && a.Port() != 0 && !ip.IsUnspecified() && !ip.IsMulticast() &&
		ip != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// The scopes of addresses: who can reach them. A node may name nodes of its own
// scope or a wider one.
const (
	scopeMachine = iota
	scopeNetwork
	scopePublic
)

// Public says that anybody can reach an IP address, so that it is dear to have many:
// behind one of a home or a machine all nodes and torrent peers may be.
func Public(a netip.Addr) bool { return scope(a) == scopePublic }

func scope(a netip.Addr) int {
	switch {
	case a.IsLoopback():
		return scopeMachine
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return scopeNetwork
	}
	return scopePublic
}
