package simnet

import (
	"slices"
	"testing"
	"time"

	"weir/internal/lookup"
)

func TestSessionsAreAsLongAsTheyShouldBe(t *testing.T) {
	d := newDHT(1, Link{}, 20)
	c := &churn{nodes: d.nodes, median: time.Hour, draw: d.Stream("test")}
	var all []time.Duration
	mean := time.Duration(0)
	for range 20_000 {
		s := c.session()
		all = append(all, s)
		mean += s / 20_000
	}
	slices.Sort(all)
	near(t, "the median in hours", all[len(all)/2].Hours(), 1, 0.05)
	near(t, "the mean in hours", mean.Hours(), 4.16, 0.3) // 2 medians / (ln 2)², Γ(3) = 2
}

func TestANetworkOutlivesItsNodes(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond}, 60)
	for _, n := range d.nodes.All {
		n.config.Refresh = time.Minute
		n.refreshSoon()
	}
	d.nodes.config.Refresh = time.Minute
	first := slices.Clone(d.nodes.All[3:])
	stop := d.nodes.Churn(30*time.Minute, first)
	h := d.host()
	it := mutable(t, 1, 1, "x")
	for range 24 { // put again every hour, it is always found
		if s := d.put(t, h, it); s.Acknowledged < 6 {
			t.Fatalf("after %s %d nodes took it", d.Elapsed(), s.Acknowledged)
		}
		d.Run(time.Hour)
		if f := d.get(t, h, it); f.Item == nil {
			t.Fatalf("after %s it is at none of %d nodes", d.Elapsed(), f.Answered)
		}
	}
	living, gone := 0, 0
	for _, n := range d.nodes.All {
		if n.up {
			living++
		}
	}
	for _, n := range first {
		if !n.up {
			gone++
		}
	}
	if len(d.nodes.All) < 120 || living < 40 || living > 60 || gone < len(first)/2 {
		t.Errorf("of %d nodes %d live, and %d of the first %d are gone", len(d.nodes.All), living, gone, len(first))
	}
	stop()
	d.Run(time.Hour)
	before := len(d.nodes.All)
	d.Run(24 * time.Hour)
	if len(d.nodes.All) != before {
		t.Error("nodes join although the churn was stopped")
	}
}

func TestANodeThatJoinsIsFound(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond}, 200)
	it := mutable(t, 1, 1, "x")
	id := it.Target
	id[19]++
	n := d.nodes.Join(id)
	d.Run(time.Minute)
	if s := d.put(t, d.host(), it); s.Acknowledged != 8 {
		t.Fatalf("%d nodes took it: %v", s.Acknowledged, s.Err)
	}
	if _, ok := n.Item(it.Target); !ok {
		t.Error("the closest node has nothing")
	}
}

func TestNodesMayKeepItemsForAShorterTime(t *testing.T) {
	d := newDHT(1, Link{}, 1)
	n := d.nodes.All[0]
	n.Expire(20 * time.Minute)
	n.Restart()
	it := mutable(t, 1, 1, "x")
	n.Place(it)
	d.Run(19 * time.Minute)
	if _, ok := n.Item(it.Target); !ok {
		t.Error("it went before its time")
	}
	d.Run(2 * time.Minute)
	if _, ok := n.Item(it.Target); ok {
		t.Error("it stayed after its time")
	}
}

func TestEclipsingNodesHideOneKeyAndNoOther(t *testing.T) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond}, 100)
	victim, other := mutable(t, 1, 1, "x"), mutable(t, 2, 1, "x")
	gang := d.nodes.Eclipse(victim.Target, 5)
	d.Run(time.Minute)
	h := d.host()
	for _, it := range []lookup.Item{victim, other} {
		if s := d.put(t, h, it); s.Acknowledged != 8 {
			t.Fatalf("%d nodes acknowledged", s.Acknowledged)
		}
	}
	for _, n := range gang {
		if _, ok := n.Item(victim.Target); ok {
			t.Error("one of them stores what it should hide")
		}
	}
	if f := d.get(t, d.host(), victim); f.Item == nil || f.Holding != 3 {
		t.Errorf("of the closest nodes %d hold the victim's item, and 3 should", f.Holding)
	}
	if f := d.get(t, d.host(), other); f.Item == nil || f.Holding != 8 {
		t.Errorf("the other's item is at %d nodes", f.Holding)
	}
	// Ten of them would hide it altogether, were it not seen how crowded that place is.
	hidden := mutable(t, 3, 1, "x")
	d.nodes.Eclipse(hidden.Target, 10)
	d.Run(time.Minute)
	d.get(t, h, other) // and looks how crowded others are
	d.Run(time.Minute)
	if s := d.put(t, h, hidden); s.Acknowledged <= 10 {
		t.Errorf("%d nodes acknowledged, of which ten store nothing", s.Acknowledged)
	}
	newcomer := d.host()
	for range 2 { // it may not know yet how crowded others are
		d.get(t, newcomer, hidden)
		d.Run(time.Minute)
	}
	if f := d.get(t, newcomer, hidden); f.Item == nil {
		t.Error("ten nodes hide a key from a newcomer")
	}
	if s := d.put(t, h, mutable(t, 4, 1, "z")); s.Acknowledged != 8 {
		t.Errorf("elsewhere they are as good as others: %d", s.Acknowledged)
	}
}
