package mainline

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func immutable(value string) *bep44.Item { return &bep44.Item{V: value} }

func TestAFloodOfItemsStaysWithinItsBytesAndTheNewestRemain(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	s := newItems(1<<20, c.now)
	value := func(i int) string { return fmt.Sprintf("%990d", i) }
	for i := range 10_000 {
		c.t = c.t.Add(time.Millisecond)
		if err := s.Put(immutable(value(i))); err != nil {
			t.Fatal(err)
		}
		if s.bytes > 1<<20 || s.order.Len() != len(s.by) {
			t.Fatalf("after %d items: %d bytes, %d in order, %d by target", i, s.bytes, s.order.Len(), len(s.by))
		}
	}
	if n := s.count(); n < 600 {
		t.Errorf("%d items remain", n)
	}
	if _, err := s.Get(immutable(value(9_999)).Target()); err != nil {
		t.Errorf("the newest: %v", err)
	}
	if _, err := s.Get(immutable(value(0)).Target()); !errors.Is(err, bep44.ErrItemNotFound) {
		t.Errorf("the oldest: %v", err)
	}
}

func TestPuttingAnItemAgainKeepsItAndExpiredOnesGo(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	s := newItems(itemBytesMax, c.now)
	kept, gone := immutable("kept"), immutable("gone")
	for _, it := range []*bep44.Item{kept, gone} {
		if err := s.Put(it); err != nil {
			t.Fatal(err)
		}
	}
	c.t = c.t.Add(itemExpiry - time.Minute)
	if err := s.Put(kept); err != nil {
		t.Fatal(err)
	}
	c.t = c.t.Add(2 * time.Minute)
	if err := s.Put(immutable("another")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(kept.Target()); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(gone.Target()); !errors.Is(err, bep44.ErrItemNotFound) {
		t.Errorf("two hours and a minute old: %v", err)
	}
	if s.count() != 2 || s.bytes != 2*itemBytesOver+len("4:kept")+len("7:another") {
		t.Errorf("%d items of %d bytes", s.count(), s.bytes)
	}
}

func TestAValueOfManySmallPartsIsKeptAsItsBytes(t *testing.T) {
	raw := "l" + strings.Repeat("le", 499) + "e"
	var v any
	if err := bencode.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatal(err)
	}
	s := newItems(itemBytesMax, time.Now)
	it := &bep44.Item{V: v}
	if err := s.Put(it); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(it.Target())
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := got.V.(bencode.Bytes); !ok || string(b) != raw {
		t.Errorf("%T %q", got.V, got.V)
	}
}

func TestCasIsComparedWithTheStoredSeqAndNeverPoisonsTheItem(t *testing.T) {
	s := bep44.NewWrapper(newItems(itemBytesMax, time.Now), itemExpiry)
	key := newKey(t)
	put := func(seq, cas int64) error {
		it, err := bep44.NewItem(fmt.Sprint("value ", seq), nil, seq, cas, key)
		if err != nil {
			t.Fatal(err)
		}
		return s.Put(it)
	}
	for _, c := range []struct {
		seq, cas int64
		want     error
	}{
		{5, 0, nil},
		{6, 4, bep44.ErrCasHashMismatched},
		{6, 5, nil},
		{7, 0, nil}, // 301 for ever where the put before it left its cas behind
		{8, 7, nil},
	} {
		if err := put(c.seq, c.cas); err != c.want {
			t.Errorf("seq %d with cas %d: %v, want %v", c.seq, c.cas, err, c.want)
		}
	}
}

func TestTorrentPeersAreGivenBackAsTheyWereAnnounced(t *testing.T) {
	s := newPeers(peersMax, time.Now)
	infohash := [20]byte{7}
	want := map[string]bool{"10.0.0.1:6881": true, "10.0.0.1:6882": true, "10.0.0.2:1": true}
	for a := range want {
		ap := netip.MustParseAddrPort(a)
		s.AddPeer(infohash, krpc.NodeAddr{IP: ap.Addr().AsSlice(), Port: int(ap.Port())})
		s.AddPeer(infohash, krpc.NodeAddr{IP: net.IP(ap.Addr().AsSlice()).To16(), Port: int(ap.Port())})
	}
	for _, bad := range []krpc.NodeAddr{
		{IP: net.IP{1, 2, 3, 4}, Port: 0}, {IP: net.IP{1, 2, 3, 4}, Port: -5}, {IP: net.IP{1, 2, 3, 4}, Port: 65536},
		{IP: net.IP{1, 2, 3}, Port: 5}, {IP: nil, Port: 5}, {IP: net.IPv4zero, Port: 5}, {IP: net.IP{224, 0, 0, 1}, Port: 5},
	} {
		s.AddPeer(infohash, bad)
	}
	got := s.GetPeers(infohash)
	for _, na := range got {
		if len(na.IP) != 4 || !want[na.String()] {
			t.Errorf("%v was not announced", na)
		}
	}
	if len(got) != len(want) || s.count() != len(want) {
		t.Errorf("%d torrent peers given, %d kept, want %d", len(got), s.count(), len(want))
	}
	if other := s.GetPeers([20]byte{8}); len(other) != 0 {
		t.Errorf("another infohash: %v", other)
	}
}

func TestAFloodOfAnnouncementsStaysWithinItsLimits(t *testing.T) {
	c := &clock{time.Unix(1_000_000, 0)}
	s := newPeers(1000, c.now)
	add := func(infohash byte, i int) {
		c.t = c.t.Add(time.Millisecond)
		s.AddPeer([20]byte{infohash, byte(i), byte(i >> 8)}, krpc.NodeAddr{IP: net.IP{10, 0, byte(i >> 8), byte(i)}, Port: 1})
	}
	for i := range 5000 { // of as many infohashes
		add(1, i)
	}
	if s.count() != 1000 || len(s.by) != 1000 {
		t.Errorf("%d torrent peers of %d infohashes", s.count(), len(s.by))
	}
	for i := range 5000 { // of one
		c.t = c.t.Add(time.Millisecond)
		s.AddPeer([20]byte{2}, krpc.NodeAddr{IP: net.IP{10, 0, byte(i >> 8), byte(i)}, Port: 1})
	}
	if n := len(s.by[[20]byte{2}]); n != peersEachMax {
		t.Errorf("%d torrent peers of one infohash", n)
	}
	if n := len(s.GetPeers([20]byte{2})); n != peersGiven {
		t.Errorf("%d given in one answer", n)
	}
	c.t = c.t.Add(peerExpiry)
	if n := len(s.GetPeers([20]byte{2})); n != 0 {
		t.Errorf("%d given after their time", n)
	}
	add(3, 0)
	if s.count() != 1 || len(s.by) != 1 {
		t.Errorf("%d kept after their time", s.count())
	}
}
