package bench

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"

	"weir/internal/lookup"
	"weir/internal/mainline"
)

// order is what a process asks of the network that is its child, a line each.
// The answer to each is one line too.
type order struct {
	// Place stores the items of keys 0 to Keys-1 of a run where they belong, with one seq, of every
	// key or, with Changed, of a share of them.
	Place   int64   `json:"place"`
	Run     uint64  `json:"run"`
	Keys    int     `json:"keys"`
	Changed float64 `json:"changed"`
}

// answer is the child's; the first one, to no order, names the nodes.
type answer struct {
	Nodes []wireNode `json:"nodes,omitempty"`
	Error string     `json:"error,omitempty"`
}

type wireNode struct {
	ID   string         `json:"id"`
	Addr netip.AddrPort `json:"addr"`
}

// Network runs a private DHT and obeys orders until its input ends: what weir
// bench starts as a process of its own. Even spreads the nodes' ids evenly.
func Network(ctx context.Context, nodes int, even bool, in io.Reader, out io.Writer) error {
	start := mainline.StartNetwork
	if even {
		start = mainline.StartEvenNetwork
	}
	w, err := start(ctx, nodes)
	if err != nil {
		return err
	}
	defer w.Close()
	say := json.NewEncoder(out)
	var first answer
	for _, n := range w.Nodes() {
		first.Nodes = append(first.Nodes, wireNode{hex.EncodeToString(n.ID[:]), n.Addr})
	}
	if err := say.Encode(first); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		var a answer
		if err := obey(w, o); err != nil {
			a.Error = err.Error()
		}
		if err := say.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

func obey(w *mainline.Network, o order) error {
	if o.Keys < 1 || o.Keys > KeysMax {
		return fmt.Errorf("place %d keys, where 1 to %d are possible", o.Keys, KeysMax)
	}
	boxes := newOutboxes(o.Run, o.Keys)
	for _, i := range boxes.changes(o.Changed) {
		it, err := boxes.sign(i, o.Place)
		if err != nil {
			return err
		}
		if err := w.Place(it); err != nil {
			return err
		}
	}
	return nil
}

// network is the child as its parent sees it.
type network struct {
	nodes []lookup.Node
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
}

// startNetwork starts a DHT of so many nodes in a process of its own. Where items
// and holders are placed its ids are even: by drawn ones some of 200 nodes would be
// due far more than their share of 100,000 keys, and at 20 packets a second to
// each no poll of them could take less than 68 to 88 s.
func startNetwork(ctx context.Context, o Options) (*network, error) {
	n := &network{cmd: exec.CommandContext(ctx, o.Program, "bench", "network", "--nodes", fmt.Sprint(o.Nodes), fmt.Sprintf("--even=%t", o.Keys > placedOver))}
	n.cmd.Stderr = os.Stderr
	var err error
	if n.in, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.out = json.NewDecoder(out)
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a DHT: %w", err)
	}
	a, err := n.answer()
	if err != nil {
		n.close()
		return nil, err
	}
	for _, w := range a.Nodes {
		node := lookup.Node{Addr: w.Addr}
		id, err := hex.DecodeString(w.ID)
		if err != nil || len(id) != len(node.ID) {
			n.close()
			return nil, errors.New("start a DHT: a node's id does not read")
		}
		copy(node.ID[:], id)
		n.nodes = append(n.nodes, node)
	}
	return n, nil
}

func (n *network) answer() (a answer, err error) {
	if err := n.out.Decode(&a); err != nil {
		return a, fmt.Errorf("the DHT's process has ended: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// order has the child do something and waits for it.
func (n *network) order(o order) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := n.in.Write(append(b, '\n')); err != nil {
		return err
	}
	_, err = n.answer()
	return err
}

func (n *network) close() {
	n.in.Close()
	n.cmd.Wait()
}

// bootstrap is the addresses of a few nodes.
func (n *network) bootstrap() []string {
	var all []string
	for _, node := range n.nodes[:min(3, len(n.nodes))] {
		all = append(all, node.Addr.String())
	}
	return all
}
