package simtest

import (
	"testing"
	"time"

	"weir/internal/simnet"
)

// A look at a head that has not changed is two packets, and one in ten is a
// traversal.
func TestALookAtTheHeadCostsLittle(t *testing.T) {
	t.Parallel()
	w, _ := begin(t, Setup{Nodes: 100}, ManagerSetup{Heartbeat: 24 * time.Hour}, "ada")
	r := w.Reader("a reader")
	settle(t, w, 10*time.Minute)
	sent := 0
	w.Net.Tap(func(p simnet.Passage) {
		if p.From == r.host.Addr() {
			sent++
		}
	})
	w.Run(10 * time.Hour)
	looks := 10 * 120
	if each := float64(sent) / float64(looks); each > 4 {
		t.Errorf("%.1f packets a look", each)
	} else {
		t.Logf("%.1f packets a look", each)
	}
}

// Holders that are set against a reader keep a new head from it for minutes and
// not for good: it does not ask the same ones for ever.
func TestStaleHoldersDoNotHideANewHeadForLong(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{Nodes: 60}, ManagerSetup{}, "ada", "bob")
	r := w.Reader("a reader")
	settle(t, w, 10*time.Minute)
	_, head, _ := items(w)
	for i, n := range w.Nodes.Holding(head) {
		if i < 6 {
			n.Behave(simnet.Stale)
		}
	}
	for range 5 {
		must(m[0].Pay(m[1], 1))(t)
		at := w.Sim.Elapsed()
		settle(t, w, 20*time.Minute)
		if took := w.Sim.Elapsed() - at; took > 8*time.Minute {
			t.Errorf("it took %s until everybody had the payment", took)
		}
	}
	check(t, w)
	if r.size != w.Manager.size {
		t.Errorf("the reader has %d of %d entries", r.size, w.Manager.size)
	}
}
