package mainline

import (
	"bytes"
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/internal/lookup"
)

// air carries datagrams in memory, inside a synctest bubble: its clock would
// stand still for as long as anybody waits for a socket.
type air struct {
	mu sync.Mutex
	at map[netip.AddrPort]chan datagram
}

// place gives the next address, and what arrives there.
func (a *air) place() (netip.AddrPort, chan datagram) {
	a.mu.Lock()
	defer a.mu.Unlock()
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(len(a.at) + 1)}), 6881)
	a.at[addr] = make(chan datagram, repliesLength)
	return addr, a.at[addr]
}

// send loses one datagram in twenty and delivers the others late, in any order.
func (a *air) send(from, to netip.AddrPort, b []byte) {
	a.mu.Lock()
	in := a.at[to]
	a.mu.Unlock()
	if in == nil || mathrand.IntN(20) == 0 {
		return
	}
	d := datagram{from, bytes.Clone(b)}
	time.AfterFunc(10*time.Millisecond+mathrand.N(50*time.Millisecond), func() {
		select {
		case in <- d:
		default:
		}
	})
}

// serve starts anacrolix servers as a Node has them, on pipes behind the guard,
// and gives the addresses of some.
func (a *air) serve(ctx context.Context, t *testing.T, nodes int) (start []netip.AddrPort) {
	addrs, in := make([]netip.AddrPort, nodes), make([]chan datagram, nodes)
	for i := range nodes {
		addrs[i], in[i] = a.place()
	}
	start = addrs[:3]
	for i, addr := range addrs {
		p := newPipe(net.UDPAddrFromAddrPort(addr), func(b []byte, to netip.AddrPort) error {
			a.send(addr, to, b)
			return nil
		})
		var id [20]byte
		rand.Read(id[:])
		server, err := newServer(Config{}, id, p, start, newItems(itemBytesMax, time.Now), newPeers(peersMax, time.Now))
		if err != nil {
			t.Fatal(err)
		}
		go server.TableMaintainer()
		go func() {
			defer p.Close()
			defer server.Close() // the first to be called
			for {
				select {
				case <-ctx.Done():
					return
				case d := <-in[i]:
					if _, v := inspect(d.data); v != pass || !p.put(d) {
						t.Errorf("%v: %q", v, d.data)
					}
				}
			}
		}()
	}
	return start
}

// host is the look-up machine on an address of its own.
type host struct {
	client *lookup.Client
	do     chan func(now time.Time)
}

func (a *air) host(ctx context.Context, start []netip.AddrPort) *host {
	addr, in := a.place()
	h := &host{client: lookup.New(lookup.Config{Random: rand.Reader, Bootstrap: start}), do: make(chan func(time.Time))}
	go func() {
		for {
			h.client.Tick(time.Now())
			for _, p := range h.client.Packets() {
				a.send(addr, p.To, p.Data)
			}
			var timeout <-chan time.Time
			if next := h.client.Next(); !next.IsZero() {
				timeout = time.After(time.Until(next))
			}
			select {
			case <-ctx.Done():
				return
			case f := <-h.do:
				f(time.Now())
			case d := <-in:
				h.client.Handle(time.Now(), d.from, d.data)
			case <-timeout:
			}
		}
	}()
	return h
}

func (h *host) put(t *testing.T, it lookup.Item) {
	t.Helper()
	s := await(t, func(done func(lookup.Stored)) {
		h.do <- func(now time.Time) { h.client.Put(now, lookup.Put{Item: it}, done) }
	})
	if s.Err != nil || s.Acknowledged < 6 {
		t.Errorf("put: %+v", s)
	}
}

func (h *host) get(t *testing.T, it lookup.Item) lookup.Found {
	t.Helper()
	return await(t, func(done func(lookup.Found)) {
		h.do <- func(now time.Time) {
			h.client.Get(now, lookup.Get{Target: it.Target, Mutable: true, Key: it.Key}, done)
		}
	})
}

// poll asks for what is newer than these items.
func (h *host) poll(t *testing.T, known ...lookup.Item) []lookup.Polled {
	t.Helper()
	var q lookup.Poll
	for _, it := range known {
		q.Keys = append(q.Keys, lookup.PollKey{Key: it.Key, Seq: it.Seq})
	}
	polled := make([]lookup.Polled, len(known))
	await(t, func(done func(lookup.PollReport)) {
		h.do <- func(now time.Time) {
			h.client.Poll(now, q, func(i int, r lookup.Polled) { polled[i] = r }, done)
		}
	})
	return polled
}

// elapse lets virtual time go by. A bubble's clock goes on when everybody waits,
// so it takes no longer than what others compute meanwhile.
func elapse(d time.Duration) { <-time.After(d) }

// It does not replay: package simnet's nodes do, and this is the test that real
// ones live through the same hours.
func TestRealNodesHoldAnItemForAsLongAsItIsPutAgain(t *testing.T) {
	// The race detector crashes where two threads run timers of one bubble:
	// golang/go#78156.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		a := &air{at: map[netip.AddrPort]chan datagram{}}
		start := a.serve(ctx, t, 12)
		writer, reader := a.host(ctx, start), a.host(ctx, start)
		elapse(10 * time.Minute) // in which the nodes find each other

		key := newKey(t)
		first, second, left := sign(t, key, 1, "1:a"), sign(t, key, 2, "1:b"), sign(t, newKey(t), 1, "1:c")
		for _, it := range []lookup.Item{first, left} {
			writer.put(t, it)
			if f := reader.get(t, it); f.Item == nil || f.Item.Seq != 1 || !bytes.Equal(f.Item.Value, it.Value) {
				t.Errorf("get: %+v", f)
			}
		}
		writer.put(t, second)
		r := reader.poll(t, first, left)
		if it := r[0].Item; it == nil || it.Seq != 2 || !bytes.Equal(it.Value, second.Value) {
			t.Errorf("the newer value is not seen: %+v", r[0])
		}
		if r[1].Fresh < 2 || r[1].Item != nil && r[1].Item.Seq > 1 {
			t.Errorf("what did not change: %+v", r[1])
		}

		for range 2 * int(itemExpiry/time.Hour) {
			elapse(time.Hour)
			writer.put(t, second)
		}
		if f := reader.get(t, second); f.Item == nil || f.Item.Seq != 2 || f.Holding < 6 {
			t.Errorf("what was put every hour: %+v", f)
		}
		if r := reader.poll(t, second); r[0].Fresh < 2 || r[0].Item != nil && r[0].Item.Seq != 2 {
			t.Errorf("what was put every hour is polled: %+v", r[0])
		}
		if f := reader.get(t, left); f.Item != nil || f.Answered < 8 {
			t.Errorf("what was put once: %+v", f)
		}
		stop()
		elapse(time.Minute) // in which the servers' last queries end
	})
}
