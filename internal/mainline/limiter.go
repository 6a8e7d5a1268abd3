package mainline

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	queryRate    = 100 // queries a second that one address may send
	queryBurst   = 400
	limiterSlots = 1024
)

// limiter counts queries by source address in a room of fixed size, where addresses may
// share a slot. So nobody can make the node flood a third party whose address was
// forged: an answer is up to ten times as long as its query.
type limiter struct {
	seed  maphash.Seed
	slots [limiterSlots]struct {
		tokens float64
		last   time.Time
	}
}

func newLimiter() *limiter { return &limiter{seed: maphash.MakeSeed()} }

// allow says whether the address may send a query now. This machine always may.
func (l *limiter) allow(a netip.Addr, now time.Time) bool {
	if a.IsLoopback() {
		return true
	}
	b := a.As16()
	s := &l.slots[maphash.Bytes(l.seed, b[:])%limiterSlots]
	if s.last.IsZero() {
		s.tokens = queryBurst
	} else {
		s.tokens = min(queryBurst, s.tokens+now.Sub(s.last).Seconds()*queryRate)
	}
	s.last = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}
