package swarm

import (
	"net"
	"net/netip"
	"time"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/iplist"
)

const (
	banFor     = time.Hour
	bansMax    = 2048
	sweepEvery = time.Minute
	strikesMax = 3 // connections from one IP address that sent rubbish, after which it is refused
)

// bans are the torrent peers that sent rubbish. An address and port is not
// dialled again at once; an IP address, behind which others may be, is refused
// only after several strikes, and one of this machine never.
type bans struct {
	addrs   map[netip.AddrPort]time.Time // until when
	strikes map[netip.Addr]*strikes
	swept   time.Time // it costs a walk over everything
}

type strikes struct {
	count int
	until time.Time
}

func newBans() bans {
	return bans{addrs: make(map[netip.AddrPort]time.Time), strikes: make(map[netip.Addr]*strikes)}
}

func (b *bans) strike(a netip.AddrPort, now time.Time) {
	if len(b.addrs) < bansMax || b.sweep(now) {
		b.addrs[a] = now.Add(banFor)
	}
	ip := a.Addr()
	if ip.IsLoopback() {
		return
	}
	s := b.strikes[ip]
	if s == nil || now.After(s.until) {
		if len(b.strikes) >= bansMax && !b.sweep(now) {
			return
		}
		s = new(strikes)
		b.strikes[ip] = s
	}
	s.count++
	s.until = now.Add(banFor)
}

// sweep forgets what is over and says whether there is room.
func (b *bans) sweep(now time.Time) bool {
	if now.Sub(b.swept) < sweepEvery {
		return false
	}
	b.swept = now
	for a, until := range b.addrs {
		if now.After(until) {
			delete(b.addrs, a)
		}
	}
	for ip, s := range b.strikes {
		if now.After(s.until) {
			delete(b.strikes, ip)
		}
	}
	return len(b.addrs) < bansMax && len(b.strikes) < bansMax
}

func (b *bans) refused(ip netip.Addr, now time.Time) bool {
	s := b.strikes[ip]
	return s != nil && s.count >= strikesMax && now.Before(s.until)
}

func (b *bans) banned(a netip.AddrPort, now time.Time) bool {
	return now.Before(b.addrs[a]) || b.refused(a.Addr(), now)
}

func (c *Client) banned(a netip.AddrPort) bool {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bans.banned(a, time.Now())
}

// strike cuts a torrent peer off that sent what does not verify. mu is held.
func (c *Client) strike(k *conn) {
	if k.share != nil {
		k.share.wrong++
	}
	a, err := netip.ParseAddrPort(k.pc.RemoteAddr.String())
	if err == nil {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if k.pc.Discovery == torrent.PeerSourceIncoming && k.port != 0 {
			a = netip.AddrPortFrom(a.Addr(), k.port)
		}
		c.bans.strike(a, time.Now())
	}
	c.cut(k)
}

// cut closes a connection. mu is held, and maybe the library's lock.
func (c *Client) cut(k *conn) {
	if !k.dead {
		k.dead = true
		go k.pc.Close()
	}
}

// blocklist shows the refused IP addresses to the library (iplist.Ranger).
type blocklist struct{ *Client }

func (b blocklist) NumRanges() int { return 0 }

func (b blocklist) Lookup(ip net.IP) (r iplist.Range, ok bool) {
	a, valid := netip.AddrFromSlice(ip)
	if !valid {
		return r, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return r, b.bans.refused(a.Unmap(), time.Now())
}
