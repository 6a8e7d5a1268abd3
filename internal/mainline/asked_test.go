package mainline

import (
	"net/netip"
	"testing"
	"time"
)

func TestWhoWasAskedLatelyIsKnown(t *testing.T) {
	var a asked
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)
	}
	now := time.Unix(1_000_000, 0)
	if a.has(at(0)) {
		t.Error("nobody was asked")
	}
	a.add(at(0), now)
	if !a.has(at(0)) || a.has(at(1)) || a.has(netip.AddrPortFrom(at(0).Addr(), 6882)) {
		t.Error("one address was asked, on one port")
	}
	a.add(at(1), now.Add(askedFor))
	if !a.has(at(0)) || !a.has(at(1)) {
		t.Error("forgotten too early")
	}
	a.add(at(2), now.Add(2*askedFor))
	if a.has(at(0)) || !a.has(at(1)) || !a.has(at(2)) {
		t.Error("the oldest half is to be forgotten, and no other")
	}
	for i := range 3 * askedMax {
		a.add(at(i), now.Add(2*askedFor))
		if !a.has(at(i)) || i > askedMax && !a.has(at(i-askedMax)) {
			t.Fatalf("of many, number %d is forgotten", i)
		}
	}
	if n := len(a.newer) + len(a.before); n > 2*askedMax {
		t.Errorf("%d addresses are kept", n)
	}
}
