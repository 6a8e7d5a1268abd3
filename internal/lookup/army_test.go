package lookup

import (
	"net/netip"
	"testing"
	"time"

	"weir/ledger/wire"
)

// invent names nodes that do not exist, closer to the target than any that does.
func invent(w *world, target wire.Target, n int) (nodes []byte) {
	for range n {
		id := [20]byte(target)
		id[18], id[19] = byte(w.draw.Uint32()), byte(w.draw.Uint32())
		ip := netip.AddrFrom4([4]byte{10, 66, byte(w.draw.Uint32()), byte(w.draw.Uint32())})
		nodes = AppendNode(nodes, Node{id, netip.AddrPortFrom(ip, 6881)})
	}
	return nodes
}

// An army that answers each question with ever more of its own, each closer than the
// last, cannot keep a traversal alive.
func TestAnEndlessArmyIsLeft(t *testing.T) {
	w := newWorld(t, 7, 50)
	army := netip.MustParseAddr("203.0.113.9")
	for i := range 3000 {
		n := &model{Node: Node{Addr: netip.AddrPortFrom(army, uint16(1000+i))}, w: w}
		w.at[n.Addr] = n
		n.lie = func(q *Message, r Message) []flight {
			n.ID = q.Target
			n.ID[19] = byte(w.draw.Uint32())
			r.ID, r.Nodes = n.ID, nil
			for range 16 {
				id := q.Target
				id[19] = byte(w.draw.Uint32())
				r.Nodes = AppendNode(r.Nodes, Node{id, netip.AddrPortFrom(army, uint16(1000+w.draw.IntN(3000)))})
			}
			return []flight{{data: r.Encode()}}
		}
	}
	it := signed(t, 1, 1, "x")
	for _, n := range w.closest(it.Target, 8) {
		n.items[it.Target] = it
	}
	c := w.client(Config{}, 3)
	c.AddNodes([]Node{{it.Target, netip.AddrPortFrom(army, 1000)}})
	f := w.get(c, getOf(it))
	if f.Item == nil || f.Asked > 60 || f.Holding != 7 {
		t.Errorf("found %+v", f)
	}
	mine := 0
	for _, h := range f.Closest {
		if h.Addr.Addr() == army {
			mine++
		}
	}
	if mine != 1 {
		t.Errorf("one IP address has %d of the 8 places", mine)
	}
}

func TestALargeArmyOfManyAddressesIsLeftToo(t *testing.T) {
	w := newWorld(t, 8, 50)
	var recruit func(a netip.AddrPort)
	recruit = func(a netip.AddrPort) {
		n := &model{Node: Node{Addr: a}, w: w}
		w.at[a] = n
		n.lie = func(q *Message, r Message) []flight {
			r.Token, r.Nodes = nil, nil // a token would end it sooner
			for range 60 {
				id := q.Target
				id[19] = byte(w.draw.Uint32())
				a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{45, byte(w.draw.Uint32()), byte(w.draw.Uint32()), 1}), 6881)
				recruit(a)
				r.Nodes = AppendNode(r.Nodes, Node{id, a})
			}
			return []flight{{data: r.Encode()}}
		}
	}
	it := signed(t, 1, 1, "x")
	for _, n := range w.closest(it.Target, 8) {
		n.items[it.Target] = it
	}
	recruit(netip.MustParseAddrPort("45.0.0.1:6881"))
	c := w.client(Config{}, 3)
	c.AddNodes([]Node{{it.Target, netip.MustParseAddrPort("45.0.0.1:6881")}})
	began := w.now
	f := w.get(c, getOf(it))
	if f.Asked > askedMax || w.now.Sub(began) > time.Minute {
		t.Errorf("asked %d in %v", f.Asked, w.now.Sub(began))
	}
	if f.Complete() {
		t.Error("says that it asked everybody")
	}
}

// Where every answer takes as long as it may, 200 of them would take a minute and a
// half, in which a manager's cycle and a reader's look at the head stand still.
func TestAnArmyThatTakesItsTimeIsLeftInTime(t *testing.T) {
	w := newWorld(t, 8, 50)
	w.delay = 950 * time.Millisecond
	army := func(ip byte) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{45, 0, ip, 1}), 6881)
	}
	it := signed(t, 1, 1, "x")
	for ip := range byte(250) {
		n := &model{Node: Node{Addr: army(ip)}, w: w}
		w.at[n.Addr] = n
		n.lie = func(q *Message, r Message) []flight {
			r.ID, r.Token, r.Nodes = it.Target, nil, nil // a token would end it sooner
			r.ID[19] ^= byte(w.draw.Uint32())
			for range 16 {
				id := it.Target
				id[19] ^= byte(w.draw.Uint32())
				r.Nodes = AppendNode(r.Nodes, Node{id, army(byte(w.draw.IntN(250)))})
			}
			return []flight{{data: r.Encode()}}
		}
	}
	for _, n := range w.closest(it.Target, 8) {
		n.items[it.Target] = it
	}
	c := w.client(Config{}, 3)
	c.AddNodes([]Node{{it.Target, army(0)}})
	began := w.now
	f := w.get(c, getOf(it))
	if took := w.now.Sub(began); took > traversalMax+10*time.Second {
		t.Errorf("asked %d in %v", f.Asked, took)
	}
	if f.Complete() {
		t.Error("says that it asked everybody")
	}
}
