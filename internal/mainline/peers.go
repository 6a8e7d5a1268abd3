package mainline

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	peer_store "github.com/anacrolix/dht/v2/peer-store"

	"weir/internal/lookup"
)

const (
	peerExpiry   = 45 * time.Minute // clients announce every 5 to 30 minutes
	peersMax     = 1 << 15          // of all infohashes one node keeps
	peersEachMax = 256              // of one infohash
	peersPerIP   = 8                // of them, of one public IP address, so that nobody drives all others out
	peersGiven   = 50               // in one answer: 400 bytes
)

// peers is a peer_store.Interface with an end, which gives the addresses it
// was given. Torrent peers behind one IP address are told apart by their ports.
type peers struct {
	now func() time.Time
	max int

	mu    sync.Mutex
	by    map[peer_store.InfoHash]map[netip.AddrPort]*list.Element // of order
	order list.List                                                // of *storedPeer, the oldest first
}

type storedPeer struct {
	infohash peer_store.InfoHash
	addr     netip.AddrPort
	at       time.Time
}

func newPeers(max int, now func() time.Time) *peers {
	return &peers{now: now, max: max, by: make(map[peer_store.InfoHash]map[netip.AddrPort]*list.Element)}
}

// AddPeer implements peer_store.Interface. The port is what a stranger sent.
func (s *peers) AddPeer(ih peer_store.InfoHash, na krpc.NodeAddr) {
	addr, ok := addrPort(na)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &storedPeer{infohash: ih, addr: addr, at: s.now()}
	if old := s.by[ih][addr]; old != nil {
		s.remove(old)
	}
	if ip := addr.Addr(); lookup.Public(ip) {
		same := func(a netip.AddrPort) bool { return a.Addr() == ip }
		if n, oldest := s.oldest(ih, same); n >= peersPerIP {
			s.remove(oldest)
		}
	}
	if len(s.by[ih]) >= peersEachMax {
		_, oldest := s.oldest(ih, func(netip.AddrPort) bool { return true })
		s.remove(oldest)
	}
	if s.by[ih] == nil {
		s.by[ih] = make(map[netip.AddrPort]*list.Element)
	}
	s.by[ih][addr] = s.order.PushBack(p)
	for front := s.order.Front(); front != nil; front = s.order.Front() {
		if s.order.Len() <= s.max && p.at.Sub(front.Value.(*storedPeer).at) < peerExpiry {
			break
		}
		s.remove(front)
	}
}

// GetPeers implements peer_store.Interface: some of the torrent peers, others each time.
func (s *peers) GetPeers(ih peer_store.InfoHash) []krpc.NodeAddr {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var some []krpc.NodeAddr
	for addr, e := range s.by[ih] {
		if now.Sub(e.Value.(*storedPeer).at) >= peerExpiry {
			continue
		}
		var na krpc.NodeAddr
		na.FromAddrPort(addr)
		if some = append(some, na); len(some) == peersGiven {
			break
		}
	}
	return some
}

// oldest counts some torrent peers of an infohash and finds the one that was there
// first.
func (s *peers) oldest(ih peer_store.InfoHash, some func(netip.AddrPort) bool) (n int, oldest *list.Element) {
	for addr, e := range s.by[ih] {
		if !some(addr) {
			continue
		}
		n++
		if oldest == nil || e.Value.(*storedPeer).at.Before(oldest.Value.(*storedPeer).at) {
			oldest = e
		}
	}
	return n, oldest
}

func (s *peers) remove(e *list.Element) {
	p := s.order.Remove(e).(*storedPeer)
	delete(s.by[p.infohash], p.addr)
	if len(s.by[p.infohash]) == 0 {
		delete(s.by, p.infohash)
	}
}

func (s *peers) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order.Len()
}

// addrPort is an address that a stranger wrote; false: nobody can be there.
func addrPort(na krpc.NodeAddr) (netip.AddrPort, bool) {
	ip, ok := netip.AddrFromSlice(na.IP)
	ip = ip.Unmap()
	if !ok || na.Port < 1 || na.Port > 65535 || ip.IsUnspecified() || ip.IsMulticast() {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip, uint16(na.Port)), true
}
