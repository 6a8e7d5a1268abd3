package mainline

import (
	"bytes"
	"net/netip"
	"sync"
	"time"
)

const (
	askedFor = 30 * time.Second // at least: longer than anybody here waits for an answer
	askedMax = 1 << 16          // addresses of a half; when they are more, the time is shorter

	// Replies let in for each query, and at most of one address at a time. One is honest. With just one,
	// whoever sends from false addresses could keep the true answer out.
	repliesEach = 16
	repliesMax  = 64
)

// asked is how many replies may still come from each address that queries went to
// lately. All others are dropped before anybody copies and decodes them: neither
// strangers nor a node that was asked something can flood us with them.
type asked struct {
	mu     sync.Mutex
	began  time.Time // of newer
	newer  map[netip.AddrPort]int
	before map[netip.AddrPort]int // the half before newer
}

// isQuery says whether a datagram of ours is a query: KRPC's "a" sorts first.
func isQuery(b []byte) bool { return bytes.HasPrefix(b, []byte("d1:a")) }

// add notes that a query goes to an address.
func (a *asked) add(to netip.AddrPort, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.newer == nil || len(a.newer) >= askedMax || now.Sub(a.began) >= askedFor {
		a.before, a.newer, a.began = a.newer, make(map[netip.AddrPort]int), now
	}
	a.newer[to] = min(a.newer[to]+repliesEach, repliesMax)
}

// take says whether a reply of an address is let in, and counts it.
func (a *asked) take(from netip.AddrPort) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, half := range []map[netip.AddrPort]int{a.before, a.newer} {
		if n := half[from]; n > 0 {
			if half[from] = n - 1; n == 1 {
				delete(half, from)
			}
			return true
		}
	}
	return false
}
