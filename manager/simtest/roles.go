package simtest

import (
	"errors"
	"fmt"
	"time"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// ManagerSetup is a manager and its database; zero fields take the defaults
// named.
type ManagerSetup struct {
	Cycle     time.Duration // 30 s
	Heartbeat time.Duration // between heads when nothing changes: 30 min
	Limits    wire.Limits   // of every account: -10000 to 100000
	Quota     int           // entries a member and day: 10000
	OnCycle   func(manager.Report)
}

// Manager is a machine that runs the manager.
type Manager struct {
	*machine
	Role   *manager.Manager // of this life; nil: off
	id     *keys.Identity
	config manager.Config

	founded []byte // the charter; nil: another machine founded the database
}

// Found makes the world's database and a manager for it, and starts it.
func (w *World) Found(s ManagerSetup) *Manager {
	if s.Heartbeat <= 0 {
		s.Heartbeat = 30 * time.Minute
	}
	if s.Limits == (wire.Limits{}) {
		s.Limits = wire.Limits{Lower: -10_000, Upper: 100_000}
	}
	if s.Quota <= 0 {
		s.Quota = 10_000
	}
	id := w.identity("the manager")
	w.recovery = w.identity("the recovery")
	charter, err := (&wire.Charter{
		Kind: wire.KindLedger, Name: "Mill Lane", Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Recovery: w.recovery.Public(), Created: w.Sim.Now().UnixMilli(), Unit: "HRS", Scale: 2,
		Lower: s.Limits.Lower, Upper: s.Limits.Upper, Quota: s.Quota,
		Heartbeat: int(s.Heartbeat / time.Second), Stale: int(4 * s.Heartbeat / time.Second),
	}).Encode()
	if err != nil {
		panic(err)
	}
	m := w.manager("the manager", nil, id, manager.Config{Cycle: s.Cycle, OnCycle: s.OnCycle})
	m.founded = charter
	made, err := store.Create(m.disk, charter, smallStore)
	if err == nil {
		err = made.Close()
	}
	if err == nil {
		w.Manager, w.watch.id, w.watch.manager = m, wire.CharterID(charter), id.Public()
		err = m.On()
	}
	if err != nil {
		panic(err)
	}
	return m
}

// Twin is another machine with the manager's key and a disk of its own; it is
// off.
func (w *World) Twin(disk *store.Crashable) *Manager {
	return w.manager(fmt.Sprintf("the manager's twin %d", len(w.machines)), disk, w.Manager.id, w.Manager.config)
}

func (w *World) manager(name string, disk *store.Crashable, id *keys.Identity, c manager.Config) *Manager {
	m := &Manager{machine: w.machine(name, disk), id: id, config: c}
	m.start = func(s *store.Store) error {
		if s == nil {
			return store.ErrNotFound
		}
		p := ports{m.machine}
		role, err := manager.New(s, m.id, m.config, manager.Ports{
			DHT: p, Poller: p, Swarm: torrents{m.swarm, m.machine}, Clock: p, Random: w.Sim.Random("nonces of " + name), Verify: w.remember,
		})
		if err != nil {
			return err
		}
		m.Role = role
		role.Start()
		return nil
	}
	m.stop = func() { m.Role.Stop() }
	return m
}

// Desk is what the manager decides by itself. The machine must be on.
func (m *Manager) Desk() *manager.Desk {
	m.touch()
	return &m.Role.Desk
}

// account gives an account of the manager's log; false when the manager is
// off or has none.
func (m *Manager) account(k keys.Public) (ledger.Account, bool) {
	if m.state == nil {
		return ledger.Account{}, false
	}
	return m.state.ByKey(k)
}

// Member is a machine that runs a member.
type Member struct {
	*machine
	Role   *member.Member // of this life; nil: off
	id     *keys.Identity
	config member.MemberConfig

	signed  []signed // by number, from 1 on
	since   uint64   // those up to this number, another device may have signed
	attempt []byte   // arguments of a change of which nobody knows whether it was stored
}

// Admit makes a member that the manager has admitted by its code, and starts
// it. The manager must be on.
func (w *World) Admit(name string) *Member {
	m := w.Member(name, nil)
	if _, err := w.Manager.Desk().AdmitCode(wire.NewMemberCode(m.id, name), nil); err != nil {
		panic(err)
	}
	w.must(m.On())
	return m
}

// Invite makes a member that comes by an invitation, and starts it. It is an
// error when the manager is off or its disk does not take the invitation.
func (w *World) Invite(name string, lifetime time.Duration) (*Member, error) {
	if !w.Manager.on {
		return nil, errors.New("the manager is off")
	}
	made, err := w.Manager.Desk().Invite(lifetime)
	if err != nil {
		return nil, err
	}
	w.watch.invitations[made.ID()] = true
	in := &wire.Invitation{DatabaseLink: w.link(), Secret: made.Secret, Expires: made.Expires}
	m := w.Member(name, in)
	w.must(m.On())
	return m, nil
}

func (w *World) must(err error) {
	if err != nil {
		panic(err)
	}
}

// Member makes a member that answers an invitation, if there is one. It is off.
func (w *World) Member(name string, in *wire.Invitation) *Member {
	m := w.member(name, nil, w.identity(name), in)
	w.Members = append(w.Members, m)
	return m
}

func (w *World) member(name string, disk *store.Crashable, id *keys.Identity, in *wire.Invitation) *Member {
	m := &Member{machine: w.machine(name, disk), id: id}
	m.config = member.MemberConfig{
		Config:   member.Config{Link: w.link(), Follow: w.follow},
		Identity: m.id, Invitation: in, Name: name,
	}
	m.start = func(s *store.Store) error {
		c := m.config
		c.Store, c.Create = s, m.create
		role, err := member.NewMember(c, m.memberPorts())
		if err != nil {
			return err
		}
		m.Role = role
		m.world.remembered(m)
		role.Start()
		return nil
	}
	m.stop = func() { m.Role.Stop() }
	return m
}

// Twin is another machine with the member's key and a disk of its own; it is
// off, and what it signs is not expected in the log.
func (m *Member) Twin(disk *store.Crashable) *Member {
	t := m.world.member(m.name+"'s twin", disk, m.id, nil)
	t.signed = append([]signed(nil), m.signed...)
	return t
}

// create makes the store on the machine's disk once the charter is here.
func (m *machine) create(charter []byte) (*store.Store, error) {
	s, err := store.Create(m.disk, charter, smallStore)
	if err == nil {
		m.opened(s)
	}
	return s, err
}

func (m *machine) memberPorts() member.Ports {
	p := ports{m}
	return member.Ports{
		DHT: p, Poller: p, Swarm: torrents{m.swarm, m}, Clock: p, Random: m.world.Sim.Random("nonces of " + m.name),
		Verify: m.world.remember, Standard: m.world.remember.Item,
	}
}

// Number is the member's account as its own log has it; 0: none yet.
func (m *Member) Number() uint64 {
	if m.state == nil {
		return 0
	}
	a, ok := m.state.ByKey(m.id.Public())
	if !ok {
		return 0
	}
	return a.Number
}

// Reader is a machine that follows the database and has no key.
type Reader struct {
	*machine
	Role   *member.Follower // of this life; nil: off
	config member.Config
}

// Reader makes a reader and starts it.
func (w *World) Reader(name string) *Reader {
	r := &Reader{machine: w.machine(name, nil), config: member.Config{Link: w.link(), Follow: w.follow}}
	r.start = func(s *store.Store) error {
		c := r.config
		c.Store, c.Create = s, r.create
		role, err := member.NewFollower(c, r.memberPorts())
		if err != nil {
			return err
		}
		r.Role = role
		role.Start()
		return nil
	}
	r.stop = func() { r.Role.Stop() }
	w.Readers = append(w.Readers, r)
	w.must(r.On())
	return r
}
