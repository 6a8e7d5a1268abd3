package mainline

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	queryRate    = 100 // queries a second that one address may send
	queryBurst   = 400
	localFactor  = 10 // times as many, one port of this machine
	limiterSlots = 1024
)

// limiter counts queries by source address in a room of fixed size, where addresses may
// share a slot. So nobody can make the node flood a third party whose address was
// forged: an answer is up to ten times as long as its query. On this machine every
// port is a node of its own.
type limiter struct {
	seed  maphash.Seed
	slots [limiterSlots]struct {
		tokens float64
		last   time.Time
	}
}

func newLimiter() *limiter { return &limiter{seed: maphash.MakeSeed()} }

// allow says whether whoever is at an address may send a query now.
func (l *limiter) allow(from netip.AddrPort, now time.Time) bool {
	var b [18]byte
	ip := from.Addr().As16()
	copy(b[:], ip[:])
	rate, burst := float64(queryRate), float64(queryBurst)
	if from.Addr().IsLoopback() {
		binary.BigEndian.PutUint16(b[16:], from.Port())
		rate, burst = localFactor*rate, localFactor*burst
	}
	s := &l.slots[maphash.Bytes(l.seed, b[:])%limiterSlots]
	if s.last.IsZero() {
		s.tokens = burst
	} else {
		s.tokens = min(burst, s.tokens+now.Sub(s.last).Seconds()*rate)
	}
	s.last = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}
