package simtest

import (
	"fmt"
	"maps"
	"slices"

	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// Resting says what is still to be done in the world, in a few words; "" when
// it is at rest: everybody is on, nothing waits, everybody has what the newest
// head promises.
func (w *World) Resting() string {
	if !w.Manager.on {
		return "the manager is off"
	}
	switch s := w.Manager.Role.Status(); {
	case s.Phase != manager.Running:
		return fmt.Sprintf("the manager is %s: %s", s.Phase, s.Reason)
	case s.Head == nil || s.Head.Checkpoint.Size != s.LogSize || !s.HeadDone:
		return "the manager has not put the head of its log: " + s.Last.Problem
	}
	for _, m := range w.Members {
		if why := m.resting(); why != "" {
			return m.name + ": " + why
		}
	}
	for _, r := range w.Readers {
		if !r.on {
			return r.name + " is off"
		}
		if why := w.follows(r.machine, r.Role.Status()); why != "" {
			return r.name + ": " + why
		}
	}
	return ""
}

func (m *Member) resting() string {
	if !m.on {
		return "it is off"
	}
	s := m.Role.Status()
	if why := m.world.follows(m.machine, s.Status); why != "" {
		return why
	}
	switch a, _ := m.world.Manager.account(m.id.Public()); {
	case s.Account == nil:
		return fmt.Sprintf("it has no account (%s)", s.Joining)
	case s.Foreign != "":
		return s.Foreign
	case s.Waiting > 0:
		return fmt.Sprintf("%d changes wait (%s)", s.Waiting, s.Trouble)
	case a.Last != uint64(len(m.signed)):
		return fmt.Sprintf("it signed %d changes, and the log has %d", len(m.signed), a.Last)
	}
	return ""
}

// follows says what keeps a machine from being where the manager is.
func (w *World) follows(m *machine, s member.Status) string {
	if size := w.Manager.size; m.size != size || s.Phase != member.Current {
		return fmt.Sprintf("its log has %d of %d entries, and it is %s (%s %s)", m.size, size, s.Phase, s.Reason, s.Problem)
	}
	if w.watch.stands > 0 && m.root != w.Manager.root {
		return "it has not heard of the succession"
	}
	return ""
}

// Check looks at a world at rest, and gives the first thing seen that must
// never be, now or before. Its order is one for each run, so that a seed gives
// one error.
func (w *World) Check() error {
	checks := []func(){w.checkRest, w.checkSigned, w.checkHeads, w.checkRoots, w.checkInvitations, w.checkEvidence, w.checkBytes}
	for _, check := range checks {
		if w.broken == nil {
			check()
		}
	}
	return w.broken
}

func (w *World) checkRest() {
	if why := w.Resting(); why != "" {
		w.fail("the world comes to rest", "%s", why)
	}
}

// checkSigned: every change that an honest member signed has one entry, and it
// is that change's. That there are not two, and none of anybody else, was seen
// when they came.
func (w *World) checkSigned() {
	for _, m := range w.Members {
		if !m.honest {
			continue
		}
		a, _ := w.Manager.account(m.id.Public())
		if a.Last != uint64(len(m.signed)) {
			w.fail("every change has one entry", "%s signed %d changes, and the log has %d", m.name, len(m.signed), a.Last)
		}
		for i, s := range m.signed {
			if uint64(i) < m.since {
				continue
			}
			d, ok, err := w.Manager.store.Find(a.Number, uint64(i)+1)
			if err != nil || !ok || d.Entry.Chain != s.chain {
				w.fail("every change has one entry", "number %d of %s: found %t, chain %s and %s (%v)", i+1, m.name, ok, d.Entry.Chain, s.chain, err)
				return
			}
		}
	}
}

// checkHeads: the heads that were ever put say what the log says.
func (w *World) checkHeads() {
	for _, seq := range slices.Sorted(maps.Keys(w.watch.heads)) {
		c := w.watch.heads[seq]
		if root, err := w.Manager.store.RootAt(c.Size); err != nil || root != c.Root {
			w.fail("heads never fork", "the head with seq %d had the root %s of %d entries, the log has %s (%v)", seq, c.Root, c.Size, root, err)
		}
	}
	for _, size := range slices.Sorted(maps.Keys(w.watch.roots)) {
		if root, err := w.Manager.store.RootAt(size); err != nil || root != w.watch.roots[size] {
			w.fail("one log", "somebody had the root %s at %d entries, the log has %s (%v)", w.watch.roots[size], size, root, err)
		}
	}
}

// checkRoots: everybody honest is where the manager is.
func (w *World) checkRoots() {
	for _, m := range w.machines {
		if m.honest && m.on && (m.size != w.Manager.size || m.root != w.Manager.root) {
			w.fail("one root", "%s has %d entries and root %s, the manager %d and %s", m.name, m.size, m.root, w.Manager.size, w.Manager.root)
		}
	}
}

// checkInvitations: an invitation that was given to somebody is known.
func (w *World) checkInvitations() {
	all, err := w.Manager.Desk().Invitations()
	if err != nil {
		w.fail("nothing acknowledged is lost", "the invitations: %v", err)
	}
	known := map[string]bool{}
	for _, i := range all {
		known[i.ID()] = true
	}
	for _, id := range slices.Sorted(maps.Keys(w.watch.invitations)) {
		if !known[id] {
			w.fail("nothing acknowledged is lost", "invitation %s is gone", id)
		}
	}
}

// Evidence is what the machine's disk keeps against others.
func (m *machine) Evidence() ([]*wire.Evidence, error) {
	var all []*wire.Evidence
	var bad error
	err := m.store.Scan("evidence/", func(key string, value []byte) bool {
		e, err := wire.ParseEvidence(value)
		if err != nil {
			bad = fmt.Errorf("%s: %w", key, err)
			return false
		}
		all = append(all, e)
		return true
	})
	if err == nil {
		err = bad
	}
	return all, err
}

// checkEvidence: nobody honest has evidence against them.
func (w *World) checkEvidence() {
	for _, m := range w.machines {
		if m.store == nil {
			continue
		}
		all, err := m.Evidence()
		if err != nil {
			w.fail("evidence reads", "%s: %v", m.name, err)
		}
		for _, e := range all {
			who := w.watch.manager
			if e.Kind == wire.EvidenceChanges {
				who = e.Changes[0].Key
			}
			if !w.watch.culprits[who] {
				w.fail("no evidence against the honest", "%s keeps evidence of kind %d against %s", m.name, e.Kind, who.Short())
			}
		}
	}
}

// checkBytes audits the stored bytes of the manager and of one other.
func (w *World) checkBytes() {
	audited := []*machine{w.Manager.machine}
	if n := len(w.machines); n > 1 {
		if m := w.machines[1+w.Seed%uint64(n-1)]; m.store != nil && m != w.Manager.machine {
			audited = append(audited, m)
		}
	}
	for _, m := range audited {
		r, err := m.store.Audit(nil)
		if err != nil || !r.OK() || r.Size != m.size || r.Root != m.root || r.Sum != 0 {
			w.fail("the audit finds nothing", "%s: %v %+v", m.name, err, r)
		}
	}
}
