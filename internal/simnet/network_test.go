package simnet

import (
	"math"
	"net/netip"
	"testing"
	"time"
)

// arrivals sends n numbered datagrams over a link, 1 ms apart, and gives when
// and in which order they came.
func arrivals(t *testing.T, l Link, n int) (delays []time.Duration, order []int) {
	t.Helper()
	w := NewWorld(3)
	net := NewNetwork(w, l)
	to := net.Endpoint(func(_ netip.AddrPort, data []byte) {
		i := int(data[0])<<16 | int(data[1])<<8 | int(data[2])
		delays = append(delays, w.Elapsed()-time.Duration(i)*time.Millisecond)
		order = append(order, i)
	})
	from := net.Endpoint(nil)
	for i := range n {
		w.After(time.Duration(i)*time.Millisecond, func() {
			from.Send(to.Addr(), []byte{byte(i >> 16), byte(i >> 8), byte(i)})
		})
	}
	w.Run(time.Duration(n)*time.Millisecond + time.Hour)
	return delays, order
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s is %.4f, not %.4f", what, got, want)
	}
}

func TestALinkLosesDuplicatesAndDelaysAsManyAsItSays(t *testing.T) {
	const n = 50_000
	got, _ := arrivals(t, Link{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.2}, n)
	near(t, "the share that arrived", float64(len(got))/n, 0.8, 0.01)
	var sum time.Duration
	for _, d := range got {
		sum += d
		if d < 35*time.Millisecond || d > 65*time.Millisecond {
			t.Fatalf("one way took %v", d)
		}
	}
	near(t, "the mean delay in ms", float64(sum)/float64(len(got))/1e6, 50, 0.5)

	got, _ = arrivals(t, Link{Duplicate: 0.1}, n)
	near(t, "arrivals a datagram", float64(len(got))/n, 1.1, 0.01)

	got, _ = arrivals(t, Link{RTT: 10 * time.Millisecond, Tail: 0.05, TailDelay: time.Second}, n)
	late := 0
	sum = 0
	for _, d := range got {
		if d > 5*time.Millisecond {
			late, sum = late+1, sum+d
		}
	}
	near(t, "the share in the tail", float64(late)/n, 0.05, 0.005)
	near(t, "its mean delay in s", float64(sum)/float64(late)/1e9, 1, 0.1)
}

func TestOnlyALinkThatReordersOrJittersChangesTheOrder(t *testing.T) {
	overtaken := func(order []int) (n int) {
		for i := 1; i < len(order); i++ {
			if order[i] < order[i-1] {
				n++
			}
		}
		return n
	}
	_, order := arrivals(t, Link{RTT: 100 * time.Millisecond}, 5000)
	if overtaken(order) != 0 {
		t.Error("a plain link changed the order")
	}
	_, order = arrivals(t, Link{RTT: 100 * time.Millisecond, Reorder: 0.1}, 5000)
	near(t, "the share that was overtaken", float64(overtaken(order))/5000, 0.09, 0.03)
}

// room is three endpoints that count what they hear.
type room struct {
	w     *World
	net   *Network
	ends  [3]*Endpoint
	heard [3]int
}

func newRoom(l Link) *room {
	r := &room{w: NewWorld(1)}
	r.net = NewNetwork(r.w, l)
	for i := range r.ends {
		r.ends[i] = r.net.Endpoint(func(netip.AddrPort, []byte) { r.heard[i]++ })
	}
	return r
}

// hears says whether a datagram from one reaches another now.
func (r *room) hears(from, to int) bool {
	before := r.heard[to]
	r.ends[from].Send(r.ends[to].Addr(), []byte("x"))
	r.w.Run(time.Second)
	return r.heard[to] > before
}

func TestTheDeadThePartitionedAndNobodyHearNothing(t *testing.T) {
	r := newRoom(Link{RTT: 100 * time.Millisecond})
	if !r.hears(0, 1) {
		t.Fatal("a plain link carries nothing")
	}
	r.ends[1].Kill()
	if r.hears(0, 1) || r.hears(1, 0) {
		t.Error("the dead hear or speak")
	}
	r.ends[1].Restart()
	if !r.hears(0, 1) || !r.hears(1, 0) {
		t.Error("the restarted do not")
	}
	r.net.Partition(1, r.ends[0], r.ends[2])
	if r.hears(0, 1) || r.hears(1, 0) || !r.hears(0, 2) {
		t.Error("a partition does not part as it says")
	}
	r.net.Heal()
	if !r.hears(0, 1) {
		t.Error("it does not heal")
	}
	nobody := []string{"192.0.2.1:1", "10.0.0.0:6881", "10.0.0.4:6881", "10.0.0.1:1", "9.255.255.255:6881", "[::ffff:10.0.0.1]:6881", "[::1]:6881"}
	before := r.net.Stats().Unreachable
	for _, a := range nobody {
		r.ends[0].Send(netip.MustParseAddrPort(a), nil)
	}
	r.ends[0].Send(netip.AddrPort{}, nil)
	if got := r.net.Stats().Unreachable - before; got != uint64(len(nobody)+1) {
		t.Errorf("%d of %d datagrams to nobody are counted", got, len(nobody)+1)
	}
}

func TestANATLetsInAnswersForHalfAMinute(t *testing.T) {
	r := newRoom(Link{RTT: 100 * time.Millisecond})
	r.ends[0].SetNAT(true)
	if r.hears(1, 0) {
		t.Fatal("a NAT let a stranger in")
	}
	if !r.hears(0, 1) || !r.hears(1, 0) || r.hears(2, 0) {
		t.Error("a NAT lets in answers, and only from where something was sent")
	}
	r.w.Run(natOpen)
	if r.hears(1, 0) {
		t.Error("a NAT stays open for ever")
	}
	r.ends[0].SetNAT(false)
	if !r.hears(1, 0) {
		t.Error("a NAT that was taken away is still there")
	}
	r.ends[0].SetNAT(true)
	for i := range 2 * natHolesMax {
		r.ends[0].Send(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 1), nil)
	}
	if len(r.ends[0].holes) > natHolesMax {
		t.Error("a NAT remembers without bound")
	}
}

func TestTheMostParticularLinkCounts(t *testing.T) {
	r := newRoom(Link{})
	dead := Link{Loss: 1}
	r.ends[1].SetLink(&dead)
	if r.hears(0, 1) || r.hears(1, 0) || !r.hears(0, 2) {
		t.Error("an endpoint's link is not its own")
	}
	r.net.SetPair(r.ends[0].Addr(), r.ends[1].Addr(), Link{})
	if !r.hears(0, 1) || r.hears(1, 0) {
		t.Error("a pair's link is not that of one way")
	}
	r.net.SetLink(dead)
	if r.hears(0, 2) {
		t.Error("the network's link cannot be changed")
	}
}

func TestATapSeesEveryDatagramAndItsFate(t *testing.T) {
	r := newRoom(Link{})
	var fates []Fate
	r.net.Tap(func(p Passage) { fates = append(fates, p.Fate) })
	r.hears(0, 1)
	r.net.SetLink(Link{Loss: 1})
	r.hears(0, 1)
	r.ends[1].Kill()
	r.net.SetLink(Link{})
	r.hears(0, 1)
	if len(fates) != 3 || fates[0] != Delivered || fates[1] != Lost || fates[2] != Unreachable {
		t.Errorf("it saw %v", fates)
	}
}

func TestTimersOfAnEndedLifeDoNotFire(t *testing.T) {
	r := newRoom(Link{})
	fired := 0
	r.ends[0].After(time.Second, func() { fired++ })
	r.ends[0].Kill()
	r.ends[0].After(time.Second, func() { fired++ })
	r.ends[0].Restart()
	r.w.Run(time.Minute)
	if fired != 0 {
		t.Fatal("a dead endpoint's timer fired")
	}
	r.ends[0].After(time.Second, func() { fired++ })
	r.w.Run(time.Minute)
	if fired != 1 {
		t.Fatal("a living endpoint's did not")
	}
}
