package lookup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

// polled is the outcome of one poll.
type polled struct {
	PollReport
	all map[int][]Polled // by index
}

// poll runs one poll to its end, and whatever goes on behind it.
func (w *world) poll(c *Client, q Poll) polled {
	w.t.Helper()
	out, calls := polled{all: make(map[int][]Polled)}, 0
	c.Poll(w.now, q, func(i int, r Polled) {
		if calls > 0 {
			w.t.Error("a key is told of after the end")
		}
		out.all[i] = append(out.all[i], r)
	}, func(r PollReport) { out.PollReport = r; calls++ })
	if calls+len(out.all) != 0 {
		w.t.Fatal("a callback ran inside Poll")
	}
	w.run()
	if calls != 1 {
		w.t.Fatalf("%d ends of a poll", calls)
	}
	if n := out.Answers[0] + out.Answers[1] + out.Answers[2]; n != len(q.Keys) || out.Keys != n {
		w.t.Fatalf("%d of %d keys have been counted: %+v", n, len(q.Keys), out.PollReport)
	}
	return out
}

// pollOf asks for items as if they were known, but for their seqs going down by
// less.
func pollOf(items []Item, less int64) Poll {
	q := Poll{Salt: []byte("salt")}
	for _, it := range items {
		q.Keys = append(q.Keys, PollKey{Key: it.Key, Seq: it.Seq - less})
	}
	return q
}

// warm puts items of so many keys and polls them once by walking.
func (w *world) warm(c *Client, keys int) []Item {
	w.t.Helper()
	items := make([]Item, keys)
	for i := range items {
		items[i] = signed(w.t, uint64(i), 5, fmt.Sprint("value ", i))
		w.place(items[i])
	}
	q := pollOf(items, 6)
	q.Traverse = true
	first := w.poll(c, q)
	if first.Newer != keys || first.Answers[2] != keys || first.Walked != keys || first.Packets != 0 || first.Background == 0 {
		w.t.Fatalf("the first poll: %+v", first.PollReport)
	}
	return items
}

// place stores an item at the nodes it belongs to.
func (w *world) place(it Item) {
	for _, n := range w.closest(it.Target, 8) {
		if !n.dead {
			n.items[it.Target] = it
		}
	}
}

// slow is a network as far away as most are.
func slow(w *world, loss float64) {
	w.delay, w.jitter, w.loss = 40*time.Millisecond, 20*time.Millisecond, loss
}

func TestAWarmPollCostsTwoPacketsAKeyAndFindsNothingNewer(t *testing.T) {
	w := newWorld(t, 1, 200)
	slow(w, 0)
	c := w.client(Config{}, 3)
	items := w.warm(c, 300)
	r := w.poll(c, pollOf(items, 0))
	if r.Answers != [3]int{0, 0, 300} || r.Packets != 600 || r.Newer+r.Stale+r.Invalid != 0 || r.Short() != 0 {
		t.Errorf("%+v", r.PollReport)
	}
	if r.P50 == 0 || r.P50 > r.P90 || r.P90 > r.P99 || r.P99 > r.Took || r.Took > time.Second {
		t.Errorf("%+v", r.PollReport)
	}
	if r.BytesOut == 0 || r.BytesIn == 0 {
		t.Errorf("%+v", r.PollReport)
	}
	for i := range items {
		got := slices.DeleteFunc(r.all[i], func(p Polled) bool { return p.Walked })
		if len(got) != 1 || got[0].Item != nil || got[0].Fresh != 2 || got[0].Answered != 2 || got[0].Behind != nil {
			t.Fatalf("key %d: %+v", i, got)
		}
	}
}

func TestAPollBringsWhatIsNewerAndVerifiesNothingElse(t *testing.T) {
	w := newWorld(t, 2, 100)
	verified := 0
	c := w.client(Config{Verify: func(k keys.Public, signed []byte, sig wire.Signature) bool {
		verified++
		return VerifyEd25519(k, signed, sig)
	}}, 3)
	items := w.warm(c, 50)
	newer := signed(t, 7, 6, "newer")
	w.place(newer)
	verified = 0
	r := w.poll(c, pollOf(items, 0))
	if got := r.all[7][0]; got.Item == nil || !got.Item.same(&newer) || got.Item.Verify() != nil || got.Fresh != 2 || got.Behind != nil {
		t.Errorf("%+v", got)
	}
	if r.Newer != 1 || verified != 1 {
		t.Errorf("%d signatures, %+v", verified, r.PollReport)
	}
}

func TestAHolderThatFellBehindIsNamedDemotedAndHealedInOneRoundTrip(t *testing.T) {
	w := newWorld(t, 3, 100)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 1)
	it := items[0]
	near := w.closest(it.Target, 8)
	old := signed(t, 0, 4, "old")
	for _, n := range near[:6] {
		n.items[it.Target] = old
	}
	r := w.poll(c, pollOf(items, 0))
	got := r.all[0][0]
	if r.Stale != len(got.Behind) || r.Stale == 0 || got.Item != nil {
		t.Fatalf("%+v, %+v", r.PollReport, got)
	}
	sent := w.sent
	s := w.put(c, Put{Item: it, Holders: got.Behind})
	if s.Acknowledged != len(got.Behind) || w.sent-sent != len(got.Behind) {
		t.Errorf("%+v", s)
	}
	for range 3 {
		w.poll(c, pollOf(items, 0))
	}
	if r = w.poll(c, pollOf(items, 0)); r.Stale != 0 || r.Answers[2] != 1 || r.Packets != 2 {
		t.Errorf("later: %+v", r.PollReport)
	}
}

func TestAForkOfTheNewestSeqIsSeenByAPollAndOneOfTheKnownSeqByAWalk(t *testing.T) {
	w := newWorld(t, 4, 100)
	c := w.client(Config{Poll: PollConfig{Refresh: 4}}, 3)
	items := w.warm(c, 1)
	fork := func(seq int64) {
		for i, n := range w.closest(items[0].Target, 8) {
			n.items[items[0].Target] = signed(t, 0, seq, fmt.Sprint("side ", i%2))
		}
	}
	fork(6)
	seen := 0
	for range 8 {
		for _, got := range w.poll(c, pollOf(items, 0)).all[0] {
			seen += len(got.Conflicts)
		}
	}
	if seen < 3 {
		t.Errorf("%d polls of 8 saw two newer items of one seq", seen)
	}
	fork(5)
	walks := 0
	for range 8 {
		for _, got := range w.poll(c, pollOf(items, 0)).all[0] {
			if got.Walked {
				walks++
				if len(got.Conflicts) != 1 {
					t.Errorf("walked: %+v", got)
				}
			} else if got.Item != nil {
				t.Errorf("%+v", got)
			}
		}
	}
	if walks != 2 {
		t.Errorf("%d walks in 8 polls, of one key in 4", walks)
	}
}

func TestWhenAllHoldersAreDeadAWalkFindsOthers(t *testing.T) {
	w := newWorld(t, 5, 120)
	slow(w, 0)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 20)
	for _, n := range w.closest(items[3].Target, 8) {
		n.dead = true
	}
	w.nodes = slices.DeleteFunc(w.nodes, func(n *model) bool { return n.dead })
	for _, it := range items {
		w.place(it)
	}
	for _, n := range w.closest(items[3].Target, 8) {
		n.items[items[3].Target] = signed(t, 3, 6, "newer")
	}
	r := w.poll(c, pollOf(items, 0))
	if got := r.all[3]; len(got) == 0 || got[0].Fresh != 0 || got[0].Answered != 0 || r.Answers[0] == 0 {
		t.Fatalf("%+v, %+v", r.PollReport, r.all[3])
	}
	r = w.poll(c, pollOf(items, 0))
	if r.Answers[2] != 20 || r.Newer != 1 {
		t.Errorf("the next: %+v", r.PollReport)
	}
	if !slices.ContainsFunc(r.all[3], func(p Polled) bool { return p.Walked && p.Item != nil && p.Item.Seq == 6 }) {
		t.Errorf("%+v", r.all[3])
	}
}

func TestANewKeyIsWalkedToOnceAndThenPolled(t *testing.T) {
	w := newWorld(t, 6, 80)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 10)
	items = append(items, signed(t, 10, 5, "new"))
	w.place(items[10])
	q := pollOf(items, 0)
	q.Keys[10].Seq = -1
	r := w.poll(c, q)
	if got := r.all[10]; r.Walked != 1 || r.Newer != 1 || len(got) != 1 || !got[0].Walked || !got[0].Item.same(&items[10]) || got[0].Fresh != 8 {
		t.Errorf("%+v, %+v", r.PollReport, got)
	}
	if r = w.poll(c, pollOf(items, 0)); r.Packets != 22 || r.Background != 0 {
		t.Errorf("then: %+v", r.PollReport)
	}
}

func TestAKeyWithoutAnItemIsFreshWhenTwoSaySo(t *testing.T) {
	w := newWorld(t, 7, 80)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	q := Poll{Salt: []byte("salt"), Keys: []PollKey{{Key: signed(t, 1, 1, "x").Key, Seq: -1}}}
	w.poll(c, q)
	if r := w.poll(c, q); r.Answers[2] != 1 || r.Packets != 2 || r.Stale != 0 || r.all[0][0].Behind != nil {
		t.Errorf("%+v, %+v", r.PollReport, r.all[0])
	}
}

func TestAnswersFromOtherAddressesAndRepeatedOnesDoNotCount(t *testing.T) {
	w := newWorld(t, 9, 100)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 1)
	near := w.closest(items[0].Target, 8)
	for i, n := range near {
		n.lie = func(q *Message, r Message) []flight {
			if i%2 == 0 {
				return []flight{{from: near[(i+1)%8].Addr, data: r.Encode()}}
			}
			forged := r
			forged.Transaction = slices.Clone(q.Transaction)
			forged.Transaction[0] ^= 1
			return []flight{{data: forged.Encode()}, {data: r.Encode()}, {data: r.Encode()}, {data: r.Encode()}}
		}
	}
	for range 5 {
		if r := w.poll(c, pollOf(items, 0)); r.Answers[2] != 1 || r.all[0][0].Fresh != 2 || r.all[0][0].Answered != 2 {
			t.Errorf("%+v", r.PollReport)
		}
	}
	for i, n := range near {
		if lie := n.lie; i != 1 {
			n.lie = func(q *Message, r Message) []flight { return append(lie(q, r), lie(q, r)...)[:0] }
		}
	}
	if r := w.poll(c, pollOf(items, 0)); r.Answers[1] != 1 || r.all[0][0].Fresh != 1 {
		t.Errorf("one that answers thrice: %+v, %+v", r.PollReport, r.all[0])
	}
}

func TestPollsWaitForEachOtherAndEmptyOnesEnd(t *testing.T) {
	w := newWorld(t, 13, 60)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 5)
	var order []int
	done := func(n int) func(PollReport) { return func(PollReport) { order = append(order, n) } }
	c.Poll(w.now, pollOf(items, 0), func(int, Polled) {}, func(r PollReport) {
		done(1)(r)
		c.Poll(w.now, Poll{}, nil, done(4))
	})
	c.Poll(w.now, Poll{}, nil, done(2))
	c.Poll(w.now, pollOf(items, 0), func(int, Polled) {}, done(3))
	w.run()
	if !slices.Equal(order, []int{1, 2, 3, 4}) || !c.Next().IsZero() {
		t.Errorf("%v, next %v", order, c.Next())
	}
}

func TestKeysThatNobodyPollsAnyMoreAreForgotten(t *testing.T) {
	w := newWorld(t, 14, 60)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	p := c.polling(w.now)
	for i := range 3000 {
		k := p.key(wire.Target{byte(i), byte(i >> 8), 1})
		k.holders[0].node, k.count = p.nodes.hold(uint64(1<<32+i), [20]byte{}), 1
	}
	items := w.warm(c, 5)
	if len(p.keys) != 5 || len(p.targets) != 5 || p.nodes.used > 60 {
		t.Errorf("%d keys, %d targets, %d nodes", len(p.keys), len(p.targets), p.nodes.used)
	}
	if r := w.poll(c, pollOf(items, 0)); r.Packets != 10 || r.Answers[2] != 5 {
		t.Errorf("%+v", r.PollReport)
	}
}

func TestAWalkLeavesThePollUnderWayItsHolders(t *testing.T) {
	w := newWorld(t, 17, 20)
	p := w.client(Config{}, 3).polling(w.now)
	k := p.key(wire.Target{1})
	for i := range 3 {
		k.holders[i] = rememberedHolder{node: p.nodes.hold(uint64(1<<32+i), [20]byte{}), fails: uint8(2 - i)}
	}
	k.count, k.asked, k.pending = 3, 0b011, 0b001
	first, second := k.holders[0].node, k.holders[1].node
	p.learn(k, Found{}) // those that fail least come first now
	if k.place(first) != 2 || k.place(second) != 1 || k.asked != 0b110 || k.pending != 0b100 {
		t.Errorf("places %d and %d, asked %b, pending %b", k.place(first), k.place(second), k.asked, k.pending)
	}
}

func TestAKeyNamedTwiceIsPolledOnce(t *testing.T) {
	w := newWorld(t, 15, 60)
	c := w.client(Config{Poll: PollConfig{Refresh: 1 << 20}}, 3)
	items := w.warm(c, 2)
	r := w.poll(c, pollOf([]Item{items[0], items[1], items[0]}, 0))
	if r.Answers != [3]int{1, 0, 2} || r.Packets != 4 {
		t.Errorf("%+v", r.PollReport)
	}
}

func TestOneSeedGivesOneRunOfPolls(t *testing.T) {
	run := func(seed uint64) [32]byte {
		w := newWorld(t, seed, 100)
		slow(w, 0.15)
		c := w.client(Config{}, 3)
		items := make([]Item, 60)
		for i := range items {
			items[i] = signed(t, uint64(i), 5, "x")
			w.place(items[i])
		}
		for range 5 {
			w.poll(c, pollOf(items, 0))
			w.nodes[w.draw.IntN(100)].dead = true
		}
		return [32]byte(w.trace.Sum(nil))
	}
	if first, again := run(1), run(1); first != again {
		t.Error("two runs of one seed send other packets")
	}
	if run(1) == run(2) {
		t.Error("two seeds send the same packets")
	}
}
