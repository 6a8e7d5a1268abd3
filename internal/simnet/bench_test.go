package simnet

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"weir/internal/lookup"
)

// BenchmarkEvents measures the loop; its floor is a loop that only counts the
// same events down from a plain heap of times.
func BenchmarkEvents(b *testing.B) {
	const pending = 1000
	floor := func(n int) time.Duration {
		q := make(queue, 0, pending)
		for i := range pending {
			q.push(due{at: int64(i)})
		}
		start := time.Now()
		for i := range n {
			d := q.pop()
			d.at += 1000 + int64(i%7)
			q.push(d)
		}
		return time.Since(start)
	}
	b.Run("timers", func(b *testing.B) {
		w := NewWorld(1)
		for i := range pending {
			var again func()
			again = func() { w.After(time.Microsecond, again) }
			w.After(time.Duration(i), again)
		}
		measure(b, w, floor)
	})
	for _, size := range []int{100, 1000} {
		b.Run(fmt.Sprint("packets of ", size), func(b *testing.B) {
			w := NewWorld(1)
			net := NewNetwork(w, Link{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 1e-9})
			var ends []*Endpoint
			data := make([]byte, size)
			for i := range 100 {
				ends = append(ends, net.Endpoint(func(from netip.AddrPort, data []byte) { ends[i].Send(from, data) }))
			}
			for i := range pending {
				ends[i%100].Send(ends[i*7%99].Addr(), data)
			}
			measure(b, w, floor)
		})
	}
}

func measure(b *testing.B, w *World, floor func(n int) time.Duration) {
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	for range b.N {
		w.Step()
	}
	took := time.Since(start)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/took.Seconds(), "events/s")
	b.ReportMetric(took.Seconds()/floor(b.N).Seconds(), "x-floor")
}

// BenchmarkLookUps measures whole gets by traversal over 200 nodes, our
// machine included.
func BenchmarkLookUps(b *testing.B) {
	d := newDHT(1, Link{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.1}, 200)
	h := d.host()
	var items []lookup.Item
	for i := range 100 {
		it := mutable(b, i, 1, fmt.Sprint("value", make([]byte, 400)))
		d.nodes.Place(it)
		items = append(items, it)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := d.Events()
	for i := range b.N {
		d.get(b, h, items[i%len(items)])
	}
	b.ReportMetric(float64(d.Events()-before)/float64(b.N), "events/get")
	b.ReportMetric(float64(d.Events()-before)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkNode measures one answer to a get, of which the codec is most.
func BenchmarkNode(b *testing.B) {
	net := NewNetwork(NewWorld(1), Link{})
	nodes := NewNodes(net, 200, NodeConfig{})
	it := mutable(b, 1, 1, fmt.Sprint("value", make([]byte, 400)))
	q := lookup.Message{Kind: lookup.KindQuery, Method: lookup.MethodGet, Transaction: []byte("tttttttt"), Target: it.Target, ReadOnly: true, Want: lookup.WantN4}
	packet := q.Encode()
	n := nodes.All[0]
	n.Place(it)
	from := netip.MustParseAddrPort("192.0.2.1:1") // nobody: the answer goes nowhere
	b.ReportAllocs()
	for b.Loop() {
		n.handle(from, packet)
	}
}
