package swarm

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"weir/internal/lookup"
)

const (
	announceInterval = 5 * time.Minute // on average, of a torrent that does not have to wait for others
	announceRate     = 1               // torrents a second
	announceBurst    = 8
	meetInterval     = 20 * time.Second // of who is behind a NAT and knows up to meetPeers others
	meetPeers        = 4
	handInterval     = time.Hour // met torrent peers are offered to every torrent again
	metMax           = 512
)

// addressesPerIP is how many torrent peers behind one public IP address are
// remembered, so that nobody drives all others out.
const addressesPerIP = 8

// addresses are the newest so many addresses, in the order they came.
type addresses struct {
	max   int
	order []netip.AddrPort
}

func newAddresses(max int) *addresses { return &addresses{max: max} }

// add takes addresses that can be dialled, and gives those that were not there.
func (a *addresses) add(peers ...netip.AddrPort) (fresh []netip.AddrPort) {
	for _, p := range peers {
		p = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
		if !p.Addr().IsValid() || p.Addr().IsUnspecified() || p.Addr().IsMulticast() || p.Port() == 0 {
			continue
		}
		if slices.Contains(a.order, p) {
			continue
		}
		if first, n := a.of(p.Addr()); n >= addressesPerIP {
			a.order = slices.Delete(a.order, first, first+1)
		} else if len(a.order) >= a.max {
			a.order = slices.Delete(a.order, 0, 1)
		}
		a.order = append(a.order, p)
		fresh = append(fresh, p)
	}
	return fresh
}

// of counts the addresses with a public IP and says where the oldest stands.
// Those with another do not count.
func (a *addresses) of(ip netip.Addr) (first, n int) {
	if !lookup.Public(ip) {
		return 0, 0
	}
	for i := len(a.order) - 1; i >= 0; i-- {
		if a.order[i].Addr() == ip {
			first, n = i, n+1
		}
	}
	return first, n
}

func (a *addresses) list() []netip.AddrPort { return slices.Clone(a.order) }

// AddPeers hands torrent peers to every torrent: members that have met.
func (c *Client) AddPeers(peers []netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offerSoon(nil, c.met.add(peers...))
}

// MetPeers is the torrent peers that were met or handed in with AddPeers.
func (c *Client) MetPeers() []netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met.list()
}

// Meet announces an infohash that no torrent has, and hands whom it finds
// there to every torrent, until it is told to leave.
func (c *Client) Meet(infohash [20]byte) (leave func()) {
	c.mu.Lock()
	if _, ok := c.meets[infohash]; !ok {
		c.meets[infohash] = time.Time{}
	}
	c.mu.Unlock()
	c.kick()
	return func() {
		c.mu.Lock()
		delete(c.meets, infohash)
		c.mu.Unlock()
	}
}

// offered is addresses for one torrent, or for every one.
type offered struct {
	share *share // nil: every one
	peers []netip.AddrPort
}

// found takes what a look-up for a share gave.
func (c *Client) found(s *share, peers []netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.known.add(peers...)
	c.offerSoon(s, peers)
}

// offerSoon lets the keeper offer addresses, so that whoever found them does
// not wait for the library. mu is held.
func (c *Client) offerSoon(s *share, peers []netip.AddrPort) {
	if len(peers) > 0 && !c.closed {
		c.offers = append(c.offers, offered{s, peers})
		c.kick()
	}
}

// hand offers what is waiting to be offered.
func (c *Client) hand() {
	c.admin.Lock()
	defer c.admin.Unlock()
	c.mu.Lock()
	offers := c.offers
	c.offers = nil
	shares := slices.Collect(maps.Values(c.shares))
	c.mu.Unlock()
	for _, o := range offers {
		for _, s := range shares {
			if o.share == nil || o.share == s {
				c.offer(s, o.peers)
			}
		}
	}
}

// whenever calls f at once, when told to, and when the time that f gave has passed;
// 0: not before it is told to. It ends when the client is closed.
func (c *Client) whenever(told <-chan struct{}, f func(now time.Time) (again time.Duration)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-told:
		case <-timer.C:
		}
		if again := f(time.Now()); again > 0 {
			timer.Reset(again)
		}
	}
}

// keep announces what is due until the client is closed.
func (c *Client) keep() {
	handed := time.Now()
	c.whenever(c.wake, func(now time.Time) time.Duration {
		if now.Sub(handed) >= handInterval {
			handed = now
			c.mu.Lock()
			c.offerSoon(nil, c.met.list())
			c.mu.Unlock()
		}
		c.hand()
		c.dropBroken()
		c.part(now)
		return min(c.announceDue(now), 2*partAfter)
	})
}

// announceDue announces what is due and says for how long nothing more is.
// Torrents have their turn one by one, however many there are.
func (c *Client) announceDue(now time.Time) time.Duration {
	wait := handInterval
	if c.muted.Load() {
		return wait
	}
	var meets [][20]byte
	var due []*share
	c.mu.Lock()
	for infohash, at := range c.meets {
		if !at.After(now) {
			meets = append(meets, infohash)
			at = now.Add(jitter(c.meetAgain()))
			c.meets[infohash] = at
		}
		wait = min(wait, at.Sub(now))
	}
	for _, s := range c.shares {
		if !s.announce {
			continue
		}
		if !s.next.After(now) {
			due = append(due, s)
		} else {
			wait = min(wait, s.next.Sub(now))
		}
	}
	slices.SortFunc(due, turn)
	for i, s := range due {
		r := c.pace.ReserveN(now, 1)
		if delay := r.DelayFrom(now); delay > 0 {
			r.CancelAt(now)
			due, wait = due[:i], min(wait, delay)
			break
		}
		s.next = now.Add(jitter(announceInterval))
		wait = min(wait, s.next.Sub(now))
	}
	c.mu.Unlock()
	for _, infohash := range meets {
		c.announce(infohash, c.meet)
	}
	for _, s := range due {
		c.look(s, true)
	}
	return wait
}

// turn orders torrents that are due: those that were never announced come first,
// the newest of them before all, and then those that wait longest.
func turn(a, b *share) int {
	switch {
	case a.next.IsZero() && b.next.IsZero():
		return cmp.Compare(b.number, a.number)
	case a.next.Equal(b.next):
		return cmp.Compare(a.number, b.number)
	}
	return a.next.Compare(b.next)
}

// callAgain is how many of those who are at a meeting are called once more.
const callAgain = 8

// meet takes who was found at a meeting. Behind a NAT a few of those that are
// known already are called again, for any torrent: that opens the way in for
// them, of which they know nothing.
func (c *Client) meet(peers []netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offerSoon(nil, c.met.add(peers...))
	if c.reached || len(c.shares) == 0 {
		return
	}
	rand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
	all := slices.Collect(maps.Values(c.shares))
	c.offerSoon(all[rand.IntN(len(all))], peers[:min(callAgain, len(peers))])
}

// meetAgain is when to look who has come to a meeting. Two torrent peers behind
// NATs connect only when both call at the same time, and who has just come has
// called everybody: so those who wait look often. The more there are, the more
// rarely each looks, so that whoever keeps the meeting place is asked as often by
// many as by a few. mu is held.
func (c *Client) meetAgain() time.Duration {
	if c.reached {
		return announceInterval
	}
	return min(meetInterval*time.Duration(1+len(c.met.order)/meetPeers), announceInterval)
}

// look offers a share everybody who is known again, and finds more.
func (c *Client) look(s *share, announce bool) {
	found := func(peers []netip.AddrPort) { c.found(s, peers) }
	if announce {
		c.announce(s.infohash, found)
		return
	}
	c.admin.Lock()
	if c.share(s.infohash) == s {
		c.offer(s, c.everybody(s))
	}
	c.admin.Unlock()
	c.mu.Lock()
	s.metadata.forgive()
	c.mu.Unlock()
	if c.config.Peers != nil {
		c.config.Peers.GetPeers(s.infohash, found)
	}
}

func (c *Client) announce(infohash [20]byte, found func([]netip.AddrPort)) {
	if c.config.Peers == nil {
		return
	}
	port := c.sockets.addr.Port()
	if port == c.config.Listen.Port() {
		port = 0 // the DHT's, as nodes see it: a NAT may have made another of it
	}
	c.config.Peers.Announce(infohash, port, found)
}

// jitter is d give or take a fifth.
func jitter(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5)
}
