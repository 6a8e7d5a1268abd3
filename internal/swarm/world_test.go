package swarm

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"weir/internal/loop"
	"weir/internal/seed"
	"weir/ledger/wire"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// memory is content in memory.
type memory struct {
	mu     sync.Mutex
	b      []byte
	limit  int64 // writes past it fail with full; 0: none do
	full   error
	writes int
	hold   chan struct{} // reads wait until it is closed; nil: they do not
	using  int           // calls under way
}

func (m *memory) enter() {
	m.mu.Lock()
	m.using++
	hold := m.hold
	m.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

func (m *memory) leave() {
	m.mu.Lock()
	m.using--
	m.mu.Unlock()
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	m.enter()
	defer m.leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	if off >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	if m.full != nil && off+int64(len(p)) > m.limit {
		return 0, m.full
	}
	return copy(m.b[off:], p), nil
}

func (m *memory) bytes() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.b)
}

func (m *memory) counted() (writes, using int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes, m.using
}

// random is bytes that are the same for the same seed.
func random(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, seed))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func hashes(b []byte) []byte {
	var pieces []byte
	for p := range slices.Chunk(b, wire.PieceBytes) {
		sum := sha1.Sum(p)
		pieces = append(pieces, sum[:]...)
	}
	return pieces
}

// newest is a newest torrent of a tail and a state file.
func newest(tail, state []byte) (info, content []byte) {
	content = slices.Concat(tail, state)
	return wire.NewestInfo(wire.ID{1}, uint64(len(tail)), len(state), hashes(content)), content
}

func volume(b []byte) []byte { return wire.VolumeInfo(wire.ID{1}, 7, uint64(len(b)), hashes(b)) }

// world makes clients, each on a loopback address of its own, that end with
// the test.
type world struct {
	t    *testing.T
	loop *loop.Loop
	next byte
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, loop: loop.New(), next: byte(rand.N(100))}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.loop.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *world) client(change ...func(*Config)) *Client {
	w.t.Helper()
	w.next++
	config := Config{
		Listen:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(w.next / 200), 2 + w.next%200}), 0),
		Loopback: true,
		Post:     w.loop.Post,
	}
	for _, f := range change {
		f(&config)
	}
	if s, ok := config.Peers.(*source); ok {
		s.ip = config.Listen.Addr()
	}
	c, err := New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	c.retry = 100 * time.Millisecond
	w.t.Cleanup(func() { c.Close() })
	return c
}

func (w *world) serve(c *Client, info, content []byte) *memory {
	w.t.Helper()
	m := &memory{b: slices.Clone(content)}
	if err := c.Serve(info, m, false); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// start begins a fetch into m; its result comes on the channel.
func (w *world) start(c *Client, info []byte, m *memory, have int64, peers ...*Client) (<-chan seed.Result, func()) {
	f := seed.Fetch{Infohash: wire.Infohash(info), Stall: patience}
	for _, p := range peers {
		f.Peers = append(f.Peers, p.Addr())
	}
	f.Plan = func(got []byte) (seed.Content, int64, error) {
		if !bytes.Equal(got, info) {
			return nil, 0, errors.New("not the info dictionary that was asked for")
		}
		return m, have, nil
	}
	return w.run(c, f)
}

func (w *world) run(c *Client, f seed.Fetch) (<-chan seed.Result, func()) {
	done := make(chan seed.Result, 2)
	f.Done = func(r seed.Result) { done <- r }
	return done, c.Fetch(f)
}

func (w *world) wait(done <-chan seed.Result) seed.Result {
	w.t.Helper()
	select {
	case r := <-done:
		return r
	case <-time.After(2 * patience):
		w.t.Fatal("the fetch never ended")
		return seed.Result{}
	}
}

// fetch fetches everything and checks it.
func (w *world) fetch(c *Client, info, content []byte, have int64, peers ...*Client) (*memory, seed.Result) {
	w.t.Helper()
	m := &memory{b: make([]byte, len(content))}
	copy(m.b, content[:have])
	done, _ := w.start(c, info, m, have, peers...)
	r := w.wait(done)
	if r.Err != nil {
		w.t.Fatalf("fetch: %v", r.Err)
	}
	if !bytes.Equal(m.bytes(), content) {
		w.t.Fatal("what was fetched is not what was served")
	}
	if !bytes.Equal(r.Info, info) {
		w.t.Fatal("the result has another info dictionary")
	}
	return m, r
}

// eventually waits for a condition that nothing announces.
func (w *world) eventually(what string, f func() bool) {
	w.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline.C:
			w.t.Fatalf("never: %s", what)
		}
	}
}

// tracker is what all sources of a test know.
type tracker struct {
	mu        sync.Mutex
	addrs     map[[20]byte][]netip.AddrPort
	announced map[[20]byte]int
}

func newTracker() *tracker {
	return &tracker{addrs: make(map[[20]byte][]netip.AddrPort), announced: make(map[[20]byte]int)}
}

func (t *tracker) count(infohash [20]byte) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.announced[infohash]
}

// source is a PeerSource without a DHT, for one client.
type source struct {
	*tracker
	ip netip.Addr
}

func with(t *tracker) func(*Config) { return func(c *Config) { c.Peers = &source{tracker: t} } }

func (s *source) Announce(infohash [20]byte, port uint16, found func([]netip.AddrPort)) {
	s.GetPeers(infohash, found)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addrs[infohash] = append(s.addrs[infohash], netip.AddrPortFrom(s.ip, port))
	s.announced[infohash]++
}

func (s *source) GetPeers(infohash [20]byte, found func([]netip.AddrPort)) {
	s.mu.Lock()
	addrs := slices.Clone(s.addrs[infohash])
	s.mu.Unlock()
	found(addrs)
}
