package mainline

import (
	"time"

	"weir/internal/lookup"
)

// Poll asks for the newest items of many keys: see lookup.Client.Poll. each and
// done are called on the node's goroutine; done is called once, also when the
// node is closed first (PollReport.Err).
func (n *Node) Poll(p lookup.Poll, each func(i int, r lookup.Polled), done func(lookup.PollReport)) {
	a := &ask{abort: func() { done(lookup.PollReport{Keys: len(p.Keys), Err: ErrClosed}) }}
	a.start = func(now time.Time) {
		n.wait(a)
		n.learn()
		n.client.Poll(now, p, each, func(r lookup.PollReport) {
			if n.finish(a) {
				done(r)
			}
		})
	}
	n.post(a)
}

// Holders is what polls remember, for AddHolders of a later run. After Close
// there is nothing.
func (n *Node) Holders() []byte {
	answer := make(chan []byte, 1)
	n.post(&ask{
		start: func(time.Time) { answer <- n.client.Holders() },
		abort: func() { answer <- nil },
	})
	return <-answer
}

// AddHolders remembers what Holders gave in an earlier run.
func (n *Node) AddHolders(b []byte) error {
	answer := make(chan error, 1)
	n.post(&ask{
		start: func(now time.Time) { answer <- n.client.AddHolders(now, b) },
		abort: func() { answer <- ErrClosed },
	})
	return <-answer
}

// Poll is Node.Poll with each and done called through post.
func (b Bound) Poll(p lookup.Poll, each func(i int, r lookup.Polled), done func(lookup.PollReport)) {
	b.Node.Poll(p,
		func(i int, r lookup.Polled) { b.post(func() { each(i, r) }) },
		func(r lookup.PollReport) { b.post(func() { done(r) }) })
}
