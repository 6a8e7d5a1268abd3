package simnet

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"weir/internal/lookup"
)

// ErrKilled is what a Put's Check is answered with when its host has died.
var ErrKilled = errors.New("the host was killed")

// HostConfig is what a Host needs.
type HostConfig struct {
	Bootstrap []netip.AddrPort
	// Lookup, when set, changes the look-up machine's configuration before it is made, at every start.
	Lookup func(c *lookup.Config)
	// Clock is what the host's clock is wrong by.
	Clock time.Duration
}

// Host is a machine that runs our own look-up code on the simulated network,
// as the program does on a real one. Callbacks run on the world's loop, never
// inside a call. After Kill nothing of the ended life is called any more; a new
// life begins with Restart.
type Host struct {
	*Endpoint
	config HostConfig
	client *lookup.Client
	inside bool // in Handle or Tick: they flush when they are done
	ticks  func()
	wake   Timer
	wakeAt time.Time // when wake fires; zero: it is not set
}

// NewHost makes a living host at the network's next address.
func NewHost(n *Network, c HostConfig) *Host {
	h := &Host{config: c}
	h.ticks = h.tick
	h.Endpoint = n.Endpoint(h.handle)
	h.start()
	return h
}

func (h *Host) start() {
	c := lookup.Config{
		Random:    h.net.world.Random("lookup/" + h.addr.String()),
		Bootstrap: h.config.Bootstrap,
	}
	if h.config.Lookup != nil {
		h.config.Lookup(&c)
	}
	h.client = lookup.New(c)
}

// Kill ends the host's life at once, as a power cut does: look-ups under way
// and timers are gone, and what stale code still calls does nothing.
func (h *Host) Kill() {
	h.Endpoint.Kill()
	h.wake.Stop()
	h.wakeAt = time.Time{}
	h.client = nil
	h.inside = false
}

// Restart begins a new life, with nothing remembered.
func (h *Host) Restart() {
	if h.up {
		h.Kill()
	}
	h.Endpoint.Restart()
	h.start()
}

// Now is the time by the host's clock, which may be wrong.
func (h *Host) Now() time.Time { return h.net.world.Now().Add(h.config.Clock) }

// Mono is time since the world's start: the host's monotonic clock, which is
// right however wrong the other is.
func (h *Host) Mono() time.Duration { return h.net.world.Elapsed() }

// SetClock changes what the host's clock is wrong by.
func (h *Host) SetClock(by time.Duration) { h.config.Clock = by }

// After runs f when d has passed, unless it is cancelled or the life ends.
func (h *Host) After(d time.Duration, f func()) (cancel func()) {
	return h.Endpoint.After(d, f).Stop
}

// Get looks an item up.
func (h *Host) Get(g lookup.Get, done func(lookup.Found)) {
	if !h.up {
		return
	}
	h.client.Get(h.net.world.Now(), g, living(h, done))
	h.flush()
}

// Put stores an item.
func (h *Host) Put(p lookup.Put, done func(lookup.Stored)) {
	if !h.up {
		return
	}
	if check := p.Check; check != nil {
		life := h.life
		p.Check = func(f lookup.Found) error {
			if h.life != life {
				return ErrKilled
			}
			return check(f)
		}
	}
	h.client.Put(h.net.world.Now(), p, living(h, done))
	h.flush()
}

// Poll asks for the newest items of many keys: see lookup.Client.Poll.
func (h *Host) Poll(p lookup.Poll, each func(i int, r lookup.Polled), done func(lookup.PollReport)) {
	if !h.up {
		return
	}
	life := h.life
	h.client.Poll(h.net.world.Now(), p, func(i int, r lookup.Polled) {
		if h.life == life {
			each(i, r)
		}
	}, living(h, done))
	h.flush()
}

// Holders is what polls remember, and AddHolders remembers it in another life.
func (h *Host) Holders() []byte {
	if !h.up {
		return nil
	}
	return h.client.Holders()
}

// AddHolders is described at Holders.
func (h *Host) AddHolders(b []byte) error {
	if !h.up {
		return nil
	}
	return h.client.AddHolders(h.net.world.Now(), b)
}

// AddNodes remembers DHT nodes, and Nodes gives the best known, as a cache
// across restarts would.
func (h *Host) AddNodes(nodes []lookup.Node) {
	if h.up {
		h.client.AddNodes(nodes)
	}
}

// Nodes gives at most max of the DHT nodes the host knows.
func (h *Host) Nodes(max int) []lookup.Node {
	if !h.up {
		return nil
	}
	return h.client.Nodes(max)
}

// living calls f only in the life in which it was made: a callback may kill
// the host while the machine has others to make.
func living[T any](h *Host, f func(T)) func(T) {
	life := h.life
	return func(v T) {
		if h.life == life {
			f(v)
		}
	}
}

// handle takes a datagram from the network.
func (h *Host) handle(from netip.AddrPort, data []byte) {
	life := h.enter()
	h.client.Handle(h.net.world.Now(), from, data)
	h.leave(life)
}

// tick lets the machine run its timeouts.
func (h *Host) tick() {
	h.wakeAt = time.Time{}
	life := h.enter()
	h.client.Tick(h.net.world.Now())
	h.leave(life)
}

// enter begins a turn of the machine.
func (h *Host) enter() (life uint32) {
	h.inside = true
	return h.life
}

// leave ends it and sends what the machine wants sent. A callback may have
// ended the life in the meantime.
func (h *Host) leave(life uint32) {
	if h.life == life {
		h.inside = false
		h.flush()
	}
}

// flush sends the machine's packets and sees that it is woken in time.
func (h *Host) flush() {
	if h.inside {
		return
	}
	for _, p := range h.client.Packets() {
		h.Send(p.To, p.Data)
	}
	next := h.client.Next()
	if next.IsZero() || !h.wakeAt.IsZero() && !next.Before(h.wakeAt) {
		return
	}
	h.wake.Stop()
	h.wakeAt = next
	h.wake = h.Endpoint.After(next.Sub(h.net.world.Now()), h.ticks)
}

// String names the host in tests and traces.
func (h *Host) String() string { return fmt.Sprintf("host %s", h.addr.Addr()) }
