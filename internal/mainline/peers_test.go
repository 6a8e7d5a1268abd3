package mainline

import (
	"net/netip"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
)

func TestNobodyDrivesTheOtherPeersOut(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := newPeers(peersMax, func() time.Time { return now })
	announce := func(ip string, port int) {
		now = now.Add(time.Second)
		var na krpc.NodeAddr
		na.FromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(port)))
		s.AddPeer([20]byte{1}, na)
	}
	has := func(ip string) (n int) {
		for a := range s.by[[20]byte{1}] {
			if a.Addr() == netip.MustParseAddr(ip) {
				n++
			}
		}
		return n
	}
	announce("203.0.113.7", 6881)
	for port := range 1000 {
		announce("198.51.100.66", 1+port)
	}
	if has("203.0.113.7") != 1 || has("198.51.100.66") != peersPerIP {
		t.Errorf("%d of the honest peer, %d of the other", has("203.0.113.7"), has("198.51.100.66"))
	}
	if s.by[[20]byte{1}][netip.MustParseAddrPort("198.51.100.66:1000")] == nil {
		t.Error("the newest of one address is to be kept")
	}
	for port := range peersEachMax { // of a home there may be many
		announce("192.168.1.2", 1+port)
	}
	if n := has("192.168.1.2"); n != peersEachMax || s.count() != peersEachMax {
		t.Errorf("%d of a home, %d in all", n, s.count())
	}
}
