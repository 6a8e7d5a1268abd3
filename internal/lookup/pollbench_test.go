package lookup

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

// crowd is a network of nodes that hold everything, on a virtual clock with
// equal delays: for more keys than model nodes can hold.
type crowd struct {
	c     *Client
	now   time.Time
	rtt   time.Duration
	seq   int64
	queue []flight // in order
	head  int
	sent  map[netip.AddrPort][]time.Time // nil: nobody counts
}

// place is node i's address.
func (*crowd) place(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)
}

// newCrowd makes a client that remembers 8 holders for each of so many keys: of
// that many nodes, or, with none, of no node twice.
func newCrowd(keyCount, nodes int) (*crowd, Poll) {
	draw := rand.New(rand.NewPCG(1, 1))
	w := &crowd{now: time.Unix(1_700_000_000, 0), rtt: 100 * time.Millisecond, seq: 1}
	w.c = New(Config{Random: randomReader{draw}, Bootstrap: []netip.AddrPort{w.place(0)}})
	q := Poll{Salt: []byte("salt"), Keys: make([]PollKey, keyCount)}
	var b []byte
	for i := range q.Keys {
		k := keys.Public{}
		binary.BigEndian.PutUint64(k[:], uint64(i))
		q.Keys[i] = PollKey{Key: k, Seq: w.seq}
		var holders []Node
		for used := map[int]bool{}; len(holders) < 8; {
			n := 8*i + len(holders)
			if nodes > 0 {
				n = draw.IntN(nodes)
			}
			if !used[n] {
				used[n] = true
				holders = append(holders, Node{Addr: w.place(n)})
			}
		}
		b = AppendHolders(b, wire.MutableTarget(k, q.Salt), holders)
	}
	if err := w.c.AddHolders(w.now, b); err != nil {
		panic(err)
	}
	return w, q
}

// poll runs one poll to its end.
func (w *crowd) poll(q Poll) PollReport {
	var report *PollReport
	w.c.Poll(w.now, q, func(int, Polled) {}, func(r PollReport) { report = &r })
	for report == nil {
		for _, p := range w.c.Packets() {
			if w.sent != nil {
				w.sent[p.To] = append(w.sent[p.To], w.now)
			}
			w.answer(p)
		}
		next := w.c.Next()
		if w.head < len(w.queue) && (next.IsZero() || !w.queue[w.head].when.After(next)) {
			f := w.queue[w.head]
			w.head++
			if w.head == len(w.queue) {
				w.queue, w.head = w.queue[:0], 0
			}
			w.now = f.when
			w.c.Handle(w.now, f.from, f.data)
			continue
		}
		if next.After(w.now) {
			w.now = next
		}
		w.c.Tick(w.now)
	}
	return *report
}

func (w *crowd) answer(p Packet) {
	q, err := ParseMessage(p.Data)
	if err != nil {
		panic(err)
	}
	r := Message{Kind: KindResponse, Transaction: q.Transaction, Token: []byte("twenty bytes of toke"), Seq: w.seq, HasSeq: true}
	at := p.To.Addr().As4()
	copy(r.ID[:], at[:])
	w.queue = append(w.queue, flight{when: w.now.Add(w.rtt), from: p.To, data: r.Encode()})
}

func heapBytes() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkPollOfManyKeys is unchanged keys on a virtual clock: it reports how
// long a poll takes on that clock, what it costs on this machine, and the heap a
// key, in the middle of polls and with everything included.
func BenchmarkPollOfManyKeys(b *testing.B) {
	for _, size := range []struct{ keys, nodes int }{{1000, 200}, {10_000, 1000}, {100_000, 200}, {100_000, 0}} {
		name := fmt.Sprint(size.keys, " keys, ", size.nodes, " nodes")
		if size.nodes == 0 {
			name = fmt.Sprint(size.keys, " keys, no node twice")
		}
		b.Run(name, func(b *testing.B) {
			before := heapBytes()
			w, q := newCrowd(size.keys, size.nodes)
			q.Keys = q.Keys[:len(q.Keys):len(q.Keys)]
			for range 2 {
				w.poll(q)
				w.now = w.now.Add(time.Minute)
			}
			w.queue = nil
			bytes := heapBytes() - before - uint64(cap(q.Keys))*uint64(len(keys.Public{})+8)
			var virtual time.Duration
			var packets int
			for b.Loop() {
				r := w.poll(q)
				virtual += r.Took
				packets += r.Packets
				w.now = w.now.Add(time.Minute)
			}
			n := float64(b.N)
			b.ReportMetric(virtual.Seconds()/n, "virtual-s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n/float64(size.keys), "ns/key")
			b.ReportMetric(float64(packets)/n/float64(size.keys), "packets/key")
			b.ReportMetric(float64(bytes)/float64(size.keys), "heap-B/key")
			runtime.KeepAlive(w)
			runtime.KeepAlive(q)
		})
	}
}
