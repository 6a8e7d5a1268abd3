package swarm

import (
	"net/netip"
	"testing"
	"time"
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
			c.met.add(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(i+1)))
		}
		if got := c.meetAgain(); got != tt.want {
			t.Errorf("%d met, reached %v: %s, want %s", tt.met, tt.reached, got, tt.want)
		}
	}
}
