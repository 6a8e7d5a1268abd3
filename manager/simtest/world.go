package simtest

import (
	"fmt"
	"time"

	"weir/internal/simnet"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Setup is what a world is made of; zero fields take the defaults named.
type Setup struct {
	Nodes int          // DHT nodes: 32
	Link  *simnet.Link // between all: 80 ms there and back, nothing lost
	// Follow is how often members and readers look for a new head: 30 s.
	Follow time.Duration
	// Refresh is how often a DHT node asks another for its contacts: 5 min.
	Refresh time.Duration
}

// cacheBytes is the block cache that all stores of a world share.
const cacheBytes = 16 << 20

// World is one simulated world around one database. One goroutine owns it.
type World struct {
	Seed     uint64
	Sim      *simnet.World
	Net      *simnet.Network
	Nodes    *simnet.Nodes
	Torrents *simnet.Torrents

	Manager *Manager  // the first; nil before Found
	Members []*Member // in the order in which they came
	Readers []*Reader

	follow   time.Duration
	recovery *keys.Identity

	remember *simnet.Remember
	cache    *store.Cache
	machines []*machine
	touched  []*machine // that the present event may have changed
	watch    watch
	broken   error          // the first thing seen that must never be
	faults   map[string]int // what went wrong → how often
}

// New makes a world with DHT nodes and nobody else.
func New(seed uint64, s Setup) *World {
	if s.Nodes <= 0 {
		s.Nodes = 32
	}
	if s.Link == nil {
		s.Link = &simnet.Link{RTT: 80 * time.Millisecond, Jitter: 20 * time.Millisecond}
	}
	if s.Refresh <= 0 {
		s.Refresh = 5 * time.Minute
	}
	w := &World{
		Seed:     seed,
		follow:   s.Follow,
		Sim:      simnet.NewWorld(seed),
		remember: simnet.NewRemember(nil),
		cache:    store.NewCache(cacheBytes),
		watch:    newWatch(),
		faults:   map[string]int{},
	}
	w.Net = simnet.NewNetwork(w.Sim, *s.Link)
	w.Nodes = simnet.NewNodes(w.Net, s.Nodes, simnet.NodeConfig{Refresh: s.Refresh, Verify: w.remember.Item})
	w.Torrents = simnet.NewTorrents(w.Net)
	return w
}

// Close ends every machine's life and gives up what the world holds.
func (w *World) Close() {
	for _, m := range w.machines {
		m.Off()
	}
	w.cache.Close()
}

// Run makes everything happen that is due within d, unless something is seen
// that must never be: Err.
func (w *World) Run(d time.Duration) {
	w.RunUntil(d, func() bool { return false })
}

// RunUntil runs until done says so; false: it did not within limit.
func (w *World) RunUntil(limit time.Duration, done func() bool) bool {
	met := false
	for _, m := range w.machines { // whoever called may have changed any
		m.touch()
	}
	w.Sim.RunUntil(limit, func() bool {
		w.look()
		if w.broken == nil {
			met = done()
		}
		return met || w.broken != nil
	})
	return met
}

// Settle runs until Resting says nothing, and looks every five seconds; false:
// it did not within limit.
func (w *World) Settle(limit time.Duration) bool {
	for end := w.Sim.Elapsed() + limit; ; {
		if w.broken != nil {
			return false
		}
		if w.Resting() == "" {
			return true
		}
		if w.Sim.Elapsed() >= end {
			return false
		}
		w.Run(5 * time.Second)
	}
}

// Err is the first thing seen that must never be.
func (w *World) Err() error { return w.broken }

// Hash sums up the run so far: every packet, every timer, and the logs, heads
// and outboxes that came of them.
func (w *World) Hash() uint64 { return w.Sim.Hash() }

// fail notes that an invariant does not hold. Only the first counts: what
// follows may follow from it.
func (w *World) fail(name, format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf("after %s: %s: %s", w.Sim.Elapsed(), name, fmt.Sprintf(format, args...))
	}
}

// identity derives somebody's keys from the world's seed.
func (w *World) identity(name string) *keys.Identity {
	seed, err := keys.NewSeed(w.Sim.Random("key of " + name))
	if err != nil {
		panic(err) // a world's random bytes do not end
	}
	return keys.Derive(seed)
}

// link is the public link of the world's database.
func (w *World) link() wire.DatabaseLink { return w.Manager.Desk().Link(nil) }

// nodesKept is how many DHT nodes a machine remembers from one life to the
// next.
const nodesKept = 64

// digest is what everything that is signed in this world binds.
func (w *World) digest() wire.Digest { return w.Manager.state.Digest }
