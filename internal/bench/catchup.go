package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"weir/internal/host"
	"weir/internal/lookup"
	"weir/internal/loop"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

const (
	catchupBase  = 300 << 10            // what the member has before it goes away
	catchupLimit = 10 * time.Minute     // and for each
	catchupSlow  = 2 * time.Millisecond // KiB that it is behind
)

// catchup measures what reaches a member that was away, over real torrents and
// a real DHT, everything counted: the DHT's datagrams, handshakes, metadata.
// The floor is the bytes that the stream grew by meanwhile.
func catchup(ctx context.Context, o Options) error {
	o.Note(fmt.Sprintf("starting a DHT of %d nodes", o.Nodes))
	net, err := startNetwork(ctx, o)
	if err != nil {
		return err
	}
	defer net.close()
	type missed struct {
		bytes  uint64
		cycles int
	}
	cases := []missed{{1 << 10, 1}, {1 << 10, 500}, {100 << 10, 1}, {100 << 10, 500}, {10 << 20, 1}, {10 << 20, 500}}
	if o.Large {
		cases = append(cases, missed{1 << 30, 1})
	}
	for i, m := range cases {
		a := away{Options: o, ctx: ctx, network: net, bytes: m.bytes, cycles: m.cycles, dir: filepath.Join(o.Dir, fmt.Sprintf("catchup-%d", i))}
		c, err := a.measure()
		if err != nil {
			return fmt.Errorf("behind by %d bytes after %d cycles: %w", m.bytes, m.cycles, err)
		}
		o.Emit(c)
	}
	return nil
}

// away is one case: a member that misses some bytes and cycles.
type away struct {
	Options
	ctx     context.Context
	network *network
	bytes   uint64
	cycles  int
	dir     string

	book    *book
	manager *publisher
	quiet   *quiet
}

func (a *away) measure() (Case, error) {
	if err := os.Mkdir(a.dir, 0o700); err != nil {
		return Case{}, err
	}
	defer os.RemoveAll(a.dir)
	var err error
	if a.book, err = newBook(filepath.Join(a.dir, "manager"), a.Seed, publishers); err != nil {
		return Case{}, err
	}
	defer a.book.close()
	a.book.wide()
	if err := a.book.grow(catchupBase, func(uint64) {}); err != nil {
		return Case{}, err
	}
	a.manager, err = a.book.open(a.ctx, a.network.bootstrap(), func(p *manager.Ports) {
		a.quiet = &quiet{dht: p.DHT, poller: p.Poller, clock: p.Clock}
		p.DHT, p.Poller = a.quiet, a.quiet
	})
	if err != nil {
		return Case{}, err
	}
	defer a.manager.close()
	if err := a.publish(0); err != nil {
		return Case{}, err
	}
	a.Note("a member fetches the database")
	if _, err := a.follow(); err != nil {
		return Case{}, err
	}
	before := a.book.store.State().Length
	if err := a.grow(); err != nil {
		return Case{}, err
	}
	k := a.book.store.State().Length - before
	a.Note(fmt.Sprintf("it comes back, %d bytes behind", k))
	got, err := a.follow()
	if err != nil {
		return Case{}, err
	}
	c := Case{Case: fmt.Sprintf("catch up %s after %d missed cycles", size(a.bytes), a.cycles), Unit: "bytes", Seed: a.Seed}
	c.Budget = ptr(float64(k) + float64(k)/256 + 64<<10)
	return c.against(float64(got), float64(k)), nil
}

func size(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// grow runs the missed cycles. All but the last touch no network, which makes no
// difference to who is away; where there are more cycles than payments in so
// many bytes, the rest have nothing to do.
func (a *away) grow() error {
	a.quiet.on = a.cycles > 1
	state := func() uint64 { return a.book.store.State().Length }
	before := state()
	for i := range a.cycles {
		a.Note(fmt.Sprintf("missed cycle %d of %d", i+1, a.cycles))
		last := i == a.cycles-1
		due := before + a.bytes*uint64(i+1)/uint64(a.cycles)
		if last {
			a.quiet.on = false
		}
		if last && state() >= due { // a last cycle that publishes what the quiet ones made
			due = state() + 1
		}
		if err := a.publish(due); err != nil {
			return err
		}
	}
	return nil
}

// publish runs a cycle, after payments until the stream has so many bytes.
func (a *away) publish(length uint64) error {
	r, _, err := a.manager.cycle(func() error {
		room := int64(length) - int64(a.book.store.State().Length)
		if room > 0 && room < 8<<10 { // a wide transfer would be too much
			a.book.others, a.book.memo = 1, ""
		} else {
			a.book.wide()
		}
		return a.book.grow(length, func(uint64) {})
	})
	if err == nil && r.Problem != "" {
		err = errors.New(r.Problem)
	}
	return err
}

// follow runs the member until it has the newest head's log, and says how many
// bytes reached it.
func (a *away) follow() (int64, error) {
	l := loop.New()
	run, stop := context.WithCancel(a.ctx)
	ended := make(chan struct{})
	dir := host.Directory(filepath.Join(a.dir, "member"))
	if err := dir.Make(); err != nil {
		stop()
		return 0, err
	}
	edges, err := (host.Network{Bootstrap: a.network.bootstrap()}).Open(a.ctx, dir, nil, l.Post)
	if err != nil {
		stop()
		return 0, err
	}
	go func() { defer close(ended); l.Run(run) }()
	defer func() { stop(); <-ended; edges.Close() }()
	st := a.book.store.State()
	disk, err := store.OS(dir.Store(st.ID))
	if err != nil {
		return 0, err
	}
	cfg := member.Config{
		Link:   wire.DatabaseLink{ID: st.ID, Digest: st.Digest.Prefix()},
		Follow: time.Second,
		Create: func(charter []byte) (*store.Store, error) { return store.Create(disk, charter, store.Options{}) },
	}
	cfg.Store, err = store.Open(disk, store.Options{})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	changed := make(chan struct{}, 1)
	cfg.Changed = func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	leave := edges.Swarm.Meet(wire.MeetInfohash(st.ID))
	defer leave()
	dht := edges.Node.Post(l.Post)
	f, err := member.NewFollower(cfg, member.Ports{DHT: dht, Poller: dht, Swarm: edges.Swarm, Clock: l, Random: rand.Reader})
	if err != nil {
		return 0, err
	}
	defer func() {
		l.Call(a.ctx, f.Stop)
		if s := f.Store(); s != nil {
			s.Close()
		}
	}()
	if err := l.Call(a.ctx, f.Start); err != nil {
		return 0, err
	}
	wait := catchupLimit + time.Duration(a.bytes>>10)*catchupSlow
	limit := time.NewTimer(wait)
	defer limit.Stop()
	for {
		var s member.Status
		if err := l.Call(a.ctx, func() { s = f.Status() }); err != nil {
			return 0, err
		}
		if s.Phase == member.Current && s.Size == st.Size {
			in, _ := edges.Swarm.Traffic()
			return in + int64(edges.Node.Stats().BytesIn), nil
		}
		if s.Phase == member.Stopped {
			return 0, errors.New(s.Reason)
		}
		select {
		case <-a.ctx.Done():
			return 0, a.ctx.Err()
		case <-limit.C:
			return 0, fmt.Errorf("not there after %s, with %d of %d entries: %v", wait, s.Size, st.Size, s.Warnings())
		case <-changed:
		}
	}
}

// quiet is a manager's DHT that can be switched off: while it is on, every put
// is taken and every poll finds nothing new, at once.
type quiet struct {
	dht    manager.DHT
	poller manager.Poller
	clock  manager.Clock
	on     bool // read on the manager's loop between its cycles
}

func (q *quiet) Get(g lookup.Get, done func(lookup.Found)) {
	if !q.on {
		q.dht.Get(g, done)
		return
	}
	q.clock.After(0, func() { done(lookup.Found{Target: g.Target}) })
}

func (q *quiet) Put(p lookup.Put, done func(lookup.Stored)) {
	if !q.on {
		q.dht.Put(p, done)
		return
	}
	q.clock.After(0, func() { done(lookup.Stored{Acknowledged: 8, Tried: 8}) })
}

func (q *quiet) Poll(p lookup.Poll, each func(int, lookup.Polled), done func(lookup.PollReport)) {
	if !q.on {
		q.poller.Poll(p, each, done)
		return
	}
	q.clock.After(0, func() { done(lookup.PollReport{Keys: len(p.Keys)}) })
}

func (q *quiet) Holders() []byte           { return q.poller.Holders() }
func (q *quiet) AddHolders(b []byte) error { return q.poller.AddHolders(b) }
