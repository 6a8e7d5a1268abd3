package simtest

import (
	"fmt"
	"testing"
	"time"

	"weir/ledger/wire"
)

// everyStep calls story with worlds in which the power goes at step 1, 2, 3 …
// of a disk, until none is reached: story says whether it was. What was
// acknowledged before must be there after, and what was signed be applied once.
func everyStep(t *testing.T, story func(t *testing.T, step int) (crashed bool)) {
	t.Helper()
	for step := 1; ; step++ {
		if step > 500 {
			t.Fatal("a story of more than 500 write steps")
		}
		reached := false
		if !t.Run(fmt.Sprintf("step %d", step), func(t *testing.T) { reached = story(t, step) }) {
			return
		}
		if !reached {
			t.Logf("%d write steps", step-1)
			return
		}
	}
}

func lost(m *machine) int {
	n := 0
	for _, times := range m.Crashes {
		n += times
	}
	return n
}

func TestTheManagerMayLoseItsPowerAtEveryWriteStepOfACycle(t *testing.T) {
	t.Parallel()
	everyStep(t, func(t *testing.T, step int) bool {
		w, m := begin(t, Setup{Nodes: 12}, ManagerSetup{}, "ada", "bob")
		w.Manager.CrashAt(step)
		// A cycle with a payment that is taken, one that is refused, an admission
		// by invitation and an act of the manager's own.
		must(m[0].Pay(m[1], 500))(t)
		must(m[1].Pay(m[0], 50_000))(t)
		cleo, err := w.Invite("cleo", time.Hour)
		if err == nil {
			w.Run(time.Second)
			_, err = w.Manager.Desk().Limit(1, wire.Limits{Lower: -20_000, Upper: 200_000})
		}
		w.RunUntil(3*time.Minute, func() bool { return !w.Manager.on })
		crashed := lost(w.Manager.machine) > 0
		if err != nil && !crashed {
			t.Fatal(err)
		}
		w.Manager.CrashAt(0)
		if err := w.Manager.On(); err != nil {
			t.Fatal(err)
		}
		if cleo == nil {
			must(w.Invite("cleo", time.Hour))(t)
		}
		settle(t, w, 15*time.Minute)
		check(t, w)
		return crashed
	})
}

func TestAMemberMayLoseItsPowerAtEveryWriteStep(t *testing.T) {
	t.Parallel()
	everyStep(t, func(t *testing.T, step int) bool {
		w, m := begin(t, Setup{Nodes: 12}, ManagerSetup{}, "ada", "bob")
		ada, bob := m[0], m[1]
		ada.CrashAt(step)
		// It pays, is paid, hears of a refusal, and sees its entries.
		for i := range 12 {
			if _, err := ada.Pay(bob, 500+int64(i/11)*50_000); err != nil && !ada.lost() {
				t.Fatal(err)
			}
		}
		must(bob.Pay(ada, 100))(t)
		w.RunUntil(3*time.Minute, func() bool { return !ada.on })
		crashed := lost(ada.machine) > 0
		ada.CrashAt(0)
		if err := ada.On(); err != nil {
			t.Fatal(err)
		}
		settle(t, w, 15*time.Minute)
		check(t, w)
		return crashed
	})
}

func TestAMemberMayLoseItsPowerAtEveryWriteStepOfJoining(t *testing.T) {
	t.Parallel()
	everyStep(t, func(t *testing.T, step int) bool {
		w, _ := begin(t, Setup{Nodes: 12}, ManagerSetup{}, "ada")
		made := must(w.Manager.Desk().Invite(time.Hour))(t)
		in := &wire.Invitation{DatabaseLink: w.link(), Secret: made.Secret, Expires: made.Expires}
		cleo := w.Member("cleo", in)
		cleo.CrashAt(step)
		if err := cleo.On(); err != nil {
			t.Fatal(err)
		}
		w.RunUntil(3*time.Minute, func() bool { return !cleo.on })
		crashed := lost(cleo.machine) > 0
		cleo.CrashAt(0)
		if err := cleo.On(); err != nil {
			t.Fatal(err)
		}
		settle(t, w, 15*time.Minute)
		check(t, w)
		return crashed
	})
}

func TestAManagerThatLosesItsPowerAgainAndAgainStillGoesOn(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{Nodes: 12}, ManagerSetup{}, "ada", "bob")
	for i := range 40 {
		must(m[i%2].Pay(m[1-i%2], 10))(t)
		w.Manager.CrashAt(1 + i)
		w.RunUntil(2*time.Minute, func() bool { return !w.Manager.on })
		w.Manager.CrashAt(0)
		if err := w.Manager.On(); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, w, 15*time.Minute)
	check(t, w)
}
