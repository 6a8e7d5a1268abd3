package simtest

import (
	"fmt"
	"testing"
	"time"

	"weir/ledger/wire"
)

// A week without the manager, in which most DHT nodes leave and others join:
// whoever is there keeps the charter, the head and its chunks alive, senders
// keep their outboxes, and what went with its sender comes back with it.
func TestAWeekWithoutTheManager(t *testing.T) {
	t.Parallel()
	w := New(1, Setup{Nodes: 40, Follow: 5 * time.Minute, Refresh: time.Minute})
	t.Cleanup(w.Close)
	w.Found(ManagerSetup{})
	ada, bob := w.Admit("ada"), w.Admit("bob")
	w.Admit("cleo")
	for range 8 {
		settle(t, w, 20*time.Minute)
		must(ada.Pay(bob, 10))(t)
	}
	settle(t, w, 20*time.Minute)
	charter, head, chunks := items(w)
	if len(chunks) < 3 {
		t.Fatalf("the head names %d chunks", len(chunks))
	}
	w.Manager.Crash()
	first := w.Nodes.All[bootstraps:]
	stop := w.Nodes.Churn(2*time.Hour, first)

	must(ada.Pay(bob, 500))(t) // she stays
	must(bob.Pay(ada, 300))(t)
	w.Run(20 * time.Minute)
	bob.Off() // he does not
	box := func(m *Member) wire.Target { return wire.MutableTarget(m.id.Public(), w.watch.id.Salt()) }
	if n := len(w.Nodes.Holding(box(bob))); n == 0 {
		t.Fatal("bob has handed nothing over")
	}
	for day := 1; day <= 7; day++ {
		w.Run(23 * time.Hour)
		for name, target := range map[string]wire.Target{"the charter": charter, "the head": head, "ada's outbox": box(ada)} {
			if len(w.Nodes.Holding(target)) < 2 {
				t.Errorf("day %d: %s is at %d nodes", day, name, len(w.Nodes.Holding(target)))
			}
		}
		r := w.Reader(fmt.Sprintf("a stranger of day %d", day))
		if !w.RunUntil(time.Hour, func() bool { return r.size == w.Manager.size && r.root == w.Manager.root }) {
			t.Fatalf("day %d: the stranger has %d of %d entries: %s", day, r.size, w.Manager.size, r.Role.Status().Problem)
		}
		w.Run(20 * time.Minute)
		for _, target := range chunks {
			if len(w.Nodes.Holding(target)) == 0 {
				t.Errorf("day %d: chunk %s was not put back", day, target)
			}
		}
		r.Off()
	}
	left := 0
	for _, n := range first {
		if !n.Alive() {
			left++
		}
	}
	if left < len(first)/2 || len(w.Nodes.Holding(box(bob))) > 0 {
		t.Fatalf("of %d nodes %d have left, and bob's outbox is at %d", len(first), left, len(w.Nodes.Holding(box(bob))))
	}
	stop()
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	last := func(m *Member) uint64 { a, _ := w.Manager.account(m.id.Public()); return a.Last }
	if !w.RunUntil(time.Hour, func() bool { return last(ada) == 9 }) || last(bob) != 0 {
		t.Fatalf("the log has %d of ada's changes, and %d of bob's", last(ada), last(bob))
	}
	for _, m := range w.machines {
		if err := m.On(); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, w, time.Hour)
	check(t, w)
	if last(bob) != 1 {
		t.Errorf("the log has %d changes of bob's", last(bob))
	}
}
