package ledger

import (
	"bytes"
	"crypto/sha256"
	"math/rand"
	"slices"
	"testing"

	"weir/ledger/wire"
)

// fair is the members in the order of the next batch, computed from DESIGN's
// sentence.
func (w *world) fair(members ...uint64) []uint64 {
	key := func(n uint64) []byte {
		k := w.ids[n].Public()
		h := sha256.Sum256(append(append([]byte{}, w.state.Root[:]...), k[:]...))
		return h[:]
	}
	slices.SortFunc(members, func(a, b uint64) int { return bytes.Compare(key(a), key(b)) })
	return members
}

// numbersOf is each account's numbers in a batch.
func numbersOf(b *Batch) map[uint64][]uint64 {
	list := map[uint64][]uint64{}
	for _, d := range b.Entries {
		list[d.Entry.Account] = append(list[d.Entry.Account], d.Entry.Number)
	}
	return list
}

func TestAccountZeroComesFirstAndThenEachMembersNextChangeARound(t *testing.T) {
	w := newWorld(t, 4)
	order := w.fair(1, 2, 3)
	queues := []Queue{
		w.queue(2, w.change(pay(2, 4, 1))),
		w.queue(3, w.change(pay(3, 4, 1)), w.change(pay(3, 4, 1)), w.change(pay(3, 4, 1))),
		w.queue(0, w.change(limitOf(4, -5, 5000)), w.change(suspend(1)), w.change(resume(1))),
		w.queue(1, w.change(pay(1, 4, 1)), w.change(pay(1, 4, 1))),
	}
	b := w.merge(queues...)
	want := []uint64{0, 0, 0}
	want = append(want, order...)
	want = append(want, slices.DeleteFunc(slices.Clone(order), func(n uint64) bool { return n == 2 })...)
	want = append(want, 3)
	if got := signersOf(b); !slices.Equal(got, want) {
		t.Fatalf("%v, not %v", got, want)
	}
}

func TestTheOrderOfTheQueuesDoesNotMatter(t *testing.T) {
	w := newWorld(t, 9)
	var queues []Queue
	for n := uint64(1); n <= 9; n++ {
		queues = append(queues, w.queue(n, w.change(pay(n, n%9+1, int64(n)*20)), w.change(pay(n, n%9+1, 1))))
	}
	var first []byte
	random := rand.New(rand.NewSource(1))
	for range 10 {
		random.Shuffle(len(queues), func(i, j int) { queues[i], queues[j] = queues[j], queues[i] })
		w.salts = 0
		b, err := w.tryMax(0, queues...)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Frames
		}
		if !bytes.Equal(b.Frames, first) {
			t.Fatal("the same queues in another order gave another batch")
		}
	}
}

func TestTheOrderChangesWithTheRoot(t *testing.T) {
	w := newWorld(t, 6)
	seen := map[uint64]bool{}
	for range 20 {
		var queues []Queue
		for n := uint64(1); n <= 6; n++ {
			queues = append(queues, w.queue(n, w.change(pay(n, n%6+1, 1))))
		}
		seen[signersOf(w.merge(queues...))[0]] = true
	}
	if len(seen) < 3 {
		t.Errorf("in 20 batches only %d members were first", len(seen))
	}
}

// Who is paid in the same batch can pay, wherever it stands in the order.
func TestAChangeThatFailsALimitIsTriedAgainWhenTheOthersAreDone(t *testing.T) {
	w := newWorld(t, 3)
	for range 8 { // whatever the order
		order := w.fair(1, 2)
		b := w.merge(
			w.queue(1, w.change(pay(1, 3, 150)), w.change(pay(1, 3, 1))),
			w.queue(2, w.change(pay(2, 1, 100))),
		)
		if got := verdictsOf(b); slices.ContainsFunc(got, func(v wire.Verdict) bool { return v != wire.Applied }) {
			t.Fatalf("order %v: %v", order, got)
		}
		if order[0] == 1 && !slices.Equal(signersOf(b), []uint64{2, 1, 1}) {
			t.Fatalf("deferred changes come last: %v", signersOf(b))
		}
		if got := numbersOf(b)[1]; !slices.IsSorted(got) || len(got) != 2 {
			t.Fatalf("numbers %v", got)
		}
		// Back to where it was.
		w.merge(w.queue(3, w.change(transferOf("", posting(3, -151), posting(1, 51), posting(2, 100)))))
	}
}

func TestTheSecondPassIsFinalAndKeepsTheOrder(t *testing.T) {
	w := newWorld(t, 5)
	order := w.fair(1, 2, 3, 4)
	var queues []Queue
	for n := uint64(1); n <= 4; n++ {
		queues = append(queues, w.queue(n, w.change(pay(n, 5, 1)), w.change(pay(n, 5, 500)), w.change(pay(n, 5, 1))))
	}
	b := w.merge(queues...)
	// One round of what is within limits, then one of what is not. The
	// refusals then hold back what follows.
	if got := signersOf(b); !slices.Equal(got, append(slices.Clone(order), order...)) {
		t.Fatalf("%v, not %v twice", got, order)
	}
	for i, v := range verdictsOf(b) {
		if want := []wire.Verdict{wire.Applied, wire.BelowLowerLimit}[i/4]; v != want {
			t.Errorf("entry %d: %s, not %s", i, v, want)
		}
	}
}

// Members leave the first pass in different rounds; the second pass has all
// of them in one.
func TestMembersThatLeftInDifferentRoundsMeetInTheSecondPass(t *testing.T) {
	w := newWorld(t, 4)
	order := w.fair(1, 2, 3)
	var queues []Queue
	for i, n := range order {
		var changes [][]byte
		for range len(order) - 1 - i { // the first in the order leaves last
			changes = append(changes, w.change(pay(n, 4, 1)))
		}
		queues = append(queues, w.queue(n, append(changes, w.change(pay(n, 4, 500)))...))
	}
	b := w.merge(queues...)
	got := signersOf(b)
	if !slices.Equal(got[len(got)-3:], order) {
		t.Errorf("%v does not end in %v", got, order)
	}
}

func TestABatchHoldsAtMostSoManyEntriesAndTheRestWaits(t *testing.T) {
	w := newWorld(t, 4)
	queues := func() []Queue {
		list := []Queue{w.queue(0, w.change(suspend(4)), w.change(resume(4)))}
		for n := uint64(1); n <= 3; n++ {
			list = append(list, w.queue(n, w.change(pay(n, 4, 1)), w.change(pay(n, 4, 1))))
		}
		return list
	}
	for most := 1; most <= 8; most++ {
		b, err := w.tryMax(most, queues()...)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Entries) != most {
			t.Fatalf("%d entries where %d are allowed", len(b.Entries), most)
		}
	}
}

func TestNothingWaitingMakesNoBatch(t *testing.T) {
	w := newWorld(t, 2)
	for name, queues := range map[string][]Queue{
		"no queues":               nil,
		"empty queues":            {{Account: 0}, {Account: 1}},
		"an account to come":      {{Account: 3, Changes: w.queue(1, w.change(pay(1, 2, 1))).Changes}},
		"the last account number": {{Account: ^uint64(0), Changes: w.queue(1, w.change(pay(1, 2, 1))).Changes}},
	} {
		if b := w.merge(queues...); b != nil {
			t.Errorf("%s: %d entries", name, len(b.Entries))
		}
	}
}

func TestAMemberAdmittedInABatchIsServedFromTheNextOn(t *testing.T) {
	w := newWorld(t, 1)
	w.ids = append(w.ids, identity(2))
	w.merge(w.queue(0, w.change(admit(2, "Two", nil))))
	if got := verdictsOf(w.merge(w.queue(2, w.change(pay(2, 1, 5))))); !slices.Equal(got, []wire.Verdict{wire.Applied}) {
		t.Error(got)
	}
}

func TestMergeRefusesACallersMistake(t *testing.T) {
	w := newWorld(t, 2)
	good := w.queue(1, w.change(pay(1, 2, 1)))
	spoil := func(f func(*Candidate)) Queue {
		c := good.Changes[0]
		f(&c)
		return Queue{Account: 1, Changes: []Candidate{c}}
	}
	notAChange := Candidate{Number: 1, Change: []byte("x"), Chain: wire.ChainNext(wire.Hash{}, []byte("x"))}
	for name, queues := range map[string][]Queue{
		"two queues of one account": {good, good},
		"a number too high":         {spoil(func(c *Candidate) { c.Number++ })},
		"a number too low":          {spoil(func(c *Candidate) { c.Number-- })},
		"another chain":             {spoil(func(c *Candidate) { c.Chain[0]++ })},
		"another change":            {spoil(func(c *Candidate) { c.Change = w.change(pay(1, 2, 2)) })},
		"bytes that are no change":  {{Account: 1, Changes: []Candidate{notAChange}}},
		"an act that is no change":  {{Account: 0, Changes: []Candidate{notAChange}}},
	} {
		if b, err := w.try(queues...); err == nil {
			t.Errorf("%s: a batch of %d", name, len(b.Entries))
		}
	}
}

func TestMergeReportsWhatItCannotReadOrSign(t *testing.T) {
	w := newWorld(t, 2)
	in := MergeInput{
		Now:    w.now + 1000,
		Queues: []Queue{w.queue(0, w.change(suspend(1)))},
		Hashes: w.hashes,
		Salts:  &w.salts,
	}
	if _, err := w.state.Merge(in); err == nil {
		t.Error("an act without a manager to sign it")
	}
	in.Manager = w
	if _, err := w.state.Merge(in); err != nil {
		t.Error(err)
	}
	in.Salts = bytes.NewReader([]byte("short"))
	if _, err := w.state.Merge(in); err == nil {
		t.Error("a body without a salt")
	}
	in.Salts, in.Hashes = &w.salts, failing{}
	if _, err := w.state.Merge(in); err == nil {
		t.Error("hashes that cannot be read")
	}
	damaged := slices.Clone(w.hashes)
	damaged[len(damaged)-1][0] ^= 1
	in.Hashes = damaged
	if _, err := w.state.Merge(in); err == nil {
		t.Error("hashes that do not give the root")
	}
	in.Hashes, in.Now = w.hashes, wire.IntMax+1
	if _, err := w.state.Merge(in); err == nil {
		t.Error("a time past the largest integer")
	}
}

func TestBatchTimeGrowsThoughTheClockDoesNot(t *testing.T) {
	w := newWorld(t, 2)
	before := w.state.Time
	for i, now := range []int64{0, before, before - 5000, -1} {
		w.now = now - 1000
		w.merge(w.queue(1, w.change(pay(1, 2, 1))))
		if want := before + int64(i) + 1; w.state.Time != want {
			t.Errorf("the clock says %d after %d, the batch %d", now, before, w.state.Time)
		}
	}
	w.now = before + 10_000
	w.merge(w.queue(1, w.change(pay(1, 2, 1))))
	if w.state.Time != before+11_000 {
		t.Errorf("the clock went on, log time is %d", w.state.Time)
	}
}

// A refused change's body is with its sender, who can compute its hash.
func TestARefusedChangeLeavesNoBodyButItsHash(t *testing.T) {
	w := newWorld(t, 2)
	change := w.change(pay(1, 2, 5000))
	b := w.merge(w.queue(1, change))
	d := b.Entries[0]
	if d.Body != nil || bytes.Contains(b.Frames, change) {
		t.Error("the change is in the stream")
	}
	if want := wire.Hash(sha256.Sum256(wire.Body{Change: change}.Encode())); d.Entry.Body != want {
		t.Error("the body's hash is not over the change and a salt of zeros")
	}
	f, n, err := wire.ParseFrame(b.Frames)
	if err != nil || n != len(b.Frames) || f.State != wire.BodyBlanked || len(f.Body) != 0 {
		t.Errorf("frame %+v, %v", f, err)
	}
}
