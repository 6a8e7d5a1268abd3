package simnet

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/internal/lookup"
)

// bad is the network of DESIGN section 10.
var bad = Link{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.1}

// poll runs a poll to its end.
func (d *dht) poll(t testing.TB, h *Host, p lookup.Poll) (lookup.PollReport, map[int][]lookup.Polled) {
	t.Helper()
	all := make(map[int][]lookup.Polled)
	var report *lookup.PollReport
	h.Poll(p, func(i int, r lookup.Polled) { all[i] = append(all[i], r) }, func(r lookup.PollReport) { report = &r })
	if !d.RunUntil(30*time.Minute, func() bool { return report != nil }) {
		t.Fatal("a poll has no end")
	}
	return *report, all
}

// putAll puts items, 64 at once, and says how many nodes acknowledged each.
func (d *dht) putAll(t testing.TB, h *Host, items []lookup.Item) []lookup.Stored {
	t.Helper()
	stored := make([]lookup.Stored, len(items))
	next, left := 0, len(items)
	var start func()
	start = func() {
		if next == len(items) {
			return
		}
		i := next
		next++
		h.Put(lookup.Put{Item: items[i]}, func(s lookup.Stored) {
			stored[i] = s
			left--
			start()
		})
	}
	for range 64 {
		start()
	}
	if !d.RunUntil(time.Hour, func() bool { return left == 0 }) {
		t.Fatal("puts have no end")
	}
	return stored
}

func pollOf(items []lookup.Item, known int64) lookup.Poll {
	p := lookup.Poll{Salt: items[0].Salt}
	for _, it := range items {
		p.Keys = append(p.Keys, lookup.PollKey{Key: it.Key, Seq: known})
	}
	return p
}

// badCycle is what a poll of new values comes to on the bad network.
type badCycle struct {
	lookup.PollReport
	held          int // values that each of the 8 living nodes they belong to had before the poll
	first, second int // of them, seen by this poll, and by the next at the latest
}

// runBadCycle kills 30 % of 200 nodes, puts values, lets a manager meet their
// keys, puts new values and polls.
func runBadCycle(t *testing.T, seed uint64, count int) badCycle {
	d := newDHT(seed, bad, 200)
	for _, i := range d.Stream("deaths").Perm(200)[:60] {
		d.nodes.All[i].Kill()
	}
	member, manager := d.host(), d.host()
	items := make([]lookup.Item, count)
	put := func(seq int64) {
		for i := range items {
			items[i] = mutable(t, i, seq, fmt.Sprint("value ", seq))
		}
		d.putAll(t, member, items)
	}
	put(1)
	p := pollOf(items, -1)
	p.Traverse = true
	d.poll(t, manager, p)
	d.Run(time.Minute)
	put(2)

	held := make([]bool, count)
	for i, it := range items {
		held[i] = !slices.ContainsFunc(d.nodes.Closest(it.Target, 8), func(n *Node) bool {
			got, ok := n.Item(it.Target)
			return !ok || got.Seq != 2
		})
	}
	seen := make([]bool, count)
	look := func(all map[int][]lookup.Polled) (n int) {
		for i := range count {
			seen[i] = seen[i] || slices.ContainsFunc(all[i], func(r lookup.Polled) bool { return r.Item != nil && r.Item.Seq == 2 })
			if held[i] && seen[i] {
				n++
			}
		}
		return n
	}
	var c badCycle
	var all map[int][]lookup.Polled
	c.PollReport, all = d.poll(t, manager, pollOf(items, 1))
	c.first = look(all)
	d.Run(30 * time.Second)
	_, all = d.poll(t, manager, pollOf(items, 1))
	c.second = look(all)
	for _, h := range held {
		if h {
			c.held++
		}
	}
	return c
}

func TestOnABadNetworkAPollIsQuickAndFresh(t *testing.T) {
	const keys, seeds = 1000, 10
	var held, first int
	for seed := range uint64(seeds) {
		c := runBadCycle(t, seed, keys)
		if c.Answers[2] < keys*99/100 || c.P99 > 3*time.Second {
			t.Errorf("seed %d: not 99 %% of the keys had two answers within 3 s: %+v", seed, c.PollReport)
		}
		if c.second != c.held {
			t.Errorf("seed %d: %d of %d values were not seen by the second poll", seed, c.held-c.second, c.held)
		}
		held += c.held
		first += c.first
	}
	if held < keys*seeds*8/10 || first < held*999/1000 {
		t.Errorf("%d of %d values were seen by the first poll", first, held)
	}
}

// warm puts items, and polls them once by walking.
func (d *dht) warm(t testing.TB, h *Host, count int) []lookup.Item {
	t.Helper()
	items := make([]lookup.Item, count)
	for i := range items {
		items[i] = mutable(t, i, 1, "value")
		d.nodes.Place(items[i])
	}
	p := pollOf(items, -1)
	p.Traverse = true
	if r, _ := d.poll(t, h, p); r.Newer != count {
		t.Fatalf("the first poll: %+v", r)
	}
	d.Run(time.Minute)
	return items
}

func TestHostileHoldersDelayAPollAndFalsifyNothing(t *testing.T) {
	for b := Silent; b <= Crashing; b++ {
		d := newDHT(uint64(b), Link{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond}, 150)
		h := d.host()
		items := d.warm(t, h, 200)
		for _, i := range d.Stream("hostile").Perm(150)[:37] { // a quarter
			d.nodes.All[i].Behave(b)
		}
		for i := range items {
			items[i] = mutable(t, i, 2, "newer")
		}
		member := d.host()
		d.putAll(t, member, items)
		seen := make(map[int]bool)
		for i, it := range items { // where most holders keep the old item, it may take long
			if holders := d.nodes.Closest(it.Target, 8); len(slices.DeleteFunc(holders, func(n *Node) bool { return n.behaviour != Honest })) < 5 {
				seen[i] = true
			}
		}
		var last lookup.PollReport
		for range 5 {
			r, all := d.poll(t, h, pollOf(items, 1))
			for i, told := range all {
				for _, p := range told {
					if p.Item != nil && p.Item.Seq > 1 {
						seen[i] = true
					}
					if p.Item != nil && (p.Item.Seq > 2 || p.Item.Seq == 2 && !bytes.Equal(p.Item.Value, items[i].Value)) {
						t.Fatalf("behaviour %d: key %d: believed %+v", b, i, p.Item)
					}
				}
			}
			if r.Took > 4*time.Second {
				t.Errorf("behaviour %d: %+v", b, r)
			}
			last = r
			d.Run(30 * time.Second)
		}
		if len(seen) != len(items) || last.Answers[2] < len(items)*97/100 || last.Packets > 3*len(items) {
			t.Errorf("behaviour %d: %d of %d seen; at last %+v", b, len(seen), len(items), last)
		}
	}
}

func TestAPartitionThatHealsIsForgiven(t *testing.T) {
	d := newDHT(1, bad, 100)
	h := d.host()
	items := d.warm(t, h, 300)
	d.net.Partition(1, h.Endpoint)
	if r, _ := d.poll(t, h, pollOf(items, 1)); r.Answers[0] != 300 || r.Took > 10*time.Second {
		t.Errorf("cut off: %+v", r)
	}
	d.Run(time.Minute)
	d.net.Heal()
	if r, _ := d.poll(t, h, pollOf(items, 1)); r.Answers[2] < 295 || r.P99 > 3*time.Second {
		t.Errorf("healed: %+v", r)
	}
}

func TestNoNodeIsSentMoreThanItsCourtesyEvenAfterAStandstill(t *testing.T) {
	d := newDHT(1, Link{RTT: 50 * time.Millisecond}, 40)
	h := d.host()
	items := d.warm(t, h, 1200) // 60 packets a node and poll
	sent := make(map[netip.AddrPort][]time.Time)
	d.net.Tap(func(p Passage) {
		if p.From == h.Addr() && bytes.Contains(p.Data, []byte("4:wantl2:n0e")) { // walks have a rate of their own
			sent[p.To] = append(sent[p.To], p.At)
		}
	})
	ended := false
	p := pollOf(items, 1)
	h.Poll(p, func(int, lookup.Polled) {}, func(lookup.PollReport) { ended = true })
	d.Run(500 * time.Millisecond)
	d.net.Partition(1, h.Endpoint)
	d.Run(2 * time.Second)
	d.net.Heal()
	if !d.RunUntil(time.Minute, func() bool { return ended }) {
		t.Fatal("the poll has no end")
	}
	for _, n := range d.nodes.All {
		at := sent[n.Addr()]
		for i := range at {
			for j := i + 32; j < len(at); j++ {
				if may := 32 + 20*at[j].Sub(at[i]).Seconds(); float64(j-i+1) > may+1 {
					t.Fatalf("%v: %d packets in %v", n.Addr(), j-i+1, at[j].Sub(at[i]))
				}
			}
		}
	}
}

func TestPollsReplay(t *testing.T) {
	run := func(seed uint64) uint64 {
		d := newDHT(seed, bad, 80)
		h := d.host()
		items := d.warm(t, h, 100)
		for range 3 {
			r, _ := d.poll(t, h, pollOf(items, 1))
			d.Note([]byte(fmt.Sprintf("%+v %x", r, h.Holders())))
			d.Run(30 * time.Second)
		}
		return d.Hash()
	}
	if first, again := run(1), run(1); first != again {
		t.Error("two runs of one seed are different")
	}
}

func TestHoldersOutliveAHost(t *testing.T) {
	d := newDHT(1, Link{RTT: 50 * time.Millisecond}, 80)
	h := d.host()
	items := d.warm(t, h, 50)
	b := h.Holders()
	h.Restart()
	if err := h.AddHolders(b); err != nil {
		t.Fatal(err)
	}
	if r, _ := d.poll(t, h, pollOf(items, 1)); r.Answers[2] != 50 || r.Packets > 110 || r.Took > time.Second {
		t.Errorf("%+v", r)
	}
}
