package lookup

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// pollNode is a node that holds an item of some key.
type pollNode struct {
	id    [20]byte // zero: it has not answered yet
	at    uint64   // address: IPv4 ‖ port
	taken int64    // courtesy: when all that was sent to it has been paid for, one packet each gap
	line  uint32   // packets that wait for it
	refs  uint32   // holders, and packets waiting or sent; 0: the place is free
	stale uint32   // number of the newest poll in which it lacked what is known
}

// pollNodes is the nodes that hold something, one an address, and the courtesy
// that each is due: burst packets at once and one every gap (the generic cell
// rate algorithm, ITU-T I.371).
type pollNodes struct {
	list  []pollNode
	free  []uint32
	index []uint32 // open addressing: place in list + 1; 0: empty
	used  int
	mix   uint64 // odd and secret, so that nobody can make addresses collide
	gap   int64  // nanoseconds
	burst int64
}

func newPollNodes(c PollConfig, secret uint64) pollNodes {
	return pollNodes{mix: secret | 1, gap: int64(time.Second) / int64(c.NodeRate), burst: int64(c.NodeBurst), index: make([]uint32, 64)}
}

// packAddr is an IPv4 address and port in one word; false: it has none.
func packAddr(a netip.AddrPort) (uint64, bool) {
	ip := a.Addr()
	if !ip.Is4() {
		return 0, false
	}
	b := ip.As4()
	return uint64(binary.BigEndian.Uint32(b[:]))<<16 | uint64(a.Port()), true
}

func unpackAddr(at uint64) netip.AddrPort {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(at>>16))
	return netip.AddrPortFrom(netip.AddrFrom4(b), uint16(at))
}

// slot is where an address stands in the index, or where it would.
func (n *pollNodes) slot(at uint64) int {
	mask := len(n.index) - 1
	i := n.home(at)
	for n.index[i] != 0 && n.list[n.index[i]-1].at != at {
		i = (i + 1) & mask
	}
	return i
}

func (n *pollNodes) home(at uint64) int { return int(at*n.mix>>32) & (len(n.index) - 1) }

// find is a node's place; false: it is not here.
func (n *pollNodes) find(at uint64) (uint32, bool) {
	i := n.index[n.slot(at)]
	return i - 1, i != 0
}

// hold finds a node or makes it, and counts one reference more.
func (n *pollNodes) hold(at uint64, id [20]byte) uint32 {
	s := n.slot(at)
	if n.index[s] == 0 {
		if 4*(n.used+1) > 3*len(n.index) {
			n.grow()
			s = n.slot(at)
		}
		var place uint32
		if len(n.free) > 0 {
			place = n.free[len(n.free)-1]
			n.free = n.free[:len(n.free)-1]
		} else {
			place = uint32(len(n.list))
			n.list = append(n.list, pollNode{})
		}
		n.list[place] = pollNode{at: at}
		n.index[s] = place + 1
		n.used++
	}
	node := &n.list[n.index[s]-1]
	node.refs++
	if id != ([20]byte{}) {
		node.id = id
	}
	return n.index[s] - 1
}

func (n *pollNodes) grow() {
	old := n.index
	n.index = make([]uint32, 2*len(old))
	for _, place := range old {
		if place != 0 {
			n.index[n.slot(n.list[place-1].at)] = place
		}
	}
}

// drop gives up a reference; a node without any is forgotten.
func (n *pollNodes) drop(place uint32) {
	node := &n.list[place]
	if node.refs--; node.refs > 0 {
		return
	}
	mask := len(n.index) - 1
	hole := n.slot(node.at)
	// Those behind that were pushed on move up, so that no search ends early.
	for i := (hole + 1) & mask; n.index[i] != 0; i = (i + 1) & mask {
		home := n.home(n.list[n.index[i]-1].at)
		if (i-home)&mask >= (i-hole)&mask {
			n.index[hole] = n.index[i]
			hole = i
		}
	}
	n.index[hole] = 0
	n.used--
	n.free = append(n.free, place)
}

// node is a node as others know it.
func (n *pollNodes) node(place uint32) Node {
	return Node{ID: n.list[place].id, Addr: unpackAddr(n.list[place].at)}
}

// due is when one more packet may go to a node, behind those that wait for it.
func (n *pollNodes) due(place uint32, now int64) int64 {
	node := &n.list[place]
	return max(now, max(node.taken, now)+(int64(node.line)-n.burst+1)*n.gap)
}

// may is when the next packet may go to a node, whoever waits for it.
func (n *pollNodes) may(place uint32, now int64) int64 {
	return max(now, n.list[place].taken-(n.burst-1)*n.gap)
}

// sent charges a node for a packet.
func (n *pollNodes) sent(place uint32, now int64) {
	node := &n.list[place]
	node.taken = max(node.taken, now) + n.gap
}

// charge is sent for packets of other operations, which do not wait: polls make
// up for them, as far as another burst.
func (n *pollNodes) charge(to netip.AddrPort, now int64) {
	at, ok := packAddr(to)
	if !ok {
		return
	}
	if place, ok := n.find(at); ok && n.list[place].taken < now+2*n.burst*n.gap {
		n.sent(place, now)
	}
}
