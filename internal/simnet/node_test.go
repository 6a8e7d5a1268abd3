package simnet

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/internal/lookup/kademliatest"
	"weir/ledger/wire"
)

// asker is an endpoint that sends a datagram and waits for what comes back.
type asker struct {
	w     *World
	end   *Endpoint
	reply []byte
}

func newAsker(net *Network) *asker {
	a := &asker{w: net.World()}
	a.end = net.Endpoint(func(_ netip.AddrPort, data []byte) { a.reply = data })
	return a
}

func (a *asker) exchange(to *Node, query []byte) []byte {
	a.reply = nil
	a.end.Send(to.Addr(), query)
	a.w.Run(time.Second)
	return a.reply
}

func (a *asker) ask(t *testing.T, to *Node, q lookup.Message) lookup.Message {
	t.Helper()
	q.Kind, q.Transaction, q.ID, q.ReadOnly = lookup.KindQuery, []byte("tt"), [20]byte{1}, true
	b := a.exchange(to, q.Encode())
	if b == nil {
		return lookup.Message{}
	}
	m, err := lookup.ParseMessage(b)
	if err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return m
}

// key is a key for tests, one for each number.
func key(n int) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint64(seed, uint64(n))
	return ed25519.NewKeyFromSeed(seed)
}

func mutable(t testing.TB, n int, seq int64, value string) lookup.Item {
	t.Helper()
	it, err := lookup.Sign(key(n), []byte("salt"), seq, wire.String([]byte(value)))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// putting is the query that puts an item with a token.
func putting(it lookup.Item, token []byte) lookup.Message {
	return lookup.Message{
		Method: lookup.MethodPut, Token: token, Value: it.Value, Seq: it.Seq, HasSeq: true,
		Key: it.Key[:], Sig: it.Sig[:], Salt: it.Salt,
	}
}

func TestANodeOfEitherDialectDoesWhatOurLookUpsRelyOn(t *testing.T) {
	for name, d := range map[string]Dialect{"anacrolix": Anacrolix, "libtorrent": Libtorrent} {
		t.Run(name, func(t *testing.T) {
			net := NewNetwork(NewWorld(1), Link{RTT: 10 * time.Millisecond})
			nodes := NewNodes(net, 30, NodeConfig{Dialect: d})
			a := newAsker(net)
			kademliatest.Conformance(t, func(q []byte) []byte { return a.exchange(nodes.All[7], q) })
		})
	}
}

func TestTheDialectsDifferWhereTheProgramsDo(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{})
	anacrolix, libtorrent := NewNode(net, NodeConfig{}), NewNode(net, NodeConfig{Dialect: Libtorrent})
	a := newAsker(net)
	it, fork := mutable(t, 1, 5, "one"), mutable(t, 1, 5, "two")
	get := lookup.Message{Method: lookup.MethodGet, Target: it.Target}
	for _, n := range []*Node{anacrolix, libtorrent} {
		if r := a.ask(t, n, putting(it, a.ask(t, n, get).Token)); r.Kind != lookup.KindResponse {
			t.Fatalf("a put got %c %d", r.Kind, r.Code)
		}
	}
	if r := a.ask(t, anacrolix, putting(fork, a.ask(t, anacrolix, get).Token)); r.Code != lookup.CodeSeqTooLow {
		t.Errorf("anacrolix: other bytes at one seq got %c %d", r.Kind, r.Code)
	}
	if r := a.ask(t, libtorrent, putting(fork, a.ask(t, libtorrent, get).Token)); r.Kind != lookup.KindResponse {
		t.Errorf("libtorrent: other bytes at one seq got %c %d", r.Kind, r.Code)
	}
	if got, _ := libtorrent.Item(it.Target); !bytes.Equal(got.Value, it.Value) {
		t.Error("libtorrent: they replaced the item")
	}

	if r := a.ask(t, anacrolix, putting(it, []byte("12345678"))); r.Kind != 0 {
		t.Errorf("anacrolix: a bad token got %c %d", r.Kind, r.Code)
	}
	if r := a.ask(t, libtorrent, putting(it, []byte("12345678"))); r.Code != lookup.CodeProtocol {
		t.Errorf("libtorrent: a bad token got %c %d", r.Kind, r.Code)
	}

	plain := lookup.Message{Method: lookup.MethodPut, Value: []byte("1:x")}
	plain.Token = a.ask(t, anacrolix, lookup.Message{Method: lookup.MethodGet}).Token
	if r := a.ask(t, anacrolix, plain); r.Kind != lookup.KindResponse {
		t.Errorf("anacrolix: another target's token got %c %d", r.Kind, r.Code)
	}
	plain.Token = a.ask(t, libtorrent, lookup.Message{Method: lookup.MethodGet}).Token
	if r := a.ask(t, libtorrent, plain); r.Code != lookup.CodeProtocol {
		t.Errorf("libtorrent: another target's token got %c %d", r.Kind, r.Code)
	}
}

func TestTokensLastTenMinutesAndNotTwenty(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{})
	n := NewNode(net, NodeConfig{})
	a, other := newAsker(net), newAsker(net)
	it := mutable(t, 1, 1, "x")
	token := a.ask(t, n, lookup.Message{Method: lookup.MethodGet, Target: it.Target}).Token
	if r := other.ask(t, n, putting(it, token)); r.Kind != 0 {
		t.Error("another address used the token")
	}
	a.w.Run(10 * time.Minute)
	if r := a.ask(t, n, putting(it, token)); r.Kind != lookup.KindResponse {
		t.Error("after ten minutes it is refused")
	}
	a.w.Run(10 * time.Minute)
	if r := a.ask(t, n, putting(it, token)); r.Kind != 0 {
		t.Error("after twenty it is accepted")
	}
}

func TestAnItemIsGoneTwoHoursAfterItsLastPut(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{})
	n := NewNode(net, NodeConfig{})
	it := mutable(t, 1, 1, "x")
	n.Place(it)
	a := newAsker(net)
	a.w.Run(90 * time.Minute)
	token := a.ask(t, n, lookup.Message{Method: lookup.MethodGet, Target: it.Target}).Token
	if r := a.ask(t, n, putting(it, token)); r.Kind != lookup.KindResponse {
		t.Fatal("the same item again was refused")
	}
	a.w.Run(119 * time.Minute)
	if _, ok := n.Item(it.Target); !ok {
		t.Error("it went before its time")
	}
	a.w.Run(2 * time.Minute)
	if _, ok := n.Item(it.Target); ok {
		t.Error("it stayed after its time")
	}
}

func TestStrangersCannotFillANode(t *testing.T) {
	s := items{expiry: itemExpiry}
	var p peers
	for i := range itemsMax + 1000 {
		it := lookup.Item{Value: []byte("0:")}
		binary.BigEndian.PutUint32(it.Target[:], uint32(i))
		s.put(it, 0, int64(i))
		for j := range 2 {
			addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(j), byte(i >> 8), byte(i)}), 1)
			p.add(it.Target, addr, int64(i))
			p.add(wire.Target{}, addr, int64(i))
		}
	}
	if len(s.at) != itemsMax {
		t.Errorf("%d items", len(s.at))
	}
	if len(p.at) > peerSetsMax || len(p.order) > peerSetsMax {
		t.Errorf("torrent peers of %d torrents", len(p.at))
	}
	for _, set := range p.at {
		if len(set) > peersPerHash {
			t.Errorf("%d torrent peers of one", len(set))
		}
	}
	n := 0
	for it := s.oldest; it != nil; it = it.next {
		n++
	}
	if n != len(s.at) || s.newest.next != nil || s.oldest.older != nil {
		t.Errorf("%d items in a list of %d", n, len(s.at))
	}
}

func TestAWiredNodeNamesTheClosestNodesThereAre(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{})
	nodes := NewNodes(net, 500, NodeConfig{})
	draw := net.World().Stream("targets")
	var found, all int
	for range 300 {
		var target wire.Target
		binary.BigEndian.PutUint64(target[:], draw.Uint64())
		closest := nodes.Closest(target, 8)
		if !slices.IsSortedFunc(closest, func(a, b *Node) int { return lookup.Closer(target, a.ID(), b.ID()) }) {
			t.Fatal("Closest is not in order")
		}
		named := lookup.ParseNodes(closest[0].table.appendClosest(nil, target), 8)
		for i, n := range named {
			if i > 0 && lookup.Closer(target, named[i-1].ID, n.ID) >= 0 {
				t.Fatal("the nodes named are not in order")
			}
			if slices.ContainsFunc(closest[1:], func(o *Node) bool { return o.ID() == n.ID }) {
				found++
			}
		}
		all += len(closest) - 1
	}
	near(t, "the share of the 7 next closest that the closest names", float64(found)/float64(all), 1, 0.1)
}

func TestTableRanksAsASortOfEverythingWould(t *testing.T) {
	draw := NewWorld(2).Stream("test")
	random := func() (id [20]byte) {
		binary.BigEndian.PutUint64(id[:], draw.Uint64()>>draw.IntN(2))
		return id
	}
	for range 200 {
		tb := table{own: random()}
		var all []lookup.Node
		for i := range 1 + draw.IntN(200) {
			tb.saw(lookup.Node{ID: random(), Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 1)}, 1)
		}
		for _, b := range tb.buckets {
			for i := range b {
				b[i].failures, b[i].seen = draw.IntN(failuresMax+2), int64(draw.IntN(4))
				if b[i].good() {
					all = append(all, b[i].Node)
				}
			}
		}
		target := random()
		slices.SortFunc(all, func(a, b lookup.Node) int { return lookup.Closer(target, a.ID, b.ID) })
		got := lookup.ParseNodes(tb.appendClosest(nil, target), 100)
		if !slices.Equal(got, all[:min(8, len(all))]) {
			t.Fatalf("named %v of %v", got, all)
		}
	}
}

func TestDeadNodesLeaveTheTablesOfThoseThatRefresh(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{RTT: 50 * time.Millisecond, Loss: 0.1})
	nodes := NewNodes(net, 60, NodeConfig{Refresh: time.Minute})
	for i, n := range nodes.All {
		if i%3 == 0 {
			n.Kill()
		}
	}
	named := func() (dead, alive int) {
		for _, n := range nodes.All {
			for _, o := range lookup.ParseNodes(n.table.appendClosest(nil, wire.Target{1}), 8) {
				if n.up && net.at(o.Addr).up {
					alive++
				} else if n.up {
					dead++
				}
			}
		}
		return dead, alive
	}
	before, _ := named()
	net.World().Run(12 * time.Hour)
	dead, alive := named()
	if before == 0 || dead*20 > alive {
		t.Errorf("dead nodes named: %d at first, %d of %d at last", before, dead, dead+alive)
	}
	if alive < 8*40*3/4 {
		t.Errorf("only %d living nodes are named", alive)
	}
}

func TestANodeThatRestartsHasLostItsItemsAndNotItsTable(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{})
	nodes := NewNodes(net, 20, NodeConfig{})
	n := nodes.All[0]
	n.Place(mutable(t, 1, 1, "x"))
	a := newAsker(net)
	token := a.ask(t, n, lookup.Message{Method: lookup.MethodGet}).Token
	n.Kill()
	if r := a.ask(t, n, lookup.Message{Method: lookup.MethodPing}); r.Kind != 0 {
		t.Fatal("a dead node answers")
	}
	n.Restart()
	r := a.ask(t, n, lookup.Message{Method: lookup.MethodGet})
	if n.Stored() != 0 || len(r.Nodes) != 8*26 || bytes.Equal(r.Token, token) {
		t.Errorf("%d items, %d bytes of nodes", n.Stored(), len(r.Nodes))
	}
}

func TestANodeSurvivesEveryHostileDatagram(t *testing.T) {
	net := NewNetwork(NewWorld(1), Link{})
	nodes := NewNodes(net, 20, NodeConfig{Refresh: time.Second})
	evil := nodes.All[3]
	evil.Behave(Crashing)
	a := newAsker(net)
	q := lookup.Message{Transaction: []byte("tt")}
	for range 50 {
		evil.turn++
		a.exchange(nodes.All[5], evil.crash(&q))
	}
	if r := a.ask(t, nodes.All[5], lookup.Message{Method: lookup.MethodPing}); r.Kind != lookup.KindResponse {
		t.Error("it no longer answers")
	}
}

func FuzzNode(f *testing.F) {
	q := lookup.Message{Kind: lookup.KindQuery, Method: lookup.MethodPut, Transaction: []byte("tt"), Token: []byte("12345678"),
		Value: []byte("1:x"), Seq: 1, HasSeq: true, Key: make([]byte, 32), Sig: make([]byte, 64)}
	f.Add(q.Encode())
	for _, m := range []string{lookup.MethodGet, lookup.MethodFindNode, lookup.MethodGetPeers, lookup.MethodAnnouncePeer, lookup.MethodPing} {
		q := lookup.Message{Kind: lookup.KindQuery, Method: m, Transaction: []byte("tt"), Port: 1}
		f.Add(q.Encode())
	}
	net := NewNetwork(NewWorld(1), Link{})
	nodes := NewNodes(net, 10, NodeConfig{})
	a := newAsker(net)
	f.Fuzz(func(t *testing.T, data []byte) {
		for b := Honest; b <= Crashing; b++ {
			nodes.All[0].Behave(b)
			if r := a.exchange(nodes.All[0], data); len(r) > lookup.PacketBytesMax {
				t.Fatalf("an answer of %d bytes", len(r))
			}
		}
	})
}
