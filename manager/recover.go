package manager

import (
	"fmt"
	"time"

	"weir/keys"
	"weir/ledger/store"
	reader "weir/member"
)

// RecoveryConfig tells a Recovery what to rebuild; zero durations take the defaults
// named.
type RecoveryConfig struct {
	Store    *store.Store // of the database: new, or an older copy
	Identity *keys.Identity
	Follow   time.Duration // from one look at the head to the next: 5 s
	Patience time.Duration // for what somebody has seen and nobody has: 10 min
	Changed  func()        // on the loop, after anything that Status shows may have changed
}

// RecoveryStep is where a Recovery stands.
type RecoveryStep string

const (
	Fetching RecoveryStep = "fetching" // the newest head and its log
	Checking RecoveryStep = "checking" // whether anybody knows more
	Rebuilt  RecoveryStep = "rebuilt"
	Hopeless RecoveryStep = "hopeless" // it ended; Reason says why
)

// Recovery rebuilds a manager's store from its key and from what is published: it
// follows to the newest head, and then asks every member's outbox whether anybody
// has seen more (DESIGN section 3.6). It signs and publishes nothing. It is a
// machine as Manager is: NewRecovery, Start, Stop, on one loop. Whatever ends it,
// another one on the same store goes on; until one was Rebuilt, no manager may run on
// it, which is for the caller to see to.
type Recovery struct {
	Desk
	cfg      RecoveryConfig
	ports    Ports
	follower *reader.Follower
	check    *Manager // while it is checked
	step     RecoveryStep
	reason   string
	problem  string // what keeps the check from ending

	seq     int64         // of the head whose log was checked last
	heads   int           // that came after one was checked
	missing uint64        // the largest log that somebody has verified and nobody has; 0: none
	since   time.Duration // Mono when it was missed first
	timer   func()
	closed  bool
}

// headsOfOthers is how many heads may come while one recovers: the last ones of the
// lost machine may be late. Who publishes more is alive.
const headsOfOthers = 2

// NewRecovery makes one. The ports of following and of checking are the same edges.
func NewRecovery(cfg RecoveryConfig, ports Ports, following reader.Ports) (*Recovery, error) {
	if cfg.Follow <= 0 {
		cfg.Follow = 5 * time.Second
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 10 * time.Minute
	}
	if cfg.Changed == nil {
		cfg.Changed = func() {}
	}
	r := &Recovery{
		Desk: Desk{Store: cfg.Store, Identity: cfg.Identity, Random: ports.Random, Now: ports.Clock.Now},
		cfg:  cfg, ports: ports, step: Fetching,
	}
	r.ports.Swarm = nil // the follower serves
	if why, err := r.Stopped(); err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	} else if why != "" {
		return nil, &Refused{Text: why + " A directory that has stopped for good is not rebuilt: recover into an empty one."}
	}
	var err error
	r.follower, err = reader.NewFollower(reader.Config{Store: cfg.Store, Follow: cfg.Follow, Changed: r.changed}, following)
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	return r, nil
}

// Start begins.
func (r *Recovery) Start() { r.follower.Start() }

// Stop ends everything; no callback has an effect any more.
func (r *Recovery) Stop() {
	r.closed = true
	r.unwind()
	r.follower.Stop()
}

// unwind ends a check under way, and a wait for one.
func (r *Recovery) unwind() {
	if r.check != nil {
		r.check.Stop()
		r.check = nil
	}
	if r.timer != nil {
		r.timer()
		r.timer = nil
	}
}

// RecoveryStatus is how a Recovery stands.
type RecoveryStatus struct {
	Step    RecoveryStep
	Reason  string        // of Hopeless, for people
	Problem string        // what keeps the step from its end; "" when nothing does
	Follows reader.Status // of the log
	Missing uint64        // size of a log that a member has verified and that is nowhere yet; 0: none
}

// Status is how things stand.
func (r *Recovery) Status() RecoveryStatus {
	s := RecoveryStatus{Step: r.step, Reason: r.reason, Problem: r.problem, Follows: r.follower.Status(), Missing: r.missing}
	if s.Problem == "" {
		s.Problem = s.Follows.Problem
	}
	return s
}

// changed is called when the follower has looked, or has fetched something.
func (r *Recovery) changed() {
	if r.closed || r.step == Rebuilt || r.step == Hopeless {
		return
	}
	defer r.cfg.Changed()
	s := r.follower.Status()
	switch {
	case s.Phase == reader.Stopped:
		r.end(Hopeless, s.Reason+" What is here is not the beginning of what is published: recover into an empty directory. If it was one, two machines have run this manager, and only a succession may go on (weir manager succeed)")
	case s.Phase != reader.Current || s.Checked.IsZero() || s.Problem != "":
		if r.check != nil { // a newer head has come
			r.unwind()
			r.step = Fetching
		}
	case r.timer == nil:
		r.rehearse()
	}
}

// rehearse has a manager look, as each does that starts, and publish nothing.
func (r *Recovery) rehearse() {
	it, ok, err := reader.SignedHead(r.Store)
	if err != nil || !ok || r.check != nil && it.Seq == r.seq {
		return
	}
	r.unwind()
	if r.seq != 0 && it.Seq != r.seq {
		r.heads++
	}
	if r.seq = it.Seq; r.heads > headsOfOthers {
		r.end(Hopeless, "another machine runs this manager, and has published while this one recovers. Nothing was published here. Switch that machine off and give the command again, or leave this one alone")
		return
	}
	if r.missing > 0 && r.Store.State().Size >= r.missing {
		r.missing = 0
	}
	if r.Check() != nil { // only the whole log says whose the database is
		r.end(Hopeless, "the key that was given is not the manager's of this database any more: a succession replaced it. Recover with the words of the key that took over, into an empty directory")
		return
	}
	if err := r.inherit(); err != nil {
		r.problem = err.Error()
		r.again()
		return
	}
	r.step = Checking
	m, err := New(r.Store, r.Identity, Config{Cycle: r.cfg.Follow, rehearsal: true}, r.ports)
	if err != nil {
		r.end(Hopeless, err.Error())
		return
	}
	m.cfg.OnCycle = func(c Report) { r.checked(m, c) }
	r.check = m
	m.Start()
}

// again goes on after a while.
func (r *Recovery) again() {
	r.follower.Kick()
	r.timer = r.ports.Clock.After(2*r.cfg.Follow, func() {
		r.timer = nil
		r.changed()
	})
}

// checked takes what a poll of everybody came to.
func (r *Recovery) checked(m *Manager, c Report) {
	if r.closed || r.check != m {
		return
	}
	defer r.cfg.Changed()
	r.problem = c.Problem
	switch {
	case m.rehearsed:
		r.problem = ""
		r.unwind()
		if err := r.inherited(); err != nil {
			r.end(Hopeless, err.Error())
			return
		}
		r.end(Rebuilt, "")
	case m.phase == Stopped:
		r.end(Hopeless, m.reason)
	case m.phase == Refusing:
		r.refused(m.verified())
	}
}

// refused: somebody knows more than was found. It is looked for until patience ends.
func (r *Recovery) refused(size uint64) {
	r.unwind()
	r.step = Fetching
	if size == 0 { // a newer head, which the follower is about to meet
		r.again()
		return
	}
	if r.missing == 0 {
		r.since = r.ports.Clock.Mono()
	}
	r.missing = max(r.missing, size)
	r.problem = fmt.Sprintf("a member has verified a log of %d entries under this manager's signature, and the newest that can be had has %d", entriesOf(r.missing), entriesOf(r.Store.State().Size))
	if r.ports.Clock.Mono()-r.since >= r.cfg.Patience {
		r.end(Hopeless, r.problem+". What is missing was acknowledged to members and is nowhere: nothing was published, so that it is not contradicted. Try again when more members are there, whose copies may have it; if it stays away, only a succession may go on, from what can be had: weir manager succeed, with the recovery key")
		return
	}
	r.again()
}

// end ends the recovery.
func (r *Recovery) end(step RecoveryStep, reason string) {
	r.unwind()
	r.step, r.reason = step, reason
	if step == Hopeless {
		r.problem = ""
	}
}
