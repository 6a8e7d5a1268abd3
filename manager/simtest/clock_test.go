package simtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"weir/ledger"
	"weir/manager"
)

const year = 365 * 24 * time.Hour

func TestAClockThatJumpsBackAnHourStopsNothing(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	w.Reader("a reader")
	must(m[0].Pay(m[1], 1))(t)
	settle(t, w, 5*time.Minute)
	last := w.Manager.state.Time
	w.Manager.Host().SetClock(-time.Hour)
	m[0].Host().SetClock(-time.Hour)
	for range 5 {
		must(m[0].Pay(m[1], 1))(t)
		settle(t, w, 5*time.Minute)
	}
	check(t, w)
	// Log time stands still, but for a millisecond a batch.
	if now := w.Manager.state.Time; now <= last || now > last+100 {
		t.Errorf("log time went from %d to %d", last, now)
	}
	w.Manager.Host().SetClock(0)
	must(m[0].Pay(m[1], 1))(t)
	settle(t, w, 5*time.Minute)
	check(t, w)
	times := int64(0)
	err := w.Manager.Store().Entries(1, func(d ledger.Decided) bool {
		if d.Entry.Time < times {
			t.Errorf("entry %d is of %d, after %d", d.Index, d.Entry.Time, times)
		}
		times = d.Entry.Time
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAClockFarAheadNeedsAYes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		leap func(t *testing.T, w *World)
	}{
		{"a year while the manager runs", func(t *testing.T, w *World) { w.Manager.Host().SetClock(year) }},
		// Only the monotonic clock tells this one from a quiet afternoon.
		{"five hours while the manager runs", func(t *testing.T, w *World) { w.Manager.Host().SetClock(5 * time.Hour) }},
		{"a year while it is off", func(t *testing.T, w *World) {
			w.Manager.Off()
			w.Manager.Host().SetClock(year)
			if err := w.Manager.On(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		held := func(t *testing.T) (*World, []*Member) {
			w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
			c.leap(t, w)
			heads := len(w.watch.heads)
			must(m[0].Pay(m[1], 1))(t)
			w.Run(30 * time.Minute) // nothing but a yes or the right time ends it
			s := w.Manager.Role.Status()
			if s.Phase != manager.Held || s.LogSize != 3 || !strings.Contains(s.Reason, "clock") {
				t.Fatalf("it is %s with %d entries: %s", s.Phase, s.LogSize, s.Reason)
			}
			if len(w.watch.heads) != heads {
				t.Fatal("it has signed a head under that clock")
			}
			var refused *manager.Refused
			if _, err := w.Manager.Role.Suspend(1, "late"); !errors.As(err, &refused) || !strings.Contains(refused.Text, "clock") {
				t.Fatalf("the manager's own act is taken under that clock: %v", err)
			}
			if at := time.UnixMilli(w.Manager.Role.Store.State().Time); at.After(w.Sim.Now()) {
				t.Fatalf("the log says it is %s", at)
			}
			return w, m
		}
		t.Run(c.name+", and the yes comes", func(t *testing.T) {
			w, m := held(t)
			if err := w.Manager.Role.AcceptClock(); err != nil {
				t.Fatal(err)
			}
			settle(t, w, 5*time.Minute)
			check(t, w)
			// The yes is for good, and the manager starts with it.
			w.Manager.Off()
			if err := w.Manager.On(); err != nil {
				t.Fatal(err)
			}
			must(m[0].Pay(m[1], 1))(t)
			settle(t, w, 5*time.Minute)
			check(t, w)
			// If it was a mistake after all, heads say the right time again.
			w.Manager.Host().SetClock(0)
			w.Run(5 * time.Minute)
			if age := w.Sim.Now().Sub(time.UnixMilli(w.Manager.Role.Status().Head.Time)); age < 0 || age > time.Hour {
				t.Errorf("the newest head is %s old", age)
			}
		})
		t.Run(c.name+", and the clock is set right", func(t *testing.T) {
			w, _ := held(t)
			w.Manager.Host().SetClock(0)
			settle(t, w, 5*time.Minute)
			check(t, w)
			if at := time.UnixMilli(w.Manager.state.Time); at.After(w.Sim.Now()) {
				t.Errorf("log time is %s, and it is %s", at, w.Sim.Now())
			}
		})
	}
}

func TestAClockThatIsWrongByLittleNeedsNoYes(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	w.Manager.Host().SetClock(50 * time.Minute)
	m[1].Host().SetClock(-3 * time.Hour)
	must(m[0].Pay(m[1], 1))(t)
	settle(t, w, 5*time.Minute)
	check(t, w)
	// A machine that was off cannot tell how long: what it finds is the time.
	w.Manager.Off()
	w.Manager.Host().SetClock(5 * time.Hour)
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	must(m[0].Pay(m[1], 1))(t)
	settle(t, w, 5*time.Minute)
	check(t, w)
}

// A database in which nothing happens for a quarter still publishes its head,
// and its manager's clock is right.
func TestAQuietQuarterNeedsNoYes(t *testing.T) {
	t.Parallel()
	w := New(1, Setup{Nodes: 8})
	t.Cleanup(w.Close)
	w.Found(ManagerSetup{Cycle: 12 * time.Hour, Heartbeat: 24 * time.Hour})
	w.Run(90 * 24 * time.Hour)
	if s := w.Manager.Role.Status(); s.Phase != manager.Running || !s.HeadDone {
		t.Errorf("it is %s: %s", s.Phase, s.Reason)
	}
}
