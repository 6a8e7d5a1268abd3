package simtest

import (
	"errors"
	"fmt"
	"time"

	"weir/member"
)

// careless is a member whose machine is set back to an old copy of its disk, or
// who has two machines with one key. Whenever the machine says that another
// device uses the key, the owner has it take over.
func (r *run) careless() {
	restored := r.Admit("a member with a backup")
	r.Split(restored.id.Public())
	r.attend(restored)
	r.within(1, 3, func() { r.setBack(restored) })

	doubled := r.Admit("a member with two machines")
	r.Split(doubled.id.Public())
	r.attend(doubled)
	r.within(1, 3, func() { r.double(doubled) })
}

// within plans something for a moment in a part of the run's time.
func (r *run) within(part, of int, f func()) {
	length := r.options.Time / time.Duration(of)
	wait := length*time.Duration(part-1) + time.Duration(r.plan.Int64N(int64(length)))
	r.Sim.After(wait, r.unlessOver(f))
}

func (r *run) unlessOver(f func()) func() {
	return func() {
		if !r.over && r.broken == nil {
			f()
		}
	}
}

// setBack makes a backup, and in the last third of the time restores it.
func (r *run) setBack(m *Member) {
	b := m.Backup()
	r.must(m.On())
	wait := r.options.Time/3 + time.Duration(r.plan.Int64N(int64(r.options.Time/4)))
	r.Sim.After(wait, r.unlessOver(func() {
		r.faults["a member set back to a backup"]++
		m.Restore(b)
		r.must(m.On())
	}))
}

// double puts a copy of the disk into a second machine, and uses both for a
// third of the time.
func (r *run) double(m *Member) {
	b := m.Backup()
	r.must(m.On())
	r.faults["a member on two machines"]++
	twin := m.Twin(b.disk)
	r.must(twin.On())
	r.payments(twin)
	r.Sim.After(r.options.Time/3, twin.retire)
}

// attend looks every few minutes whether the machine wants to be told to go on.
func (r *run) attend(m *Member) {
	r.Sim.After(3*time.Minute, func() {
		if r.broken != nil {
			return
		}
		if m.on && m.Role.Status().Foreign != "" {
			r.faults["take-over"]++
			if err := m.TakeOver(); err != nil && !m.lost() {
				r.fail("a member can take over", "%s: %v", m.name, err)
			}
		}
		r.attend(m)
	})
}

// TakeOver has the machine go on with its key, whatever another one did.
func (m *Member) TakeOver() error {
	m.touch()
	if err := m.Role.TakeOver(); err != nil {
		return err
	}
	return m.resign()
}

// resign notes anew what the member has signed, where another device may have
// signed some of it: what its own log has, and what waits.
func (m *Member) resign() error {
	desk := m.Role.Desk()
	a, err := desk.Account()
	if err != nil {
		return err
	}
	waiting, err := desk.Waiting()
	if err != nil {
		return err
	}
	m.since = a.Last
	m.signed = make([]signed, a.Last)
	if a.Last > 0 {
		m.signed[a.Last-1].chain = a.Chain
	}
	for _, r := range waiting {
		m.sign(r.Number, r.Change)
	}
	return nil
}

// signedHere notes a change that was signed just now. Where another device has
// the key the numbers before it may be that one's.
func (m *Member) signedHere(number uint64) error {
	if m.world.watch.split[m.id.Public()] {
		return m.resign()
	}
	r, err := m.Role.Desk().Result(number)
	if err != nil {
		return fmt.Errorf("%s: what became of number %d: %w", m.name, number, err)
	}
	m.sign(number, r.Change)
	return nil
}

// mayRefuse says whether a member's machine is right not to sign: another one
// has its key.
func (m *Member) mayRefuse(err error) bool {
	return m.world.watch.split[m.id.Public()] && (errors.Is(err, member.ErrOtherDevice) || errors.Is(err, member.ErrRestored))
}
