package mainline

import (
	"context"
	"errors"
	"net/netip"

	"weir/internal/lookup"
)

// ErrClosed is what callbacks get when the node was closed before they had an answer.
var ErrClosed = errors.New("the DHT node was closed")

// Config says how a Node is opened. The zero value is the first node of a
// private network on a port of the system's choice.
type Config struct {
	// Listen is the UDP address, "host:port"; empty: every IPv4 address, a port of the system's choice.
	Listen string
	// Bootstrap are nodes to start from, "host:port". Names are resolved once, in Open.
	Bootstrap []string
	// Cache are nodes that an earlier run remembered.
	Cache []lookup.Node
	// Public joins the public Mainline DHT: its well-known addresses are added to Bootstrap, and
	// only nodes with an id that fits their address (BEP 42) enter the routing table. False: nothing is
	// contacted but what is given here and what that names.
	Public bool
	// ReadOnly answers no queries and says so (BEP 43).
	ReadOnly bool
	// Poll tunes polls: how often one node is asked, above all.
	Poll lookup.PollConfig
	// Resolve looks up a host name; nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Logf, when set, is told what an operator may want to know, a line at a time.
	Logf func(format string, args ...any)

	// pinned leaves the routing table to the Network that made the node.
	pinned bool
	// high is the first four bytes of the node's id, when not 0; the rest is drawn.
	high uint32
}

func (c *Config) logf(format string, args ...any) {
	if c.Logf != nil {
		c.Logf(format, args...)
	}
}
