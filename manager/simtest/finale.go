package simtest

import (
	"fmt"
	"strings"
	"time"

	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// finale is what a run ends with, when all was well until then: a misfortune of
// the manager, one a seed, after which the database may not go on.
type finale struct {
	name string
	play func(r *run)
}

var finales = []finale{
	{"the manager is set back to an old copy", (*run).setBackManager},
	{"the manager runs on two machines", (*run).doubleManager},
	{"the manager shows two histories", (*run).twoHistories},
}

func (w *World) finale() finale { return finales[w.Seed%uint64(len(finales))] }

// backup copies the manager's disk in the middle of the run.
func (r *run) backup() {
	if !r.Manager.on {
		r.Sim.After(time.Minute, r.unlessOver(r.backup))
		return
	}
	r.old = new(Backup)
	*r.old = r.Manager.Backup()
	r.must(r.Manager.On())
}

// setBackManager: a manager that was restored from an old copy publishes
// nothing, and the newest directory goes on.
func (r *run) setBackManager() {
	if r.old == nil {
		return // it was never on when it should have been copied
	}
	size := r.Manager.size
	r.Manager.Off()
	old := r.Twin(r.old.disk)
	old.honest = false
	r.must(old.On())
	refuses := func() bool { return old.Role.Status().Phase == manager.Refusing }
	if old.state.Size < size && !r.RunUntil(time.Hour, refuses) {
		r.fail("an old copy refuses", "it is %s: %s", old.Role.Status().Phase, old.Role.Status().Reason)
	}
	r.Run(20 * time.Minute)
	if s := old.Role.Status(); old.state.Size < size && s.Phase != manager.Refusing {
		r.fail("an old copy refuses", "it is %s: %s", s.Phase, s.Reason)
	}
	old.retire()
	r.must(r.Manager.On())
	r.pairs(2)
	r.Settle(r.options.Rest)
}

// copies stops the manager and gives it a second machine with the same disk.
func (w *World) copies() [2]*Manager {
	b := w.Manager.Backup()
	w.Split(w.watch.manager)
	return [2]*Manager{w.Manager, w.Twin(b.disk)}
}

// doubleManager: of two machines that run one manager one stops at least.
func (r *run) doubleManager() {
	both := r.copies()
	for _, m := range both {
		r.must(m.On())
		r.Run(time.Duration(r.plan.Int64N(int64(r.options.Cycle))))
	}
	r.Run(2 * r.options.Cycle)
	r.pairs(1)
	r.Run(20 * time.Minute)
	r.pairs(3)
	r.Run(time.Hour)
	r.noticed(both)
}

// twoHistories: a manager signs one history for each half of the network. When
// the halves meet, somebody has both signed checkpoints.
func (r *run) twoHistories() {
	both := r.copies()
	half := append(r.half(r.plan.Uint64()), both[1].host.Endpoint)
	r.Net.Partition(1, half...)
	r.Net.Partition(0, both[0].host.Endpoint)
	for _, m := range both {
		r.must(m.On())
	}
	r.Run(2 * time.Minute)
	r.pairs(len(r.Members) / 2)
	r.Run(30 * time.Minute)
	r.Net.Heal()
	r.Run(2 * time.Hour)
	r.noticed(both)
}

// pairs has some members pay their neighbours.
func (r *run) pairs(n int) {
	for i := range n {
		from, to := r.Members[2*i%len(r.Members)], r.Members[(2*i+1)%len(r.Members)]
		if from.resting() != "" || to.Number() == 0 {
			continue
		}
		if _, err := from.Pay(to, int64(i)+1); err != nil {
			r.fail("a member can pay", "%s: %v", from.name, err)
		}
	}
}

// noticed sees that of two machines with the manager's key at most one still
// runs, that there is proof if logs that differ were published, and that nobody
// follows the other's log unknowingly.
func (w *World) noticed(both [2]*Manager) {
	const name = "two histories are noticed"
	running, refusing := 0, false
	for _, m := range both {
		switch s := m.Role.Status(); {
		case s.Phase == manager.Running:
			if running++; running == 2 {
				w.fail(name, "both machines still run")
			}
		case s.Phase == manager.Refusing: // it found the other's head before it published one
			refusing = true
		case s.Phase != manager.Stopped || !strings.Contains(s.Reason, "another machine"):
			w.fail(name, "%s is %s and says %q", m.name, s.Phase, s.Reason)
		}
	}
	size := min(both[0].size, both[1].size)
	one, err := both[0].store.RootAt(size)
	other, otherErr := both[1].store.RootAt(size)
	if err != nil || otherErr != nil {
		w.fail(name, "a log does not read: %v, %v", err, otherErr)
	}
	if one == other {
		return
	}
	proofs := 0
	for _, m := range w.machines {
		proofs += w.proofs(m)
	}
	if proofs == 0 && !refusing {
		w.fail(name, "the logs differ at %d entries, and nobody has evidence", size)
	}
	newest := both[0]
	if a, b := both[0].Role.Status(), both[1].Role.Status(); b.HeadDone && (!a.HeadDone || b.Head.Time > a.Head.Time) {
		newest = both[1] // one that was signed and never put is nobody's
	}
	for _, m := range w.machines {
		if f, ok := w.follower(m); ok {
			w.knows(m, f.Status(), newest)
		}
	}
}

// proofs counts the pairs of checkpoints that a machine keeps against the
// manager. Each must convince whoever has the charter.
func (w *World) proofs(m *machine) int {
	if m.store == nil {
		return 0
	}
	all, err := m.Evidence()
	if err != nil {
		w.fail("evidence reads", "%s: %v", m.name, err)
	}
	n := 0
	for _, e := range all {
		if err := ledger.CheckEvidence(e, w.watch.id, m.store.State().Digest, m.store.State().LogKey, sign.ZIP215{}); err != nil {
			w.fail("evidence is proof", "%s: %v", m.name, err)
		}
		if e.Kind != wire.EvidenceChanges {
			n++
		}
	}
	return n
}

// knows: who holds another log than that of the newest head has stopped and has
// proof.
func (w *World) knows(m *machine, s member.Status, newest *Manager) {
	size := min(s.Size, newest.size)
	if size == 0 {
		return
	}
	own, err := m.store.RootAt(size)
	other, otherErr := newest.store.RootAt(size)
	switch {
	case err != nil || otherErr != nil:
		w.fail("two histories are noticed", "a log does not read: %v, %v", err, otherErr)
	case own == other:
	case s.Phase != member.Stopped || w.proofs(m) == 0:
		w.fail("two histories are noticed", "%s is %s on another log, of %d entries and the newest's %d, and has %d proofs: %q", m.name, s.Phase, s.Size, newest.size, w.proofs(m), s.Warnings())
	}
}

// follower is the follower that runs on a machine.
func (w *World) follower(m *machine) (*member.Follower, bool) {
	if !m.on {
		return nil, false
	}
	for _, o := range w.Members {
		if o.machine == m {
			return o.Role.Follower, true
		}
	}
	for _, o := range w.Readers {
		if o.machine == m {
			return o.Role, true
		}
	}
	return nil, false
}

// end plays the seed's finale.
func (r *run) end() error {
	f := r.finale()
	r.faults[f.name]++
	f.play(r)
	if r.broken != nil {
		return fmt.Errorf("%s: %w", f.name, r.broken)
	}
	if r.watch.split[r.watch.manager] {
		return nil
	}
	return r.Check()
}
