package simnet

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"time"
)

// Start is when every world begins.
var Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// World is a clock and the events to come. One goroutine owns it and
// everything that is in it.
type World struct {
	seed    uint64
	now     int64 // nanoseconds since Start
	made    uint64
	done    uint64
	queue   queue
	slots   []event
	free    []uint32
	trace   trace
	streams map[string]*rand.ChaCha8
}

// event is a timer (fire) or a packet (to). Neither: it was cancelled.
type event struct {
	fire func()
	of   *Endpoint // whose timer it is; nil: nobody's
	life uint32    // of that endpoint
	to   *Endpoint
	pkt  packet
	use  uint32 // how often the slot was used: an old Timer cannot stop a new event
}

// NewWorld makes an empty world. Everything random in it comes from seed.
func NewWorld(seed uint64) *World {
	return &World{
		seed:    seed,
		queue:   make(queue, 0, 4096),
		slots:   make([]event, 0, 4096),
		streams: make(map[string]*rand.ChaCha8),
	}
}

// Now is the world's time. It never goes backwards.
func (w *World) Now() time.Time { return Start.Add(time.Duration(w.now)) }

// Elapsed is how long the world has run.
func (w *World) Elapsed() time.Duration { return time.Duration(w.now) }

// Events is how many events have happened.
func (w *World) Events() uint64 { return w.done }

// Hash sums up everything that has happened so far.
func (w *World) Hash() uint64 { return uint64(w.trace) }

// Note adds something that happened outside the network to the hash: what a
// role decided, what a disk holds.
func (w *World) Note(b []byte) { w.trace.bytes(b) }

// Stream is the random numbers for one purpose, and Random the bytes. The
// same purpose asked for again goes on where it was: a restarted host does not
// repeat its nonces.
func (w *World) Stream(purpose string) *rand.Rand { return rand.New(w.source(purpose)) }

// Random is Stream as bytes.
func (w *World) Random(purpose string) io.Reader { return w.source(purpose) }

func (w *World) source(purpose string) *rand.ChaCha8 {
	s := w.streams[purpose]
	if s == nil {
		s = rand.NewChaCha8(sha256.Sum256(binary.BigEndian.AppendUint64([]byte(purpose+"\x00"), w.seed)))
		w.streams[purpose] = s
	}
	return s
}

// Timer is an event to come that can be stopped. The zero Timer is stopped.
type Timer struct {
	world *World
	slot  uint32
	use   uint32
}

// Stop makes sure the timer does not fire. It may have fired before.
func (t Timer) Stop() {
	if t.world == nil {
		return
	}
	if e := &t.world.slots[t.slot]; e.use == t.use {
		e.fire = nil
	}
}

// After runs f on the loop when d has passed. A d below zero is zero; f never
// runs inside After.
func (w *World) After(d time.Duration, f func()) Timer { return w.after(d, nil, f) }

// after is After for the present life of an endpoint.
func (w *World) after(d time.Duration, of *Endpoint, f func()) Timer {
	slot := w.slot()
	e := &w.slots[slot]
	e.fire = f
	if of != nil {
		e.of, e.life = of, of.life
	}
	w.schedule(d, slot)
	return Timer{world: w, slot: slot, use: e.use}
}

// slot gives an empty slot.
func (w *World) slot() uint32 {
	if n := len(w.free); n > 0 {
		slot := w.free[n-1]
		w.free = w.free[:n-1]
		return slot
	}
	w.slots = append(w.slots, event{})
	return uint32(len(w.slots) - 1)
}

func (w *World) schedule(d time.Duration, slot uint32) {
	w.made++
	w.queue.push(due{at: w.now + max(0, int64(d)), seq: w.made, slot: slot})
}

// Step makes the next event happen, at its time; false: there is none. A
// timer that was stopped is passed over.
func (w *World) Step() bool {
	for len(w.queue) > 0 {
		if w.happen(w.queue.pop()) {
			return true
		}
	}
	return false
}

// happen makes one event happen; false: it was stopped before.
func (w *World) happen(d due) bool {
	e := &w.slots[d.slot]
	fire, of, life, to, pkt := e.fire, e.of, e.life, e.to, e.pkt
	*e = event{use: e.use + 1}
	w.free = append(w.free, d.slot)
	if fire == nil && to == nil {
		return false
	}
	w.now = d.at
	w.done++
	w.trace.word(uint64(d.at))
	w.trace.word(d.seq)
	if to != nil {
		to.net.deliver(to, pkt)
		return true
	}
	if of == nil || of.life == life {
		fire()
	}
	return true
}

// Run makes everything happen that is due within d, and ends d later.
func (w *World) Run(d time.Duration) {
	until := w.now + int64(d)
	for len(w.queue) > 0 && w.queue[0].at <= until {
		w.happen(w.queue.pop())
	}
	w.now = max(w.now, until)
}

// RunUntil runs until done says so, and looks after every event; false: it did
// not within limit.
func (w *World) RunUntil(limit time.Duration, done func() bool) bool {
	until := w.now + int64(limit)
	for !done() {
		if len(w.queue) == 0 || w.queue[0].at > until {
			w.now = max(w.now, until)
			return false
		}
		w.happen(w.queue.pop())
	}
	return true
}
