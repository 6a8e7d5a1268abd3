package ledger

import (
	"testing"

	"weir/ledger/wire"
)

func TestAfterARefusalNothingIsTakenForTenSecondsAndEachFurtherOneDoublesThem(t *testing.T) {
	w := newWorld(t, 2)
	for refusals, delay := 1, int64(10_000); refusals <= 20; refusals++ {
		b := w.merge(w.queue(1, w.change(pay(1, 2, 5000)), w.change(pay(1, 2, 1))))
		if got := verdictsOf(b); len(got) != 1 || got[0] != wire.BelowLowerLimit {
			t.Fatalf("refusal %d: %v", refusals, got)
		}
		a, _ := w.state.Account(1)
		if got := a.NotBefore(w.state.Time, quota) - w.state.Time; got != delay || a.Refused != refusals {
			t.Fatalf("after refusal %d: %d ms, not %d", refusals, got, delay)
		}
		w.now = w.state.Time + delay - 1001 // try is a second later: 1 ms too early
		if b := w.merge(w.queue(1, w.change(pay(1, 2, 1)))); b != nil {
			t.Fatalf("refusal %d: taken too early", refusals)
		}
		w.now = w.state.Time + delay - 1000
		delay = min(2*delay, dayMillis)
	}
	if got := verdictsOf(w.merge(w.queue(1, w.change(pay(1, 2, 1))))); len(got) != 1 || got[0] != wire.Applied {
		t.Fatalf("after the longest delay: %v", got)
	}
	a, _ := w.state.Account(1)
	if a.Refused != 0 || a.NotUntil != 0 || a.NotBefore(w.now, quota) != w.now {
		t.Errorf("an applied change does not end the delay: %+v", a)
	}
	if got := verdictsOf(w.merge(w.queue(1, w.change(pay(1, 2, 1)), w.change(pay(1, 2, 1))))); len(got) != 2 {
		t.Errorf("two at once after it: %v", got)
	}
}

func TestAMemberHasItsQuotaOfEntriesAUTCDay(t *testing.T) {
	w := newWorld(t, 2)
	w.now = (day(w.now)+1)*dayMillis - 1000
	var changes [][]byte
	for range quota + 10 {
		changes = append(changes, w.change(pay(1, 2, 1)))
	}
	w.merge(w.queue(1, changes[:quota-1]...))
	if got := verdictsOf(w.merge(w.queue(1, changes...))); len(got) != 1 {
		t.Fatalf("%d more than the quota were taken", len(got)-1)
	}
	a, _ := w.state.Account(1)
	midnight := (a.Day + 1) * dayMillis
	if got := a.NotBefore(w.now, quota); got != midnight {
		t.Errorf("not before %d, and the next day begins at %d", got, midnight)
	}
	if b := w.merge(w.queue(1, changes[0])); b != nil {
		t.Error("taken over quota")
	}
	// Others are served meanwhile.
	if b := w.merge(w.queue(1, changes[0]), w.queue(2, w.change(pay(2, 1, 1)))); len(b.Entries) != 1 || b.Entries[0].Entry.Account != 2 {
		t.Error("one member's quota held another's change")
	}
	w.now = midnight - 1000
	if b := w.merge(w.queue(1, changes[0])); b == nil || b.Time != midnight {
		t.Error("not taken on the next day")
	}
}

func TestAccountZeroHasNoQuota(t *testing.T) {
	w := newWorld(t, 1)
	var acts [][]byte
	for range quota * 2 {
		acts = append(acts, w.change(suspend(99)))
	}
	if got := len(w.merge(w.queue(0, acts...)).Entries); got != len(acts) {
		t.Errorf("%d of %d acts were taken", got, len(acts))
	}
	a, _ := w.state.Account(0)
	if a.Refused != 0 || a.DayCount != 0 || a.NotBefore(w.now, quota) != w.now {
		t.Errorf("account 0 is counted: %+v", a)
	}
}

func TestRefusalsAndQuotaTogetherWaitForTheLater(t *testing.T) {
	a := Account{Number: 1, Day: 10, DayCount: 5, NotUntil: 10*dayMillis + 500}
	for _, c := range []struct{ now, quota, want int64 }{
		{10 * dayMillis, 6, 10*dayMillis + 500},
		{10*dayMillis + 600, 6, 10*dayMillis + 600},
		{10 * dayMillis, 5, 11 * dayMillis},
		{11 * dayMillis, 5, 11 * dayMillis},
	} {
		if got := a.NotBefore(c.now, int(c.quota)); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	a.NotUntil = 12*dayMillis + 7
	if got := a.NotBefore(10*dayMillis, 5); got != 12*dayMillis+7 {
		t.Errorf("a delay past the day: %d", got)
	}
}
