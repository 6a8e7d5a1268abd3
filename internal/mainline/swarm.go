package mainline

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	nearest "github.com/anacrolix/dht/v2/k-nearest-nodes"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/dht/v2/traversal"
	"github.com/anacrolix/dht/v2/types"

	"weir/internal/lookup"
)

const (
	foundMax    = 1000 // torrent peers one look-up gives
	peerQueries = 8    // at once, of one look-up
	peerTries   = 2    // a query is sent
	startNodes  = 64   // that look-ups met, to begin with beside the routing table
)

// GetPeers looks for torrent peers of an infohash (BEP 5). found is called once, on the
// node's goroutine, with none when there are none.
func (n *Node) GetPeers(infohash [20]byte, found func([]netip.AddrPort)) {
	n.findPeers(infohash, nil, found)
}

// Announce does what GetPeers does, and tells the nodes closest to the infohash
// that this machine has a torrent client on the TCP port; 0: on the port they see
// the node at.
func (n *Node) Announce(infohash [20]byte, port uint16, found func([]netip.AddrPort)) {
	number := int(port)
	n.findPeers(infohash, &krpc.MsgArgs{InfoHash: infohash, Port: &number, ImpliedPort: port == 0}, found)
}

// findPeers looks for torrent peers, and then announces if announce is not nil.
func (n *Node) findPeers(infohash [20]byte, announce *krpc.MsgArgs, found func([]netip.AddrPort)) {
	a := &ask{abort: func() { found(nil) }}
	a.start = func(time.Time) {
		n.wait(a)
		met := n.client.Nodes(startNodes)
		n.wg.Go(func() {
			p := peerSearch{server: n.server, infohash: infohash, seen: make(map[netip.AddrPort]bool)}
			addrs := p.run(n.done, n.startingNodes(met), announce)
			n.post(&ask{
				start: func(time.Time) {
					if n.finish(a) {
						found(addrs)
					}
				},
				abort: func() {}, // a itself is aborted too
			})
		})
	}
	n.post(a)
}

// startingNodes are where a look-up of the server's begins: its table, the nodes given, and the bootstrap
// addresses, which nobody knows the ids of.
func (n *Node) startingNodes(met []lookup.Node) []types.AddrMaybeId {
	var start []types.AddrMaybeId
	seen := make(map[netip.AddrPort]bool)
	for _, node := range append(n.table(), met...) {
		if !seen[node.Addr] {
			seen[node.Addr] = true
			info := krpc.NodeInfo{ID: node.ID}
			info.Addr.FromAddrPort(node.Addr)
			start = append(start, types.AddrMaybeIdSliceFromNodeInfoSlice([]krpc.NodeInfo{info})...)
		}
	}
	for _, addr := range n.bootstrap {
		if !seen[addr] {
			start = append(start, types.AddrMaybeId{Addr: krpc.NodeAddrPort{AddrPort: addr}})
		}
	}
	return start
}

// peerSearch is one get_peers traversal over the server's own.
type peerSearch struct {
	server   *dht.Server
	infohash [20]byte

	mu    sync.Mutex
	seen  map[netip.AddrPort]bool
	found []netip.AddrPort
}

func (p *peerSearch) run(ctx context.Context, start []types.AddrMaybeId, announce *krpc.MsgArgs) []netip.AddrPort {
	op := traversal.Start(traversal.OperationInput{
		Target:     p.infohash,
		Alpha:      peerQueries,
		DoQuery:    p.getPeers,
		NodeFilter: p.server.TraversalNodeFilter,
		DataFilter: func(token any) bool { _, ok := token.(string); return ok },
	})
	added := op.AddNodes(start)
	for stalled := false; !stalled; {
		select {
		case <-ctx.Done():
			stalled = true
		case <-op.Stalled():
			// An operation may still say so of the time before it was given its nodes.
			stalled = added == 0 || atomic.LoadUint32(&op.Stats().NumAddrsTried) > 0
		}
	}
	op.Stop()
	<-op.Stopped()
	if announce != nil && ctx.Err() == nil {
		p.announce(ctx, op.Closest(), *announce)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.found)
}

func (p *peerSearch) getPeers(ctx context.Context, addr krpc.NodeAddr) traversal.QueryResult {
	res := p.server.Query(ctx, dht.NewAddr(addr.UDP()), "get_peers", dht.QueryInput{
		MsgArgs:  krpc.MsgArgs{InfoHash: p.infohash, Want: []krpc.Want{krpc.WantNodes}},
		NumTries: peerTries,
	})
	if res.Err == nil && res.Reply.R != nil {
		p.collect(res.Reply.R.Values)
	}
	return res.TraversalQueryResult(addr)
}

func (p *peerSearch) collect(values []krpc.NodeAddr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, na := range values {
		if addr, ok := addrPort(na); ok && !p.seen[addr] && len(p.found) < foundMax {
			p.seen[addr] = true
			p.found = append(p.found, addr)
		}
	}
}

// announce tells the closest nodes, each with the token it gave.
func (p *peerSearch) announce(ctx context.Context, closest *nearest.Type, args krpc.MsgArgs) {
	var wg sync.WaitGroup
	closest.Range(func(node nearest.Elem) {
		args := args
		args.Token = node.Data.(string)
		wg.Go(func() {
			p.server.Query(ctx, dht.NewAddr(node.Addr.UDP()), "announce_peer", dht.QueryInput{MsgArgs: args, NumTries: peerTries})
		})
	})
	wg.Wait()
}
