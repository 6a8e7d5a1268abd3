package mainline

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"

	"weir/internal/lookup"
)

const (
	networkMax   = 1 << 14         // nodes of one Network
	wiredAtOnce  = 32              // pings under way while a Network is wired
	wiredTries   = 5               // of each, a second apart
	rewirePeriod = 5 * time.Minute // a node that is not heard of for 15 minutes is no longer named
)

// Network is a private DHT on loopback addresses, one address a node. Its
// routing tables are filled from the start, for nodes that only bootstrap
// converge badly, and stay so for as long as it is open.
type Network struct {
	nodes   []*Node
	hostile []*Hostile
	done    context.Context
	stop    context.CancelFunc
	wg      sync.WaitGroup
	mu      sync.Mutex // guards hostile
}

// StartNetwork starts so many nodes, at 127.0.1.1 and the addresses after it,
// on ports of the system's choice.
func StartNetwork(ctx context.Context, nodes int) (*Network, error) {
	return startNetwork(ctx, nodes, false)
}

// StartEvenNetwork is StartNetwork with ids that are spread evenly, so that each
// node is among the closest to about as many keys as any other: as drawn ids
// are only where there are very many.
func StartEvenNetwork(ctx context.Context, nodes int) (*Network, error) {
	return startNetwork(ctx, nodes, true)
}

func startNetwork(ctx context.Context, nodes int, even bool) (*Network, error) {
	if nodes < 1 || nodes > networkMax {
		return nil, fmt.Errorf("start a network: %d nodes, where 1 to %d are possible", nodes, networkMax)
	}
	listen := make([]string, nodes)
	for i := range listen {
		listen[i] = loopback(i)
	}
	return start(ctx, listen, even)
}

// StartNetworkAt is StartNetwork at addresses of the caller's choice, one a
// node: in a network namespace, say.
func StartNetworkAt(ctx context.Context, listen []string) (*Network, error) {
	return start(ctx, listen, false)
}

func start(ctx context.Context, listen []string, even bool) (*Network, error) {
	w := &Network{}
	w.done, w.stop = context.WithCancel(context.Background())
	for i, at := range listen {
		c := Config{Listen: at, pinned: true}
		if even {
			c.high = uint32((2*uint64(i) + 1) << 31 / uint64(len(listen)))
		}
		n, err := Open(ctx, c)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start node %d of a network: %w", i, err), w.Close())
		}
		w.nodes = append(w.nodes, n)
	}
	if err := w.wire(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start a network: %w", err), w.Close())
	}
	w.wg.Go(w.rewire)
	return w, nil
}

// loopback is the address of node i. Where the system has only 127.0.0.1, they
// share it: nodes take more than one id from an address.
func loopback(i int) string {
	ip := netip.AddrFrom4([4]byte{127, byte(i >> 14), byte(1 + i>>7&0x7f), byte(1 + i&0x7f)})
	probe, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return "127.0.0.1:0"
	}
	probe.Close()
	return netip.AddrPortFrom(ip, 0).String()
}

// Close stops every node.
func (w *Network) Close() error {
	w.stop()
	w.wg.Wait()
	var errs []error
	w.mu.Lock()
	hostile := slices.Clone(w.hostile)
	w.mu.Unlock()
	for _, h := range hostile {
		errs = append(errs, h.close())
	}
	for _, n := range w.nodes {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

// Len is the number of honest nodes.
func (w *Network) Len() int { return len(w.nodes) }

// Node is one of the honest nodes.
func (w *Network) Node(i int) *Node { return w.nodes[i] }

// Bootstrap is the addresses of the first n nodes.
func (w *Network) Bootstrap(n int) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, node := range w.nodes[:min(n, len(w.nodes))] {
		addrs = append(addrs, node.Addr())
	}
	return addrs
}

// Hosts is Bootstrap as text, for Config.Bootstrap.
func (w *Network) Hosts(n int) []string {
	var hosts []string
	for _, a := range w.Bootstrap(n) {
		hosts = append(hosts, a.String())
	}
	return hosts
}

// Closest is the n nodes, hostile ones included, closest to a target, closest
// first: where its item belongs.
func (w *Network) Closest(target [20]byte, n int) []lookup.Node {
	all := w.all()
	slices.SortFunc(all, func(a, b lookup.Node) int { return lookup.Closer(target, a.ID, b.ID) })
	return all[:min(n, len(all))]
}

func (w *Network) all() []lookup.Node {
	var all []lookup.Node
	for _, n := range w.nodes {
		all = append(all, lookup.Node{ID: n.ID(), Addr: n.Addr()})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.hostile {
		all = append(all, lookup.Node{ID: h.ID, Addr: h.addr})
	}
	return all
}

// rewire keeps the routing tables fresh.
func (w *Network) rewire() {
	tick := time.NewTicker(rewirePeriod)
	defer tick.Stop()
	for {
		select {
		case <-w.done.Done():
			return
		case <-tick.C:
			w.wire(w.done) // who does not answer is asked again next time
		}
	}
}

// wire makes every node ping up to 8 nodes of each of its buckets, those
// closest to it, so that it knows them to be good.
func (w *Network) wire(ctx context.Context) error {
	all := w.all()
	slots := make(chan struct{}, wiredAtOnce)
	silent := make(chan lookup.Node, 1)
	var wg sync.WaitGroup
	for _, n := range w.nodes {
		for _, to := range neighbours(n.ID(), all) {
			select {
			case <-ctx.Done():
			case slots <- struct{}{}:
				wg.Go(func() {
					defer func() { <-slots }()
					if !n.ping(ctx, to.Addr) {
						select {
						case silent <- to:
						default:
						}
					}
				})
			}
		}
	}
	wg.Wait()
	for _, n := range w.nodes {
		n.post(&ask{start: func(time.Time) { n.client.AddNodes(n.table()) }, abort: func() {}})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case to := <-silent:
		return fmt.Errorf("node %x at %s does not answer", to.ID, to.Addr)
	default:
		return nil
	}
}

// ping makes the node's server ask another for its id; it remembers who answers.
func (n *Node) ping(ctx context.Context, to netip.AddrPort) bool {
	addr := dht.NewAddr(net.UDPAddrFromAddrPort(to))
	return n.server.Query(ctx, addr, "ping", dht.QueryInput{NumTries: wiredTries}).Err == nil
}

// neighbours is up to 8 nodes of each bucket of a node with this id: bucket b are the ids
// that share its first b bits and no more.
func neighbours(own [20]byte, all []lookup.Node) []lookup.Node {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b lookup.Node) int { return lookup.Closer(own, a.ID, b.ID) })
	var in [161]int
	var near []lookup.Node
	for _, node := range sorted {
		if b := commonBits(own, node.ID); b < 160 && in[b] < 8 {
			in[b]++
			near = append(near, node)
		}
	}
	return near
}

func commonBits(a, b [20]byte) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 160
}
