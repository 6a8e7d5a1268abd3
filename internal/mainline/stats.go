package mainline

import "sync/atomic"

// Stats is what a node has done and what it holds.
type Stats struct {
	PacketsIn, PacketsOut    uint64
	BytesIn, BytesOut        uint64
	Dropped                  map[string]uint64 // packets by reason: malformed, crashing, oversized, flooding, overflow, unasked
	TableNodes, GoodNodes    int               // nodes in the routing table, and those among them that answer
	StoredItems, StoredPeers int               // kept for others
}

// DroppedTotal is the sum of Dropped.
func (s Stats) DroppedTotal() (total uint64) {
	for _, n := range s.Dropped {
		total += n
	}
	return total
}

// Stats may be called at any time.
func (n *Node) Stats() Stats {
	table := n.server.Stats()
	s := Stats{
		PacketsIn:   n.counts.packetsIn.Load(),
		PacketsOut:  n.counts.packetsOut.Load(),
		BytesIn:     n.counts.bytesIn.Load(),
		BytesOut:    n.counts.bytesOut.Load(),
		Dropped:     make(map[string]uint64),
		TableNodes:  table.Nodes,
		GoodNodes:   table.GoodNodes,
		StoredItems: n.items.count(),
		StoredPeers: n.announced.count(),
	}
	for v := malformed; v < verdicts; v++ {
		if c := n.counts.dropped[v].Load(); c > 0 {
			s.Dropped[v.String()] = c
		}
	}
	return s
}

// counts are kept by all goroutines of a node.
type counts struct {
	packetsIn, packetsOut atomic.Uint64
	bytesIn, bytesOut     atomic.Uint64
	dropped               [verdicts]atomic.Uint64
}

func (c *counts) in(bytes int)   { c.packetsIn.Add(1); c.bytesIn.Add(uint64(bytes)) }
func (c *counts) out(bytes int)  { c.packetsOut.Add(1); c.bytesOut.Add(uint64(bytes)) }
func (c *counts) drop(v verdict) { c.dropped[v].Add(1) }
