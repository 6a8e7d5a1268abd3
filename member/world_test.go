package member

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/ledger/wire"
)

// world is a clock and an event loop, a DHT that is one map, and who serves
// which torrent. It is the smallest thing the roles of this package run on.
type world struct {
	t      testing.TB
	now    time.Time
	events []*event
	turn   int
	items  map[wire.Target]lookup.Item
	swarms []*swarm
	signed map[wire.Target]map[int64][]byte // every mutable value ever handed to a put
}

type event struct {
	at   time.Time
	turn int
	f    func()
}

func newWorld(t testing.TB) *world {
	return &world{
		t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		items: map[wire.Target]lookup.Item{}, signed: map[wire.Target]map[int64][]byte{},
	}
}

func (w *world) after(d time.Duration, f func()) (cancel func()) {
	w.turn++
	e := &event{w.now.Add(max(0, d)), w.turn, f}
	w.events = append(w.events, e)
	return func() { e.f = nil }
}

// run lets d pass.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		first := -1
		for i, e := range w.events {
			if first < 0 || e.at.Before(w.events[first].at) || e.at.Equal(w.events[first].at) && e.turn < w.events[first].turn {
				first = i
			}
		}
		if first < 0 || w.events[first].at.After(end) {
			w.now = end
			return
		}
		e := w.events[first]
		w.events = slices.Delete(w.events, first, first+1)
		w.now = e.at
		if e.f != nil {
			e.f()
		}
	}
}

// host is one machine: its clock, its way to the DHT and its torrent client.
type host struct {
	*world
	skew    time.Duration
	offline bool
	alter   func(lookup.Get, *lookup.Found) // what the DHT nodes it asks make of an answer
	gets    []wire.Target
	puts    []lookup.Item
	swarm   *swarm
	random  io.Reader
	poller  Poller // nil: none
}

func (w *world) host(n uint64) *host {
	var b [32]byte
	binary.BigEndian.PutUint64(b[:], n)
	h := &host{world: w, random: rand.NewChaCha8(b)}
	h.swarm = &swarm{host: h, served: map[[20]byte]served{}}
	w.swarms = append(w.swarms, h.swarm)
	return h
}

func (h *host) edges() Ports {
	return Ports{DHT: h, Poller: h.poller, Swarm: h.swarm, Clock: h, Random: h.random}
}

func (h *host) Now() time.Time { return h.now.Add(h.skew) }

func (h *host) After(d time.Duration, f func()) func() { return h.after(d, f) }

func (h *host) find(g lookup.Get) lookup.Found {
	f := lookup.Found{Target: g.Target}
	if h.offline {
		f.Err = lookup.ErrNoNodes
		return f
	}
	f.Answered, f.Asked, f.ClosestAnswered = 8, 8, 8
	f.Closest = make([]lookup.Holder, 8)
	seq := int64(-1)
	if it, ok := h.items[g.Target]; ok {
		f.Item, f.Holding, seq = &it, 8, it.Seq
	}
	for i := range f.Closest {
		f.Closest[i].Seq = seq
	}
	if h.alter != nil {
		h.alter(g, &f)
	}
	return f
}

func (h *host) Get(g lookup.Get, done func(lookup.Found)) {
	h.gets = append(h.gets, g.Target)
	h.after(50*time.Millisecond, func() { done(h.find(g)) })
}

func (h *host) Put(p lookup.Put, done func(lookup.Stored)) {
	if err := p.Item.Verify(); err != nil {
		h.t.Errorf("a put of something invalid: %v", err)
	}
	h.after(50*time.Millisecond, func() {
		var s lookup.Stored
		if s.Found = h.find(lookup.Get{Target: p.Item.Target, Mutable: p.Item.Mutable}); s.Found.Err != nil {
			s.Err = s.Found.Err
			done(s)
			return
		}
		if p.Check != nil {
			if s.Err = p.Check(s.Found); s.Err != nil {
				done(s)
				return
			}
		}
		s.Tried = 8
		h.store(p.Item, &s)
		done(s)
	})
}

// store is what a DHT node does with a put. That one key never signs two
// values under one seq is checked here, for every test.
func (h *host) store(it lookup.Item, s *lookup.Stored) {
	h.puts = append(h.puts, it)
	if it.Mutable {
		if h.signed[it.Target] == nil {
			h.signed[it.Target] = map[int64][]byte{}
		}
		if v, ok := h.signed[it.Target][it.Seq]; ok && !bytes.Equal(v, it.Value) {
			h.t.Errorf("two values were signed under seq %d", it.Seq)
		}
		h.signed[it.Target][it.Seq] = it.Value
	}
	if old, ok := h.items[it.Target]; ok && it.Mutable && (it.Seq < old.Seq || it.Seq == old.Seq && !bytes.Equal(it.Value, old.Value)) {
		s.Refused = map[int]int{302: 8}
		return
	}
	h.items[it.Target] = it
	s.Acknowledged = 8
}

// putTimes counts the puts of a target by this host.
func (h *host) putTimes(t wire.Target) int {
	n := 0
	for _, it := range h.puts {
		if it.Target == t {
			n++
		}
	}
	return n
}

// swarm is a torrent client that reaches every other.
type swarm struct {
	*host
	served map[[20]byte]served
	mute   bool          // others get nothing from it
	deaf   bool          // it gets nothing from others
	budget int64         // bytes until it is deaf; 0: any
	slow   time.Duration // to find torrent peers
	got    int64
}

type served struct {
	info    []byte
	content seed.Content
}

var errPiece = errors.New("a piece has other bytes")

func (s *swarm) Serve(info []byte, c seed.Content, _ bool) error {
	if _, ok := s.served[wire.Infohash(info)]; ok {
		s.t.Error("a torrent is served twice")
	}
	s.served[wire.Infohash(info)] = served{info, c}
	return nil
}

func (s *swarm) Stop(infohash [20]byte) { delete(s.served, infohash) }

func (s *swarm) Seeders([20]byte) int { return 0 }

// sources is whom it gets anything from.
func (s *swarm) sources() []*swarm {
	if s.deaf {
		return nil
	}
	return s.swarms
}

func (s *swarm) Fetch(f seed.Fetch) (cancel func()) {
	over := false
	done := func(r seed.Result) {
		if !over {
			over = true
			f.Done(r)
		}
	}
	if f.First == 0 || f.First > f.Stall {
		f.First = f.Stall
	}
	giveUp := s.after(f.First, func() { done(seed.Result{Err: seed.ErrStalled}) })
	s.after(100*time.Millisecond+s.slow, func() {
		if over {
			return
		}
		for _, o := range s.sources() {
			if from, ok := o.served[f.Infohash]; ok && o != s && !o.mute {
				giveUp()
				if r := s.copy(from, f); errors.Is(r.Err, seed.ErrStalled) {
					s.after(f.Stall, func() { done(r) })
				} else {
					done(r)
				}
				return
			}
		}
	})
	return func() { over = true }
}

// copy is a whole fetch in one go.
func (s *swarm) copy(from served, f seed.Fetch) seed.Result {
	r := seed.Result{Info: from.info}
	var have int64
	var c seed.Content
	if !s.pay(&r, int64(len(from.info))) {
		return r
	}
	if c, have, r.Err = f.Plan(from.info); r.Err != nil {
		return r
	}
	info, err := wire.ParseInfo(from.info)
	if err != nil {
		r.Err = err
		return r
	}
	total, unit := info.Length(), info.PieceBytes()
	wrong := false
	done, here := seed.Held(c, info.Pieces, unit, total, have, func() bool { return f.Resume })
	r.Here = here
	for i, there := range done {
		if there {
			continue
		}
		at := int64(i) * unit
		b := make([]byte, min(unit, total-at))
		if !s.pay(&r, int64(len(b))) {
			return r
		}
		if _, err := from.content.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
			s.t.Errorf("read served content: %v", err)
		}
		if _, r.Err = c.WriteAt(b, at); r.Err != nil {
			return r
		}
		if _, err := c.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
			s.t.Errorf("read back what was fetched: %v", err)
		}
		if sum := sha1.Sum(b); !bytes.Equal(sum[:], info.Pieces[i*sha1.Size:][:sha1.Size]) {
			wrong = true // and the others may be right
		}
	}
	if wrong {
		r.Err = errPiece
		return r
	}
	s.served[f.Infohash] = served{from.info, c}
	return r
}

// pay counts what is received; false: nothing more comes.
func (s *swarm) pay(r *seed.Result, n int64) bool {
	if s.budget > 0 {
		if s.budget -= n; s.budget <= 0 {
			s.deaf, s.budget = true, 0
			r.Err = seed.ErrStalled
			return false
		}
	}
	r.Received += n
	s.got += n
	return true
}

// memory is content in memory.
type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, off) }

func (m *memory) WriteAt(p []byte, off int64) (int, error) { return copy(m.b[off:], p), nil }

// pieces is the packed piece hashes of content.
func pieces(content []byte) []byte {
	var p []byte
	for piece := range slices.Chunk(content, wire.PieceBytes) {
		sum := sha1.Sum(piece)
		p = append(p, sum[:]...)
	}
	return p
}
