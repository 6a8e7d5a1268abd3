package simnet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

// dht is a world with a network of nodes and hosts that use it.
type dht struct {
	*World
	net      *Network
	nodes    *Nodes
	remember *Remember
}

func newDHT(seed uint64, l Link, nodes int) *dht {
	d := &dht{World: NewWorld(seed), remember: NewRemember(nil)}
	d.net = NewNetwork(d.World, l)
	d.nodes = NewNodes(d.net, nodes, NodeConfig{Verify: d.remember.Item})
	for i, n := range d.nodes.All {
		n.config.Dialect = Dialect(i % 2)
	}
	return d
}

func (d *dht) host() *Host {
	return NewHost(d.net, HostConfig{
		Bootstrap: d.nodes.Bootstrap(3),
		Lookup:    func(c *lookup.Config) { c.Verify = d.remember.Item },
	})
}

// put and get wait for the result.
func (d *dht) put(t testing.TB, h *Host, it lookup.Item) lookup.Stored {
	t.Helper()
	var s *lookup.Stored
	h.Put(lookup.Put{Item: it}, func(v lookup.Stored) { s = &v })
	if !d.RunUntil(5*time.Minute, func() bool { return s != nil }) {
		t.Fatal("a put has no end")
	}
	return *s
}

func (d *dht) get(t testing.TB, h *Host, it lookup.Item) lookup.Found {
	t.Helper()
	var f *lookup.Found
	h.Get(getting(it), func(v lookup.Found) { f = &v })
	if !d.RunUntil(5*time.Minute, func() bool { return f != nil }) {
		t.Fatal("a get has no end")
	}
	return *f
}

func getting(it lookup.Item) lookup.Get {
	return lookup.Get{Target: it.Target, Mutable: it.Mutable, Key: it.Key, Salt: it.Salt}
}

func TestUnderTwentyPercentLossAPutReachesTheTrueEightClosestAndAGetFindsIt(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.2, Duplicate: 0.02}, 200)
	writer, reader := d.host(), d.host()
	for _, h := range []*Host{writer, reader} { // 36 % of exchanges fail, 5 % of three in a row
		verify := h.config.Lookup
		h.config.Lookup = func(c *lookup.Config) { verify(c); c.Tries = 6 }
		h.Restart()
	}
	const keys = 50
	var reached, found int
	for i := range keys {
		it := mutable(t, i, int64(i), fmt.Sprint("value ", i))
		if s := d.put(t, writer, it); s.Err != nil {
			t.Fatal(s.Err)
		}
		for _, n := range d.nodes.Closest(it.Target, 8) {
			if got, ok := n.Item(it.Target); ok && bytes.Equal(got.Value, it.Value) {
				reached++
			}
		}
		if f := d.get(t, reader, it); f.Item != nil && bytes.Equal(f.Item.Value, it.Value) {
			found++
		}
	}
	near(t, "the share of the true 8 closest that hold an item", float64(reached)/(8*keys), 1, 0.03)
	if found != keys {
		t.Errorf("%d of %d items were found", found, keys)
	}
}

// day is an eventful hour: gets and puts of several hosts while nodes and hosts
// die and come back, links change and the network parts.
func day(seed uint64) (hash uint64, events uint64, results int) {
	d := newDHT(seed, Link{RTT: 80 * time.Millisecond, Jitter: 40 * time.Millisecond, Loss: 0.1, Tail: 0.01, Duplicate: 0.01, Reorder: 0.01}, 60)
	draw := d.Stream("test")
	var hosts []*Host
	for range 5 {
		hosts = append(hosts, d.host())
	}
	var tb testing.T
	for i := range 200 {
		h := hosts[draw.IntN(len(hosts))]
		n := d.nodes.All[draw.IntN(len(d.nodes.All))]
		d.After(time.Duration(i)*15*time.Second, func() {
			it := mutable(&tb, draw.IntN(20), int64(i), fmt.Sprint("value ", i))
			switch draw.IntN(8) {
			case 0:
				n.Kill()
			case 1:
				n.Restart()
			case 2:
				h.Restart()
			case 3:
				d.net.Partition(draw.IntN(2), n.Endpoint)
			case 4:
				n.Behave(Behaviour(draw.IntN(int(Crashing) + 1)))
			case 5:
				h.Put(lookup.Put{Item: it}, func(s lookup.Stored) { results++; d.Note([]byte(fmt.Sprint(s.Acknowledged))) })
			default:
				h.Get(getting(it), func(f lookup.Found) { results++; d.Note([]byte(fmt.Sprint(f.Answered, f.Item != nil))) })
			}
		})
	}
	d.Run(time.Hour)
	return d.Hash(), d.Events(), results
}

func TestOneSeedGivesOneHashAndAnotherSeedAnother(t *testing.T) {
	hash, events, results := day(1)
	for range 2 {
		again, eventsAgain, resultsAgain := day(1)
		if hash != again || events != eventsAgain || results != resultsAgain {
			t.Fatalf("hash %x, %d events, %d results; then %x, %d, %d", hash, events, results, again, eventsAgain, resultsAgain)
		}
	}
	if results < 50 {
		t.Errorf("only %d look-ups ended", results)
	}
	if other, _, _ := day(2); other == hash {
		t.Error("two seeds give one hash")
	}
}

func TestNothingOfAKilledHostIsCalledAnyMore(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond}, 40)
	h := d.host()
	it := mutable(t, 1, 1, "x")
	late := 0
	h.Get(getting(it), func(lookup.Found) { late++ })
	h.Put(lookup.Put{Item: it, Check: func(lookup.Found) error { late++; return nil }}, func(lookup.Stored) { late++ })
	h.After(time.Second, func() { late++ })
	d.Run(50 * time.Millisecond)
	h.Kill()
	h.Get(getting(it), func(lookup.Found) { late++ })
	h.Put(lookup.Put{Item: it}, func(lookup.Stored) { late++ })
	h.After(0, func() { late++ })
	h.AddNodes(nil)
	if h.Nodes(1) != nil {
		t.Error("the dead remember")
	}
	d.Run(time.Second / 2)
	h.Restart()
	d.Run(time.Minute)
	if late != 0 {
		t.Fatalf("%d calls from an ended life", late)
	}
	if s := d.put(t, h, it); s.Acknowledged != 8 {
		t.Errorf("the restarted host's put: %d nodes, %v", s.Acknowledged, s.Err)
	}
}

func TestAHostMayDieInItsOwnCallback(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond}, 40)
	h := d.host()
	it := mutable(t, 1, 1, "x")
	calls := 0
	var restarted bool
	for range 20 {
		h.Get(getting(it), func(lookup.Found) {
			calls++
			h.Kill()
			h.Get(getting(it), func(lookup.Found) { t.Error("the dead look up") })
			d.After(time.Second, func() { h.Restart(); restarted = true })
		})
	}
	d.Run(time.Minute)
	if calls != 1 || !restarted {
		t.Fatalf("%d callbacks", calls)
	}
	h.After(0, func() { h.Restart() })
	var inside error
	h.Put(lookup.Put{Item: it, Check: func(lookup.Found) error { h.Restart(); return nil }}, func(s lookup.Stored) { inside = s.Err })
	d.Run(time.Minute)
	if inside != nil {
		t.Errorf("an ended life's put ended with %v", inside)
	}
}

func TestCallbacksNeverRunInsideACall(t *testing.T) {
	d := newDHT(1, Link{}, 20)
	h := d.host()
	inside := true
	check := func() {
		if inside {
			t.Error("a callback ran inside the call")
		}
	}
	h.Get(getting(mutable(t, 1, 1, "x")), func(lookup.Found) { check() })
	h.Put(lookup.Put{Item: mutable(t, 1, 1, "x")}, func(lookup.Stored) { check() })
	h.Put(lookup.Put{Item: lookup.Item{Value: []byte("not bencode")}}, func(s lookup.Stored) {
		check()
		if !errors.Is(s.Err, lookup.ErrItem) {
			t.Errorf("a bad item: %v", s.Err)
		}
	})
	h.After(-time.Second, check)
	inside = false
	d.Run(time.Minute)
}

func TestLookUpsStandHostileNodes(t *testing.T) {
	for b := Silent; b <= Crashing; b++ {
		t.Run(fmt.Sprint("behaviour ", b), func(t *testing.T) {
			d := newDHT(1, Link{RTT: 50 * time.Millisecond, Loss: 0.02}, 100)
			old := mutable(t, 1, 1, "old")
			h := d.host()
			d.put(t, h, old)
			for i, n := range d.nodes.Closest(old.Target, 100) {
				if i%3 == 1 {
					n.Behave(b)
				}
			}
			fresh := mutable(t, 1, 2, "new")
			if s := d.put(t, h, fresh); s.Err != nil || s.Acknowledged < 4 {
				t.Errorf("put: %d nodes, %v", s.Acknowledged, s.Err)
			}
			f := d.get(t, d.host(), fresh)
			if f.Item == nil || f.Item.Seq != 2 || !bytes.Equal(f.Item.Value, fresh.Value) || len(f.Conflicts) != 0 {
				t.Errorf("found %+v", f)
			}
			if (b == Lying) != (f.Invalid > 0) {
				t.Errorf("%d invalid answers", f.Invalid)
			}
		})
	}
}

func TestAHostOfAWrongClockLooksUpAllTheSame(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond, Loss: 0.1}, 40)
	h := d.host()
	h.SetClock(365 * 24 * time.Hour)
	var found bool
	h.Get(getting(mutable(t, 1, 1, "x")), func(lookup.Found) { found = true })
	d.After(300*time.Millisecond, func() { h.SetClock(-time.Hour) })
	d.Run(time.Minute)
	if !found || !h.Now().Equal(Start.Add(time.Minute-time.Hour)) || h.Mono() != time.Minute {
		t.Errorf("found %v at %v", found, h.Now())
	}
}

func TestAPlacedItemIsFoundAndHeldByEight(t *testing.T) {
	d := newDHT(1, Link{}, 100)
	it := mutable(t, 1, 9, "placed")
	d.nodes.Place(it)
	if f := d.get(t, d.host(), it); f.Item == nil || f.Holding != 8 {
		t.Errorf("found %+v", f)
	}
	if !slices.Equal(sorted(d.nodes.Holding(it.Target)), sorted(d.nodes.Closest(it.Target, 8))) {
		t.Error("others hold it")
	}
}

func sorted(nodes []*Node) []wire.Target {
	var ids []wire.Target
	for _, n := range nodes {
		ids = append(ids, n.ID())
	}
	slices.SortFunc(ids, func(a, b wire.Target) int { return bytes.Compare(a[:], b[:]) })
	return ids
}
