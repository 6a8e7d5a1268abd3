package member

import (
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// A member's device is lost while a thief publishes, and is restored about when the
// manager's key is replaced. Its change 1 stands; change 2 was signed before the thief
// came, and only the thief has taken it; change 3 was signed in view of that, and
// waits.
func TestADeviceThatIsRestoredAtASuccession(t *testing.T) {
	type scene struct {
		*world
		k, thief *keeper
		ann      *device
		backup   func() *device // ann's disk as it was when change 2 waited
	}
	begin := func(t *testing.T) *scene {
		w, k, ann, _ := village(t)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		w.cycle(k)
		s := &scene{world: w, k: k, ann: ann}
		ann.pay(t, 2)
		w.run(5 * time.Second)
		ann.Member.Stop()
		ann.disk.Crash()
		check(t, ann.Store().Close())
		disk := ann.disk.Restart()
		s.backup = func() *device {
			d := &device{host: w.host(9), id: ann.id, disk: disk.Restart()}
			st := must[*store.Store](t)(store.Open(d.disk, k.options()))
			check(t, Restored(st, "a backup", w.now))
			check(t, st.Close())
			d.open(t, k)
			return d
		}
		ann.disk = ann.disk.Restart()
		ann.open(t, k)
		w.run(5 * time.Second)
		s.thief = k.thief(90)
		w.cycle(s.thief)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		if got := ann.Status(); got.Account.Last != 2 || got.Waiting != 1 {
			t.Fatalf("%+v", got)
		}
		ann.Member.Stop()
		return s
	}
	succeed := func(s *scene) {
		s.k.succeed(identity(9))
		s.k.publish()
	}
	// whole: nothing is lost, and the change in view of the void is refused.
	whole := func(t *testing.T, s *scene, d *device) {
		t.Helper()
		for range 3 {
			s.run(10 * time.Minute)
			s.cycle(s.k)
		}
		adopted(t, d)
		if got := d.Status(); got.Foreign != "" || got.Trouble != "" || got.Waiting != 0 || got.Account.Balance != -2 {
			t.Fatalf("%+v %+v", got, got.Account)
		}
		for n, want := range map[uint64]wire.Verdict{1: wire.Applied, 2: wire.Applied, 3: wire.UnknownHistory} {
			if got := must[Result](t)(d.Desk().Result(n)); got.Verdict != want {
				t.Errorf("number %d: %+v", n, got)
			}
		}
		if n := d.pay(t, 2); n != 4 {
			t.Fatalf("number %d", n)
		}
		s.run(time.Minute)
		s.cycle(s.k)
		if got := must[Result](t)(d.Desk().Result(4)); got.Outcome != Accepted {
			t.Fatalf("%+v", got)
		}
	}
	t.Run("from its words before it", func(t *testing.T) {
		s := begin(t)
		d := restoredDevice(t, s.k, 9, s.ann.id)
		s.run(time.Minute)
		if a := adopted(t, d); a.After != 2 || a.Last != 3 {
			t.Fatalf("%+v", a)
		}
		succeed(s)
		whole(t, s, d)
	})
	t.Run("from its words, before it has looked", func(t *testing.T) {
		s := begin(t)
		d := &device{host: s.host(9), id: s.ann.id, disk: store.NewCrashable(9, nil)}
		st := must[*store.Store](t)(store.Create(d.disk, s.k.db.Charter(), s.k.options()))
		check(t, Restored(st, "its 24 words", s.now))
		check(t, st.Close())
		few := true
		d.alter = func(g lookup.Get, f *lookup.Found) {
			if few && g.Target == d.outboxTarget(s.k) {
				f.ClosestAnswered = 7
			}
		}
		d.open(t, s.k)
		s.run(time.Minute)
		if got := d.Status(); got.Restored == "" || got.Account.Last != 2 {
			t.Fatalf("%+v", got)
		}
		succeed(s)
		s.run(2 * time.Hour)
		if got := d.Status(); got.Restored == "" || got.Account.Last != 1 {
			t.Fatalf("%+v", got)
		}
		few = false
		whole(t, s, d)
	})
	t.Run("from a backup after it", func(t *testing.T) {
		s := begin(t)
		succeed(s)
		whole(t, s, s.backup())
	})
	t.Run("from a backup before it", func(t *testing.T) {
		s := begin(t)
		d := s.backup()
		s.run(time.Minute)
		succeed(s)
		whole(t, s, d)
	})
	// Nothing that was found has change 2: its owner is told, and goes on without.
	t.Run("from its words after it", func(t *testing.T) {
		s := begin(t)
		succeed(s)
		d := restoredDevice(t, s.k, 9, s.ann.id)
		s.run(10 * time.Minute)
		got := d.Status()
		if !strings.Contains(got.Foreign, "change number 2") || !strings.Contains(got.Foreign, "void") || !strings.Contains(got.Foreign, "weir member takeover") {
			t.Fatalf("%+v", got)
		}
		check(t, d.TakeOverFound())
		s.run(time.Minute)
		if a := adopted(t, d); a.After != 1 || a.First != 2 || a.Last != 1 || !strings.Contains(a.Unread, "3") {
			t.Fatalf("%+v", a)
		}
		if n := d.pay(t, 2); n != 2 {
			t.Fatalf("number %d", n)
		}
		s.run(time.Minute)
		s.cycle(s.k)
		if got := d.Status(); got.Waiting != 0 || got.Account.Balance != -2 || got.Foreign != "" || s.k.db.State().Sum() != 0 {
			t.Fatalf("%+v", got)
		}
	})
}
