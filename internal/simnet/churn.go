package simnet

import (
	"math"
	"math/rand/v2"
	"time"
)

// churnShape is the shape of the Weibull distribution of sessions that was
// measured in Kademlia networks (Stutzbach and Rejaie, Understanding Churn in
// Peer-to-Peer Networks, 2006): most are short, and a few last for days.
const churnShape = 0.5

// Churn has nodes leave after sessions of such a median length. One half come
// back after an absence, with nothing stored, and in the place of each other one
// a new node joins, until stop is called.
func (d *Nodes) Churn(median time.Duration, nodes []*Node) (stop func()) {
	c := &churn{nodes: d, median: median, draw: d.net.world.Stream("churn")}
	for _, n := range nodes {
		c.stay(n)
	}
	return func() { c.over = true }
}

type churn struct {
	nodes  *Nodes
	median time.Duration
	draw   *rand.Rand
	over   bool
}

// session draws a length.
func (c *churn) session() time.Duration {
	return time.Duration(float64(c.median) * math.Pow(c.draw.ExpFloat64()/math.Ln2, 1/churnShape))
}

func (c *churn) stay(n *Node) { c.after(c.session(), func() { c.leave(n) }) }

func (c *churn) leave(n *Node) {
	n.Kill()
	returns := c.draw.IntN(2) == 0
	c.after(c.session()/4, func() {
		if returns {
			n.Restart()
		} else {
			n = c.nodes.Join([20]byte{})
		}
		c.stay(n)
	})
}

func (c *churn) after(d time.Duration, f func()) {
	c.nodes.net.world.After(d, func() {
		if !c.over {
			f()
		}
	})
}
