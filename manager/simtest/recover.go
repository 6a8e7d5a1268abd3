package simtest

import (
	"fmt"

	"weir/ledger/store"
	"weir/manager"
	"weir/member"
)

// Recovered is a machine on which a lost manager is rebuilt from its key and from
// what is published. It is off; when it is turned on it recovers, and once that
// ended well and it was turned off and on again, it is a manager.
type Recovered struct {
	*Manager
	Recovery *manager.Recovery // of this life; nil: off, or a manager by now
	Rebuilt  bool              // set it, as the program does, when the Recovery has ended well
}

// Recover makes one with an empty disk.
func (w *World) Recover() *Recovered {
	name := fmt.Sprintf("the manager's new machine %d", len(w.machines))
	r := &Recovered{Manager: w.manager(name, nil, w.Manager.id, w.Manager.config)}
	manage, stop := r.start, r.stop
	r.start = func(s *store.Store) (err error) {
		if r.Rebuilt {
			return manage(s)
		}
		if s == nil {
			if s, err = store.Create(r.disk, w.Manager.founded, smallStore); err != nil {
				return err
			}
			r.opened(s)
		}
		p := ports{r.machine}
		r.Recovery, err = manager.NewRecovery(manager.RecoveryConfig{Store: s, Identity: r.id}, manager.Ports{
			DHT: p, Poller: p, Clock: p, Random: w.Sim.Random("nonces of the recovery of " + name), Verify: w.remember,
		}, r.memberPorts())
		if err == nil {
			r.Recovery.Start()
		}
		return err
	}
	r.stop = func() {
		if r.Recovery != nil {
			r.Recovery.Stop()
			r.Recovery = nil
			return
		}
		stop()
	}
	return r
}

// Words makes a machine for a member whose device is lost: an empty disk, and the
// key from its words. It is off.
func (m *Member) Words() *Member {
	t := m.Twin(nil)
	start := t.start
	t.start = func(s *store.Store) error {
		if s == nil {
			made, err := store.Create(t.disk, m.world.Manager.founded, smallStore)
			if err != nil {
				return err
			}
			t.opened(made)
			s = made
		}
		bare, err := member.Bare(s)
		if err == nil && bare {
			err = member.Restored(s, "its 24 words", t.host.Now())
		}
		if err != nil {
			return err
		}
		return start(s)
	}
	return t
}
