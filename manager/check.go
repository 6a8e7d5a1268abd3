package manager

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

const twoMachines = "another machine runs this manager: %s. This one has stopped publishing, for good, so that the database does not fork. " +
	"Find the other machine, switch one of the two off, and keep the directory whose log is longer."

const restored = "the network knows a newer state of this database than this directory holds: %s. It was probably restored from an old copy. " +
	"Nothing was published. Put the newest directory back or, if it is lost, rebuild this one from what is published: weir manager recover %s"

// checkStart lets a manager that starts publish, once one complete poll has
// shown nothing newer of its own (DESIGN section 3.6).
func (m *Manager) checkStart(c *cycle) {
	if m.phase != Starting {
		return // what was refused stays refused: that the DHT forgets a newer head proves nothing
	}
	switch f := c.own; {
	case f == nil:
		return
	case f.Answered == 0:
		c.report.Problem = "no DHT node answered: nothing was published; trying again"
		return
	case f.ClosestAnswered < 8 && !f.Exhausted:
		c.report.Problem = fmt.Sprintf("only %d of the 8 nodes nearest to this database's head answered: nothing was published; trying again", f.ClosestAnswered)
		return
	}
	if size := m.verified(); size > m.Store.State().Size {
		m.older(fmt.Sprintf("a member has verified %d entries, the log here has %d", entriesOf(size), entriesOf(m.Store.State().Size)))
		return
	}
	for _, it := range items(c.own.Item, c.own.Conflicts) {
		if why, _ := m.foreign(it); why != "" {
			m.older(why)
			return
		}
	}
	if m.cfg.rehearsal {
		m.rehearsed = true
		return
	}
	if err := m.allow(); err != nil {
		c.report.Problem = err.Error()
	}
}

// older refuses, since the network knows more than this directory.
func (m *Manager) older(why string) {
	link := m.Link(m.cfg.Bootstrap)
	link.ReadKey = nil // the manager's own words give it
	text, err := link.Link()
	if err != nil {
		text = "LINK"
	}
	m.refuse(fmt.Sprintf(restored, why, text))
}

// verified is the size of the largest checkpoint under this manager's signature
// that any outbox met so far has, and that is beyond the log; 0: none is.
func (m *Manager) verified() uint64 {
	st := m.Store.State()
	size := uint64(0)
	for _, a := range st.Accounts() {
		l, ok := m.members[a.Key]
		if !ok {
			continue
		}
		if c := l.receiver.Newest(); c.Size > max(size, st.Size) && m.signed(c) {
			size = c.Size
		}
	}
	return size
}

// items is an item that was found, and others of its seq.
func items(it *lookup.Item, conflicts []lookup.Item) []lookup.Item {
	if it == nil {
		return nil
	}
	return append([]lookup.Item{*it}, conflicts...)
}

// foreign says why a validly signed head of this manager's key cannot be of
// this machine's making; "" when it can. The evidence is not nil where two
// checkpoints contradict each other.
func (m *Manager) foreign(it lookup.Item) (string, *wire.Evidence) {
	if it.Seq == m.head.Seq && bytes.Equal(it.Value, m.head.Value) {
		return "", nil
	}
	if h, err := wire.ParseHead(it.Value); err == nil {
		if e, contradicts := m.contradicts(h.Checkpoint); contradicts {
			return fmt.Sprintf("its head of %s has %d entries that are not this log's", time.UnixMilli(h.Time).UTC().Format(time.RFC3339), entriesOf(h.Checkpoint.Size)), e
		}
	}
	switch {
	case m.head.Seq == 0 && it.Seq > 0:
		return "the network has a head that was signed at " + wire.SeqDate(it.Seq) + ", and none was signed here", nil
	case it.Seq > m.head.Seq:
		return "the network has a head that was signed at " + wire.SeqDate(it.Seq) + ", and the newest that was signed here is of " + wire.SeqDate(m.head.Seq), nil
	case it.Seq == m.head.Seq:
		return "there are two heads that differ and were both signed at " + wire.SeqDate(it.Seq), nil
	}
	return "", nil
}

// signed says whether a checkpoint is under this manager's own log key, and of a
// size at which that counts.
func (m *Manager) signed(c wire.Checkpoint) bool {
	st := m.Store.State()
	return c.Size > st.Terms().Newest().Size && c.Verify(st.ID, m.Identity.LogPublic())
}

// contradicts says whether a checkpoint that verifies under the manager's own
// log key is not in the log.
func (m *Manager) contradicts(c wire.Checkpoint) (*wire.Evidence, bool) {
	st := m.Store.State()
	if !m.signed(c) {
		return nil, false
	}
	if c.Size > st.Size {
		return nil, true
	}
	root, err := m.Store.RootAt(c.Size)
	if err != nil || root == c.Root {
		return nil, false
	}
	ours := wire.SignCheckpoint(st.ID, m.Identity.Log, c.Size, root)
	return &wire.Evidence{Kind: wire.EvidenceCheckpoints, Checkpoints: [2]wire.Checkpoint{ours, c}}, true
}

// checkNewest looks at the checkpoint that a member says it has verified: one
// that this manager signed and does not hold is proof of another machine.
func (m *Manager) checkNewest(k keys.Public, l *member) {
	newest := l.receiver.Newest()
	e, bad := m.contradicts(newest)
	if !bad {
		return
	}
	if (m.phase == Starting || m.phase == Refusing) && newest.Size > m.Store.State().Size {
		return // checkStart decides
	}
	who := k.Short()
	if a, ok := m.Store.State().ByKey(k); ok {
		who = strconv.Quote(a.Name)
	}
	m.stop(fmt.Sprintf(twoMachines, fmt.Sprintf("member %s holds a checkpoint of %d entries under this manager's signature that is not in this log", who, entriesOf(newest.Size))), e)
}

// checkHead is the look at the own head before each put.
func (m *Manager) checkHead(f lookup.Found) error {
	if m.closed {
		return fmt.Errorf("put the head: the manager has ended")
	}
	return m.checkOwn(items(f.Item, f.Conflicts))
}

// checkOwn stops the manager when one of its own heads is not of its making.
func (m *Manager) checkOwn(heads []lookup.Item) error {
	for _, it := range heads {
		if why, e := m.foreign(it); why != "" {
			return m.stop(fmt.Sprintf(twoMachines, why), e)
		}
	}
	return nil
}

// checkClock holds the merge when the clock has leapt.
func (m *Manager) checkClock() {
	if m.phase != Running && m.phase != Held {
		return
	}
	switch why := m.clock(); {
	case why != "":
		m.phase, m.reason = Held, why
	case m.phase == Held:
		m.phase, m.reason = Running, ""
	}
}

// drift says how far the clock has leapt forward while the manager runs; ""
// when it has not.
func (m *Manager) drift() string {
	if !m.started {
		return ""
	}
	now := m.ports.Clock.Now()
	drift := now.Sub(m.wall0) - (m.ports.Clock.Mono() - m.mono0)
	if drift <= m.cfg.ClockDrift {
		return ""
	}
	return fmt.Sprintf("this machine's clock leapt forward by %s while the manager ran, to %s", drift.Round(time.Minute), now.UTC().Format("2006-01-02 15:04"))
}
