package lookup

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/ledger/wire"
)

// eclipse adds n nodes closer to a target than any other, each at an address of
// its own. What is put there they acknowledge and do not store, and whoever asks
// for it they send to each other, or each to so many that it has invented.
func (w *world) eclipse(target wire.Target, n, invented int) {
	var gang []*model
	for i := range n {
		m := w.addNode(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 66, 0, byte(i)}), 6881))
		m.ID = target
		m.ID[18], m.ID[19] = byte(w.draw.Uint32()), byte(i)
		gang = append(gang, m)
	}
	w.wire()
	for _, m := range gang {
		m.lie = func(q *Message, r Message) []flight {
			at := q.Target
			if q.Method == MethodPut {
				it := q.Item()
				at = it.Target
			}
			if at == target {
				delete(m.items, target)
				r.Kind, r.Value, r.Key, r.Sig, r.HasSeq, r.Nodes = KindResponse, nil, nil, nil, false, nil
				if q.Method == MethodGet {
					r.Token = []byte("come in")
				}
				for _, other := range gang[:min(8, len(gang))] {
					r.Nodes = AppendNode(r.Nodes, other.Node)
				}
				if invented > 0 {
					r.Nodes = AppendNode(nil, gang[(slices.Index(gang, m)+1)%n].Node)
					for k := range invented {
						id := target
						id[17], id[18], id[19] = 1, m.ID[19], byte(k)
						r.Nodes = AppendNode(r.Nodes, Node{id, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 77, m.ID[19], byte(k)}), 6881)})
					}
				}
			}
			return []flight{{data: r.Encode()}}
		}
	}
}

// settled is a client that has looked at some other targets.
func (w *world) settled(c Config) *Client {
	client := w.client(c, 3)
	for i := range 8 {
		w.get(client, getOf(signed(w.t, uint64(1000+i), 1, "x")))
	}
	return client
}

func TestWhatNodesAroundItsKeyHideIsStoredAndFoundAllTheSame(t *testing.T) {
	for _, gang := range [][2]int{{4, 0}, {8, 0}, {12, 0}, {20, 0}, {16, 15}, {20, 15}} {
		n, invented := gang[0], gang[1]
		t.Run(fmt.Sprint(n, " nodes that invent ", invented), func(t *testing.T) {
			w := newWorld(t, uint64(n+invented), 300)
			slow(w, 0.05)
			it := signed(t, 1, 5, "hidden")
			w.eclipse(it.Target, n, invented)
			writer, reader, poller := w.settled(Config{}), w.settled(Config{}), w.settled(Config{})
			if s := w.put(writer, Put{Item: it}); s.Err != nil {
				t.Fatal(s.Err)
			}
			f := w.get(reader, getOf(it))
			if f.Item == nil || f.Holding < 3 {
				t.Errorf("%d hold it: %+v", f.Holding, f)
			}
			q := Poll{Salt: []byte("salt"), Keys: []PollKey{{Key: it.Key, Seq: -1}}}
			w.poll(poller, q)
			newer := signed(t, 1, 6, "hidden too")
			w.put(writer, Put{Item: newer})
			q.Keys[0].Seq = 5
			seen := false
			for range 8 {
				for _, r := range w.poll(poller, q).all[0] {
					seen = seen || r.Item != nil && r.Item.Seq == 6
				}
			}
			if !seen {
				t.Error("eight polls do not see what is newer")
			}
		})
	}
}

func TestALookUpThatACrowdUsedUpIsNotComplete(t *testing.T) {
	w := newWorld(t, 34, 300)
	slow(w, 0)
	it := signed(t, 1, 5, "hidden")
	w.eclipse(it.Target, 40, 8)
	for range 3 {
		c := w.settled(Config{})
		if f := w.get(c, getOf(it)); f.Item == nil && f.Complete() {
			t.Errorf("absence is said to mean something: %+v", f)
		}
	}
}

func TestAReaderOfOneKeyFindsOutWhatIsUsual(t *testing.T) {
	w := newWorld(t, 31, 300)
	slow(w, 0)
	it := signed(t, 1, 5, "hidden")
	w.eclipse(it.Target, 10, 0)
	w.put(w.settled(Config{}), Put{Item: it})
	reader := w.client(Config{}, 3)
	reader.density.again = w.now
	w.get(reader, getOf(it))
	if f := w.get(reader, getOf(it)); f.Item == nil {
		t.Errorf("its second look does not see it: %+v", f)
	}
	before := w.sent
	w.get(reader, getOf(signed(t, 2, 5, "x")))
	if n := w.sent - before; n > 40 {
		t.Errorf("a later look cost %d packets", n)
	}
}

func TestHonestNodesNearACrowdedTargetAreLookedForFromBesideIt(t *testing.T) {
	const seeds = 40
	holding := 0
	for seed := range uint64(seeds) {
		w := newWorld(t, 100+seed, 100)
		slow(w, 0.05)
		for i, n := range w.nodes {
			n.dead = i%10 == 4 || i%10 == 6 || i%10 == 8
		}
		it := signed(t, seed, 5, "hidden")
		w.eclipse(it.Target, 12, 0)
		writer, reader := w.settled(Config{}), w.settled(Config{})
		w.put(writer, Put{Item: it})
		f := w.get(reader, getOf(it))
		if f.Item == nil {
			t.Errorf("seed %d: it is hidden: %+v", seed, f)
		}
		holding += f.Holding
	}
	if holding < 11*seeds {
		t.Errorf("%d holders in %d look-ups; 455 when this was written, and 354 without", holding, seeds)
	}
}

func TestATargetThatIsNotCrowdedCostsNoMore(t *testing.T) {
	w := newWorld(t, 2, 300)
	c := w.settled(Config{})
	wide := 0
	for i := range 200 {
		if f := w.get(c, getOf(signed(t, uint64(i), 1, "x"))); len(f.Closest) > closestNodes {
			wide++
		}
	}
	if wide > 6 {
		t.Errorf("%d of 200 targets are called crowded", wide)
	}
}

func TestUsualIsTheMedianOfOtherTargets(t *testing.T) {
	var d density
	at, now := func(i int) wire.Target { return wire.Target{byte(i), byte(i >> 8)} }, time.Unix(1_700_000_000, 0)
	for i := range densityMin {
		if d.usual(at(99), now) != 0 {
			t.Error("too few tell how far is usual")
		}
		d.learn(at(i), uint64(100+i), now)
	}
	if d.usual(at(99), now) != 100+densityMin/2 || d.usual(at(0), now) != 0 {
		t.Error("not the median of the others")
	}
	for range 100 {
		d.learn(at(0), 1, now)
	}
	if len(d.list) != densityMin || d.usual(at(99), now) != 100+densityMin/2 {
		t.Error("one target counts more than once")
	}
	for i := range 10 * densitySamples {
		d.learn(at(i), 7, now)
	}
	if len(d.list) != densitySamples || d.usual(at(9999), now) != 7 {
		t.Errorf("%d samples", len(d.list))
	}
	if d.usual(at(9999), now.Add(densityFor)) != 0 {
		t.Error("what was usual long ago still counts")
	}
}
