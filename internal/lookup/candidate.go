package lookup

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
)

// candidate is a node that may be close to the target.
type candidate struct {
	Node
	placed   bool     // its id is known
	distance [20]byte // of id and target; the largest when not placed
	state    state
	heard    bool // answered once
	token    []byte
	seq      int64 // of the valid item it returned; -1: none
	item     *Item // that item
	query    *query

	by        *candidate // who named it first; nil: remembered or bootstrap
	confirmed bool       // somebody else named it too
	silent    int        // of the nodes it named first, how many did not answer the first try
	spoke     int        // and how many answered
}

// doubtful says that whoever named this node names mostly silent ones. Such
// nodes are asked last, so that invented ones near the target, which are closer
// than any that exist, cannot use up a traversal.
func (c *candidate) doubtful() bool {
	return c.by != nil && !c.confirmed && c.by.silent > 2*c.by.spoke+doubtAfter
}

type state uint8

const (
	fresh   state = iota // not asked
	waiting              // asked
	holding              // answered, with a token
	passed               // failed, or does not count: no token, or another node at its address does
)

// credit tells who named a node that it exists.
func (c *candidate) credit(late bool) {
	if c.by == nil {
		return
	}
	c.by.spoke++
	if late {
		c.by.silent--
	}
}

var farthest = [20]byte(bytes.Repeat([]byte{0xff}, 20))

// order sorts candidates, closest first.
func order(a, b *candidate) int {
	return cmp.Or(bytes.Compare(a.distance[:], b.distance[:]), a.Addr.Compare(b.Addr))
}

// addKnown makes a node whose id is told by another a candidate.
func (t *traversal) addKnown(n Node, by *candidate) {
	if t.confirm(n.Addr, by) {
		return
	}
	t.add(&candidate{Node: n, by: by, placed: true, distance: Distance(t.get.Target, n.ID)})
}

// add makes a node a candidate, unless it cannot be one or is too far away in
// a full list.
func (t *traversal) add(c *candidate) {
	if t.confirm(c.Addr, c.by) || !askable(c.Addr) || t.client.self(c.Node) || len(t.list) >= candidatesMax && !t.makeRoom(c) {
		return
	}
	c.seq = -1
	t.known[c.Addr] = c
	t.insert(c)
}

// confirm notes that somebody names a node; false: it is no candidate.
func (t *traversal) confirm(a netip.AddrPort, by *candidate) bool {
	known := t.known[a]
	if known != nil {
		known.confirmed = known.confirmed || known.by != by
	}
	return known != nil
}

// makeRoom drops the farthest fresh candidate, if it is farther than c.
func (t *traversal) makeRoom(c *candidate) bool {
	for i := len(t.list) - 1; i >= 0 && order(c, t.list[i]) < 0; i-- {
		if t.list[i].state == fresh {
			delete(t.known, t.list[i].Addr)
			t.list = slices.Delete(t.list, i, i+1)
			return true
		}
	}
	return false
}

func (t *traversal) insert(c *candidate) {
	i, _ := slices.BinarySearchFunc(t.list, c, order)
	t.list = slices.Insert(t.list, i, c)
}

// place moves a candidate to where its true id belongs.
func (t *traversal) place(c *candidate, id [20]byte) {
	if c.placed && c.ID == id {
		return
	}
	i := slices.Index(t.list, c)
	t.list = slices.Delete(t.list, i, i+1)
	c.ID, c.placed, c.distance = id, true, Distance(t.get.Target, id)
	t.insert(c)
}

// ipUse is what one public IP address takes up in a traversal.
type ipUse struct {
	asked int
	holds bool
}

// afford counts a query to a public address, unless it has had its share.
func (t *traversal) afford(ip netip.Addr) bool {
	use := t.use(ip)
	if use == nil {
		return true
	}
	if use.asked == askedPerIPMax {
		return false
	}
	use.asked++
	return true
}

// use is the account of a public address; nil for others, where many nodes
// may share one.
func (t *traversal) use(ip netip.Addr) *ipUse {
	if !Public(ip) {
		return nil
	}
	if t.ips[ip] == nil {
		t.ips[ip] = new(ipUse)
	}
	return t.ips[ip]
}
