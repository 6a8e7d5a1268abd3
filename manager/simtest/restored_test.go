package simtest

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"weir/ledger/wire"
	"weir/member"
)

var (
	restoredFlag  = flag.Int("restored", 3, "how many seeds of a member that is restored while its old device still runs")
	recoveredFlag = flag.Int("recovered", 3, "how many seeds of a manager that is recovered while the old one may still run")
)

// seedsOf runs seeds as subtests, twice each with -twice.
func seedsOf(t *testing.T, test, flags string, n int, play func(seed uint64) (uint64, string, error)) {
	t.Helper()
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			hash, said, err := play(seed)
			t.Log(said)
			if err != nil {
				t.Fatalf("seed %d: %v\nreplay it with:\n\tgo test ./manager/simtest -run '%s$' -args %s -seed %d", seed, err, test, flags, seed)
			}
			if !*twiceFlag {
				return
			}
			if again, _, err := play(seed); err != nil || again != hash {
				t.Errorf("seed %d gave the hash %016x, and then %016x (%v)", seed, hash, again, err)
			}
		})
	}
}

// TestRestored lives through seeds in which a member is restored from its words
// while its old device still runs, and both sign. 100 of them:
//
//	go test ./manager/simtest -run 'TestRestored$' -timeout 1h -args -restored 100
func TestRestored(t *testing.T) {
	t.Parallel()
	seedsOf(t, "TestRestored", "-restored 1", *restoredFlag, playRestored)
}

// device is one of two that sign with a key, and what it was told it had signed.
type device struct {
	*Member
	made    []madeChange
	given   []uint64 // numbers that it said it gave up
	foreign int      // how often it was found stopped
}

type madeChange struct {
	number uint64
	chain  wire.Hash
}

// pay signs a payment, if the device does, and notes it.
func (d *device) pay(to *Member, amount int64) {
	if n, err := d.Pay(to, amount); err == nil {
		d.made = append(d.made, madeChange{n, d.signed[n-1].chain})
	}
}

// attend has the owner tell a device that has stopped to go on, with some chance.
func (d *device) attend(luck bool) error {
	if !d.on || d.Role.Status().Foreign == "" {
		return nil
	}
	d.foreign++
	if !luck {
		return nil
	}
	d.touch()
	return d.Role.TakeOverFound()
}

// note keeps what the device says that it gave up: the next look says other things.
func (d *device) note() {
	if d.on && d.Role.Desk() != nil {
		if ad, ok, err := d.Role.Desk().Adoption(); err == nil && ok {
			for _, s := range ad.GivenUp {
				d.given = append(d.given, s.Number)
			}
		}
	}
}

// unnamed is the first change that a device signed, that is not in the log, and of
// which the device does not say so; 0: there is none.
func (d *device) unnamed() (uint64, error) {
	desk := d.Role.Desk()
	a, err := desk.Account()
	if err != nil {
		return 0, err
	}
	kept, err := desk.Kept()
	if err != nil {
		return 0, err
	}
	d.note()
	for _, c := range d.made {
		if c.number <= a.Last {
			e, ok, err := d.store.Find(a.Number, c.number)
			if err != nil || !ok || e.Entry.Chain == c.chain {
				if err != nil || !ok {
					return c.number, err
				}
				continue
			}
		}
		named := slices.ContainsFunc(kept, func(r member.Result) bool { return r.Number == c.number }) ||
			slices.Contains(d.given, c.number)
		if !named {
			return c.number, nil
		}
	}
	return 0, nil
}

func playRestored(seed uint64) (hash uint64, said string, err error) {
	w := New(seed, Setup{})
	defer w.Close()
	w.Found(ManagerSetup{Limits: wire.Limits{Lower: -1 << 40, Upper: 1 << 40}})
	for _, name := range []string{"ada", "bob", "cleo", "dan"} {
		w.Admit(name)
	}
	draw := w.Sim.Stream("two devices")
	if !w.Settle(10 * time.Minute) {
		return 0, "", fmt.Errorf("it does not begin: %s %w", w.Resting(), w.Err())
	}
	ada, bob := w.Members[0], w.Members[1]
	w.Split(ada.id.Public())
	old := &device{Member: ada}
	for range draw.IntN(6) {
		old.pay(bob, 1+draw.Int64N(300))
		w.Run(time.Duration(draw.Int64N(int64(20 * time.Second))))
	}
	fresh := &device{Member: ada.Words()}
	both := []*device{old, fresh}
	if err := fresh.On(); err != nil {
		return 0, "", err
	}
	// Both are used, while the network of each comes and goes.
	for step := range 60 {
		w.Run(time.Duration(draw.Int64N(int64(time.Minute))))
		for _, d := range both {
			d.note()
		}
		d := both[draw.IntN(2)]
		switch draw.IntN(10) {
		case 0:
			w.Net.Partition(1+step%3, d.host.Endpoint)
		case 1:
			w.Net.Heal()
		case 2:
			if err := d.attend(draw.IntN(3) == 0); err != nil {
				return 0, "", fmt.Errorf("step %d: take over: %w", step, err)
			}
		case 3:
			d.Off()
			if err := d.On(); err != nil {
				return 0, "", err
			}
		case 4, 5:
			if _, err := w.Members[1+draw.IntN(3)].Pay(ada, 1+draw.Int64N(100)); err != nil {
				return 0, "", fmt.Errorf("step %d: %w", step, err)
			}
		default:
			d.pay(w.Members[1+draw.IntN(3)], 1+draw.Int64N(300))
		}
		if w.Err() != nil {
			return 0, "", w.Err()
		}
	}
	w.Net.Heal()
	w.Run(15 * time.Minute)
	// What a device signed and has not got into the log, it knows of.
	for _, d := range both {
		if n, err := d.unnamed(); err != nil || n != 0 {
			return 0, "", fmt.Errorf("%s signed number %d, which another one has or nobody, and does not say so (%v)", d.name, n, err)
		}
	}
	// The old one ends, and the new one goes on.
	stops := [2]int{old.foreign, fresh.foreign}
	old.retire()
	w.Members[0] = fresh.Member
	for range 10 {
		if err := fresh.attend(true); err != nil {
			return 0, "", err
		}
		w.Run(2 * time.Minute)
		if fresh.Role.Status().Foreign == "" && fresh.Role.Status().Restored == "" {
			break
		}
	}
	if err := fresh.resign(); err != nil {
		return 0, "", fmt.Errorf("the restored device cannot go on: %w (%+v)", err, fresh.Role.Status())
	}
	fresh.pay(bob, 7)
	// A node that was away may still show what the old one put last: the owner is asked again.
	for range 6 {
		if w.Settle(10*time.Minute) || fresh.Role.Status().Foreign == "" {
			break
		}
		if err := fresh.attend(true); err != nil {
			return 0, "", err
		}
		w.Run(2 * time.Minute)
		if err := fresh.resign(); err != nil {
			return 0, "", fmt.Errorf("the restored device cannot go on: %w (%+v)", err, fresh.Role.Status())
		}
	}
	w.Settle(time.Hour)
	w.Members[0].since = fresh.since
	said = fmt.Sprintf("seed %d: hash %016x, %d and %d changes signed, stopped %v times, %d applied and %d refused, %s",
		seed, w.Hash(), len(old.made), len(fresh.made), stops, w.Manager.state.Accepted, w.Manager.state.Refused, w.Sim.Elapsed())
	return w.Hash(), said, w.Check()
}
