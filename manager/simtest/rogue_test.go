package simtest

import (
	"strings"
	"testing"
	"time"

	"weir/ledger/wire"
)

// What a rogue does once it has paid as one should: what the log has of it
// afterwards, why its outbox stalls, and what is kept against it.
func TestNoMisdeedHarmsAnybodyElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		misdeed  func(g *Rogue, victim uint64)
		verdict  wire.Verdict // of the next entry
		entry    bool         // there is one
		problem  string
		evidence int
	}{
		{name: "pays", misdeed: (*Rogue).Pays, entry: true, verdict: wire.Applied},
		{name: "overspends", misdeed: (*Rogue).Overspends, entry: true, verdict: wire.BelowLowerLimit},
		{name: "takes from another's account", misdeed: (*Rogue).Steals, entry: true, verdict: wire.NotPermitted},
		{name: "forges a signature", misdeed: (*Rogue).Forges, problem: "signature"},
		{name: "gives an old change a new number", misdeed: (*Rogue).Replays, problem: "signature"},
		{name: "signs a number twice", misdeed: (*Rogue).Doubles, problem: "does not continue the log", evidence: 1},
		{name: "begins after numbers that nobody has", misdeed: (*Rogue).Skips, problem: "begins after numbers"},
		{name: "names chunks that are nowhere", misdeed: (*Rogue).Promises},
		{name: "claims a log that was never signed", misdeed: (*Rogue).Claims},
		{name: "puts what is no outbox", misdeed: (*Rogue).Mumbles, problem: "open"}, // it does not, or is of an unknown version: as the dice fall
	} {
		t.Run(c.name, func(t *testing.T) {
			w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
			g := w.Rogue("a rogue")
			g.Pays(1)
			w.Run(2 * time.Minute)
			size := w.Manager.size
			c.misdeed(g, 1)
			w.Run(5 * time.Minute)
			if c.entry {
				d, ok, err := w.Manager.Store().Find(g.Number(), 2)
				if err != nil || !ok || d.Entry.Verdict != c.verdict {
					t.Errorf("its entry is %t, %s (%v), want %s", ok, d.Entry.Verdict, err, c.verdict)
				}
			} else if w.Manager.size != size {
				t.Errorf("the log has %d entries instead of %d", w.Manager.size, size)
			}
			problem := ""
			for _, s := range w.Manager.Role.Members() {
				if s.Account.Number == g.Number() {
					problem = s.Problem
				} else if s.Problem != "" {
					t.Errorf("%s stalls too: %s", s.Account.Name, s.Problem)
				}
			}
			if (problem == "") != (c.problem == "") || !strings.Contains(problem, c.problem) {
				t.Errorf("its outbox stalls because of %q, want %q", problem, c.problem)
			}
			if all := must(w.Manager.Evidence())(t); len(all) != c.evidence {
				t.Errorf("%d pieces of evidence, want %d", len(all), c.evidence)
			}
			must(m[0].Pay(m[1], 1))(t)
			settle(t, w, 5*time.Minute)
			check(t, w)

			// A rogue that goes on as one should is heard again.
			if c.evidence == 0 {
				last := w.watch.numbers[g.Number()]
				g.Pays(1)
				w.Run(5 * time.Minute)
				if now := w.watch.numbers[g.Number()]; now != last+1 {
					t.Errorf("what it does after that is not heard: its newest number is %d", now)
				}
			}
			settle(t, w, 5*time.Minute)
			check(t, w)
		})
	}
}

func TestARogueThatNeverStopsHarmsNobody(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	g := w.Rogue("a rogue")
	for i := range 100 {
		misdeeds[i%len(misdeeds)](g, 1)
		if i%7 == 0 {
			must(m[0].Pay(m[1], 1))(t)
		}
		w.Run(20 * time.Second)
	}
	settle(t, w, 10*time.Minute)
	check(t, w)
	// One pair a key and kind, however often.
	if all := must(w.Manager.Evidence())(t); len(all) != 1 {
		t.Errorf("%d pieces of evidence", len(all))
	}
}
