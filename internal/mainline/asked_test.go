package mainline

import (
	"net/netip"
	"testing"
	"time"
)

func TestRepliesAreLetInAsQueriesWentOut(t *testing.T) {
	var a asked
	at := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)
	}
	now := time.Unix(1_000_000, 0)
	if a.take(at(0)) {
		t.Error("nobody was asked")
	}
	takes := func(i, want int) {
		t.Helper()
		n := 0
		for a.take(at(i)) {
			n++
		}
		if n != want {
			t.Errorf("%d replies of number %d were let in, want %d", n, i, want)
		}
	}
	a.add(at(0), now)
	if a.take(at(1)) || a.take(netip.AddrPortFrom(at(0).Addr(), 6882)) {
		t.Error("one address was asked, on one port")
	}
	takes(0, repliesEach)
	for range 100 {
		a.add(at(0), now)
	}
	takes(0, repliesMax)
	a.add(at(0), now)
	a.add(at(1), now.Add(askedFor))
	takes(0, repliesEach)
	a.add(at(2), now.Add(askedFor))
	a.add(at(3), now.Add(2*askedFor))
	a.add(at(4), now.Add(3*askedFor))
	takes(1, 0)
	takes(3, repliesEach)
	takes(4, repliesEach)
	for i := range 3 * askedMax {
		a.add(at(i), now.Add(3*askedFor))
		if a.newer[at(i)] == 0 || i > askedMax && a.newer[at(i-askedMax)]+a.before[at(i-askedMax)] == 0 {
			t.Fatalf("of many, number %d is forgotten", i)
		}
	}
	if n := len(a.newer) + len(a.before); n > 2*askedMax {
		t.Errorf("%d addresses are kept", n)
	}
}
