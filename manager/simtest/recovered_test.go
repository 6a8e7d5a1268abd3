package simtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"weir/ledger/wire"
	"weir/manager"
)

// TestRecovered lives through seeds in which a manager is rebuilt from its words and
// what is published: one whose machine is gone, one whose old machine runs all the
// time, and one whose old machine comes back. 100 of them:
//
//	go test ./manager/simtest -run 'TestRecovered$' -timeout 1h -args -recovered 100
func TestRecovered(t *testing.T) {
	t.Parallel()
	seedsOf(t, "TestRecovered", "-recovered 1", *recoveredFlag, playRecovered)
}

// recovered is a world of TestRecovered.
type recovered struct {
	*World
	draw *rand.Rand
	next *Recovered
}

var oldMachines = []string{"gone", "on all the time", "off, and back"}

func playRecovered(seed uint64) (hash uint64, said string, err error) {
	w := New(seed, Setup{})
	defer w.Close()
	r := &recovered{World: w, draw: w.Sim.Stream("recovery")}
	w.Found(ManagerSetup{Limits: wire.Limits{Lower: -1 << 40, Upper: 1 << 40}})
	for _, name := range []string{"ada", "bob", "cleo", "dan", "eve"} {
		w.Admit(name)
	}
	w.Reader("a reader")
	if !w.Settle(10 * time.Minute) {
		return 0, "", fmt.Errorf("it does not begin: %s %w", w.Resting(), w.Err())
	}
	r.live(time.Duration(r.draw.Int64N(int64(10 * time.Minute))))
	old := w.Manager
	kind := r.draw.IntN(len(oldMachines))
	switch kind {
	case 0:
		old.Crash()
	case 2:
		old.Off()
	}
	r.live(time.Duration(r.draw.Int64N(int64(3 * time.Minute))))
	step, why, err := r.rebuild()
	if err != nil {
		return 0, "", err
	}
	size := r.next.size
	switch {
	case step == manager.Hopeless && kind != 1:
		return 0, "", fmt.Errorf("the old machine was %s, and it is not rebuilt: %s", oldMachines[kind], why)
	case step == manager.Hopeless:
		err = r.left(why)
	case kind == 0:
		err = r.replaced(old)
	default:
		err = r.both(old, kind == 2)
	}
	said = fmt.Sprintf("seed %d: hash %016x, the old machine %s, %s with %d entries of %d and in the end %d, %s", seed, w.Hash(), oldMachines[kind], step, size, old.size, w.Manager.size, w.Sim.Elapsed())
	return w.Hash(), said, err
}

// live has members pay each other for a while.
func (r *recovered) live(d time.Duration) {
	for end := r.Sim.Elapsed() + d; r.Sim.Elapsed() < end && r.Err() == nil; {
		from, to := r.draw.IntN(len(r.Members)), r.draw.IntN(len(r.Members))
		if from != to {
			if _, err := r.Members[from].Pay(r.Members[to], 1+r.draw.Int64N(400)); err != nil {
				r.fail("a member can pay", "%v", err)
			}
		}
		r.Run(time.Duration(r.draw.Int64N(int64(20 * time.Second))))
	}
}

// rebuild recovers, on a machine whose power may go on the way.
func (r *recovered) rebuild() (step manager.RecoveryStep, why string, err error) {
	r.next = r.Recover()
	r.next.honest = false // until it is the manager
	if r.draw.IntN(2) == 0 {
		r.next.CrashAt(1 + r.draw.IntN(60))
	}
	over := func() bool {
		if !r.next.on {
			return true
		}
		s := r.next.Recovery.Status()
		step, why = s.Step, s.Reason
		return step == manager.Rebuilt || step == manager.Hopeless
	}
	for range 4 {
		if err := r.next.On(); err != nil {
			if !r.next.lost() {
				return "", "", err
			}
			r.next.disk, r.next.crashAt = r.next.disk.Restart(), 0 // the power went while it started
			continue
		}
		if !r.RunUntil(time.Hour, over) {
			return "", "", fmt.Errorf("it is not rebuilt in an hour: %+v (%w)", r.next.Recovery.Status(), r.Err())
		}
		if r.next.on {
			return step, why, nil
		}
	}
	return "", "", fmt.Errorf("its power goes again and again")
}

// begin starts the rebuilt manager.
func (r *recovered) begin() error {
	r.next.Off()
	r.next.Rebuilt = true
	return r.next.On()
}

// left: it found that the old machine publishes, and left it alone.
func (r *recovered) left(why string) error {
	if !strings.Contains(why, "another machine runs this manager") {
		return fmt.Errorf("it ended with %q", why)
	}
	r.next.retire()
	r.live(time.Minute)
	r.Settle(time.Hour)
	return r.Check()
}

// replaced: the old machine is gone, with whatever it had that nobody was shown.
func (r *recovered) replaced(old *Manager) error {
	for _, m := range r.machines {
		f, ok := r.follower(m)
		if !ok {
			continue
		}
		size := f.Status().Size
		if size > r.next.size {
			return fmt.Errorf("%s has %d entries, and the rebuilt manager %d", m.name, size, r.next.size)
		}
		if root, err := r.next.store.RootAt(size); err != nil || root != f.Status().Root {
			return fmt.Errorf("%s has another log of %d entries than the rebuilt manager (%v)", m.name, size, err)
		}
	}
	old.retire()
	old.honest = false
	r.forget()
	r.Manager, r.next.honest = r.next.Manager, true
	if err := r.begin(); err != nil {
		return err
	}
	r.live(5 * time.Minute)
	r.Settle(time.Hour)
	return r.Check()
}

// forget takes out of what is watched what only the lost machine had.
func (r *recovered) forget() {
	size := r.next.size
	for seq, c := range r.watch.heads {
		if c.Size > size {
			delete(r.watch.heads, seq)
		}
	}
	for n := range r.watch.roots {
		if n > size {
			delete(r.watch.roots, n)
		}
	}
	r.watch.walked = size
	for _, a := range r.next.state.Accounts() {
		r.watch.numbers[a.Number] = a.Last
	}
}

// both: two machines run the manager in the end, and notice.
func (r *recovered) both(old *Manager, back bool) error {
	r.Split(r.watch.manager)
	if err := r.begin(); err != nil {
		return err
	}
	r.live(time.Duration(r.draw.Int64N(int64(10 * time.Minute))))
	if back {
		if err := old.On(); err != nil {
			return err
		}
	}
	r.live(5 * time.Minute)
	r.Run(time.Hour)
	r.noticed([2]*Manager{old, r.next.Manager})
	return r.Err()
}
