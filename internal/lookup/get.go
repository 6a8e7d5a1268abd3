package lookup

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

// ErrNoNodes: there was nobody to ask, or nobody answered. The error that wraps
// it is a *NoNodesError.
var ErrNoNodes = errors.New("no DHT node answered")

// NoNodesError is ErrNoNodes with the addresses that were asked, in that order.
type NoNodesError struct{ Tried []netip.AddrPort }

func (e *NoNodesError) Unwrap() error { return ErrNoNodes }

func (e *NoNodesError) Error() string {
	if len(e.Tried) == 0 {
		return ErrNoNodes.Error() + ": none is known"
	}
	names := make([]string, 0, triedTextNodes)
	for _, a := range e.Tried[:min(len(e.Tried), triedTextNodes)] {
		names = append(names, a.String())
	}
	text := fmt.Sprintf("%v: asked %s", ErrNoNodes, strings.Join(names, ", "))
	if more := len(e.Tried) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Holder is a node near a target, with the write token it gave.
type Holder struct {
	Node
	Token []byte
	Seq   int64 // of the item it returned; -1: none
}

// Get asks for an item. A mutable get names Key and Salt, and Target may be
// left zero; an immutable one names Target only.
type Get struct {
	Target  wire.Target
	Mutable bool
	Key     keys.Public
	Salt    []byte
	First   bool // stop at the first valid answer (always so for immutable targets)
	// Remembered asks the holders that polls of the same key and salt remember, and nobody else: one round
	// trip. Where fewer than half of Config.Width are known, or answer, it is a traversal after all.
	Remembered bool
	Remember   bool // the holders that a traversal finds, as a put does; mutable gets without First
}

// Found is what a traversal found.
type Found struct {
	Target          wire.Target
	Item            *Item  // the highest valid seq of all answers; nil: nowhere
	Conflicts       []Item // valid, same seq as Item, other bytes: a fork; at most 4
	Answered        int    // nodes that answered at all
	Asked           int
	Closest         []Holder // the 8 nodes closest to the target that answered with a token, closest first; see density for more
	Holding         int      // of Closest, how many returned Item itself
	Invalid         int      // answers dismissed: bad signature, wrong key, wrong hash
	ClosestAnswered int      // of the nodes closest to the target that did not fail, 8 or at a crowded one more, how many answered; see Complete
	Exhausted       bool     // the traversal ended with no node left to ask
	Packets         int      // sent
	Err             error    // ErrNoNodes: there was nobody to ask, or nobody answered
}

// Complete says that absence means something: the 8 nodes closest to the target
// answered or, where there are fewer, all that answered, at least one. At a crowded
// target, which see density, those beyond the crowd did too.
func (f Found) Complete() bool {
	return f.Answered > 0 && (f.ClosestAnswered >= closestNodes || f.Exhausted)
}

// getting is a get under way.
type getting struct {
	run running
	traversal
	done func(Found)
}

func newGetting(c *Client, now time.Time, g Get, done func(Found)) *getting {
	op := &getting{done: done}
	op.traversal = newTraversal(c, op, g, g.First || !g.Mutable)
	if g.Remembered {
		if holders := c.remembered(now, op.get.Target); len(holders) >= c.enough() {
			op.stay(holders)
		}
	}
	return op
}

// enough is how many holders make a traversal needless.
func (c *Client) enough() int { return (c.config.Width + 1) / 2 }

func (g *getting) running() *running { return &g.run }
func (g *getting) next() *query      { return g.traversal.next(&g.run) }

func (g *getting) finish() {
	f := g.found(g.run.packets)
	if g.only && len(f.Closest) < g.client.enough() && !g.ended {
		g.traversal = newTraversal(g.client, g, g.get, g.first)
		g.run.settled = false
		return
	}
	if g.get.Remember && !g.first && !g.only {
		g.client.remember(f)
	}
	g.done(f)
}
