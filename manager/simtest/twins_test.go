package simtest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"weir/internal/simnet"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

func TestAManagerRestoredFromAnOldCopyRefuses(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	b := w.Manager.Backup()
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	must(m[0].Pay(m[1], 500))(t)
	settle(t, w, 10*time.Minute)
	check(t, w)
	w.Manager.Off()
	old := w.Twin(b.disk)
	old.honest = false
	if err := old.On(); err != nil {
		t.Fatal(err)
	}
	// However long it waits: what the DHT forgets, the members put back.
	for _, wait := range []time.Duration{5 * time.Minute, 5 * time.Hour} {
		w.Run(wait)
		s := old.Role.Status()
		if s.Phase != manager.Refusing || !strings.Contains(s.Reason, "old copy") {
			t.Fatalf("after %s it is %s: %s", wait, s.Phase, s.Reason)
		}
	}
	must(m[0].Pay(m[1], 1))(t)
	w.Run(10 * time.Minute)
	if size, _ := old.Log(); size >= w.Manager.size {
		t.Fatalf("the old copy went on to %d entries", size)
	}
	old.Off()
	// The newest directory put back goes on as if nothing had been.
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	settle(t, w, 10*time.Minute)
	check(t, w)
}

// A restored manager whose newest head is nowhere is told by a member that has
// verified a longer log.
func TestAManagerRestoredFromAnOldCopyRefusesWhenOnlyAMemberKnows(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	b := w.Manager.Backup()
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	must(m[0].Pay(m[1], 500))(t)
	settle(t, w, 10*time.Minute)
	// ada tells in her outbox what she has verified.
	w.Run(45 * time.Minute)
	w.Manager.Off()
	target := wire.MutableTarget(w.watch.manager, w.watch.id.Salt())
	for _, n := range w.Nodes.Holding(target) {
		n.Forget(target)
	}
	for _, m := range w.Members {
		w.Net.Partition(1, m.host.Endpoint) // or they would put the head back
	}
	old := w.Twin(b.disk)
	old.honest = false
	if err := old.On(); err != nil {
		t.Fatal(err)
	}
	w.Run(10 * time.Minute)
	if s := old.Role.Status(); s.Phase != manager.Refusing || !strings.Contains(s.Reason, "verified") {
		t.Fatalf("it is %s: %s", s.Phase, s.Reason)
	}
}

// twins makes a world whose manager runs on two machines from one disk.
func twins(t *testing.T, seed uint64) (w *World, both [2]*Manager) {
	t.Helper()
	w = New(seed, Setup{})
	t.Cleanup(w.Close)
	w.Found(ManagerSetup{})
	for _, name := range []string{"ada", "bob", "cleo", "dan"} {
		w.Admit(name)
	}
	settle(t, w, 10*time.Minute)
	return w, w.copies()
}

// noticed sees that nothing forked unnoticed.
func noticed(t *testing.T, w *World, both [2]*Manager) {
	t.Helper()
	w.noticed(both)
	if err := w.Err(); err != nil {
		t.Error(err)
	}
}

func TestOfTwoMachinesThatRunOneManagerOneStopsAndNothingForksUnnoticed(t *testing.T) {
	t.Parallel()
	named := 0
	for seed := uint64(1); seed <= 8; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			w, both := twins(t, seed)
			between := time.Duration(w.Sim.Stream("test").Int64N(int64(30 * time.Second)))
			for _, m := range both {
				if err := m.On(); err != nil {
					t.Fatal(err)
				}
				w.Run(between)
			}
			w.Run(time.Minute)
			ada, bob, cleo := w.Members[0], w.Members[1], w.Members[2]
			must(ada.Pay(bob, 500))(t)
			w.Run(20 * time.Minute)
			must(bob.Pay(cleo, 100))(t)
			w.Run(time.Hour)
			noticed(t, w, both)
			for _, m := range both {
				if witness.MatchString(m.Role.Status().Reason) {
					named++
				}
			}
		})
	}
	if named == 0 {
		t.Error("no manager that stopped says by name which member told it")
	}
}

// witness is how a manager names the member who told it of another machine.
var witness = regexp.MustCompile(`member "(ada|bob|cleo|dan)" holds a checkpoint`)

// With no member to tell it, a manager finds the other machine by polling its own
// head, and looking at it before it puts one.
func TestAManagerThatFindsAnothersHeadInItsPlacePutsNothing(t *testing.T) {
	t.Parallel()
	w, both := twins(t, 1)
	for _, m := range w.Members {
		m.Off()
	}
	for _, m := range both {
		if err := m.On(); err != nil {
			t.Fatal(err)
		}
	}
	w.Run(2*time.Minute + 10*time.Second) // between two cycles
	for i, m := range both {
		if _, err := m.Desk().Suspend(uint64(i+1), "to be different"); err != nil {
			t.Fatal(err)
		}
	}
	both[0].Role.Kick() // it is the first to put
	w.Run(4 * time.Minute)
	target := wire.MutableTarget(w.watch.manager, w.watch.id.Salt())
	for _, n := range w.Nodes.Closest(target, 8) {
		it, _ := n.Item(target)
		if h, err := wire.ParseHead(it.Value); err != nil || h.Checkpoint.Root != both[0].root {
			t.Errorf("a node holds another head than the first machine's: %v", err)
		}
	}
	first, second := both[0].Role.Status(), both[1].Role.Status()
	if first.Phase != manager.Running || second.Phase != manager.Stopped || !strings.Contains(second.Reason, "another machine") {
		t.Errorf("the first is %s, the second %s: %s", first.Phase, second.Phase, second.Reason)
	}
	if all := must(both[1].Evidence())(t); len(all) != 1 || all[0].Kind != wire.EvidenceCheckpoints {
		t.Errorf("the second keeps %v", all)
	}
	// It stays stopped, also after a restart.
	both[1].Off()
	if err := both[1].On(); err != nil {
		t.Fatal(err)
	}
	w.Run(10 * time.Minute)
	if s := both[1].Role.Status(); s.Phase != manager.Stopped {
		t.Errorf("after a restart it is %s", s.Phase)
	}
}

func TestTwoMachinesThatRunOneManagerInTwoHalvesOfTheNetworkAreFoundWhenItHeals(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 8; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			w, both := twins(t, seed)
			half := []*simnet.Endpoint{both[1].host.Endpoint}
			for i, n := range w.Nodes.All {
				if i%2 == 1 {
					half = append(half, n.Endpoint)
				}
			}
			for _, m := range w.Members[2:] {
				half = append(half, m.host.Endpoint)
			}
			w.Net.Partition(1, half...)
			for _, m := range both {
				if err := m.On(); err != nil {
					t.Fatal(err)
				}
			}
			w.Run(2 * time.Minute)
			ada, bob, cleo, dan := w.Members[0], w.Members[1], w.Members[2], w.Members[3]
			must(ada.Pay(bob, 500))(t)
			must(cleo.Pay(dan, 100))(t)
			w.Run(20 * time.Minute)
			for _, m := range both {
				if m.Role.Status().Phase != manager.Running || m.size != 6 {
					t.Fatalf("%s has %d entries and is %s before they can meet", m.name, m.size, m.Role.Status().Phase)
				}
			}
			w.Net.Heal()
			w.Run(2 * time.Hour)
			noticed(t, w, both)
			stopped := 0
			for _, m := range w.Members {
				if m.Role.Status().Phase == member.Stopped {
					stopped++
				}
			}
			if stopped == 0 {
				t.Errorf("half of the members were on another log, and none has stopped")
			}
		})
	}
}
