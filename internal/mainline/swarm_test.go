package mainline

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// peersOf asks until somebody is found: a node may acknowledge an announcement before it has
// written it down.
func peersOf(t testing.TB, n *Node, infohash [20]byte, want int) []netip.AddrPort {
	t.Helper()
	var p []netip.AddrPort
	for range 100 {
		p = await(t, func(done func([]netip.AddrPort)) { n.GetPeers(infohash, done) })
		if len(p) >= want {
			break
		}
	}
	slices.SortFunc(p, netip.AddrPort.Compare)
	return p
}

func TestAnAnnouncedTorrentPeerIsFoundAtTheAddressItAnnounced(t *testing.T) {
	w := network(t, 32)
	infohash := [20]byte{0xaa, 1}
	one := open(t, Config{Bootstrap: w.Hosts(1), ReadOnly: true})
	two := open(t, Config{Bootstrap: w.Hosts(2)})
	await(t, func(done func([]netip.AddrPort)) { one.Announce(infohash, 7001, done) })
	await(t, func(done func([]netip.AddrPort)) { two.Announce(infohash, 0, done) })

	want := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:7001"), two.Addr()}
	slices.SortFunc(want, netip.AddrPort.Compare)
	reader := open(t, Config{Bootstrap: w.Hosts(3), ReadOnly: true})
	if got := peersOf(t, reader, infohash, 2); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("torrent peers %v, want %v", got, want)
	}
	if got := peersOf(t, reader, [20]byte{0xbb}, 0); len(got) != 0 {
		t.Errorf("of another infohash: %v", got)
	}
}

func TestAnAnnouncementReachesTheClosestNodes(t *testing.T) {
	w := network(t, 32)
	infohash := [20]byte{0xcc, 2}
	n := open(t, Config{Bootstrap: w.Hosts(1), ReadOnly: true})
	await(t, func(done func([]netip.AddrPort)) { n.Announce(infohash, 7002, done) })
	peersOf(t, n, infohash, 1)
	told := 0
	for _, c := range w.Closest(infohash, 8) {
		for i := range w.Len() {
			if w.Node(i).Addr() == c.Addr {
				told += min(1, w.Node(i).Stats().StoredPeers)
			}
		}
	}
	if told < 7 {
		t.Errorf("%d of the 8 closest nodes know the torrent peer", told)
	}
}

func TestTorrentPeersAreFoundWhenAThirdOfTheNodesIsGone(t *testing.T) {
	t.Parallel()
	w := network(t, 24)
	infohash := [20]byte{0xdd, 3}
	n := open(t, Config{Bootstrap: w.Hosts(24), ReadOnly: true})
	await(t, func(done func([]netip.AddrPort)) { n.Announce(infohash, 7003, done) })
	for i := 0; i < w.Len(); i += 3 {
		if err := w.Node(i).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := peersOf(t, n, infohash, 1); len(got) != 1 || got[0].Port() != 7003 {
		t.Errorf("torrent peers: %v", got)
	}
}
