package member

import (
	"errors"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// restoredDevice is a device that was made anew from a key's words.
func restoredDevice(t testing.TB, k *keeper, n uint64, id *keys.Identity) *device {
	t.Helper()
	d := &device{host: k.world.host(n), id: id, disk: store.NewCrashable(n, nil)}
	s := must[*store.Store](t)(store.Create(d.disk, k.db.Charter(), k.options()))
	check(t, Restored(s, "its 24 words", k.now))
	check(t, s.Close())
	d.open(t, k)
	return d
}

func adopted(t testing.TB, d *device) Adoption {
	t.Helper()
	a, ok, err := d.Desk().Adoption()
	if err != nil || !ok {
		t.Fatalf("nothing was taken over (%v): %+v", err, d.Status())
	}
	if _, _, still, err := d.Desk().Restored(); err != nil || still {
		t.Fatalf("it is still restored (%v)", err)
	}
	return a
}

func TestARestoredDeviceGoesOnWithWhatWaitsOnTheDHT(t *testing.T) {
	for _, c := range []struct {
		name    string
		waiting int
		memo    int
	}{{"nothing", 0, 1}, {"one change", 1, 1}, {"sixty with chunks", 60, 40}} {
		t.Run(c.name, func(t *testing.T) {
			w, k, ann, _ := village(t)
			ann.pay(t, 2)
			w.run(5 * time.Second)
			w.cycle(k)
			for range c.waiting {
				must[uint64](t)(ann.Pay(2, 1, strings.Repeat("m", c.memo), time.Time{}))
			}
			w.run(time.Minute)
			ann.Member.Stop()
			chain := must[wire.Hash](t)(chainOf(ann.Desk()))

			d := restoredDevice(t, k, 9, ann.id)
			if _, err := d.Pay(2, 1, "", time.Time{}); !errors.Is(err, ErrNotAdmitted) {
				t.Fatalf("before the log is here: %v", err)
			}
			w.run(time.Minute)
			a := adopted(t, d)
			if a.After != 1 || a.First != 2 || a.Last != uint64(1+c.waiting) || a.Why != "its 24 words" || len(a.GivenUp) != 0 {
				t.Fatalf("%+v", a)
			}
			if got := must[wire.Hash](t)(chainOf(d.Desk())); got != chain {
				t.Fatal("it goes on from another chain")
			}
			if s := d.Status(); s.Waiting != c.waiting || s.Foreign != "" || s.Restored != "" || s.Trouble != "" || s.Nodes != 8 {
				t.Fatalf("%+v", s)
			}
			for n := a.Last; n > 1; n-- {
				if err := d.Cancel(n); err == nil {
					t.Fatalf("number %d, which is out, was taken back", n)
				}
			}
			if n := d.pay(t, 2); n != a.Last+1 {
				t.Fatalf("number %d", n)
			}
			w.run(time.Minute)
			for range 12 {
				w.cycle(k)
			}
			if s := d.Status(); s.Waiting != 0 || s.Account.Balance != -int64(c.waiting)-2 || s.Foreign != "" {
				t.Fatalf("%+v %+v", s, s.Account)
			}
		})
	}
}

// chainOf is the chain that the next change of a desk is signed after.
func chainOf(d *Desk) (wire.Hash, error) {
	s, err := d.ready()
	if err != nil {
		return wire.Hash{}, err
	}
	_, h := s.Next()
	return h, nil
}

func TestARestoredDeviceSignsNothingBeforeItHasLooked(t *testing.T) {
	w, k, ann, _ := village(t)
	for range 20 {
		ann.pay(t, 2)
	}
	w.run(10 * time.Second)
	raw := must[Raw](t)(ann.Desk().Raw())
	if len(raw.Chunks) == 0 {
		t.Fatal("no chunks")
	}
	ann.Member.Stop()
	target := ann.outboxTarget(k)
	d := restoredDevice(t, k, 9, ann.id)
	d.alter = func(g lookup.Get, f *lookup.Found) { // one chunk is not to be had
		if g.Target == raw.Chunks[0].Target {
			f.Item = nil
		}
	}
	refuses := func(step string) {
		t.Helper()
		if _, err := d.Pay(2, 1, "", time.Time{}); !errors.Is(err, ErrRestored) {
			t.Fatalf("%s: %v", step, err)
		}
		if _, err := d.Desk().Raw(); !errors.Is(err, ErrRestored) {
			t.Fatalf("%s: raw: %v", step, err)
		}
		if s := d.Status(); s.Restored == "" || d.putTimes(target) != 0 {
			t.Fatalf("%s: %+v", step, s)
		}
	}
	w.run(5 * time.Minute)
	refuses("a chunk is missing")
	if s := d.Status(); !strings.Contains(s.Trouble, "parts of your outbox") {
		t.Fatalf("%+v", s)
	}
	d.alter = func(g lookup.Get, f *lookup.Found) { // few nodes answer
		if g.Target == target {
			f.ClosestAnswered = 7
		}
	}
	d.reopen(t, k)
	w.run(10 * time.Minute)
	refuses("few nodes answer")
	d.offline = true
	d.alter = nil
	d.reopen(t, k)
	w.run(10 * time.Minute)
	refuses("offline")
	d.offline = false
	w.run(10 * time.Minute)
	if a := adopted(t, d); a.Last != 20 {
		t.Fatalf("%+v", a)
	}
}

func TestACrashWhileADeviceTakesOverLosesNothing(t *testing.T) {
	w, k, ann, _ := village(t)
	ann.pay(t, 2)
	ann.pay(t, 2)
	w.run(10 * time.Second)
	ann.Member.Stop()
	for step := 1; step <= 12; step++ {
		d := restoredDevice(t, k, uint64(100+step), ann.id)
		d.disk.CrashAt(step)
		w.run(time.Minute)
		d.reopen(t, k)
		w.run(time.Minute)
		if a := adopted(t, d); a.Last != 2 || d.Status().Foreign != "" || d.Status().Waiting != 2 {
			t.Fatalf("step %d: %+v %+v", step, a, d.Status())
		}
		d.Member.Stop()
	}
}

func TestARestoredBackup(t *testing.T) {
	// copied gives ann an older copy of the disk, as a backup restored.
	copied := func(t *testing.T, k *keeper, ann *device) func() *device {
		ann.Member.Stop()
		ann.disk.Crash()
		check(t, ann.Store().Close())
		disk := ann.disk.Restart()
		ann.disk = ann.disk.Restart()
		ann.open(t, k)
		k.run(5 * time.Second)
		return func() *device {
			s := must[*store.Store](t)(store.Open(disk, k.options()))
			check(t, Restored(s, "a backup of Tuesday", k.now))
			check(t, s.Close())
			d := &device{host: k.world.host(9), id: ann.id, disk: disk}
			d.open(t, k)
			k.run(time.Minute)
			return d
		}
	}
	t.Run("older than the log and the DHT", func(t *testing.T) {
		w, k, ann, _ := village(t)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		restore := copied(t, k, ann)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		w.cycle(k)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		ann.Member.Stop()
		d := restore()
		if a := adopted(t, d); a.After != 2 || a.First != 3 || a.Last != 3 || a.Own != 0 {
			t.Fatalf("%+v", a)
		}
		if n := d.pay(t, 2); n != 4 {
			t.Fatalf("number %d", n)
		}
		w.run(5 * time.Second)
		w.cycle(k)
		if s := d.Status(); s.Account.Balance != -4 || s.Waiting != 0 || s.Foreign != "" {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("newer than the DHT", func(t *testing.T) {
		w, k, ann, _ := village(t)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		ann.offline = true
		ann.pay(t, 2)
		restore := copied(t, k, ann)
		ann.Member.Stop()
		d := restore()
		if a := adopted(t, d); a.Own != 2 || a.First != 3 || a.Last != 2 {
			t.Fatalf("%+v", a)
		}
		w.cycle(k)
		if s := d.Status(); s.Account.Balance != -2 || s.Waiting != 0 || s.Foreign != "" {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("with another change under a number", func(t *testing.T) {
		w, k, ann, _ := village(t)
		ann.offline = true
		w.run(time.Second)
		n := ann.pay(t, 2)
		restore := copied(t, k, ann)
		if err := ann.Cancel(n); err == nil {
			t.Fatal("it had been handed to a put")
		}
		check(t, ann.Store().Commit(nil, store.KV{Key: keyOutbox})) // a device that has forgotten it
		check(t, ann.Desk().TakeOver())
		ann.offline = false
		must[uint64](t)(ann.Pay(2, 7, "another", time.Time{}))
		w.run(10 * time.Minute)
		ann.Member.Stop()
		d := restore()
		if s := d.Status(); !strings.Contains(s.Foreign, "the DHT has a change number 1") {
			t.Fatalf("%+v", s)
		}
		if _, err := d.Pay(2, 1, "", time.Time{}); !errors.Is(err, ErrOtherDevice) {
			t.Fatalf("%v", err)
		}
		// Its owner says that it goes on: what is out counts.
		check(t, d.TakeOverFound())
		w.run(time.Minute)
		a := adopted(t, d)
		if a.First != 1 || a.Last != 1 || len(a.GivenUp) != 1 || a.GivenUp[0].Number != 1 || a.GivenUp[0].Result().Change == nil {
			t.Fatalf("%+v", a)
		}
		w.cycle(k)
		if s := d.Status(); s.Account.Balance != -7 || s.Waiting != 0 || s.Foreign != "" {
			t.Fatalf("%+v", s)
		}
	})
}

// A device that takes over from the log as it is here keeps what waits: the manager
// may have taken it, or will. What does not go on from the log is given up.
func TestTakingOverFromTheLogKeepsWhatGoesOnFromIt(t *testing.T) {
	t.Run("as it was handed over", func(t *testing.T) {
		w, k, ann, _ := village(t)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		check(t, ann.TakeOver())
		if r := must[Result](t)(ann.Desk().Result(1)); r.Outcome != Seen {
			t.Fatalf("%+v", r)
		}
		if n := ann.pay(t, 2); n != 2 {
			t.Fatalf("number %d", n)
		}
		w.run(5 * time.Second)
		w.cycle(k)
		if s := ann.Status(); s.Foreign != "" || s.Account.Balance != -2 || s.Waiting != 0 {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("where the manager takes it afterwards", func(t *testing.T) {
		w, k, ann, _ := village(t)
		ann.pay(t, 2)
		w.run(5 * time.Second)
		ann.offline = true
		ann.reopen(t, k)
		check(t, ann.Desk().TakeOver())
		w.cycle(k)
		ann.offline = false
		w.run(2 * time.Minute)
		if s := ann.Status(); s.Foreign != "" || s.Account.Balance != -1 || s.Waiting != 0 {
			t.Fatalf("%+v", s)
		}
		if r := must[Result](t)(ann.Desk().Result(1)); r.Outcome != Accepted {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("and not where the log has another", func(t *testing.T) {
		w, k, ann, _ := village(t)
		twin := ann.twin(t, k)
		twin.offline = true
		twin.pay(t, 2)
		twin.pay(t, 2)
		must[uint64](t)(ann.Pay(2, 7, "", time.Time{}))
		w.run(5 * time.Second)
		w.cycle(k)
		ann.Member.Stop()
		twin.offline = false
		w.run(2 * time.Minute)
		if s := twin.Status(); s.Foreign == "" {
			t.Fatalf("%+v", s)
		}
		check(t, twin.TakeOver())
		if waiting := must[[]Result](t)(twin.Desk().Waiting()); len(waiting) != 0 {
			t.Fatalf("%+v", waiting)
		}
		if n := twin.pay(t, 2); n != 2 {
			t.Fatalf("number %d", n)
		}
		if r := must[Result](t)(twin.Desk().Result(2)); r.Outcome != Waiting {
			t.Fatalf("%+v", r)
		}
		w.run(5 * time.Second)
		w.cycle(k)
		if s := twin.Status(); s.Foreign != "" || s.Account.Balance != -8 || s.Waiting != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestTakingOverGivesUpWhatIsNotInTheLog(t *testing.T) {
	w, k, ann, _ := village(t)
	twin := ann.twin(t, k)
	twin.offline = true
	must[uint64](t)(twin.Pay(2, 5, "", time.Time{}))
	ann.pay(t, 2)
	ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	ann.pay(t, 2)
	w.run(5 * time.Second)
	ann.Member.Stop()
	twin.offline = false
	w.run(2 * time.Minute)
	if s := twin.Status(); s.Foreign == "" {
		t.Fatalf("%+v", s)
	}
	check(t, twin.TakeOverFound())
	w.run(time.Minute)
	a := adopted(t, twin)
	if a.After != 2 || a.First != 3 || a.Last != 3 || len(a.GivenUp) != 1 || !a.TakeOver {
		t.Fatalf("%+v", a)
	}
	if n := twin.pay(t, 2); n != 4 {
		t.Fatalf("number %d", n)
	}
	w.run(5 * time.Second)
	w.cycle(k)
	if s := twin.Status(); s.Account.Balance != -4 || s.Waiting != 0 || s.Foreign != "" {
		t.Fatalf("%+v", s)
	}
}

// The owner's outbox may be on the DHT and not be one: another program's, or a
// thief's.
func TestAnOutboxThatDoesNotReadStopsARestoredDevice(t *testing.T) {
	w, k, ann, _ := village(t)
	w.run(time.Minute)
	ann.Member.Stop()
	it := must[lookup.Item](t)(lookup.Sign(ann.id.Publish, k.db.State().ID.Salt(), w.now.UnixMilli()+1, wire.String([]byte("rubbish"))))
	k.store(it, &lookup.Stored{})
	d := restoredDevice(t, k, 9, ann.id)
	w.run(time.Minute)
	if s := d.Status(); !strings.Contains(s.Foreign, "the outbox of this key that is on the network") {
		t.Fatalf("%+v", s)
	}
	check(t, d.TakeOverFound())
	w.run(time.Minute)
	if a := adopted(t, d); a.Unread == "" {
		t.Fatalf("%+v", a)
	}
	if s := d.Status(); s.Foreign != "" || s.Nodes != 8 {
		t.Fatalf("%+v", s)
	}
}
