package manager

import (
	"crypto/sha256"
	"time"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// Status is where the manager stands.
type Status struct {
	ID          wire.ID
	Name        string
	Phase       Phase
	Reason      string // of Held, Refusing and Stopped
	Last        Report // of the last whole cycle
	Head        *wire.Head
	HeadSeq     int64
	HeadDone    bool // acknowledged since it was signed
	Members     int
	LogSize     uint64
	Length      uint64 // stream bytes
	Accepted    uint64
	Refused     uint64
	Dismissed   int // distinct messages that were no valid changes, since the start
	Sum         int64
	Invitations int // open
	Requests    int // to join, that wait for approval
	Stalled     []MemberStatus
	Earlier     int // members who follow the key of before a succession
}

// MemberStatus is one member as the manager sees it.
type MemberStatus struct {
	Account ledger.Account
	Seen    time.Time // when an outbox newer than the last was met, or of the first one since the start, when it was signed; zero: none was
	Holders int       // nodes of the 8 closest that held the outbox when they were last walked to
	Short   bool      // no node answered for it at the last poll
	Problem string    // why its outbox stalls; "" when it does not
	Earlier bool      // its outbox is sealed for the manager's key of before a succession, which it follows until it meets that
}

// Status gives the manager's state.
func (m *Manager) Status() Status {
	st := m.Store.State()
	s := Status{
		ID: st.ID, Name: st.Charter.Name, Phase: m.phase, Reason: m.reason, Last: m.report,
		Head: m.newest, HeadSeq: m.head.Seq, HeadDone: m.headDone,
		Members: st.Members(), LogSize: st.Size, Length: st.Length,
		Accepted: st.Accepted, Refused: st.Refused, Dismissed: len(m.dismissed.seen), Sum: st.Sum(),
	}
	if all, err := m.Invitations(); err == nil {
		now := m.ports.Clock.Now()
		for _, i := range all {
			switch i.State(now) {
			case InvitationOpen:
				s.Invitations++
			case InvitationWaiting:
				s.Requests++
			}
		}
	}
	for _, l := range m.Members() {
		if l.Problem != "" {
			s.Stalled = append(s.Stalled, l)
		}
		if l.Earlier {
			s.Earlier++
		}
	}
	return s
}

// Members lists every member, by account number.
func (m *Manager) Members() []MemberStatus {
	var all []MemberStatus
	for _, a := range m.Store.State().Accounts() {
		if a.Number == 0 {
			continue
		}
		s := MemberStatus{Account: a}
		if l, ok := m.members[a.Key]; ok {
			s.Seen, s.Holders, s.Short, s.Problem, s.Earlier = l.seen, l.holders, l.short, l.problem, l.earlier
		}
		all = append(all, s)
	}
	return all
}

// Report is the last whole cycle.
func (m *Manager) Report() Report { return m.report }

// dismissals counts distinct messages that verification dismissed. It is
// bounded: past its size nothing more is counted.
type dismissals struct{ seen map[[32]byte]struct{} }

const dismissalsMax = 1 << 16

// add says whether the message is new.
func (d *dismissals) add(k keys.Public, message []byte) bool {
	h := sha256.Sum256(append(append([]byte{}, k[:]...), message...))
	if _, old := d.seen[h]; old || len(d.seen) >= dismissalsMax {
		return false
	}
	if d.seen == nil {
		d.seen = map[[32]byte]struct{}{}
	}
	d.seen[h] = struct{}{}
	return true
}

// entriesOf is how many entries a log of some size has: its first leaf is the
// charter.
func entriesOf(size uint64) uint64 { return max(size, 1) - 1 }
