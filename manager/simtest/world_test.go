package simtest

import (
	"testing"
	"time"
)

// begin makes a world with a manager and members that know their accounts.
func begin(t *testing.T, s Setup, ms ManagerSetup, names ...string) (*World, []*Member) {
	t.Helper()
	w := New(1, s)
	t.Cleanup(w.Close)
	w.Found(ms)
	var members []*Member
	for _, name := range names {
		members = append(members, w.Admit(name))
	}
	settle(t, w, 10*time.Minute)
	return w, members
}

func settle(t *testing.T, w *World, limit time.Duration) {
	t.Helper()
	if !w.Settle(limit) {
		t.Fatalf("not at rest after %s: %s %v", limit, w.Resting(), w.Err())
	}
}

func check(t *testing.T, w *World) {
	t.Helper()
	if err := w.Check(); err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestAPaymentReachesEverybody(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob", "cleo")
	w.Reader("a reader")
	must(m[0].Pay(m[1], 500))(t)
	settle(t, w, 10*time.Minute)
	check(t, w)
	for i, want := range []int64{-500, 500, 0} {
		if got := m[i].Role.Status().Account.Balance; got != want {
			t.Errorf("%s has %d, want %d", m[i].Name(), got, want)
		}
	}
	t.Log(w.Sim.Elapsed(), w.Sim.Events())
}
