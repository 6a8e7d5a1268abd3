package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"weir/internal/lookup"
	"weir/internal/mainline"
	"weir/internal/swarm"
	"weir/keys/keyfile"
)

// Network says how the edges meet the world.
type Network struct {
	Listen       string   // UDP address, and TCP for torrents; "": any free port
	Bootstrap    []string // host:port; given, they stand for the public ones
	Public       bool     // join the public DHT even when Bootstrap is given
	UploadRate   int64    // bytes a second; 0: no limit
	DownloadRate int64
	NodeRate     int // packets a second that polls send one DHT node; 0: the default
	NodeBurst    int
	Thrift       Thrift
	Logf         func(format string, args ...any)
}

// Edges is one socket with the DHT node and one torrent client.
type Edges struct {
	Node  *mainline.Node
	Swarm *swarm.Client
	dir   Directory
}

const nodesKept = 200

const nodesBytesMax = 1 << 20 // of the file in which they are kept

// Open opens the edges. linked are addresses that came in links: they are used
// beside the others, and alone when all are on this machine's loopback, where
// the public network is not.
func (n Network) Open(ctx context.Context, d Directory, linked []netip.AddrPort, post func(func())) (*Edges, error) {
	bootstrap, public := slices.Clone(n.Bootstrap), n.public(linked)
	for _, a := range linked {
		if s := a.String(); !slices.Contains(bootstrap, s) {
			bootstrap = append(bootstrap, s)
		}
	}
	loopback := !public
	for _, b := range bootstrap {
		if a, err := netip.ParseAddrPort(b); err != nil || !a.Addr().IsLoopback() {
			loopback = false
		}
	}
	listen := n.Listen
	if listen == "" && loopback {
		listen = "127.0.0.1:0"
	}
	node, err := mainline.Open(ctx, mainline.Config{
		Listen: listen, Bootstrap: bootstrap, Public: public, Cache: d.nodes(), Logf: n.Logf, ReadOnly: n.Thrift.Metered,
		Poll: lookup.PollConfig{NodeRate: n.NodeRate, NodeBurst: n.NodeBurst},
	})
	if err != nil {
		return nil, err
	}
	config := swarm.Config{
		Listen: node.Addr(), Loopback: loopback, Peers: node, Post: post, Logf: n.Logf,
		UploadRate: n.UploadRate, DownloadRate: n.DownloadRate, Unmapped: n.Thrift.Metered,
	}
	if !loopback {
		config.UTP = node.Shared()
	}
	torrents, err := swarm.New(config)
	if err != nil {
		node.Close()
		return nil, fmt.Errorf("open the torrent client: %w", err)
	}
	return &Edges{Node: node, Swarm: torrents, dir: d}, nil
}

// carried is every byte that went through the sockets since the start.
func (e *Edges) carried() (up, down uint64) {
	s := e.Node.Stats()
	in, out := e.Swarm.Carried()
	return s.BytesOut + udpHeaderBytes*s.PacketsOut + out, s.BytesIn + udpHeaderBytes*s.PacketsIn + in
}

// public says whether the public network is joined.
func (n Network) public(linked []netip.AddrPort) bool {
	alone := len(n.Bootstrap) > 0 || len(linked) > 0 && allLoopback(linked)
	return n.Public || !alone
}

// serving gives the network that all of some databases need, and the addresses
// that came in their links. A link that names only this machine must not take
// the public network from databases whose links name nobody.
func (n Network) serving(dbs []Database) (Network, []netip.AddrPort) {
	var linked []netip.AddrPort
	for _, db := range dbs {
		linked = append(linked, db.Bootstrap...)
		if len(db.Bootstrap) == 0 && len(n.Bootstrap) == 0 {
			n.Public = true
		}
	}
	return n, linked
}

func allLoopback(as []netip.AddrPort) bool {
	return !slices.ContainsFunc(as, func(a netip.AddrPort) bool { return !a.Addr().IsLoopback() })
}

// Close remembers the DHT nodes for the next start and closes both.
func (e *Edges) Close() error {
	e.Remember()
	err := e.Swarm.Close()
	if err2 := e.Node.Close(); err == nil {
		err = err2
	}
	return err
}

// cachedNode is a DHT node as a directory remembers it.
type cachedNode struct {
	ID   [20]byte
	Addr netip.AddrPort
}

// Remember writes the best known DHT nodes into the directory; a directory
// that cannot be written is found out by what matters more.
func (e *Edges) Remember() {
	if e.dir == "" {
		return // a stranger's visit
	}
	var all []cachedNode
	for _, n := range e.Node.Nodes(nodesKept) {
		all = append(all, cachedNode{ID: n.ID, Addr: n.Addr})
	}
	if b, err := json.Marshal(all); err == nil && len(all) > 0 {
		_ = keyfile.WriteAtomic(filepath.Join(string(e.dir), "nodes"), b)
	}
}

// nodes reads what Remember wrote; anything unreadable is no nodes.
func (d Directory) nodes() []lookup.Node {
	path := filepath.Join(string(d), "nodes")
	if i, err := os.Stat(path); d == "" || err != nil || time.Since(i.ModTime()) > 90*24*time.Hour {
		return nil
	}
	b, err := readSmall(path, nodesBytesMax)
	if err != nil {
		return nil
	}
	var all []cachedNode
	if json.Unmarshal(b, &all) != nil || len(all) > nodesKept {
		return nil
	}
	var out []lookup.Node
	for _, n := range all {
		if n.Addr.IsValid() && n.Addr.Port() != 0 {
			out = append(out, lookup.Node{ID: n.ID, Addr: n.Addr})
		}
	}
	return out
}

// NoNode is the error when no DHT node answers, with the addresses tried.
func (e *Edges) NoNode() error { return fmt.Errorf("%w: tried %s", lookup.ErrNoNodes, e.Tried()) }

// Tried is the addresses that the DHT node started from, for people.
func (e *Edges) Tried() string {
	var tried []string
	for _, a := range e.Node.Bootstrap() {
		tried = append(tried, a.String())
	}
	return strings.Join(tried, ", ")
}
