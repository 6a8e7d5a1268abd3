package mainline

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// Misbehaviour is what a Hostile node does to others. In all else it behaves,
// so that they keep it in their routing tables: it answers pings and
// names the nodes closest to whatever it is asked about.
type Misbehaviour int

const (
	Stale      Misbehaviour = iota // takes puts and gives back the first item it got, for ever
	Forging                        // gives a higher seq with a signature that is not valid
	Swapping                       // gives a valid item of a key of its own for every target
	Mute                           // answers neither get nor put
	Acking                         // says yes to every put and holds nothing
	Crashing                       // answers with packets that crash anacrolix/dht, and sends more
	Misleading                     // names nodes that do not exist, as close to the target as can be
)

// Hostile is a node of a Network that misbehaves. Tests put it where they want
// it to do harm.
type Hostile struct {
	ID   [20]byte
	kind Misbehaviour
	addr netip.AddrPort
	conn *net.UDPConn
	net  *Network
	key  ed25519.PrivateKey // of Swapping
	wg   sync.WaitGroup

	mu    sync.Mutex
	first map[wire.Target]lookup.Message // the first put of each target
	asked int
}

// Hostile adds a node with an id, and makes the others know it. Calls come one
// after the other.
func (w *Network) Hostile(ctx context.Context, id [20]byte, kind Misbehaviour) (*Hostile, error) {
	conn, err := listen(loopback(len(w.all())))
	if err != nil {
		return nil, fmt.Errorf("start a hostile node: %w", err)
	}
	h := &Hostile{
		ID: id, kind: kind, conn: conn, net: w,
		addr:  conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		key:   ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)),
		first: make(map[wire.Target]lookup.Message),
	}
	h.addr = netip.AddrPortFrom(h.addr.Addr().Unmap(), h.addr.Port())
	h.wg.Go(h.serve)
	w.mu.Lock()
	w.hostile = append(w.hostile, h)
	w.mu.Unlock()
	if err := w.wire(ctx); err != nil {
		return nil, fmt.Errorf("start a hostile node: %w", err)
	}
	return h, nil
}

// Addr is where it listens.
func (h *Hostile) Addr() netip.AddrPort { return h.addr }

// Asked is how many gets and puts came to it.
func (h *Hostile) Asked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

func (h *Hostile) close() error {
	err := h.conn.Close()
	h.wg.Wait()
	return err
}

func (h *Hostile) serve() {
	b := make([]byte, packetBytesMax)
	for {
		size, from, err := h.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		q, err := lookup.ParseMessage(slices.Clone(b[:size]))
		if err != nil || q.Kind != lookup.KindQuery {
			continue
		}
		for _, answer := range h.answer(&q) {
			h.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}

// answer is the datagrams it sends for a query.
func (h *Hostile) answer(q *lookup.Message) [][]byte {
	r := lookup.Message{
		Kind: lookup.KindResponse, Transaction: q.Transaction, ID: h.ID, Token: []byte("hostile"),
	}
	if q.Method != lookup.MethodPing {
		for _, n := range h.net.Closest(q.Target, 9) {
			if n.ID != h.ID && len(r.Nodes) < 8*26 {
				r.Nodes = lookup.AppendNode(r.Nodes, n)
			}
		}
	}
	if q.Method != lookup.MethodGet && q.Method != lookup.MethodPut {
		return [][]byte{r.Encode()}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	if q.Method == lookup.MethodPut {
		target := q.Item().Target
		if _, ok := h.first[target]; !ok && len(h.first) < 1024 {
			h.first[target] = *q
		}
	}
	switch h.kind {
	case Mute:
		return nil
	case Crashing:
		return CrashPackets(q.Transaction)
	case Misleading:
		if r.Nodes = nil; q.Method == lookup.MethodGet {
			for i := range byte(8) {
				id := q.Target
				id[19] ^= i + 1
				addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 99, 99, 1 + i}), 9)
				r.Nodes = lookup.AppendNode(r.Nodes, lookup.Node{ID: id, Addr: addr})
			}
		}
	}
	if q.Method == lookup.MethodGet {
		h.lie(q.Target, &r)
	}
	return [][]byte{r.Encode()}
}

// lie puts a value into the answer to a get.
func (h *Hostile) lie(target wire.Target, r *lookup.Message) {
	first, known := h.first[target]
	switch h.kind {
	case Stale, Forging:
		if !known {
			return
		}
		r.Value, r.Key, r.Sig = first.Value, first.Key, first.Sig
		r.Seq, r.HasSeq = first.Seq, first.Key != nil
		if h.kind == Forging {
			r.Value = []byte("6:forged")
			r.Seq += 1000
		}
	case Swapping:
		it, err := lookup.Sign(h.key, nil, wire.IntMax, []byte("7:swapped"))
		if err != nil {
			return
		}
		r.Value, r.Key, r.Sig, r.Seq, r.HasSeq = it.Value, it.Key[:], it.Sig[:], it.Seq, true
	}
}

// CrashPackets is one datagram for each way in which a stranger is known to
// harm anacrolix/dht, as an answer to the transaction or as a query. The first
// seven kill an unguarded process at once; the item without seq kills callers
// of its exts/getput; the last two make it allocate 128 MiB, or Go types that stay for ever.
func CrashPackets(transaction []byte) [][]byte {
	t := fmt.Sprintf("1:t%d:%s", len(transaction), transaction)
	id := "2:id20:aaaaaaaaaaaaaaaaaaaa"
	k := fmt.Sprintf("1:k32:%032d", 1)
	sig := fmt.Sprintf("3:sig64:%064d", 1)
	deep := make([]byte, 1800)
	for i := range deep {
		deep[i] = 'l'
	}
	var packets [][]byte
	for _, p := range []string{
		"d1:q3:put" + t + "1:y1:qe",
		"d1:q13:announce_peer" + t + "1:y1:qe",
		"d2:ip0:1:rd" + id + "e" + t + "1:y1:re",
		"d2:ip1:x1:rd" + id + "e" + t + "1:y1:re",
		"d1:ad" + id + "e2:ip1:x1:q4:ping" + t + "1:y1:qe",
		"d1:rd" + id + "6:valuesl0:ee" + t + "1:y1:re",
		"d1:rd" + id + "6:valuesl6:abcdef1:xee" + t + "1:y1:re",
		"d1:rd" + id + k + sig + "1:v1:xe" + t + "1:y1:re",
		"d1:ad" + id + "1:k134217000:xe1:q4:ping" + t + "1:y1:qe",
		"d1:ad" + id + "5:token" + string(deep),
	} {
		packets = append(packets, []byte(p))
	}
	return packets
}
