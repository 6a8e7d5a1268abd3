package simtest

import (
	"strings"
	"testing"
	"time"

	"weir/internal/simnet"
	"weir/ledger/wire"
	"weir/manager"
)

// What a member has seen and nobody has any more is looked for, and then left to a
// succession; where it comes back it is found.
func TestARecoveryDoesNotGoBehindWhatAMemberHasSeen(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{false, true} {
		w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob", "cleo")
		// cleo is away, and knows an older head.
		w.Net.Partition(1, m[2].host.Endpoint)
		must(m[0].Pay(m[1], 500))(t)
		newest := func() bool { return m[0].size == w.Manager.size && m[0].Role.Status().Waiting == 0 }
		if !w.RunUntil(10*time.Minute, newest) {
			t.Fatal("the payment does not arrive")
		}
		w.Run(45 * time.Minute) // ada tells in her outbox what she has verified
		size := w.Manager.size
		w.Manager.Off()
		var others []*simnet.Endpoint
		for _, o := range m[:2] {
			others = append(others, o.host.Endpoint)
		}
		w.Net.Partition(2, others...)
		target := wire.MutableTarget(w.watch.manager, w.watch.id.Salt())
		for _, n := range w.Nodes.Holding(target) {
			n.Forget(target)
		}
		w.Net.Partition(0, m[2].host.Endpoint)
		w.Run(20 * time.Minute) // cleo puts the older head back
		next := w.Recover()
		next.honest = false
		if err := next.On(); err != nil {
			t.Fatal(err)
		}
		missed := func() bool { return next.Recovery.Status().Missing == size }
		if !w.RunUntil(10*time.Minute, missed) {
			t.Fatalf("it misses nothing: %+v", next.Recovery.Status())
		}
		if back {
			w.Net.Heal()
		}
		step := func() manager.RecoveryStep { return next.Recovery.Status().Step }
		w.RunUntil(time.Hour, func() bool { return step() == manager.Rebuilt || step() == manager.Hopeless })
		s := next.Recovery.Status()
		switch {
		case back && (s.Step != manager.Rebuilt || next.size != size):
			t.Errorf("the newest log is there again, and it is %+v", s)
		case !back && (s.Step != manager.Hopeless || !strings.Contains(s.Reason, "weir manager succeed")):
			t.Errorf("the newest log is nowhere, and it is %+v", s)
		}
		if err := w.Err(); err != nil {
			t.Error(err)
		}
	}
}
