package lookup

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
)

// memory is the nodes a Client knows, at most max, one an address. When it is
// full the node that has been silent longest makes room for one that answered.
type memory struct {
	max   int
	list  []remembered
	at    map[netip.AddrPort]int // index in list
	clock uint64                 // counts answers
}

type remembered struct {
	Node
	heard    uint64 // clock at its last answer; 0: never
	failures int    // in a row
}

func newMemory(max int) memory {
	return memory{max: max, at: make(map[netip.AddrPort]int)}
}

// add remembers a node that nobody has asked yet, if there is room.
func (m *memory) add(n Node) {
	if _, ok := m.at[n.Addr]; ok || len(m.list) >= m.max {
		return
	}
	m.at[n.Addr] = len(m.list)
	m.list = append(m.list, remembered{Node: n})
}

// answered remembers a node that just answered.
func (m *memory) answered(n Node) {
	m.clock++
	if i, ok := m.at[n.Addr]; ok {
		m.list[i] = remembered{Node: n, heard: m.clock}
		return
	}
	if len(m.list) >= m.max {
		oldest := 0
		for i := range m.list {
			if m.list[i].heard < m.list[oldest].heard {
				oldest = i
			}
		}
		m.forget(oldest)
	}
	m.at[n.Addr] = len(m.list)
	m.list = append(m.list, remembered{Node: n, heard: m.clock})
}

// heardFrom notes an answer of a node, if it is remembered.
func (m *memory) heardFrom(n Node) {
	if i, ok := m.at[n.Addr]; ok {
		m.clock++
		m.list[i] = remembered{Node: n, heard: m.clock}
	}
}

// failed notes that a node did not answer.
func (m *memory) failed(a netip.AddrPort) {
	i, ok := m.at[a]
	if !ok {
		return
	}
	m.list[i].failures++
	if m.list[i].failures >= nodeFailures || m.list[i].heard == 0 {
		m.forget(i)
	}
}

func (m *memory) forget(i int) {
	delete(m.at, m.list[i].Addr)
	last := len(m.list) - 1
	if i != last {
		m.list[i] = m.list[last]
		m.at[m.list[i].Addr] = i
	}
	m.list = m.list[:last]
}

// closest is up to n nodes, those closest to the target first.
func (m *memory) closest(target [20]byte, n int) []Node {
	order := func(a, b Node) int {
		return cmp.Or(Closer(target, a.ID, b.ID), a.Addr.Compare(b.Addr))
	}
	best := make([]Node, 0, n+1)
	head, worst := binary.BigEndian.Uint64(target[:]), uint64(math.MaxUint64)
	for i := range m.list {
		// The first 64 bits tell nearly all that are too far away.
		if head^binary.BigEndian.Uint64(m.list[i].ID[:]) > worst {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, m.list[i].Node, order)
		best = slices.Insert(best, at, m.list[i].Node)
		if len(best) > n {
			best = best[:n]
		}
		if len(best) == n {
			worst = head ^ binary.BigEndian.Uint64(best[n-1].ID[:])
		}
	}
	return best
}

// nodes is up to max nodes, those that answered last first.
func (m *memory) nodes(max int) []Node {
	sorted := slices.Clone(m.list)
	slices.SortFunc(sorted, func(a, b remembered) int {
		return cmp.Or(cmp.Compare(b.heard, a.heard), a.Addr.Compare(b.Addr))
	})
	sorted = sorted[:min(max, len(sorted))]
	nodes := make([]Node, len(sorted))
	for i := range sorted {
		nodes[i] = sorted[i].Node
	}
	return nodes
}
