package manager

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Config tunes a Manager; zero fields take the defaults named.
type Config struct {
	Cycle        time.Duration    // from the start of one cycle to the next: 30 s
	ChunkLookups int              // chunk look-ups a member and cycle: 4
	ChunkGrace   time.Duration    // how long a cycle waits for chunks once all keys have answered: 2 s
	Reput        time.Duration    // from one put of what is alive to the next, ± 10 %: 1 h
	ClockDrift   time.Duration    // forward against the monotonic clock while running, from which a yes is needed: 1 h
	OnCycle      func(Report)     // after each cycle
	Bootstrap    []netip.AddrPort // of the database's links

	rehearsal bool // only look, as a start does, and say in Manager.rehearsed that it may publish; see Recovery
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.Cycle, 30*time.Second)
	def(&c.ChunkGrace, 2*time.Second)
	def(&c.Reput, time.Hour)
	def(&c.ClockDrift, time.Hour)
	if c.ChunkLookups <= 0 {
		c.ChunkLookups = 4
	}
	return c
}

// Phase is where a manager stands.
type Phase string

const (
	Starting Phase = "starting" // polls, publishes nothing yet
	Running  Phase = "running"
	Held     Phase = "held"     // the clock leapt: polls, merges nothing until AcceptClock
	Refusing Phase = "refusing" // the network knows a newer database than this store holds
	Stopped  Phase = "stopped"  // two machines run one manager
)

// Manager merges and publishes one database. Everything is called on one loop.
type Manager struct {
	Desk
	cfg   Config
	ports Ports

	phase   Phase
	reason  string // of Held, Refusing and Stopped, for people
	started bool
	closed  bool

	rehearsed bool // a rehearsal has ended well

	members        map[keys.Public]*member
	invites        map[[16]byte]*invitePoll
	head           headRecord
	newest         *wire.Head                    // decoded head.Value; nil: none signed yet
	headDone       bool                          // head was acknowledged by some node since it was signed
	headNext       time.Duration                 // Mono from which it is put again
	charterNext    time.Duration                 // likewise of the charter; 0: at once
	successionNext time.Duration                 // likewise of the succession, or a look for one
	puts           map[wire.Target]time.Duration // likewise of the chunks of the head that were put
	serving        map[[20]byte]bool             // newest torrents served
	volumes        int                           // full volumes served
	dismissed      dismissals

	wall0 time.Time // clock check baseline
	mono0 time.Duration

	walked    bool          // one poll has walked to every key
	holders   []byte        // of the poller, as last stored
	holdersAt time.Duration // Mono when they were

	cycle  *cycle // under way; nil between cycles
	again  bool   // the next one begins at once
	timer  func() // cancels the next cycle
	report Report // of the last whole cycle
}

// member is what the manager knows of one member beside its account.
type member struct {
	receiver *outbox.Receiver
	item     *lookup.Item // newest outbox item
	holders  int          // nodes of the closest that held it at the last walk
	seen     time.Time    // when an item newer than the last was first met
	problem  string       // why the outbox stalls; "" when it does not
	earlier  bool         // it is sealed for the manager's key of before a succession
	opened   bool         // one was opened in this life
	heard    *cycle       // of the last answer of the poller
	short    bool         // no node answered in it
	fetching map[wire.Target]bool
	keeping  map[wire.Target]time.Duration // chunks whose messages wait → Mono from which each is put again
	distrust int                           // chunk look-ups that no cycle waits for any more
	vain     int                           // how often a chunk was not to be had, as far as it counts
}

// New opens a manager on a store. The identity must be the charter's.
func New(s *store.Store, id *keys.Identity, cfg Config, ports Ports) (*Manager, error) {
	m := &Manager{
		Desk:    Desk{Store: s, Identity: id, Random: ports.Random, Now: ports.Clock.Now},
		cfg:     cfg.withDefaults(),
		ports:   ports,
		phase:   Starting,
		members: map[keys.Public]*member{},
		invites: map[[16]byte]*invitePoll{},
		puts:    map[wire.Target]time.Duration{},
		serving: map[[20]byte]bool{},
	}
	m.Desk.drifted = m.drift
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("open the manager: %w", err)
	}
	var err error
	var ok bool
	if m.head, ok, err = readRecord[headRecord](s, keyHead); err != nil {
		return nil, fmt.Errorf("open the manager: %w", err)
	}
	if ok && len(m.head.Value) > 0 {
		if m.newest, err = wire.ParseHead(m.head.Value); err != nil {
			return nil, fmt.Errorf("open the manager: the stored head: %w", err)
		}
	}
	if why, ok, err := readRecord[string](s, keyStopped); err != nil {
		return nil, fmt.Errorf("open the manager: %w", err)
	} else if ok {
		m.phase, m.reason = Stopped, why
	}
	if m.holders, _, err = s.Get(keyHolders); err != nil {
		return nil, fmt.Errorf("open the manager: %w", err)
	}
	return m, nil
}

// Start begins the cycles.
func (m *Manager) Start() {
	if m.started || m.closed {
		return
	}
	m.started = true
	m.wall0, m.mono0 = m.ports.Clock.Now(), m.ports.Clock.Mono()
	if m.phase == Stopped {
		return
	}
	m.serveAll()
	// What an earlier weir wrote in another form is no loss: the first poll walks to every key.
	_ = m.ports.Poller.AddHolders(m.holders)
	m.holdersAt = m.mono0
	m.timer = m.ports.Clock.After(0, m.begin)
}

// Stop ends everything; no callback has an effect any more.
func (m *Manager) Stop() {
	m.closed = true
	if m.timer != nil {
		m.timer()
	}
	if m.cycle != nil && m.cycle.grace != nil {
		m.cycle.grace()
	}
	m.keepHolders()
}

// holdersPeriod is how often the poller's holders are stored.
const holdersPeriod = 5 * time.Minute

// keepHolders stores what the poller remembers, if it has changed.
func (m *Manager) keepHolders() {
	if !m.started || m.phase == Stopped {
		return
	}
	m.holdersAt = m.ports.Clock.Mono()
	b := m.ports.Poller.Holders()
	if len(b) == 0 || bytes.Equal(b, m.holders) {
		return
	}
	// A disk that fails is met by the next merge, and without holders a life begins as the first did.
	if m.Store.Commit(nil, store.KV{Key: keyHolders, Value: b}) == nil {
		m.holders = b
	}
}

// Kick begins the next cycle as soon as the one under way is over.
func (m *Manager) Kick() {
	if !m.started || m.closed || m.phase == Stopped {
		return
	}
	if m.cycle != nil {
		m.again = true
		return
	}
	if m.timer != nil {
		m.timer()
	}
	m.timer = m.ports.Clock.After(0, m.begin)
}

// AcceptClock is the yes that a clock which leapt needs.
func (m *Manager) AcceptClock() error {
	now := m.ports.Clock.Now()
	if err := m.Store.Commit(nil, record(keyClock, now.UnixMilli())); err != nil {
		return fmt.Errorf("accept the clock: %w", err)
	}
	m.wall0, m.mono0 = now, m.ports.Clock.Mono()
	if m.phase == Held {
		m.phase, m.reason = Running, ""
	}
	m.Kick()
	return nil
}

// guard wraps a callback so that it does nothing once the manager is closed.
func guard[T any](m *Manager, f func(T)) func(T) {
	return func(v T) {
		if !m.closed {
			f(v)
		}
	}
}

// member gives the line of a key, which must have an account.
func (m *Manager) member(k keys.Public) (*member, error) {
	if l, ok := m.members[k]; ok {
		return l, nil
	}
	st := m.Store.State()
	a, ok := st.ByKey(k)
	if !ok {
		return nil, ErrNotFound
	}
	shared, err := m.Identity.Shared(a.Seal)
	if err != nil {
		return nil, err
	}
	l := &member{
		receiver: outbox.NewReceiver(wire.DeriveOutboxKeys(shared, st.Digest, k, m.Identity.Public())),
		fetching: map[wire.Target]bool{},
	}
	m.members[k] = l
	return l, nil
}

// stop ends publishing for good: two machines run this manager, or it was
// restored from an old copy.
func (m *Manager) stop(why string, evidence *wire.Evidence) error {
	if m.phase == Stopped {
		return errors.New(m.reason)
	}
	m.phase, m.reason = Stopped, why
	kv := []store.KV{record(keyStopped, why)}
	if evidence != nil {
		if kvs, err := m.evidence(*evidence); err == nil {
			kv = append(kv, kvs...)
		}
	}
	if err := m.Store.Commit(nil, kv...); err != nil {
		m.reason += " (This could not be written down: " + err.Error() + ")"
	}
	return errors.New(why)
}

// evidence keeps at most one pair a key and kind, so nobody can fill a disk.
func (m *Manager) evidence(e wire.Evidence) ([]store.KV, error) {
	b, err := e.Encode()
	if err != nil {
		return nil, err
	}
	who := m.Identity.Public()
	if e.Kind == wire.EvidenceChanges {
		who = e.Changes[0].Key
	}
	key := fmt.Sprintf("%s%d/%s", keyEvidence, e.Kind, who)
	if _, have, err := m.Store.Get(key); err != nil || have {
		return nil, err
	}
	return []store.KV{{Key: key, Value: b}}, nil
}
