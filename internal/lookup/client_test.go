package lookup

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

func TestTimeoutsFollowTheRoundTripTime(t *testing.T) {
	r := rtt{ceiling: 2 * time.Second}
	if d := r.timeout(0); d != 2*time.Second {
		t.Errorf("unmeasured: %v", d)
	}
	for range 50 {
		r.sample(time.Millisecond)
	}
	for try, want := range []time.Duration{250, 500, 1000, 2000, 2000} {
		if d := r.timeout(try); d != want*time.Millisecond {
			t.Errorf("try %d on a quick network: %v", try, d)
		}
	}
	for i := range 100 {
		r.sample(time.Duration(200+100*(i%2)) * time.Millisecond)
	}
	if d := r.timeout(0); d < 400*time.Millisecond || d > 550*time.Millisecond {
		t.Errorf("on a slow network: %v", d)
	}
	r.sample(-time.Hour)
	r.sample(time.Hour)
	if d := r.timeout(0); d != 2*time.Second {
		t.Errorf("after an hour: %v", d)
	}
}

func TestAnAnswerToAnyTryCountsOnce(t *testing.T) {
	w := newWorld(t, 1, 1)
	c := w.client(Config{}, 1)
	c.Get(w.now, getOf(signed(t, 1, 1, "x")), func(Found) {})
	first := c.Packets()
	w.now = c.Next()
	c.Tick(w.now)
	second := c.Packets()
	if len(first) != 1 || len(second) != 1 {
		t.Fatalf("%d and %d packets", len(first), len(second))
	}
	q, err := ParseMessage(first[0].Data)
	if err != nil || q.Method != MethodFindNode || !q.ReadOnly || q.Want != WantN4 || q.HasSeq {
		t.Fatalf("asked %+v, %v", q, err)
	}
	r := Message{Kind: KindResponse, Transaction: q.Transaction, ID: w.nodes[0].ID}
	mapped := netip.AddrPortFrom(netip.AddrFrom16(first[0].To.Addr().As16()), first[0].To.Port())
	if !c.Handle(w.now, mapped, r.Encode()) {
		t.Error("the answer to the first try was not taken")
	}
	if c.Handle(w.now, first[0].To, r.Encode()) {
		t.Error("one answer was taken twice")
	}
	again, _ := ParseMessage(second[0].Data)
	r.Transaction = again.Transaction
	if c.Handle(w.now, first[0].To, r.Encode()) {
		t.Error("the answer to the second try was taken too")
	}
	if c.rtt.smoothed != 2*time.Second {
		t.Errorf("measured %v", c.rtt.smoothed)
	}
}

func TestDatagramsForTheNodeOnTheSamePortAreNotTaken(t *testing.T) {
	w := newWorld(t, 1, 3)
	c := w.client(Config{}, 3)
	c.Get(w.now, getOf(signed(t, 1, 1, "x")), func(Found) {})
	c.Packets()
	for _, m := range messages {
		if c.Handle(w.now, w.nodes[0].Addr, []byte(m.data)) {
			t.Errorf("%s was taken", m.name)
		}
	}
}

func TestMemoryIsBoundedAndKeepsWhoAnswered(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 1))
	m := newMemory(32)
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 1)
	}
	for range 20000 {
		i := draw.IntN(64)
		n := Node{ID: [20]byte{byte(draw.Uint32())}, Addr: at(i)}
		switch draw.IntN(4) {
		case 0:
			m.add(n)
		case 1, 2:
			m.answered(n)
			if j, ok := m.at[n.Addr]; !ok || m.list[j].ID != n.ID || m.nodes(1)[0] != n {
				t.Fatal("who answered last is not first")
			}
		case 3:
			m.failed(n.Addr)
		}
		if len(m.list) > 32 || len(m.list) != len(m.at) {
			t.Fatalf("%d in the list, %d in the map", len(m.list), len(m.at))
		}
		for i := range m.list {
			if m.at[m.list[i].Addr] != i {
				t.Fatal("the map points elsewhere")
			}
		}
	}
	near := m.closest([20]byte{7}, 10)
	for i := 1; i < len(near); i++ {
		if Closer([20]byte{7}, near[i-1].ID, near[i].ID) > 0 {
			t.Errorf("closest is out of order at %d", i)
		}
	}
	for _, n := range m.list {
		if len(near) == 10 && Closer([20]byte{7}, n.ID, near[9].ID) < 0 && !contains(near, n.Node) {
			t.Errorf("%v is closer", n.Addr)
		}
	}
}

func contains(nodes []Node, n Node) bool {
	for _, m := range nodes {
		if m == n {
			return true
		}
	}
	return false
}

// FuzzHandle plays a network against a Client with operations and polls in flight: a
// datagram goes in as it is, and as the answer to each query. Whatever comes, every operation
// ends, once, and stays within its limits.
func FuzzHandle(f *testing.F) {
	it := signed(f, 1, 7, "x")
	honest := Message{Kind: KindResponse, Transaction: []byte("aa"), ID: id(idA), Token: []byte("t"), Nodes: AppendNode(nil, Node{id(idB), addr("10.0.0.9:1")})}
	show(&honest, it)
	f.Add(honest.Encode(), []byte{0, 1, 2, 3})
	refusal := Message{Kind: KindError, Transaction: []byte("aa"), Code: CodeProtocol, Text: "bad token"}
	f.Add(refusal.Encode(), []byte{1, 1, 0})
	for _, m := range messages {
		f.Add([]byte(m.data), []byte{0, 4})
	}
	f.Fuzz(func(t *testing.T, data, moves []byte) {
		believe := len(moves)%2 == 0 // let forged items through
		verify := func(keys.Public, []byte, wire.Signature) bool { return believe }
		now := time.Unix(1_700_000_000, 0)
		c := New(Config{Random: randomReader{rand.New(rand.NewPCG(1, 1))}, Bootstrap: []netip.AddrPort{addr("10.0.0.1:1"), addr("10.0.0.2:1")},
			InFlight: 8, NodesMax: 8, Timeout: 100 * time.Millisecond, Verify: verify})
		calls := 0
		get := getOf(it)
		c.Get(now, get, func(fd Found) {
			calls++
			if fd.Asked > askedMax || len(fd.Closest) > 8 || len(fd.Conflicts) > conflictsMax || fd.Item != nil && !believe {
				t.Errorf("found %+v", fd)
			}
		})
		get.Mutable, get.Target = false, it.Target
		c.Get(now, get, func(Found) { calls++ })
		var old []Packet
		c.Put(now, Put{Item: it}, func(s Stored) { calls++ })
		if err := c.AddHolders(now, AppendHolders(nil, it.Target, invented3)); err != nil {
			t.Fatal(err)
		}
		poll := Poll{Salt: it.Salt, Keys: []PollKey{{Key: it.Key, Seq: 5}, {Key: keys.Public{1}, Seq: -1}}}
		for range 2 {
			c.Poll(now, poll, func(i int, r Polled) {
				if len(r.Conflicts) > conflictsMax || len(r.Behind) > 8 || r.Fresh > r.Answered || r.Item != nil && !believe {
					t.Errorf("polled %+v", r)
				}
			}, func(PollReport) { calls++ })
		}
		c.Put(now, Put{Item: it, Remembered: true}, func(s Stored) { calls++ })
		template, err := ParseMessage(data)
		for step := 0; ; step++ {
			packets := c.Packets()
			old = append(old, packets...)
			for _, p := range packets {
				q, bad := ParseMessage(p.Data)
				if bad != nil || p.To.Port() == 0 {
					t.Fatalf("sent %q to %v: %v", p.Data, p.To, bad)
				}
				c.Handle(now, p.To, data)
				if err != nil || step >= 4*len(moves) {
					continue
				}
				m := template
				m.Transaction = q.Transaction
				switch move := moves[step%len(moves)]; move % 5 {
				case 0:
					m.ID = q.Target
				case 1:
					m.ID[19] = move
				case 2:
					m.Nodes = invented(q.Target, int(move), step)
				case 3:
					m.Kind, m.Code = KindError, CodeProtocol
				case 4:
					m.Transaction = old[step%len(old)].Data[:8]
				}
				c.Handle(now, p.To, m.Encode())
			}
			if a := &c.poller.asks; a.open < 0 || a.open+len(a.free) > len(a.list) || len(a.list) > 64 {
				t.Fatalf("%d open, %d places, %d free", a.open, len(a.list), len(a.free))
			}
			if len(c.queries) > 8 || len(c.queries) != len(c.timeouts) || len(c.memory.list) > 8 {
				t.Fatalf("%d queries, %d timeouts, %d nodes", len(c.queries), len(c.timeouts), len(c.memory.list))
			}
			next := c.Next()
			if next.IsZero() && len(c.out) == 0 {
				break
			}
			if step > 100_000 {
				t.Fatal("it does not end")
			}
			if next.After(now) && len(c.out) == 0 {
				now = next
			}
			c.Tick(now)
		}
		if calls != 6 {
			t.Fatalf("%d callbacks: %+v %+v", calls, c.poller.poll, c.poller.walks)
		}
	})
}

var invented3 = []Node{{Addr: addr("10.0.0.1:1")}, {Addr: addr("10.0.0.3:1")}, {Addr: addr("10.0.0.4:1")}}

// FuzzHolders gives AddHolders what it may not have written.
func FuzzHolders(f *testing.F) {
	f.Add(AppendHolders(AppendHolders(nil, wire.Target{1}, invented3), wire.Target{2}, invented3[1:]))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		holders := func(b []byte) ([]byte, error) {
			c := New(Config{Random: randomReader{rand.New(rand.NewPCG(1, 1))}})
			err := c.AddHolders(time.Unix(1, 0), b)
			return c.Holders(), err
		}
		once, err := holders(b)
		if err != nil && once != nil || len(once) > len(b) {
			t.Fatalf("%v: %d bytes of %d", err, len(once), len(b))
		}
		if twice, err := holders(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v: %x, then %x", err, once, twice)
		}
	})
}

// invented names 20 nodes near a target, differently at each step.
func invented(target wire.Target, spread, step int) (nodes []byte) {
	for i := range 20 {
		n := Node{ID: [20]byte(target)}
		n.ID[18], n.ID[19] = byte(step), byte(i)
		var ip [4]byte
		binary.BigEndian.PutUint32(ip[:], uint32(10<<24+step<<8+i*spread))
		n.Addr = netip.AddrPortFrom(netip.AddrFrom4(ip), uint16(i))
		nodes = AppendNode(nodes, n)
	}
	return nodes
}

// BenchmarkGet is a whole get in a network of 200 model nodes.
func BenchmarkGet(b *testing.B) {
	w := newWorld(b, 1, 200)
	c := w.client(Config{}, 3)
	it := signed(b, 1, 1, "x")
	w.put(c, Put{Item: it})
	b.ReportAllocs()
	for b.Loop() {
		if f := w.get(c, getOf(it)); f.Item == nil {
			b.Fatal("not found")
		}
	}
}

func TestManyGetsShareTheRoomFairly(t *testing.T) {
	w := newWorld(t, 11, 100)
	w.jitter = 0
	c := w.client(Config{InFlight: 8}, 3)
	for _, n := range w.nodes {
		c.AddNodes([]Node{n.Node})
	}
	var order []time.Duration
	began := w.now
	for i := range 40 {
		c.Get(w.now, getOf(signed(t, uint64(i), 1, "x")), func(f Found) {
			order = append(order, w.now.Sub(began))
			if f.Answered < 8 {
				t.Errorf("found %+v", f)
			}
		})
		if n := len(c.queries); n > 8 {
			t.Fatalf("%d queries at once", n)
		}
	}
	w.run()
	if first, last := order[0], order[len(order)-1]; len(order) != 40 || first < last/2 {
		t.Errorf("the first of 40 took %v, the last %v", first, last)
	}
}
