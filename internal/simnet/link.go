package simnet

import (
	"math/rand/v2"
	"time"
)

// Link is what happens to packets between two addresses. The zero Link is
// perfect, with no delay at all. Shares are between 0 and 1, of packets, and
// hold each way.
type Link struct {
	RTT    time.Duration // there and back
	Jitter time.Duration // a round trip takes RTT ± Jitter, each half of it on each way

	Tail      float64       // share that is delayed by more, exponentially
	TailDelay time.Duration // how much more on average; 0: RTT

	Loss      float64
	Duplicate float64 // share that arrives twice
	Reorder   float64 // share that is held back for up to one RTT, so that later ones overtake it
}

// way draws how long one packet takes one way.
func (l *Link) way(r *rand.PCG) time.Duration {
	d := l.RTT / 2
	if l.Jitter > 0 {
		d += time.Duration((unit(r) - 0.5) * float64(l.Jitter))
	}
	if chance(r, l.Tail) {
		mean := l.TailDelay
		if mean == 0 {
			mean = l.RTT
		}
		d += time.Duration(exponential(r) * float64(mean))
	}
	if chance(r, l.Reorder) {
		d += time.Duration(unit(r) * float64(l.RTT))
	}
	return max(d, 0)
}

// unit draws from [0, 1).
func unit(r *rand.PCG) float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// chance draws only when there is one, so that links without a fault are fast.
func chance(r *rand.PCG, share float64) bool { return share > 0 && unit(r) < share }

// exponential draws with mean 1.
func exponential(r *rand.PCG) float64 { return rand.New(r).ExpFloat64() }
