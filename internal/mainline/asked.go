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
)

// asked is the addresses that queries went to lately. Replies of others answer
// nothing, and are dropped before anybody copies and decodes them.
type asked struct {
	mu     sync.Mutex
	began  time.Time // of newer
	newer  map[netip.AddrPort]struct{}
	before map[netip.AddrPort]struct{} // the half before newer
}

// isQuery says whether a datagram of ours is a query: KRPC's "a" sorts first.
func isQuery(b []byte) bool { return bytes.HasPrefix(b, []byte("d1:a")) }

// add notes that a query goes to an address.
func (a *asked) add(to netip.AddrPort, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.newer == nil || len(a.newer) >= askedMax || now.Sub(a.began) >= askedFor {
		a.before, a.newer, a.began = a.newer, make(map[netip.AddrPort]struct{}), now
	}
	a.newer[to] = struct{}{}
}

// has says whether a query went to an address lately.
func (a *asked) has(from netip.AddrPort) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, newer := a.newer[from]
	_, before := a.before[from]
	return newer || before
}
