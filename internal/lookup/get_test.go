package lookup

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/ledger/wire"
)

func TestAGetFindsWhatAPutStored(t *testing.T) {
	w := newWorld(t, 1, 200)
	writer, reader := w.client(Config{}, 2), w.client(Config{}, 3)
	mutable := signed(t, 1, 7, "level 3.20 m")
	immutable, err := Immutable(wire.String([]byte("charter")))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range []Item{mutable, immutable} {
		if s := w.put(writer, Put{Item: it}); s.Err != nil || s.Acknowledged != 8 || s.Tried != 8 || s.Refused != nil {
			t.Fatalf("put: %+v", s)
		}
		if n := holdingItem(w.closest(it.Target, 8), it); n != 8 {
			t.Errorf("%d of the true 8 closest hold it", n)
		}
		f := w.get(reader, getOf(it))
		if f.Err != nil || f.Item == nil || !f.Item.same(&it) || f.Item.Verify() != nil || f.Target != it.Target {
			t.Fatalf("found %+v", f)
		}
		if it.Mutable && (f.Holding != 8 || len(f.Closest) != 8 || f.ClosestAnswered != 8 || !f.Complete() || f.Exhausted || f.Closest[0].Seq != 7) {
			t.Errorf("found %+v", f)
		}
		if f.Packets > 40 {
			t.Errorf("%d packets", f.Packets)
		}
	}
}

func TestAnImmutableGetAndFirstEndAtTheFirstValidAnswer(t *testing.T) {
	w := newWorld(t, 2, 300)
	c := w.client(Config{}, 2)
	mutable := signed(t, 1, 7, "x")
	immutable, _ := Immutable([]byte("i1e"))
	for _, it := range []Item{mutable, immutable} {
		w.put(c, Put{Item: it})
		g := getOf(it)
		g.First = true
		f := w.get(c, g)
		if f.Item == nil || f.Packets > 8 {
			t.Errorf("found %+v", f)
		}
	}
}

func TestAbsenceIsComplete(t *testing.T) {
	w := newWorld(t, 3, 100)
	f := w.get(w.client(Config{}, 1), getOf(signed(t, 1, 1, "x")))
	if f.Item != nil || !f.Complete() || f.Exhausted || f.Holding != 0 || f.Closest[0].Seq != -1 {
		t.Errorf("found %+v", f)
	}
}

func TestAFewNodesAreExhausted(t *testing.T) {
	for n := 1; n < 8; n++ {
		w := newWorld(t, uint64(n), n)
		c := w.client(Config{}, 1)
		it := signed(t, 1, 1, "x")
		s := w.put(c, Put{Item: it})
		f := w.get(c, getOf(it))
		if s.Acknowledged != n || f.Answered != n || f.ClosestAnswered != n || !f.Exhausted || !f.Complete() || f.Holding != n {
			t.Errorf("%d nodes: %+v, %+v", n, s, f)
		}
	}
}

func TestNobodyToAsk(t *testing.T) {
	w := newWorld(t, 1, 3)
	c := w.client(Config{}, 0)
	f := w.get(c, getOf(signed(t, 1, 1, "x")))
	if !errors.Is(f.Err, ErrNoNodes) || f.Complete() || f.Item != nil {
		t.Errorf("found %+v", f)
	}
	s := w.put(c, Put{Item: signed(t, 1, 1, "x"), Check: func(Found) error { t.Error("checked"); return nil }})
	if !errors.Is(s.Err, ErrNoNodes) {
		t.Errorf("stored %+v", s)
	}
}

func TestNobodyAnswersAndTheErrorNamesWhoWasAsked(t *testing.T) {
	w := newWorld(t, 1, 12)
	for _, n := range w.nodes {
		n.dead = true
	}
	c := w.client(Config{}, 12)
	began := w.now
	f := w.get(c, getOf(signed(t, 1, 1, "x")))
	var none *NoNodesError
	if !errors.As(f.Err, &none) || len(none.Tried) != 12 || f.Answered != 0 || f.Asked != 12 || f.Packets != 36 {
		t.Fatalf("found %+v", f)
	}
	if !strings.Contains(f.Err.Error(), "10.1.0.0:6881, ") || !strings.HasSuffix(f.Err.Error(), " and 4 more") {
		t.Errorf("error %q", f.Err)
	}
	if took := w.now.Sub(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestTheHighestSeqWinsAndForksAreSeen(t *testing.T) {
	w := newWorld(t, 4, 100)
	old, a, b := signed(t, 1, 6, "old"), signed(t, 1, 7, "a"), signed(t, 1, 7, "b")
	near := w.closest(a.Target, 8)
	for i, it := range []Item{old, old, a, b, a, old} {
		near[i].items[it.Target] = it
	}
	f := w.get(w.client(Config{}, 1), getOf(a))
	if f.Item == nil || !f.Item.same(&a) || len(f.Conflicts) != 1 || !f.Conflicts[0].same(&b) || f.Holding != 2 {
		t.Errorf("found %+v", f)
	}
	if f.Closest[0].Seq != 6 || f.Closest[3].Seq != 7 || f.Closest[7].Seq != -1 {
		t.Errorf("closest %+v", f.Closest)
	}
}

func TestTheNewestIsKeptAmongManyVersions(t *testing.T) {
	w := newWorld(t, 5, 60)
	for i, n := range w.nodes {
		it := signed(t, 1, int64(100-i), "v")
		n.items[it.Target] = it
	}
	c := w.client(Config{Width: 24}, 5)
	f := w.get(c, getOf(signed(t, 1, 0, "v")))
	best := int64(0)
	for _, h := range f.Closest {
		best = max(best, h.Seq)
	}
	if len(f.Closest) != 24 || f.Item.Seq != best {
		t.Errorf("seq %d of %d holders, best %d", f.Item.Seq, len(f.Closest), best)
	}
}

// Each lie is told by the 3 nodes closest to the target and by 20 of the others;
// the truth must be found, and no lie believed.
func TestLiesAreNotBelieved(t *testing.T) {
	truth := signed(t, 1, 7, "truth")
	other := signed(t, 2, 9, "of another key")
	send := func(m Message) []flight { return []flight{{data: m.Encode()}} }
	lies := []struct {
		name    string
		invalid bool
		lie     func(n *model, q *Message, r Message) []flight
	}{
		{"a bad signature", true, func(n *model, q *Message, r Message) []flight {
			forged := truth
			forged.Seq = 8
			show(&r, forged)
			return send(r)
		}},
		{"another value under the signature", true, func(n *model, q *Message, r Message) []flight {
			forged := truth
			forged.Value = wire.String([]byte("lie"))
			show(&r, forged)
			return send(r)
		}},
		{"another's item", true, func(n *model, q *Message, r Message) []flight {
			show(&r, other)
			return send(r)
		}},
		{"a key of 31 bytes", true, func(n *model, q *Message, r Message) []flight {
			show(&r, truth)
			r.Key = r.Key[:31]
			return send(r)
		}},
		{"a signature of 63 bytes", true, func(n *model, q *Message, r Message) []flight {
			show(&r, truth)
			r.Sig = r.Sig[:63]
			return send(r)
		}},
		{"no seq", true, func(n *model, q *Message, r Message) []flight {
			show(&r, truth)
			r.HasSeq = false
			return send(r)
		}},
		{"no value", true, func(n *model, q *Message, r Message) []flight {
			show(&r, truth)
			r.Value = nil
			return send(r)
		}},
		{"a value that is too long", true, func(n *model, q *Message, r Message) []flight {
			show(&r, truth)
			r.Value = wire.String(make([]byte, 1200))
			return send(r)
		}},
		{"an old seq", false, func(n *model, q *Message, r Message) []flight {
			show(&r, signed(t, 1, 3, "old"))
			return send(r)
		}},
		{"silence", false, func(n *model, q *Message, r Message) []flight { return nil }},
		{"an error", false, func(n *model, q *Message, r Message) []flight {
			return send(Message{Kind: KindError, Transaction: q.Transaction, Code: CodeMethodUnknown, Text: "what?"})
		}},
		{"rubbish", false, func(n *model, q *Message, r Message) []flight {
			return []flight{{data: []byte("d1:rd2:id")}, {data: bytes.Repeat([]byte("l"), 2000)}, {data: make([]byte, 4000)}, {data: nil}}
		}},
		{"the wrong source", false, func(n *model, q *Message, r Message) []flight {
			show(&r, other)
			return []flight{{from: netip.AddrPortFrom(n.Addr.Addr(), 1), data: r.Encode()}}
		}},
		{"another transaction id", false, func(n *model, q *Message, r Message) []flight {
			show(&r, other)
			r.Transaction = slices.Clone(r.Transaction)
			r.Transaction[0]++
			return send(r)
		}},
		{"an answer to a try that was not made", false, func(n *model, q *Message, r Message) []flight {
			show(&r, other)
			r.Transaction = slices.Clone(r.Transaction)
			r.Transaction[7] += 5
			return send(r)
		}},
		{"a query for an answer", false, func(n *model, q *Message, r Message) []flight { return send(*q) }},
		{"no token", false, func(n *model, q *Message, r Message) []flight {
			r.Token = nil
			return send(r)
		}},
		{"a huge token", false, func(n *model, q *Message, r Message) []flight {
			r.Token = make([]byte, 900)
			return send(r)
		}},
		{"invented nodes next to the target", false, func(n *model, q *Message, r Message) []flight {
			r.Nodes = invent(n.w, q.Target, 60)
			return send(r)
		}},
		{"the closest nodes at wrong ports", false, func(n *model, q *Message, r Message) []flight {
			r.Nodes = nil
			for _, near := range n.w.closest(q.Target, 8) {
				r.Nodes = AppendNode(r.Nodes, Node{near.ID, netip.AddrPortFrom(near.Addr.Addr(), 9)})
			}
			return send(r)
		}},
		{"far nodes under near ids", false, func(n *model, q *Message, r Message) []flight {
			r.Nodes = nil
			for i := range 16 {
				id := q.Target
				id[19] ^= byte(i)
				r.Nodes = AppendNode(r.Nodes, Node{id, n.w.nodes[i].Addr})
			}
			return send(r)
		}},
		{"addresses that are none", false, func(n *model, q *Message, r Message) []flight {
			r.Nodes = nil
			for _, a := range []string{"10.1.0.1:0", "0.0.0.0:1", "255.255.255.255:1", "224.0.0.1:1", "127.0.0.1:6881"} {
				r.Nodes = AppendNode(r.Nodes, Node{q.Target, netip.MustParseAddrPort(a)})
			}
			return send(r)
		}},
	}
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			w := newWorld(t, 6, 150)
			c := w.client(Config{Timeout: time.Second}, 0)
			near := w.closest(truth.Target, 150)
			for i, n := range near[:8] {
				n.items[truth.Target] = truth
				if i < 3 {
					n.lie = func(q *Message, r Message) []flight { return l.lie(n, q, r) }
				}
			}
			for _, n := range near[30:50] {
				n.lie = func(q *Message, r Message) []flight { return l.lie(n, q, r) }
			}
			for _, n := range near[28:60] { // some lie, some not
				c.AddNodes([]Node{n.Node})
			}
			f := w.get(c, getOf(truth))
			if f.Item == nil || !f.Item.same(&truth) || len(f.Conflicts) != 0 {
				t.Fatalf("found %+v", f)
			}
			if !f.Complete() || f.Holding < 4 {
				t.Errorf("found %+v", f)
			}
			if (f.Invalid >= 3) != l.invalid {
				t.Errorf("%d invalid", f.Invalid)
			}
			if f.Asked > 60 {
				t.Errorf("%d asked, %d packets", f.Asked, f.Packets)
			}
			for _, n := range c.Nodes(1000) {
				if m := w.at[n.Addr]; m == nil {
					t.Errorf("remembers an invented node %v", n.Addr)
				} else if m.ID != n.ID {
					t.Errorf("remembers %v under another id", n.Addr)
				}
			}
		})
	}
}

func TestOurOwnNodeIsNeverAsked(t *testing.T) {
	w := newWorld(t, 9, 20)
	own := w.nodes[4]
	c := w.client(Config{Self: own.Node}, 10)
	c.AddNodes([]Node{own.Node, {own.ID, netip.MustParseAddrPort("10.1.200.1:1")}})
	own.lie = func(q *Message, r Message) []flight { t.Error("asked"); return nil }
	if s := w.put(c, Put{Item: signed(t, 1, 1, "x")}); s.Acknowledged != 8 {
		t.Errorf("stored %+v", s)
	}
}

func TestABadNetwork(t *testing.T) {
	w := newWorld(t, 10, 300)
	w.loss, w.delay, w.jitter = 0.2, 35*time.Millisecond, 30*time.Millisecond
	c := w.client(Config{}, 5)
	reader := w.client(Config{}, 5)
	const items = 60
	var all []Item
	acknowledged, held, found, fresh := 0, 0, 0, 0
	for i := range items {
		it := signed(t, uint64(i), 1, "x")
		all = append(all, it)
		c.Put(w.now, Put{Item: it}, func(s Stored) {
			if s.Err != nil {
				t.Errorf("put: %v", s.Err)
			}
			acknowledged += s.Acknowledged
		})
	}
	w.run()
	for _, it := range all {
		held += holdingItem(w.closest(it.Target, 8), it)
	}
	if held < items*7 || acknowledged < items*7 {
		t.Errorf("%d of %d places hold their item, %d acknowledged", held, items*8, acknowledged)
	}
	// 30 % die.
	for _, i := range w.draw.Perm(len(w.nodes))[:90] {
		w.nodes[i].dead = true
	}
	began := w.now
	var gets []Get
	for _, it := range all {
		gets = append(gets, getOf(it))
	}
	for i, f := range w.gets(reader, gets) {
		if f.Item != nil && f.Item.same(&all[i]) {
			found++
		}
		if f.Complete() {
			fresh++
		}
	}
	if found != items || fresh != items {
		t.Errorf("%d of %d found, %d complete", found, items, fresh)
	}
	t.Logf("held %d of %d, %d gets in %v, %d packets sent in all", held, items*8, items, w.now.Sub(began), w.sent)
}

func TestRunsReplay(t *testing.T) {
	run := func(seed uint64) string {
		w := newWorld(t, seed, 120)
		w.loss = 0.15
		a, b := w.client(Config{InFlight: 10}, 3), w.client(Config{NodesMax: 20}, 3)
		for i := range 20 {
			it := signed(t, uint64(i), 1, "x")
			a.Put(w.now, Put{Item: it}, func(s Stored) { b.Get(w.now, getOf(it), func(Found) {}) })
			b.Get(w.now, getOf(it), func(Found) {})
		}
		w.run()
		return string(w.trace.Sum(nil))
	}
	first := run(1)
	if run(1) != first {
		t.Error("one seed, two runs")
	}
	if run(2) == first {
		t.Error("two seeds, one run")
	}
}
