package simnet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// Behaviour is how a node treats others.
type Behaviour uint8

const (
	Honest    Behaviour = iota
	Silent              // hears everything and answers nothing
	Stale               // acknowledges every put, and keeps what it had first
	Forgetful           // acknowledges every put, and stores nothing
	Lying               // answers gets with forged values, of another kind each time
	Flooding            // names dozens of nodes close to the target that do not exist
	Impostor            // answers from a wrong address, or with a wrong transaction id
	Crashing            // answers with datagrams that are known to crash careless code

	eclipsing // see Nodes.Eclipse
)

// Behave changes how the node behaves from now on.
func (n *Node) Behave(b Behaviour) { n.behaviour = b }

// misbehave answers a query as the node's behaviour has it.
func (n *Node) misbehave(from netip.AddrPort, q *lookup.Message) {
	n.turn++
	switch n.behaviour {
	case Stale:
		if n.items.get(q.Item().Target, n.now()) != nil {
			n.acknowledge(from, q)
			return
		}
	case Forgetful:
		n.acknowledge(from, q)
		return
	case Lying:
		if q.Method == lookup.MethodGet {
			n.Send(from, n.lie(from, q))
			return
		}
	case Flooding:
		if q.Method == lookup.MethodGet || q.Method == lookup.MethodFindNode {
			n.Send(from, n.flood(from, q))
			return
		}
	case Impostor:
		n.impersonate(from, q)
		return
	case Crashing:
		n.Send(from, n.crash(q))
		return
	case eclipsing:
		if n.eclipse(from, q) {
			return
		}
	}
	n.answer(from, q)
}

// acknowledge says yes to a put without storing anything; other queries are
// answered honestly.
func (n *Node) acknowledge(from netip.AddrPort, q *lookup.Message) {
	if q.Method != lookup.MethodPut {
		n.answer(from, q)
		return
	}
	r := n.reply(q)
	n.Send(from, r.Encode())
}

// lie answers a get with a value that must not be believed. It has the true
// item where the node stores it, and changes it.
func (n *Node) lie(from netip.AddrPort, q *lookup.Message) []byte {
	r := n.reply(q)
	n.get(from, q, &r)
	var forged [64]byte
	binary.LittleEndian.PutUint64(forged[:], n.turn)
	if r.Value == nil {
		r.Value, r.Key, r.Sig = []byte("6:forged"), forged[:32], forged[:]
	}
	r.Seq, r.HasSeq = r.Seq+1, true
	switch n.turn % 6 {
	case 0: // a later seq under the old signature
	case 1: // another value
		r.Value = wire.String(append([]byte("forged "), forged[:8]...))
	case 2: // another signature
		r.Sig = forged[:]
	case 3: // another's key
		r.Key = forged[:32]
	case 4: // a key and signature of wrong lengths
		r.Key, r.Sig = forged[:1], forged[:63]
	case 5: // too large
		r.Value = wire.String(make([]byte, wire.ItemBytesMax+200))
	}
	return r.Encode()
}

// floodNodes is how many nodes a flooding answer names: as many as fit a large
// datagram.
const floodNodes = 60

// flood names nodes that do not exist, each closer to the target than any
// that does.
func (n *Node) flood(from netip.AddrPort, q *lookup.Message) []byte {
	r := n.reply(q)
	r.Token = n.makeToken(from, q.Target)
	for range floodNodes {
		id := q.Target
		binary.LittleEndian.PutUint64(id[12:], n.draw.Uint64())
		ip := netip.AddrFrom4([4]byte{172, 16, byte(n.draw.Uint32()), byte(n.draw.Uint32())})
		r.Nodes = lookup.AppendNode(r.Nodes, lookup.Node{ID: id, Addr: netip.AddrPortFrom(ip, 6881)})
	}
	return r.Encode()
}

// impersonate answers so that nobody should take it for the answer of the node
// that was asked: a false item from a false address, or to no question.
func (n *Node) impersonate(from netip.AddrPort, q *lookup.Message) {
	r := n.reply(q)
	n.name(&r, q)
	r.Token = n.makeToken(from, q.Target)
	source := n.addr
	if n.turn%2 == 0 {
		source = netip.AddrPortFrom(n.addr.Addr(), n.addr.Port()+1)
	} else {
		r.Transaction = append(slices.Clone(q.Transaction), '?')
	}
	n.SendAs(source, from, r.Encode())
}

// crash is one datagram that crashes some decoder or server that is in use:
// the first six panic in an unguarded anacrolix/dht, then deep nesting, huge lengths, and
// what is no bencode.
func (n *Node) crash(q *lookup.Message) []byte {
	id, t := string(n.config.ID[:]), string(wire.String(q.Transaction))
	r := func(values string) string { return "d1:rd2:id20:" + id + values + "e1:t" + t + "1:y1:re" }
	forms := [...]string{
		"d1:q3:put1:t" + t + "1:y1:qe",
		"d1:q13:announce_peer1:t" + t + "1:y1:qe",
		"d2:ip0:1:rd2:id20:" + id + "e1:t" + t + "1:y1:re",
		"d2:ip1:x1:rd2:id20:" + id + "e1:t" + t + "1:y1:re",
		r("6:valuesl0:1:xe"),
		r("1:k32:" + string(make([]byte, 32)) + "3:sig64:" + string(make([]byte, 64)) + "1:v1:x"),
		r("1:v" + strings.Repeat("l", 800) + strings.Repeat("e", 800)),
		r("1:v" + strings.Repeat("d1:a", 300) + strings.Repeat("e", 300)),
		"d1:rd2:id999999999999:x",
		r("3:seqi-99999999999999999999e"),
		r("5:nodes25:" + string(make([]byte, 25))),
		"d1:t" + t + "1:y1:re",
		"",
		"\xff\x00de",
	}
	return []byte(forms[n.turn%uint64(len(forms))])
}
