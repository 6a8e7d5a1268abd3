package mainline

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"time"

	"weir/internal/lookup"
)

// ask is something asked of the node's goroutine. One of start and abort runs, once. What is not
// answered within start stays waiting until finish; if the node is closed before that, abort runs too.
type ask struct {
	start func(now time.Time)
	abort func()
}

// post queues an ask; it never blocks. On a closed node abort runs at once, on a goroutine of its own.
func (n *Node) post(a *ask) {
	n.mu.Lock()
	closed := n.closed
	if !closed {
		n.queue = append(n.queue, a)
	}
	n.mu.Unlock()
	if closed {
		go a.abort()
		return
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// wait keeps an ask whose answer is still to come; finish says whether it was
// still wanted. Both run on the node's goroutine.
func (n *Node) wait(a *ask) { n.waiting[a] = struct{}{} }

func (n *Node) finish(a *ask) bool {
	_, ok := n.waiting[a]
	delete(n.waiting, a)
	return ok
}

// Get and Put run a look-up; done is called once, on the node's goroutine.
func (n *Node) Get(g lookup.Get, done func(lookup.Found)) {
	a := &ask{abort: func() { done(lookup.Found{Target: g.Target, Err: ErrClosed}) }}
	a.start = func(now time.Time) {
		n.wait(a)
		n.learn()
		n.client.Get(now, g, func(f lookup.Found) {
			if n.finish(a) {
				done(f)
			}
		})
	}
	n.post(a)
}

// Put is described at Get.
func (n *Node) Put(p lookup.Put, done func(lookup.Stored)) {
	a := &ask{abort: func() { done(lookup.Stored{Err: ErrClosed}) }}
	a.start = func(now time.Time) {
		n.wait(a)
		n.learn()
		n.client.Put(now, p, func(s lookup.Stored) {
			if n.finish(a) {
				done(s)
			}
		})
	}
	n.post(a)
}

// learn takes nodes from the routing table as long as the client knows none:
// those that came to the first node of a private network. Later maintain does.
func (n *Node) learn() {
	if n.learned {
		return
	}
	if len(n.client.Nodes(1)) == 0 {
		n.client.AddNodes(n.table())
	}
	n.learned = len(n.client.Nodes(1)) > 0
}

// run is the node's goroutine: it owns the client.
func (n *Node) run() {
	defer n.abortAll()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		n.startQueued()
		now := time.Now()
		n.client.Tick(now)
		for _, p := range n.client.Packets() {
			n.write(p.Data, p.To) // a packet that cannot be sent is a packet lost
		}
		if next := n.client.Next(); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(0, next.Sub(now)))
		}
		select {
		case <-n.done.Done():
			return
		case <-n.wake:
		case <-timer.C:
		case d := <-n.replies:
			n.handle(d)
		}
	}
}

// handle gives a reply, and those behind it, to whoever asked: the client, or the server.
func (n *Node) handle(d datagram) {
	now := time.Now()
	for more := 64; ; more-- {
		if !n.client.Handle(now, d.from, d.data) && !n.pipe.put(d) {
			n.counts.drop(overflow)
		}
		if more == 0 {
			return
		}
		select {
		case d = <-n.replies:
		default:
			return
		}
	}
}

func (n *Node) startQueued() {
	n.mu.Lock()
	queue := n.queue
	n.queue = nil
	n.mu.Unlock()
	for _, a := range queue {
		a.start(time.Now())
	}
}

// abortAll answers whatever still waits when the node is closed.
func (n *Node) abortAll() {
	n.mu.Lock()
	n.closed = true
	queue := n.queue
	n.queue = nil
	n.mu.Unlock()
	for a := range n.waiting {
		queue = append(queue, a)
	}
	clear(n.waiting)
	for _, a := range queue {
		a.abort()
	}
}

// read takes datagrams from the socket until it is closed.
func (n *Node) read() {
	b := make([]byte, packetBytesMax+1)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // a report about some packet sent earlier
		}
		n.receive(time.Now(), netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), b[:size])
	}
}

// receive is the guard: it drops a datagram, answers it, or says who gets a copy of it.
func (n *Node) receive(now time.Time, from netip.AddrPort, b []byte) {
	n.counts.in(len(b))
	if taken, v := n.share(datagram{from, b}); taken {
		if v != pass {
			n.counts.drop(v)
		}
		return
	}
	k, v := inspect(b)
	switch {
	case v != pass:
	case from.Port() == 0:
		v = malformed
	case k == kindReply && !n.asked.take(from):
		v = unasked
	case k == kindReply:
		select {
		case n.replies <- datagram{from, bytes.Clone(b)}:
		default:
			v = overflow
		}
	case !n.limiter.allow(from, now):
		v = flooding
	case k == kindOther:
		n.refuse(from, b)
	case !n.pipe.put(datagram{from, bytes.Clone(b)}):
		v = overflow
	}
	if v != pass {
		n.counts.drop(v)
	}
}

// refuse answers a query of a method that the server does not know. The server itself would keep a counter for
// every such name, for ever, and strangers can think of many.
func (n *Node) refuse(from netip.AddrPort, b []byte) {
	if !n.config.ReadOnly {
		n.write(refusal(b), from) // a packet that cannot be sent is a packet lost
	}
}

// write sends a datagram from the node's socket.
func (n *Node) write(b []byte, to netip.AddrPort) error {
	n.counts.out(len(b))
	if isQuery(b) {
		n.asked.add(to, time.Now())
	}
	_, err := n.conn.WriteToUDPAddrPort(b, to)
	return err
}
