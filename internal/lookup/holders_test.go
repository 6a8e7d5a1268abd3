package lookup

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

func TestHoldersSurviveAsBytes(t *testing.T) {
	w := newWorld(t, 11, 100)
	c := w.client(Config{}, 3)
	items := w.warm(c, 30)
	b := c.Holders()
	if want := 1 + 30*(holdersKeyBytes+8*holderBytes); len(b) != want {
		t.Errorf("%d bytes, not %d", len(b), want)
	}
	later := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 0) // knows nobody else
	if err := later.AddHolders(w.now, b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(later.Holders(), b) {
		t.Error("the bytes are others")
	}
	if r := w.poll(later, pollOf(items, 0)); r.Answers[2] != 30 || r.Packets != 60 || r.Background != 0 {
		t.Errorf("%+v", r.PollReport)
	}
	for cut := range len(b) {
		if cut > 1 && (cut-1)%(holdersKeyBytes+8*holderBytes) == 0 || cut == 0 || cut == 1 {
			continue
		}
		if err := w.client(Config{}, 0).AddHolders(w.now, b[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are taken", cut, len(b))
		}
		if cut > 300 {
			break
		}
	}
}

func TestPutsToRememberedHoldersTakeOneRoundTripAndTwoWithACheck(t *testing.T) {
	w := newWorld(t, 12, 100)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 2)
	newer := signed(t, 1, 6, "newer")
	began := w.now
	s := w.put(c, Put{Item: newer, Remembered: true})
	if s.Acknowledged != 8 || s.Packets != 8 || s.Tried != 8 || w.now.Sub(began) > 2*(w.delay+w.jitter) {
		t.Errorf("%+v after %v", s, w.now.Sub(began))
	}
	checked := 0
	began = w.now
	s = w.put(c, Put{Item: signed(t, 1, 7, "newest"), Remembered: true, Check: func(f Found) error {
		checked++
		if f.Item == nil || !f.Item.same(&newer) || f.Holding != 8 || f.Complete() && f.Exhausted {
			t.Errorf("%+v", f)
		}
		return nil
	}})
	if s.Acknowledged != 8 || s.Packets != 16 || checked != 1 || w.now.Sub(began) > 4*(w.delay+w.jitter) {
		t.Errorf("%+v after %v, checked %d times", s, w.now.Sub(began), checked)
	}
	if f := w.get(c, Get{Mutable: true, Key: newer.Key, Salt: newer.Salt, Remembered: true}); f.Item.Seq != 7 || f.Packets != 8 {
		t.Errorf("%+v", f)
	}
	w.now = w.now.Add(tokenAge) // the tokens are too old
	for _, n := range w.nodes {
		n.epoch++
	}
	if s = w.put(c, Put{Item: items[0], Remembered: true}); s.Acknowledged != 8 || s.Packets != 16 {
		t.Errorf("%+v", s)
	}
	for i, n := range w.closest(items[0].Target, 8) {
		n.dead = i < 6
	}
	if s = w.put(c, Put{Item: items[0], Remembered: true}); s.Acknowledged < 8 || s.Tried != s.Acknowledged {
		t.Errorf("most of the remembered are dead: %+v", s)
	}
	if f := w.get(c, Get{Mutable: true, Key: items[0].Key, Salt: items[0].Salt, Remembered: true}); f.Item == nil || f.Answered < 6 {
		t.Errorf("the put has found others: %+v", f)
	}
}

func TestAPutRemembersItsHoldersForTheNext(t *testing.T) {
	w := newWorld(t, 13, 100)
	c := w.client(Config{}, 3)
	if s := w.put(c, Put{Item: signed(t, 1, 6, "first"), Remembered: true}); s.Acknowledged != 8 || s.Packets < 16 {
		t.Errorf("%+v", s)
	}
	again := getOf(signed(t, 2, 6, "x"))
	again.Remember = true
	w.get(c, again)
	again.Remembered = true
	if f := w.get(c, again); f.Packets != 8 {
		t.Errorf("a get remembers too: %+v", f)
	}
	newer := signed(t, 1, 7, "newer")
	if s := w.put(c, Put{Item: newer, Remembered: true}); s.Acknowledged != 8 || s.Packets != 8 {
		t.Errorf("%+v", s)
	}
	if n := holdingItem(w.closest(newer.Target, 8), newer); n != 8 {
		t.Errorf("%d of the true 8 closest hold it", n)
	}
}

func TestNoNodeIsSentMoreThanItsCourtesy(t *testing.T) {
	w := newWorld(t, 10, 40)
	slow(w, 0.1)
	c := w.client(Config{Poll: PollConfig{NodeRate: 10, NodeBurst: 8, Refresh: 1 << 20}}, 3)
	items := w.warm(c, 400)
	for _, n := range w.nodes[:5] {
		n.dead = true
	}
	w.now = w.now.Add(time.Minute)
	at := make(map[Node][]time.Time)
	for _, n := range w.nodes {
		n.lie = func(q *Message, r Message) []flight { return []flight{{data: r.Encode()}} }
	}
	w.tap = func(to *model) {
		if c.poller.poll != nil { // walks, which come after it, are not paced
			at[to.Node] = append(at[to.Node], w.now)
		}
	}
	r := w.poll(c, pollOf(items, 0))
	w.tap = nil
	if r.Answers[2] < 390 || r.Took < time.Second || r.Background > 0 {
		t.Errorf("%+v", r.PollReport)
	}
	const jitter = 20 * time.Millisecond
	for n, times := range at {
		for i := range times {
			for j := i + 8; j < len(times); j++ {
				if may := float64(8) + 10*(times[j].Sub(times[i])+jitter).Seconds(); float64(j-i+1) > may+0.001 {
					t.Fatalf("%v: %d packets in %v", n.Addr, j-i+1, times[j].Sub(times[i]))
				}
			}
		}
	}
}

func TestPollNodesAreFoundAndForgottenLikeInAMap(t *testing.T) {
	w := newWorld(t, 16, 1)
	n := newPollNodes(PollConfig{}.withDefaults(), 0)
	model := make(map[uint64][]uint32) // address → references
	for range 50_000 {
		at := uint64(w.draw.IntN(500)) << 16
		if refs := model[at]; len(refs) > 0 && w.draw.IntN(2) == 0 {
			n.drop(refs[0])
			model[at] = refs[1:]
			if len(refs) == 1 {
				delete(model, at)
			}
		} else {
			model[at] = append(refs, n.hold(at, [20]byte{1}))
		}
		at = uint64(w.draw.IntN(500)) << 16
		place, ok := n.find(at)
		if want := model[at]; ok != (len(want) > 0) || ok && (place != want[0] || int(n.list[place].refs) != len(want)) {
			t.Fatalf("%x: %d, %v, not %v", at, place, ok, want)
		}
	}
	if n.used != len(model) || len(n.list) > 500 {
		t.Errorf("%d used, %d places, %d nodes", n.used, len(n.list), len(model))
	}
}

func TestHalfANetworkThatComesBackIsAskedAgain(t *testing.T) {
	w := newWorld(t, 18, 800)
	slow(w, 0)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 60)
	var cut []*model
	for _, it := range items {
		cut = append(cut, w.closest(it.Target, 8)...)
	}
	for _, n := range cut {
		n.dead = true
	}
	for _, it := range items { // who is on this side puts to those on this side
		alive := slices.DeleteFunc(w.closest(it.Target, 800), func(n *model) bool { return n.dead })
		for _, n := range alive[:8] {
			n.items[it.Target] = it
		}
	}
	for range 10 {
		w.poll(c, pollOf(items, 0))
	}
	for _, n := range cut {
		n.dead = false
	}
	for i := range items {
		newer := signed(t, uint64(i), 6, "from the other half")
		for _, n := range w.closest(newer.Target, 8) {
			n.items[newer.Target] = newer
		}
	}
	found := map[int]bool{}
	for range 2 * fadePolls {
		for i, all := range w.poll(c, pollOf(items, 0)).all {
			if slices.ContainsFunc(all, func(p Polled) bool { return p.Item != nil }) {
				found[i] = true
			}
		}
	}
	if len(found) < len(items)*8/10 {
		t.Errorf("%d of %d newer items were found", len(found), len(items))
	}
}

func TestHoldersThatWereCutOffAreAskedAgain(t *testing.T) {
	w := newWorld(t, 17, 100)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 1)
	near := w.closest(items[0].Target, 8)
	cut := func(off bool) {
		for i, n := range near {
			n.dead = off && i%2 == 0
		}
	}
	cut(true)
	for range 20 {
		w.poll(c, pollOf(items, 0))
	}
	cut(false)
	for i, n := range near {
		if i%2 == 0 {
			n.items[items[0].Target] = signed(t, 0, 6, "newer, on the other side of the cut")
		}
	}
	polls := 1
	for ; w.poll(c, pollOf(items, 0)).Newer == 0 && polls < 100; polls++ {
	}
	if polls > 2*fadePolls {
		t.Errorf("what the others have was seen after %d polls", polls)
	}
}

func TestSlowHoldersAreAskedLast(t *testing.T) {
	w := newWorld(t, 18, 100)
	slow(w, 0)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 100)
	before := w.poll(c, pollOf(items, 0))
	for _, n := range w.nodes[:10] {
		n.slow = time.Second
	}
	for range 12 {
		w.poll(c, pollOf(items, 0))
	}
	r := w.poll(c, pollOf(items, 0))
	if r.Answers[2] != 100 || r.Packets > before.Packets+before.Packets/20 || r.P99 > 2*before.P99 {
		t.Errorf("all are quick: %+v\nten are slow: %+v", before.PollReport, r.PollReport)
	}
	for _, n := range w.nodes[:10] {
		n.slow = 0
	}
	for range 64 {
		w.poll(c, pollOf(items, 0))
	}
	asked := 0
	w.tap = func(to *model) {
		if slices.Contains(w.nodes[:10], to) {
			asked++
		}
	}
	if w.poll(c, pollOf(items, 0)); asked == 0 {
		t.Error("whoever was slow is never asked again")
	}
}

func TestLyingHoldersAreFoundOutAndAskedLast(t *testing.T) {
	lies := map[string]func(w *world, it Item) func(q *Message, r Message) Message{
		"a newer seq without an item": func(w *world, it Item) func(q *Message, r Message) Message {
			return func(q *Message, r Message) Message {
				r.Value, r.Key, r.Sig, r.Seq, r.HasSeq = nil, nil, nil, 9, true
				return r
			}
		},
		"a forged item": func(w *world, it Item) func(q *Message, r Message) Message {
			return func(q *Message, r Message) Message {
				it.Seq = 1 << 50
				show(&r, it)
				return r
			}
		},
		"another's item": func(w *world, it Item) func(q *Message, r Message) Message {
			return func(q *Message, r Message) Message {
				show(&r, signed(w.t, 99, 50, "mine"))
				return r
			}
		},
		"an error": func(w *world, it Item) func(q *Message, r Message) Message {
			return func(q *Message, r Message) Message {
				return Message{Kind: KindError, Transaction: q.Transaction, Code: CodeServer}
			}
		},
		"no token": func(w *world, it Item) func(q *Message, r Message) Message {
			return func(q *Message, r Message) Message { r.Token = nil; return r }
		},
		"an old item": func(w *world, it Item) func(q *Message, r Message) Message {
			old := signed(w.t, 0, 1, "old")
			return func(q *Message, r Message) Message {
				show(&r, old)
				return r
			}
		},
	}
	for name, lie := range lies {
		w := newWorld(t, 8, 100)
		c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
		items := w.warm(c, 1)
		for _, n := range w.closest(items[0].Target, 4) {
			answer := lie(w, items[0])
			n.lie = func(q *Message, honest Message) []flight {
				r := answer(q, honest)
				return []flight{{data: r.Encode()}}
			}
		}
		for range 4 {
			for _, got := range w.poll(c, pollOf(items, 0)).all[0] {
				if got.Item != nil && !got.Walked {
					t.Errorf("%s: believed %+v", name, got.Item)
				}
			}
		}
		if r := w.poll(c, pollOf(items, 0)); r.Answers[2] != 1 || r.Packets != 2 {
			t.Errorf("%s: %+v", name, r.PollReport)
		}
	}
}
