package lookup

import (
	"net/netip"
	"time"
)

const (
	silentFor   = time.Hour // after the last query in vain, at least, and less than twice as long
	silentMax   = 4096      // addresses of a half; when they are more, the time is shorter
	silentAfter = 2         // queries in a row, all tries of each
	deafAfter   = 32        // queries in a row to anybody
)

// silence remembers nodes that do not answer. Others go on naming them for as long
// as an hour, and in a network with much coming and going they would cost a
// traversal more packets, and more time, than those who are there. They are asked
// all the same, but once, and nobody waits for them before asking others: whoever
// is back is heard at its first answer.
type silence struct {
	began  time.Time // of newer
	newer  map[netip.AddrPort]uint8
	before map[netip.AddrPort]uint8 // the half before newer
}

// failed notes a query to an address that was in vain.
func (s *silence) failed(a netip.AddrPort, now time.Time) {
	s.age(now)
	if len(s.newer) >= silentMax {
		s.before, s.newer, s.began = s.newer, nil, now
	}
	if s.newer == nil {
		s.newer = make(map[netip.AddrPort]uint8)
		if s.before == nil {
			s.began = now
		}
	}
	s.newer[a] = min(max(s.newer[a], s.before[a])+1, silentAfter)
}

// answered notes that an address answers.
func (s *silence) answered(a netip.AddrPort) {
	delete(s.newer, a)
	delete(s.before, a)
}

// age forgets what is too old.
func (s *silence) age(now time.Time) {
	switch old := now.Sub(s.began); {
	case old >= 2*silentFor:
		s.before, s.newer = nil, nil
	case old >= silentFor:
		s.before, s.newer, s.began = s.newer, nil, s.began.Add(silentFor)
	}
}

// of says whether nothing is to be expected of an address.
func (s *silence) of(a netip.AddrPort, now time.Time) bool {
	s.age(now)
	return s.newer[a] >= silentAfter || s.before[a] >= silentAfter
}

// deaf says that nobody answers, as when the cable is pulled.
func (c *Client) deaf() bool { return c.unheard >= deafAfter }

// hopeless says whether an address is asked once only.
func (c *Client) hopeless(a netip.AddrPort, now time.Time) bool {
	return c.deaf() || c.silent.of(a, now)
}
