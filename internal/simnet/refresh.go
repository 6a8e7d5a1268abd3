package simnet

import (
	"encoding/binary"
	"net/netip"
	"time"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// refresh is the one query a node may have under way to keep its table.
type refresh struct {
	id          [20]byte
	addr        netip.AddrPort
	transaction [4]byte
}

// refreshSoon sets the node's next refresh, unless it does none.
func (n *Node) refreshSoon() {
	if n.config.Refresh > 0 {
		wait := time.Duration((0.5 + n.draw.Float64()) * float64(n.config.Refresh))
		n.After(wait, n.refresh)
	}
}

// refresh asks the contact of some bucket that was left alone for longest for
// nodes of that bucket. The one asked last has not answered if it is still
// remembered.
func (n *Node) refresh() {
	if n.asked != nil {
		if c := n.table.find(n.asked.id); c != nil {
			c.failures++
		}
		n.asked = nil
	}
	if b, c := n.stalest(); c != nil {
		c.asked = n.now()
		id, addr := c.ID, c.Addr
		n.asked = &refresh{id: id, addr: addr, transaction: n.query(addr, n.within(b))}
	}
	n.refreshSoon()
}

// query asks a node for those closest to a target.
func (n *Node) query(to netip.AddrPort, target wire.Target) (transaction [4]byte) {
	binary.BigEndian.PutUint32(transaction[:], n.draw.Uint32())
	q := lookup.Message{
		Kind: lookup.KindQuery, Method: lookup.MethodFindNode, Transaction: transaction[:],
		ID: n.config.ID, Target: target,
	}
	n.Send(to, n.net.encoder.Encode(&q))
	return transaction
}

// stalest draws a bucket and finds its contact that was left alone for longest;
// nil: the bucket is empty.
func (n *Node) stalest() (bucket int, c *contact) {
	if len(n.table.buckets) == 0 {
		return 0, nil
	}
	bucket = n.draw.IntN(len(n.table.buckets))
	for i := range n.table.buckets[bucket] {
		if o := &n.table.buckets[bucket][i]; c == nil || max(o.seen, o.asked) < max(c.seen, c.asked) {
			c = o
		}
	}
	return bucket, c
}

// within draws an id that belongs in a bucket.
func (n *Node) within(bucket int) wire.Target {
	id := n.config.ID
	bit := byte(1) << (7 - bucket%8)
	id[bucket/8] ^= bit
	id[bucket/8] ^= byte(n.draw.Uint32()) & (bit - 1)
	for i := bucket/8 + 1; i < len(id); i++ {
		id[i] = byte(n.draw.Uint32())
	}
	return id
}

// refreshed takes the answer to a refresh.
func (n *Node) refreshed(from netip.AddrPort, r *lookup.Message) {
	a := n.asked
	if a == nil || a.addr != from || string(a.transaction[:]) != string(r.Transaction) {
		return
	}
	n.asked = nil
	n.table.saw(lookup.Node{ID: r.ID, Addr: from}, n.now())
	for _, o := range lookup.ParseNodes(r.Nodes, bucketContacts) {
		n.table.saw(o, 0)
	}
}
