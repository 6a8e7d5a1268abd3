package member

import (
	"testing"
	"time"

	"weir/ledger/wire"
)

// looks counts how often a host has looked for a succession.
func (h *host) looks(k *keeper) int {
	st, n := k.db.State(), 0
	target := wire.MutableTarget(st.Charter.Recovery, st.ID.Salt())
	for _, g := range h.gets {
		if g == target {
			n++
		}
	}
	return n
}

func TestAPaymentThatIsNotTakenFindsTheSuccessorWithinAFewLooks(t *testing.T) {
	w, k, ann, ben := village(t)
	for range 3 {
		ann.pay(t, 2)
		w.run(5 * time.Second)
		w.cycle(k)
	}
	k.succeed(identity(9))
	k.publish()
	n := ann.pay(t, 2)
	w.run(time.Minute)
	if s := ann.Status(); s.Succession.Number != 0 || s.Untaken != nil {
		t.Fatalf("no change has waited for long yet: %+v", s)
	}
	w.run(3 * time.Minute)
	s := ann.Status()
	if s.Succession.Number != 1 || s.Awaited || s.Waiting != 1 || len(s.Void) > 0 {
		t.Fatalf("%+v", s)
	}
	if ben.Status().Succession.Number != 0 {
		t.Fatal("whoever waits for nothing has looked as well")
	}
	k.poll()
	k.publish()
	w.run(time.Minute)
	got := must[Result](t)(ann.Desk().Result(n))
	if got.Outcome != Accepted || got.Again != 1 {
		t.Fatalf("%+v", got)
	}
	if before := must[Result](t)(ann.Desk().Result(n - 1)); before.Again != 0 {
		t.Fatalf("what was taken before is said to be sent again: %+v", before)
	}
}

func TestAManagerThatIsAwayIsLookedForEverMoreSeldom(t *testing.T) {
	w, k, ann, ben := village(t)
	ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	calm := ben.looks(k)
	ann.pay(t, 2)
	w.run(time.Hour)
	s := ann.Status()
	if s.Untaken == nil || s.Untaken.Number != 2 || s.Untaken.Heard {
		t.Fatalf("%+v", s)
	}
	if n := ann.looks(k); n < 4 || n > 2+missedSpare {
		t.Errorf("%d looks in the first hour", n)
	}
	k.publish() // and again without it
	w.run(time.Minute)
	if s = ann.Status(); s.Untaken == nil || !s.Untaken.Heard {
		t.Fatalf("%+v", s)
	}
	w.cycle(k)
	if s = ann.Status(); s.Untaken != nil || s.Waiting != 0 {
		t.Fatalf("%+v", s)
	}
	// Whoever waits for nothing looks hourly, while the manager says now and then that it is there.
	for range 23 {
		w.run(time.Hour)
		k.publish()
	}
	if n := ben.looks(k) - calm; n < 20 || n > 32 {
		t.Errorf("%d looks on a quiet day", n)
	}
}

func TestWhosePaymentsAThiefTakesLooksForASuccession(t *testing.T) {
	w, k, ann, ben := village(t)
	thief := k.thief(90)
	k.succeed(identity(9))
	k.publish()
	ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(thief)
	w.run(owedMost + time.Minute)
	if st := ann.Store().State(); st.Root != k.db.State().Root {
		t.Fatalf("ann follows the thief: %+v", ann.Status().Succession)
	}
	if ben.Store().State().Size != thief.db.State().Size {
		t.Fatal("ben looked without a reason, or the thief deceives nobody")
	}

	// Whoever pays all day does not look all day.
	before, since := ann.looks(k), w.now
	w.cycle(k)
	for range 60 {
		ann.pay(t, 2)
		w.run(time.Minute)
		w.cycle(k)
	}
	if n, most := ann.looks(k)-before, int(w.now.Sub(since)/owedMost); n < most/2 || n > most+2 {
		t.Errorf("%d looks in a day of payments, at most %d are wanted", n, most)
	}
}

func TestASilentManagerIsMissedAfterAFewOfItsIntervals(t *testing.T) {
	w, k, _, _ := village(t)
	r := newReader(t, k, 7)
	for range 6 {
		k.grow(identity(11), 1)
		k.publish()
		w.run(3 * time.Minute)
	}
	before := r.looks(k)
	k.succeed(identity(9))
	k.publish()
	w.run(8 * time.Minute)
	if r.looks(k) != before {
		t.Error("a reader looks at once")
	}
	w.run(15 * time.Minute)
	r.follows(t, k)

	// However often it is missed, there are no more looks than the bound.
	before = r.looks(k)
	for range 24 * 4 {
		for range 3 {
			k.grow(identity(11), 1)
			k.publish()
			w.run(time.Minute)
		}
		w.run(12 * time.Minute)
	}
	if n := r.looks(k) - before; n > 2*32+missedSpare {
		t.Errorf("%d looks in a day of gaps", n)
	}
}

// However long the manager was off, or this computer asleep: what is usual afterwards is not that.
func TestNightsWithTheManagerOffAreNotWhatIsUsual(t *testing.T) {
	for _, test := range []struct {
		before, nights int
		within         time.Duration
	}{
		{before: 3, nights: 1, within: 4 * time.Minute},  // as if it had not been
		{before: 0, nights: 3, within: 15 * time.Minute}, // every change waits for a night
	} {
		w, k, ann, _ := village(t)
		paid := func(after time.Duration) {
			ann.pay(t, 2)
			w.run(after)
			w.cycle(k)
		}
		for range test.before {
			paid(5 * time.Second)
		}
		for range test.nights {
			paid(9 * time.Hour)
		}
		for range 5 { // the look that follows a change's being taken is over
			w.run(2 * time.Minute)
			k.publish()
		}
		if u := ann.missed.changes.usual(); u == 0 || u > missedMost {
			t.Errorf("after %d nights %s is usual", test.nights, u)
		}
		k.succeed(identity(9))
		k.publish()
		ann.pay(t, 2)
		w.run(test.within)
		if s := ann.Status(); s.Succession.Number != 1 {
			t.Errorf("after %d nights: not found within %s", test.nights, test.within)
		}
	}
}

func TestAGapThatIsLongerThanAnnouncedIsNotWhatIsUsual(t *testing.T) {
	w, k, _, _ := village(t)
	r := newReader(t, k, 7)
	grown := func(after time.Duration) {
		k.grow(identity(11), 1)
		k.publish()
		w.run(after)
	}
	for range 4 {
		grown(3 * time.Minute)
	}
	for range 3 {
		grown(10 * time.Hour) // the charter announces one every hour
	}
	grown(3 * time.Minute)
	before := r.looks(k)
	k.succeed(identity(9))
	k.publish()
	w.run(25 * time.Minute)
	r.follows(t, k)
	if r.looks(k) == before {
		t.Error("nobody looked")
	}
}

// While a computer sleeps, DHT nodes forget its outbox: the manager could not take what is in it.
func TestAChangeIsNotUntakenForAsLongAsThisComputerSlept(t *testing.T) {
	w, k, ann, _ := village(t)
	for range 3 {
		ann.pay(t, 2)
		w.run(5 * time.Second)
		w.cycle(k)
	}
	n := ann.pay(t, 2)
	w.run(30 * time.Second)
	ann.skew = 8 * time.Hour
	woke := ann.Now()
	k.publish()
	w.run(time.Minute)
	if s := ann.Status(); s.Waiting != 1 || s.Untaken != nil {
		t.Fatalf("just awake, and nothing put again: %+v", s)
	}
	w.run(30 * time.Minute)
	if s := ann.Status(); s.Untaken == nil || s.Untaken.Number != n || s.Untaken.Since.Before(woke) || s.Untaken.Heard {
		t.Fatalf("put again, and not taken since: %+v", s.Untaken)
	}
	k.publish()
	w.run(time.Minute)
	if s := ann.Status(); s.Untaken == nil || !s.Untaken.Heard {
		t.Fatalf("published without it: %+v", s.Untaken)
	}
}
