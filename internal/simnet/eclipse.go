package simnet

import (
	"encoding/binary"
	"net/netip"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// gang is nodes of one owner who hides one item.
type gang struct {
	victim wire.Target
	names  []byte // compact, as many as fit an answer
}

// Eclipse has n nodes join that are closer to a target than any honest one.
// They acknowledge what is put there and store nothing, and whoever asks for it
// they send to each other. At every other target they are honest.
func (d *Nodes) Eclipse(t wire.Target, n int) []*Node {
	g := &gang{victim: t}
	draw := d.net.world.Stream("eclipse")
	var all []*Node
	for range n {
		id := t
		for i := 4; i < len(id); i += 4 {
			binary.BigEndian.PutUint32(id[i:], draw.Uint32())
		}
		node := d.Join(id)
		node.behaviour, node.gang = eclipsing, g
		all = append(all, node)
		if len(all) <= bucketContacts {
			g.names = lookup.AppendNode(g.names, node.Contact())
		}
	}
	return all
}

// eclipse answers what concerns the victim; false: that does not.
func (n *Node) eclipse(from netip.AddrPort, q *lookup.Message) bool {
	target := q.Target
	if q.Method == lookup.MethodPut {
		target = q.Item().Target
	}
	if target != n.gang.victim {
		return false
	}
	r := n.reply(q)
	if q.Method != lookup.MethodPut {
		r.Nodes, r.Token = n.gang.names, n.makeToken(from, target)
	}
	n.Send(from, r.Encode())
	return true
}
