package member

import (
	"errors"
	"fmt"
	"time"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// MemberConfig tells a Member who it is and what it follows.
type MemberConfig struct {
	Config
	Identity *keys.Identity
	// Invitation, if not nil, is answered once the charter is here. It is kept:
	// a later start goes on without it.
	Invitation *wire.Invitation
	Name       string // asked for with the invitation
}

// Member follows a database and hands its own changes over to the manager.
// Everything is called on one loop.
type Member struct {
	*Follower
	cfg  MemberConfig
	desk *Desk // nil before the store is there
	hand handOver
	join joining

	// The number of the own newest entry when the stored outbox item was last seen to carry what waits;
	// -1: it was not.
	settled int64
}

// NewMember makes a member; nothing happens before Start.
func NewMember(cfg MemberConfig, ports Ports) (*Member, error) {
	if cfg.Identity == nil {
		return nil, errors.New("open the member: no identity")
	}
	m := &Member{cfg: cfg, settled: -1}
	changed := cfg.Config.withDefaults().Changed
	cfg.Config.Changed = func() {
		m.awake()
		changed()
	}
	f, err := NewFollower(cfg.Config, ports)
	if err != nil {
		return nil, fmt.Errorf("open the member: %w", err)
	}
	m.Follower = f
	f.opened, f.committed, f.voiding, f.rewound, f.waiting = m.opened, m.grown, m.voiding, m.rewound, m.waiting
	if f.store != nil {
		m.desk = m.newDesk()
	}
	return m, nil
}

func (m *Member) newDesk() *Desk {
	return &Desk{Store: m.store, Identity: m.cfg.Identity, Random: m.ports.Random, Now: m.ports.Clock.Now}
}

// opened is called once the store is there and the member has started.
func (m *Member) opened() {
	if m.desk == nil {
		m.desk = m.newDesk()
	}
	m.openJoin()
	m.handSoon(0)
}

// grown is called after every commit of entries. Those of others change nothing
// about what waits here.
func (m *Member) grown([]*ledger.Batch) {
	a, err := m.desk.Account()
	if err != nil {
		return
	}
	m.admitted()
	m.missed.taken(a.Last, m.hand.have, m.ports.Clock.Now())
	if m.settled == int64(a.Last) {
		return
	}
	m.settled = -1
	if _, _, current, err := m.desk.sealed(); err != nil || !current {
		m.handSoon(0)
		return
	}
	m.settled = int64(a.Last)
}

// voiding is the records with which the log is taken back.
func (m *Member) voiding(size uint64) ([]store.KV, error) {
	if m.desk == nil {
		return nil, nil
	}
	return m.desk.voiding(size)
}

// waiting is the numbers of what waits.
func (m *Member) waiting() (first, last uint64) {
	if m.desk == nil {
		return 1, 0
	}
	all, err := m.desk.Waiting()
	if err != nil || len(all) == 0 {
		return 1, 0
	}
	return all[0].Number, all[len(all)-1].Number
}

// rewound is called when the manager has other keys: the log may have been taken
// back, and everything is to be sealed anew.
func (m *Member) rewound() {
	if m.desk == nil {
		return
	}
	m.desk.sender, m.settled = nil, -1
	m.hand.chunks, m.hand.have = nil, 0
	m.openJoin()
	m.handSoon(0)
}

// Stop ends everything; see Follower.Stop.
func (m *Member) Stop() {
	for _, cancel := range []func(){m.hand.timer, m.join.timer} {
		if cancel != nil {
			cancel()
		}
	}
	m.Follower.Stop()
}

// Desk is for reading: the own account, results, what waits. It is nil before
// the store is there. What changes something is called on the Member.
func (m *Member) Desk() *Desk { return m.desk }

// ErrNoCharter: the charter has not been found yet.
var ErrNoCharter = errors.New("the database has not been found yet")

// Submit signs and stores a change and hands it over; see Desk.Submit.
func (m *Member) Submit(name string, args []byte, until time.Time) (uint64, error) {
	if m.desk == nil {
		return 0, fmt.Errorf("%s: %w", name, ErrNoCharter)
	}
	number, err := m.desk.Submit(name, args, until)
	if err == nil {
		m.handSoon(0)
	}
	return number, err
}

// Pay submits a transfer and hands it over; see Desk.Pay.
func (m *Member) Pay(to uint64, amount int64, memo string, until time.Time) (uint64, error) {
	if m.desk == nil {
		return 0, fmt.Errorf("pay: %w", ErrNoCharter)
	}
	number, err := m.desk.Pay(to, amount, memo, until)
	if err == nil {
		m.handSoon(0)
	}
	return number, err
}

// Cancel takes the newest change back; see Desk.Cancel.
func (m *Member) Cancel(number uint64) error {
	if m.desk == nil {
		return ErrNoCharter
	}
	return m.desk.Cancel(number)
}

// TakeOver goes on from the log on this device; see Desk.TakeOver.
func (m *Member) TakeOver() error {
	if m.desk == nil {
		return ErrNoCharter
	}
	if err := m.desk.TakeOver(); err != nil {
		return err
	}
	m.hand.trouble, m.hand.have, m.missed.first = "", 0, 0
	m.handSoon(0)
	return nil
}

// Status is how things stand.
func (m *Member) Status() MemberStatus {
	s := MemberStatus{Status: m.Follower.Status(), Joining: m.join.state, Request: m.join.nodes, Trouble: m.hand.trouble, Asked: m.hand.asked, Put: m.hand.put}
	if m.desk != nil {
		s.Approval = m.desk.Store.State().Charter.Approval
		m.desk.own(&s)
		if u, ok := m.longUntaken(m.ports.Clock.Now()); ok && s.Waiting > 0 {
			s.Untaken = &u
		}
	}
	return s
}
