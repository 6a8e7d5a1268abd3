package member

import (
	"io"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/internal/sign"
)

// DHT finds and stores BEP-44 items. What it finds is valid: whoever
// implements it has checked every item (lookup.Item.Verify).
type DHT interface {
	Get(g lookup.Get, done func(lookup.Found))
	Put(p lookup.Put, done func(lookup.Stored))
}

// Poller asks for newest items from nodes that it remembers: see
// lookup.Client.Poll. What it gives is valid, as that of a DHT is.
type Poller interface {
	Poll(p lookup.Poll, each func(i int, r lookup.Polled), done func(lookup.PollReport))
}

// Clock is the wall clock, which may be wrong and may leap, and a timer.
type Clock interface {
	Now() time.Time
	After(d time.Duration, f func()) (cancel func())
}

// Ports is everything a role of this package needs of the world. Callbacks run
// on one loop, never inside the call that started them.
type Ports struct {
	DHT      DHT
	Poller   Poller // nil: every look at the head is a traversal
	Swarm    seed.Swarm
	Clock    Clock
	Random   io.Reader     // cryptographic in the program, a seed in the world
	Verify   sign.Verifier // signatures of changes; nil: sign.ZIP215
	Standard lookup.Verify // signatures of checkpoints; nil: crypto/ed25519
}

func (p Ports) withDefaults() Ports {
	if p.Verify == nil {
		p.Verify = sign.ZIP215{}
	}
	if p.Standard == nil {
		p.Standard = lookup.VerifyEd25519
	}
	return p
}
