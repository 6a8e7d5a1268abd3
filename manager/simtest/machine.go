package simtest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/internal/simnet"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// machine is one computer: a host on the network, a disk, and while it is on
// the store and the role that run there.
type machine struct {
	world  *World
	name   string
	honest bool
	host   *simnet.Host
	swarm  *simnet.Swarm // of this life
	peer   simnet.Peer   // what its torrent client is like, in every life
	disk   *store.Crashable
	nodes  []lookup.Node // known at the end of the last life

	on    bool
	gone  bool         // it is never turned on again
	store *store.Store // nil: off, or none yet
	state *ledger.State
	size  uint64 // of the log when it was last looked at
	root  wire.Hash

	blind   wire.Target // what its look-ups find nothing at
	crashAt int         // steps of the disk at which the power goes; 0: it stays

	// Of the role that runs here.
	start func(s *store.Store) error // s is nil when the disk has no store
	stop  func()

	touched bool // in World.touched

	Lives   int
	Crashes map[string]int // what the disk was at when the power went → how often
}

func (w *World) machine(name string, disk *store.Crashable) *machine {
	m := &machine{world: w, name: name, honest: true, disk: disk, Crashes: map[string]int{}}
	if disk == nil {
		m.disk = store.NewCrashable(w.Sim.Stream("disk of "+name).Uint64(), w.cache)
	}
	m.host = simnet.NewHost(w.Net, simnet.HostConfig{
		Bootstrap: w.Nodes.Bootstrap(bootstraps),
		Lookup:    func(c *lookup.Config) { c.Verify = w.remember.Item },
	})
	m.host.Kill()
	w.machines = append(w.machines, m)
	return m
}

// bootstraps is how many DHT nodes everybody knows from the start.
const bootstraps = 3

// smallStore is how stores of a world are opened.
var smallStore = store.Options{Small: true}

// Name is what messages call the machine.
func (m *machine) Name() string { return m.name }

// Alive says whether the machine is on.
func (m *machine) Alive() bool { return m.on }

// Host is the machine on the network.
func (m *machine) Host() *simnet.Host { return m.host }

// Disk is what the machine keeps from one life to the next.
func (m *machine) Disk() *store.Crashable { return m.disk }

// Store is the open database; nil when the machine is off or has none yet.
func (m *machine) Store() *store.Store { return m.store }

// Log is where the database here ends, or ended when the machine went off.
func (m *machine) Log() (size uint64, root wire.Hash) { return m.size, m.root }

// On begins a life. An error is what the role says of its disk; then the
// machine stays off.
func (m *machine) On() error {
	if m.on {
		return nil
	}
	m.touch()
	m.host.Restart()
	m.host.AddNodes(m.nodes)
	m.swarm = m.world.Torrents.Join(m.host.Endpoint, m.peer)
	m.swarm.Meet(meet)
	m.on = true
	m.Lives++
	err := m.boot()
	if err != nil {
		m.off()
		return fmt.Errorf("%s: %w", m.name, err)
	}
	return nil
}

// meet is where all torrent peers of the world hear of each other.
var meet = [20]byte{'m', 'e', 'e', 't'}

func (m *machine) boot() error {
	s, err := store.Open(m.disk, smallStore)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if m.size > 0 {
			m.world.fail("nothing acknowledged is lost", "%s had a log of %d entries, and its disk has none", m.name, m.size)
		}
	case err != nil:
		return err
	default:
		m.opened(s)
	}
	return m.start(m.store)
}

// opened takes a store that was opened or made in this life.
func (m *machine) opened(s *store.Store) {
	m.store, m.state = s, s.State()
	m.world.reopened(m)
}

// retire ends the machine's use.
func (m *machine) retire() {
	m.Off()
	m.gone = true
}

// Off ends the life in order, as a program does that is told to stop.
func (m *machine) Off() {
	if !m.on {
		return
	}
	if m.stop != nil {
		m.stop()
	}
	if m.lost() {
		m.crashed()
		return
	}
	m.off()
}

// Crash takes the power away, now.
func (m *machine) Crash() {
	if !m.on {
		return
	}
	m.Crashes["between two steps"]++
	m.powerLoss()
}

// SetPeer changes what the machine's torrent client is like, now and in later
// lives.
func (m *machine) SetPeer(p simnet.Peer) {
	m.peer = p
	if m.swarm != nil {
		m.swarm.SetPeer(p)
	}
}

// Backup stops the machine and copies its disk; the machine goes on when it is
// turned on.
func (m *machine) Backup() Backup {
	m.Off()
	b := Backup{disk: m.disk.Restart(), size: m.size, root: m.root}
	m.disk, m.crashAt = m.disk.Restart(), 0
	return b
}

// Backup is a copy of a machine's disk.
type Backup struct {
	disk *store.Crashable
	size uint64
	root wire.Hash
}

// Restore stops the machine and puts a backup in the place of its disk.
func (m *machine) Restore(b Backup) {
	m.Off()
	m.disk, m.crashAt, m.size, m.root = b.disk, 0, b.size, b.root
}

// CrashAt takes the power away at the step-th write step of the disk from now.
// A step counts twice, before and after. 0: it stays.
func (m *machine) CrashAt(step int) {
	m.crashAt = 0
	if step <= 0 {
		m.disk.CrashAt(1 << 40)
		return
	}
	m.disk.CrashAt(step)
	m.crashAt = m.disk.Steps() + step
}

// lost says whether the disk's power has gone: nothing that the role still
// does in this event may reach anybody.
func (m *machine) lost() bool { return m.crashAt > 0 && m.disk.Steps() >= m.crashAt }

// crashed ends a life whose disk has lost its power.
func (m *machine) crashed() {
	_, err := store.Open(m.disk, smallStore)
	where := "somewhere"
	if err != nil {
		where, _, _ = strings.Cut(after(err.Error(), store.ErrCrashed.Error()+" "), ",")
	}
	m.Crashes[where]++
	m.powerLoss()
}

func after(s, before string) string {
	_, s, _ = strings.Cut(s, before)
	return s
}

func (m *machine) powerLoss() {
	m.off()
	m.disk, m.crashAt = m.disk.Restart(), 0
}

// off ends the life without a word to the role.
func (m *machine) off() {
	m.look()
	m.nodes = m.host.Nodes(nodesKept)
	m.host.Kill()
	if m.store != nil {
		// What a store says whose disk is gone is of no interest; one that was told
		// to stop must close.
		if err := m.store.Close(); err != nil && !m.lost() {
			m.world.fail("a store closes", "%s: %v", m.name, err)
		}
	}
	m.on, m.store, m.state, m.swarm = false, nil, nil, nil
}

// look notes what has become of the log since it was last looked at.
func (m *machine) look() {
	if m.state != nil && m.state.Size != m.size {
		m.world.grown(m)
	}
}

// touch has the machine looked at after the present event.
func (m *machine) touch() {
	if !m.touched {
		m.touched = true
		m.world.touched = append(m.world.touched, m)
	}
}

// look is called after every event, for the machines that had a part in it.
func (w *World) look() {
	for _, m := range w.touched {
		m.touched = false
		m.look()
		if m.on && m.lost() {
			m.crashed()
		}
	}
	w.touched = w.touched[:0]
}

// ports is the world as a role sees it: a machine whose power has gone does
// nothing any more, not even within the event in which it went.
type ports struct{ *machine }

func (p ports) Get(g lookup.Get, done func(lookup.Found)) {
	if p.lost() {
		return
	}
	blind := g.Target == p.blind
	p.host.Get(g, touching(p.machine, func(f lookup.Found) {
		if blind {
			f.Item, f.Conflicts, f.Holding = nil, nil, 0
		}
		done(f)
	}))
}

func (p ports) Put(put lookup.Put, done func(lookup.Stored)) {
	if p.lost() {
		return
	}
	p.world.puts(p.machine, put.Item)
	if check := put.Check; check != nil {
		put.Check = func(f lookup.Found) error {
			p.touch()
			return check(f)
		}
	}
	p.host.Put(put, touching(p.machine, done))
}

func (p ports) Poll(q lookup.Poll, each func(int, lookup.Polled), done func(lookup.PollReport)) {
	if !p.lost() {
		p.host.Poll(q, func(i int, r lookup.Polled) {
			p.touch()
			each(i, r)
		}, touching(p.machine, done))
	}
}

func (p ports) Holders() []byte           { return p.host.Holders() }
func (p ports) AddHolders(b []byte) error { return p.host.AddHolders(b) }

func (p ports) Now() time.Time      { return p.host.Now() }
func (p ports) Mono() time.Duration { return p.host.Mono() }

func (p ports) After(d time.Duration, f func()) (cancel func()) {
	if p.lost() {
		return func() {}
	}
	return p.host.After(d, func() {
		p.touch()
		f()
	})
}

// touching is a callback after which the machine is looked at.
func touching[T any](m *machine, done func(T)) func(T) {
	return func(v T) {
		m.touch()
		done(v)
	}
}

// torrents is the machine's torrent client as a role sees it.
type torrents struct {
	seed.Swarm
	machine *machine
}

func (t torrents) Fetch(f seed.Fetch) (cancel func()) {
	f.Done = touching(t.machine, f.Done)
	return t.Swarm.Fetch(f)
}
