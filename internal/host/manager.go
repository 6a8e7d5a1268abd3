package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"weir/internal/loop"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/store"
	"weir/manager"
)

// Manager is a manager on real edges, or, without edges, a desk on a store.
type Manager struct {
	dir   Directory
	db    Database
	store *store.Store
	desk  *manager.Desk
	loop  *loop.Loop
	stop  context.CancelFunc
	ended chan struct{}
	edges *Edges           // nil: no network
	watch *watch           // nil: no network
	every time.Duration    // from one cycle to the next
	room  int64            // bytes that the directory may take
	role  *manager.Manager // nil: no network
	rot   *rot             // nil: no network
}

// ManagerConfig opens a Manager.
type ManagerConfig struct {
	Dir      Directory
	Database Database
	Identity *keys.Identity
	Network  Network
	Role     manager.Config // OnCycle is called on the manager's loop
	Logf     func(format string, args ...any)
}

// OpenDesk opens the store alone: for commands while no manager runs.
func OpenDesk(c ManagerConfig) (*Manager, error) {
	if err := c.Database.unrebuilt(); err != nil {
		return nil, err
	}
	id, err := ParseID(c.Database.ID)
	if err != nil {
		return nil, err
	}
	key, err := c.Database.readKey()
	if err != nil {
		return nil, err
	}
	disk, err := store.OS(c.Dir.Store(id))
	if err != nil {
		return nil, err
	}
	s, err := store.Open(disk, store.Options{ReadKey: key})
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("%w: %s is missing or empty; put it back, or rebuild it with weir manager recover LINK: the members have copies of the log%w", ErrNotInitialised, c.Dir.Store(id), silent{err})
		}
		return nil, damaged(err, "keep this directory as it is, since it may hold what nobody else has, and make a new one: with a backup, by weir restore FILE --dir NEW; "+
			"without, by weir manager recover LINK --dir NEW, with the 24 words of its key: the members have copies of the log")
	}
	if c.Identity != nil {
		if err := c.Dir.goesOn(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	m := &Manager{dir: c.Dir, db: c.Database, store: s, loop: loop.New(), ended: make(chan struct{}), room: c.Network.Thrift.Disk}
	m.desk = &manager.Desk{Store: s, Identity: c.Identity, Random: rand.Reader, Now: time.Now}
	if c.Identity != nil {
		if err := m.desk.Check(); err != nil {
			s.Close()
			return nil, fmt.Errorf("open the manager: %w", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	go func() { defer close(m.ended); m.loop.Run(ctx) }()
	return m, nil
}

// OpenManager opens everything and starts the cycles.
func OpenManager(ctx context.Context, c ManagerConfig) (*Manager, error) {
	m, err := OpenDesk(c)
	if err != nil {
		return nil, err
	}
	if m.edges, err = c.Network.Open(ctx, c.Dir, c.Database.Bootstrap, m.loop.Post); err != nil {
		m.Close()
		return nil, err
	}
	m.watch = m.edges.watch(c.Network.Thrift, "-"+c.Database.ID[:8], m.loop, func(bool) {}) // a manager fetches nothing
	m.every = c.Role.Cycle
	c.Role.Bootstrap = m.bootstrap()
	dht := m.edges.Node.Post(m.loop.Post)
	m.role, err = manager.New(m.store, c.Identity, c.Role, manager.Ports{
		DHT: dht, Poller: dht, Swarm: m.edges.Swarm, Clock: m.loop, Random: rand.Reader, Verify: sign.ZIP215{},
	})
	if err != nil {
		m.Close()
		return nil, err
	}
	m.desk = &m.role.Desk
	m.rot = watchRot(m.store, func() {})
	st := m.store.State()
	m.loop.Post(func() {
		meet(m.edges.Swarm, m.loop, st.ID, st.ReadKey)
		m.role.Start()
	})
	return m, nil
}

// Edges is the open network; nil for a desk.
func (m *Manager) Edges() *Edges { return m.edges }

// Close stops the role, the edges and the store, in this order.
func (m *Manager) Close() error {
	if m.role != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		m.loop.Call(ctx, m.role.Stop)
		cancel()
	}
	m.watch.close()
	m.stop()
	<-m.ended
	if m.edges != nil {
		m.edges.Close()
	}
	m.rot.close()
	return m.store.Close()
}

// Stopped says why the manager has stopped for good; "" when it has not.
func (m *Manager) Stopped() (why string, err error) {
	callErr := m.loop.Call(context.Background(), func() { why, err = m.desk.Stopped() })
	return why, errors.Join(callErr, err)
}

// Scale is the database's decimal places.
func (m *Manager) Scale() int { return m.store.State().Charter.Scale }

// Kick begins a cycle now, or as soon as the one under way is over.
func (m *Manager) Kick() { m.loop.Post(m.kick) }

// Broken is store.ErrBroken once a write failed so that the store has to be
// opened again; whoever runs the manager closes it and opens it anew.
func (m *Manager) Broken() error { return broken(m.store) }

func broken(s *store.Store) error {
	if _, _, err := s.Get("host/alive"); errors.Is(err, store.ErrBroken) {
		return err
	}
	return nil
}
