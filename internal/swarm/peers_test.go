package swarm

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

func TestTheMoreThereAreTheMoreRarelyEachLooks(t *testing.T) {
	for _, tt := range []struct {
		met     int
		reached bool
		want    time.Duration
	}{
		{0, false, meetInterval},
		{meetPeers - 1, false, meetInterval},
		{meetPeers, false, 2 * meetInterval},
		{6 * meetPeers, false, 7 * meetInterval},
		{metMax, false, announceInterval},
		{0, true, announceInterval},
	} {
		c := &Client{met: newAddresses(metMax), reached: tt.reached}
		for i := range tt.met {
			c.met.add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 6881))
		}
		if got := c.meetAgain(); got != tt.want {
			t.Errorf("%d met, reached %v: %s, want %s", tt.met, tt.reached, got, tt.want)
		}
	}
}

func TestTorrentsAreAnnouncedOneByOneTheNewestFirst(t *testing.T) {
	const all = 40
	c := &Client{met: newAddresses(metMax), shares: make(map[[20]byte]*share), pace: rate.NewLimiter(announceRate, announceBurst)}
	for i := range all {
		c.shares[[20]byte{byte(i)}] = &share{number: uint64(i), announce: true}
	}
	announced := func() (n int, oldest uint64) {
		oldest = all
		for _, s := range c.shares {
			if !s.next.IsZero() {
				n++
				oldest = min(oldest, s.number)
			}
		}
		return n, oldest
	}
	now := time.Now()
	for want := announceBurst; want <= all; want++ {
		wait := c.announceDue(now)
		if n, oldest := announced(); n != want || oldest != uint64(all-want) {
			t.Fatalf("%d torrents announced, the first of them number %d; want %d", n, oldest, want)
		}
		if want < all && (wait <= 0 || wait > time.Second) {
			t.Fatalf("with %d of %d announced the next is due in %s", want, all, wait)
		}
		now = now.Add(time.Second)
	}

	// Those that wait longest are announced again first; a new one goes before them.
	now = now.Add(2 * announceInterval)
	c.shares[[20]byte{all}] = &share{number: all, announce: true}
	before := make(map[*share]time.Time)
	for _, s := range c.shares {
		before[s] = s.next
	}
	c.announceDue(now)
	var due, left []time.Time
	for s, at := range before {
		if s.next != at {
			due = append(due, at)
		} else {
			left = append(left, at)
		}
	}
	slices.SortFunc(due, time.Time.Compare)
	slices.SortFunc(left, time.Time.Compare)
	if len(due) != announceBurst || !due[0].IsZero() || due[len(due)-1].After(left[0]) {
		t.Errorf("announced again: %v, and not %v", due, left)
	}
}

func TestNobodyDrivesTheOthersWhoMetOut(t *testing.T) {
	a := newAddresses(100)
	at := func(ip string, port int) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(port))
	}
	a.add(at("203.0.113.7", 6881))
	for port := range 1000 {
		a.add(at("198.51.100.66", 1+port))
	}
	all := a.list()
	if len(all) != 1+addressesPerIP || all[0] != at("203.0.113.7", 6881) || all[len(all)-1] != at("198.51.100.66", 1000) {
		t.Errorf("%v are left", all)
	}
	for port := range 1000 {
		a.add(at("192.168.1.2", 1+port))
	}
	if n := len(a.list()); n != 100 {
		t.Errorf("%d of a home are left", n)
	}
}
