package lookup

import (
	"net/netip"
	"testing"
	"time"
)

func TestSilentNodesAreAskedOnceAndHeardWhenTheyAreBack(t *testing.T) {
	w := newWorld(t, 21, 100)
	slow(w, 0)
	c := w.client(Config{}, 3)
	for i := range 100 {
		w.nodes[i].dead = i%5 > 2 // and the others go on naming them
	}
	packets := make(map[*model]int)
	w.tap = func(to *model) { packets[to]++ }
	get := func(n int) (most int, took time.Duration) {
		clear(packets)
		before := w.now
		if f := w.get(c, getOf(signed(t, uint64(n), 1, "x"))); f.Answered == 0 || !f.Complete() {
			t.Fatalf("%+v", f)
		}
		for n, sent := range packets {
			if n.dead {
				most = max(most, sent)
			}
		}
		return most, w.now.Sub(before)
	}
	if most, _ := get(0); most != 3 {
		t.Errorf("a silent node had %d packets of the first look-up", most)
	}
	for i := range 60 {
		get(i)
	}
	for i := range 20 {
		if most, took := get(i); most > 1 || took > time.Second {
			t.Errorf("a silent node had %d packets, and the look-up took %v", most, took)
		}
	}
	for _, n := range w.nodes {
		n.dead = false
	}
	for i := range 20 {
		it := signed(t, uint64(i), 1, "x")
		if f := w.get(c, getOf(it)); f.Closest[0].ID != w.closest(it.Target, 1)[0].ID {
			t.Errorf("the closest node is back, and %v was found instead of it", f.Closest[0].Addr)
		}
	}
}

func TestWhenNobodyAnswersEachIsAskedOnce(t *testing.T) {
	w := newWorld(t, 22, 60)
	c := w.client(Config{}, 3)
	it := signed(t, 1, 1, "x")
	w.place(it)
	w.get(c, getOf(it))
	for _, n := range w.nodes {
		n.dead = true
	}
	for range 8 {
		w.get(c, getOf(it))
	}
	if f := w.get(c, getOf(it)); f.Err == nil || f.Asked == 0 || f.Packets != f.Asked {
		t.Errorf("%+v", f)
	}
	if len(c.silent.newer) != 0 {
		t.Errorf("%d nodes are taken for silent, when it may be us who are cut off", len(c.silent.newer))
	}
	for _, n := range w.nodes {
		n.dead = false
	}
	if f := w.get(c, getOf(it)); f.Item == nil || f.Holding != 8 {
		t.Errorf("they are back: %+v", f)
	}
}

func TestWhenNobodyAnswersOneWalkAtATimeIsTried(t *testing.T) {
	w := newWorld(t, 23, 100)
	slow(w, 0)
	c := w.client(Config{}, 3)
	items := w.warm(c, 100)
	for _, n := range w.nodes {
		n.dead = true
	}
	w.poll(c, pollOf(items, 0)) // notices it
	sent, before := w.sent, w.now
	c.Poll(w.now, pollOf(items, 0), func(int, Polled) {}, func(PollReport) {})
	for until := before.Add(10 * time.Second); w.now.Before(until) && w.step(); {
	}
	if n := w.sent - sent; n > 1500 {
		t.Errorf("%d packets without an answer; 1,235 when this was written, and 2,460 without it", n)
	}
	for _, n := range w.nodes {
		n.dead = false
	}
	w.run()
	if r := w.poll(c, pollOf(items, 0)); r.Answers[2] != 100 {
		t.Errorf("they are back: %+v", r.PollReport)
	}
}

func TestSilenceIsForgottenAndBounded(t *testing.T) {
	var s silence
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1)
	}
	now := time.Unix(1_700_000_000, 0)
	s.failed(at(1), now)
	if s.of(at(1), now) {
		t.Error("once is not enough")
	}
	now = now.Add(silentFor + time.Minute)
	if s.failed(at(1), now); !s.of(at(1), now) {
		t.Error("twice is, an hour apart too")
	}
	if now = now.Add(silentFor - time.Minute); !s.of(at(1), now) {
		t.Error("forgotten too soon")
	}
	s.failed(at(2), now)
	s.failed(at(2), now)
	now = now.Add(silentFor + time.Minute)
	if s.of(at(1), now) || !s.of(at(2), now) {
		t.Error("remembered too long, or not long enough")
	}
	if s.of(at(2), now.Add(9*silentFor)) {
		t.Error("remembered for ever where nothing fails")
	}
	s.failed(at(2), now)
	s.failed(at(2), now)
	if s.answered(at(2)); s.of(at(2), now) {
		t.Error("whoever answers is not silent")
	}
	for i := range 5 * silentMax {
		s.failed(at(i), now)
	}
	if n := len(s.newer) + len(s.before); n > 2*silentMax {
		t.Errorf("%d addresses are kept", n)
	}
}
