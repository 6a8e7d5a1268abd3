package mainline

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"

	"weir/internal/lookup"
)

// socketBytes is asked of the system for each direction; it may give less.
const socketBytes = 4 << 20

// repliesLength is how many replies may wait for the node's goroutine: 8 MiB at most.
const repliesLength = 4096

// Node is a DHT node. Its methods may be called from any goroutine.
type Node struct {
	config    Config
	conn      *net.UDPConn
	addr      netip.AddrPort
	bootstrap []netip.AddrPort
	problems  []error

	server    *dht.Server
	pipe      *pipe
	shared    atomic.Pointer[pipe] // nil: nobody wants uTP
	items     *items
	announced *peers
	limiter   *limiter // owned by the reading goroutine
	asked     asked
	counts    counts
	replies   chan datagram

	client  *lookup.Client    // owned by the node's goroutine
	waiting map[*ask]struct{} // owned by the node's goroutine
	learned bool              // owned by the node's goroutine: the client has known a node

	mu     sync.Mutex
	queue  []*ask
	closed bool

	wake chan struct{} // capacity 1
	stop context.CancelFunc
	done context.Context
	wg   sync.WaitGroup
}

// ErrNoBootstrap: not one of the addresses to start from can be used.
var ErrNoBootstrap = errors.New("no bootstrap address can be used")

// Open opens the socket and starts the node. It fails when the socket cannot be had, or, with ErrNoBootstrap, when
// there were addresses to start from and not one can be used; Problems tells of those that could not when others could.
func Open(ctx context.Context, c Config) (*Node, error) {
	hosts := c.Bootstrap
	if c.Public {
		hosts = append(hosts[:len(hosts):len(hosts)], publicBootstrap()...)
	}
	bootstrap, problems := resolveAll(ctx, hosts, c.Resolve)
	if len(hosts) > 0 && len(bootstrap) == 0 && len(c.Cache) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrNoBootstrap, errors.Join(problems...))
	}
	for _, p := range problems {
		c.logf("%v", p)
	}
	conn, err := listen(c.Listen)
	if err != nil {
		return nil, err
	}
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	var id [20]byte
	rand.Read(id[:])
	if c.high != 0 {
		binary.BigEndian.PutUint32(id[:], c.high)
	}
	n := &Node{
		config:    c,
		conn:      conn,
		addr:      netip.AddrPortFrom(local.Addr().Unmap(), local.Port()),
		bootstrap: bootstrap,
		problems:  problems,
		items:     newItems(itemBytesMax, time.Now),
		announced: newPeers(peersMax, time.Now),
		limiter:   newLimiter(),
		replies:   make(chan datagram, repliesLength),
		waiting:   make(map[*ask]struct{}),
		wake:      make(chan struct{}, 1),
	}
	n.client = lookup.New(lookup.Config{
		Random:    rand.Reader,
		Bootstrap: bootstrap,
		Self:      lookup.Node{ID: id, Addr: n.addr},
		Poll:      c.Poll,
	})
	n.client.AddNodes(c.Cache)
	n.pipe = newPipe(conn.LocalAddr(), n.write)
	start := bootstrap
	for _, node := range c.Cache {
		start = append(start[:len(start):len(start)], node.Addr)
	}
	if n.server, err = newServer(c, id, n.pipe, start, n.items, n.announced); err != nil {
		conn.Close()
		return nil, fmt.Errorf("start a DHT node: %w", err)
	}
	n.done, n.stop = context.WithCancel(context.Background())
	n.wg.Go(n.read)
	n.wg.Go(n.run)
	n.wg.Go(n.maintain)
	return n, nil
}

func listen(address string) (*net.UDPConn, error) {
	if address == "" {
		address = ":0"
	}
	at, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	conn, err := net.ListenUDP("udp4", at)
	if err != nil {
		return nil, fmt.Errorf("listen on UDP %s: %w", address, err)
	}
	// Less is no error: the system has a limit of its own.
	conn.SetReadBuffer(socketBytes)
	conn.SetWriteBuffer(socketBytes)
	return conn, nil
}

// Close stops the node. Callbacks that still wait are called, with ErrClosed or
// without torrent peers, before it returns. It must not be called from a callback.
func (n *Node) Close() error {
	n.stop()
	n.server.Close() // before the socket: the server panics when it cannot read and is not closed
	n.Shared().Close()
	err := n.conn.Close()
	n.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Addr is where the node listens.
func (n *Node) Addr() netip.AddrPort { return n.addr }

// ID is the node's id in the DHT.
func (n *Node) ID() [20]byte { return n.server.ID() }

// Bootstrap is the addresses the node started from, the names resolved.
func (n *Node) Bootstrap() []netip.AddrPort { return n.bootstrap }

// Problems are the bootstrap addresses that could not be used, each with its reason.
func (n *Node) Problems() []error { return n.problems }

// Nodes gives up to max good nodes, for Config.Cache of a later run: those that
// look-ups met, then those of the routing table. After Close there are none.
func (n *Node) Nodes(max int) []lookup.Node {
	answer := make(chan []lookup.Node, 1)
	n.post(&ask{
		start: func(time.Time) { answer <- n.client.Nodes(max) },
		abort: func() { answer <- nil },
	})
	nodes := <-answer
	seen := make(map[netip.AddrPort]bool)
	for _, node := range nodes {
		seen[node.Addr] = true
	}
	for _, node := range n.table() {
		if len(nodes) < max && !seen[node.Addr] {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// table is the routing table's nodes that have not failed.
func (n *Node) table() []lookup.Node {
	if n.done.Err() != nil {
		return nil
	}
	var nodes []lookup.Node
	for _, info := range n.server.Nodes() {
		if addr, ok := addrPort(info.Addr); ok {
			nodes = append(nodes, lookup.Node{ID: info.ID, Addr: addr})
		}
	}
	return nodes
}

// maintain keeps the routing table in order and lends it to the look-ups.
func (n *Node) maintain() {
	if n.config.pinned {
		return
	}
	for _, node := range n.config.Cache {
		info := krpc.NodeInfo{ID: node.ID}
		info.Addr.FromAddrPort(node.Addr)
		n.server.AddNode(info) // a full bucket is no misfortune
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	started := false
	for {
		// With nobody to start from, each round of the server's would leave a goroutine behind.
		if !started && !n.config.ReadOnly && (len(n.bootstrap) > 0 || n.server.NumNodes() > 0) {
			started = true
			go n.server.TableMaintainer() // ends by itself once the server is closed
		}
		select {
		case <-n.done.Done():
			return
		case <-tick.C:
		}
		if nodes := n.table(); len(nodes) > 0 {
			n.post(&ask{start: func(time.Time) { n.client.AddNodes(nodes) }, abort: func() {}})
		}
	}
}
