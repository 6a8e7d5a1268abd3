package manager

import (
	"io"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/internal/sign"
)

// DHT finds and stores BEP-44 items.
type DHT interface {
	Get(g lookup.Get, done func(lookup.Found))
	Put(p lookup.Put, done func(lookup.Stored))
}

// Clock is the time. Now is the wall clock, which may be wrong and may leap;
// Mono is time since some start, which does not.
type Clock interface {
	Now() time.Time
	Mono() time.Duration
	After(d time.Duration, f func()) (cancel func())
}

// Poller asks for the newest items of many keys, from nodes that it remembers:
// see lookup.Client.Poll. The manager keeps what Holders gives from one life to
// the next.
type Poller interface {
	Poll(p lookup.Poll, each func(i int, r lookup.Polled), done func(lookup.PollReport))
	Holders() []byte
	AddHolders(b []byte) error
}

// Ports is everything a Manager needs of the world.
type Ports struct {
	DHT    DHT
	Poller Poller
	Swarm  seed.Swarm
	Clock  Clock
	Random io.Reader // cryptographic in the program, a seed in the world
	Verify sign.Verifier
}
