package manager

import (
	"time"

	"weir/internal/lookup"
)

// Report is one cycle in figures.
type Report struct {
	Cycle     uint64 // of the newest head
	Started   time.Time
	Polled    int               // keys asked for
	Answered  int               // keys for which at least one node answered
	Short     int               // keys without any answer
	Newer     int               // keys with a new outbox
	Packets   int               // sent by the poll and the look-ups of the cycle
	Admitted  int               // by invitation
	Requested int               // by invitation, to wait for approval
	Accepted  int               // entries applied
	Refused   int               // entries refused, and messages dismissed in verification
	Polling   lookup.PollReport // of every key: members, open invitations, the own head
	Poll      time.Duration
	Merge     time.Duration
	Publish   time.Duration
	HeadNodes int  // nodes that acknowledged the head; 0 when it was not put
	Published bool // a head was put and acknowledged
	LogSize   uint64
	Sum       int64
	Phase     Phase
	Problem   string // what kept the cycle from its work
}

// cycle is one cycle under way.
type cycle struct {
	report  Report
	start   time.Duration // Mono
	mark    time.Duration // Mono when the present step began
	waiting int           // polls, invitations and the own head not answered yet
	chunks  int           // chunk look-ups not answered yet
	polled  bool
	merged  bool
	grace   func()
	own     *lookup.Found // what was found of the own head
}

// begin starts a cycle: every member, every due invitation and, while
// starting, the own head.
func (m *Manager) begin() {
	if m.closed || m.cycle != nil || m.phase == Stopped {
		return
	}
	m.timer = nil
	now := m.ports.Clock.Mono()
	c := &cycle{start: now, mark: now, waiting: 1} // begin itself
	c.report.Started = m.ports.Clock.Now()
	m.cycle = c

	m.poll(c)
	if m.phase != Running {
		m.lookSuccession(c)
		c.waiting++
		finish := m.one(c)
		m.ports.DHT.Get(mutableGet(m.Identity.Public(), m.Store.State().ID.Salt()), guard(m, func(f lookup.Found) {
			c.report.Packets += f.Packets
			c.own = &f
			finish()
		}))
	}
	m.one(c)()
}

// one gives the function that counts one awaited answer as come.
func (m *Manager) one(c *cycle) func() {
	return func() {
		if m.closed || m.cycle != c {
			return
		}
		if c.waiting--; c.waiting == 0 {
			m.polled(c)
		}
	}
}

// polled is called when every key has answered or was given up: the cycle
// waits a moment for chunks, never for anyone in particular.
func (m *Manager) polled(c *cycle) {
	c.polled = true
	now := m.ports.Clock.Mono()
	c.report.Poll, c.mark = now-c.mark, now
	if c.chunks > 0 {
		c.grace = m.ports.Clock.After(m.cfg.ChunkGrace, func() {
			if !m.closed && m.cycle == c {
				c.grace = nil
				m.decide(c)
			}
		})
		return
	}
	m.decide(c)
}

func (m *Manager) ready(c *cycle) {
	if !c.polled || c.chunks > 0 || c.grace == nil {
		return
	}
	c.grace()
	c.grace = nil
	m.decide(c)
}

// decide merges, commits and publishes, as far as the manager's phase lets it.
func (m *Manager) decide(c *cycle) {
	if c.merged {
		return
	}
	c.merged = true
	if m.phase != Running {
		m.checkStart(c)
	}
	m.checkClock()
	if m.phase != Running {
		m.finish(c)
		return
	}
	m.admitJoiners(c)
	if err := m.merge(c); err != nil {
		c.report.Problem = "this cycle's changes could not be written, and are kept for the next: " + err.Error()
		m.finish(c)
		return
	}
	now := m.ports.Clock.Mono()
	c.report.Merge, c.mark = now-c.mark, now
	m.publish(c)
}

// finish ends the cycle and sets the timer of the next.
func (m *Manager) finish(c *cycle) {
	now := m.ports.Clock.Mono()
	c.report.LogSize, c.report.Sum, c.report.Phase = m.Store.State().Size, m.Store.State().Sum(), m.phase
	c.report.Cycle = m.head.Cycle
	if m.reason != "" && c.report.Problem == "" {
		c.report.Problem = m.reason
	}
	m.report, m.cycle = c.report, nil
	if now-m.holdersAt >= holdersPeriod {
		m.keepHolders()
	}
	if m.phase != Stopped {
		wait := max(m.cfg.Cycle-(now-c.start), m.cfg.Cycle/20)
		if m.again {
			wait = 0
		}
		m.again = false
		m.timer = m.ports.Clock.After(wait, m.begin)
	}
	if m.cfg.OnCycle != nil {
		m.cfg.OnCycle(c.report)
	}
}
