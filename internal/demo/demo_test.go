package demo

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"weir/internal/host"
)

// begun is a run whose members have joined.
func begun(t *testing.T, members, cycles int) *run {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := newRun(ctx, Options{
		Members: members, Nodes: NodesMin, Cycles: cycles, Dir: t.TempDir(),
		Note: func(text string) { t.Log(text) }, Cycle: func(c host.CycleView) { t.Logf("%+v", c) },
	})
	t.Cleanup(func() { r.close(); cancel() })
	steps(t, r.start, r.join)
	return r
}

func steps(t *testing.T, all ...func() error) {
	t.Helper()
	for _, step := range all {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func wants(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

func TestEveryCheatIsRefusedAndEveryHonestPaymentAccepted(t *testing.T) {
	for _, c := range []struct{ members, cycles, accepted, refused int }{
		{members: 5, cycles: 1, accepted: 3, refused: 3},
		{members: 7, cycles: 3, accepted: 13, refused: 5},
	} {
		t.Run(fmt.Sprintf("%d members and %d cycles", c.members, c.cycles), func(t *testing.T) {
			r := begun(t, c.members, c.cycles)
			steps(t, r.trade, r.settle, r.judge)
			if s := r.summary; s.Accepted != c.accepted || s.Refused != c.refused || s.Cycles < c.cycles || s.Sum != "0.00" {
				t.Errorf("the summary is %+v", s)
			}
			if len(r.summary.Cheats) != hostileNum {
				t.Errorf("the summary tells of %v", r.summary.Cheats)
			}
			// What was counted is what was done, whoever counts.
			r.summary.Accepted--
			wants(t, r.judge(), "changes were accepted")
		})
	}
}

func TestACheatThatDoesNotHappenIsAnError(t *testing.T) {
	idle := func(*rogue, context.Context, int) error { return nil }
	for i, name := range rogueNames {
		t.Run(name, func(t *testing.T) {
			r := begun(t, MembersMin, 1)
			r.hostile[i].act = idle
			wants(t, r.trade(), "the manager refused 2 changes in the first 1 rounds, not the 3")
			steps(t, r.settle)
			wants(t, r.judge(), name)
		})
	}
}

func TestACheatThatSucceedsIsAnError(t *testing.T) {
	// Something else is refused in its place, so that the numbers are right.
	for i, verdict := range []string{"applied", "below_lower_limit", "applied"} {
		instead := act((*rogue).replay)
		if i == 1 {
			instead = (*rogue).overspend
		}
		t.Run(rogueNames[i], func(t *testing.T) {
			r := begun(t, MembersMin, 1)
			r.hostile[i].act = instead
			steps(t, r.trade, r.settle)
			wants(t, r.judge(), fmt.Sprintf("the log has [%q] for the changes of %s", verdict, rogueNames[i]))
		})
	}
}

func TestNobodyWhoIsHonestComesNearALimit(t *testing.T) {
	for _, members := range []int{MembersMin, 24, MembersMax} {
		r := newRun(context.Background(), Options{Members: members})
		for range CyclesMax {
			r.round()
			for i, b := range r.balance {
				if b < lower+10_00 || b > upper-10_00 {
					t.Fatalf("%s has %d", memberName(i), b)
				}
			}
		}
	}
}

func TestAPaymentThatIsRefusedIsNotSettled(t *testing.T) {
	r := begun(t, MembersMin, 1)
	var v host.ChangeView
	in := host.QuoteIn{To: memberName(1), Amount: "999.00", Anyway: true}
	if err := invoke(r.ctx, r.agents[0].Invoke, "member pay", in, &v); err != nil {
		t.Fatal(err)
	}
	seen := func() error {
		return r.agents[0].Wait(r.ctx, "member wait", host.WaitIn{Number: v.Number, Seen: true}, setup)
	}
	steps(t, seen, r.show)
	r.sent = append(r.sent, payment{0, v.Number})
	wants(t, r.settle(), "payment 1 of Ana: refused: ")
}
