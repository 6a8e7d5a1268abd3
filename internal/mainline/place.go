package mainline

import (
	"fmt"

	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/torrent/bencode"

	"weir/internal/lookup"
)

// Place stores an item at the 8 nodes closest to its target without a packet:
// for measurements with more items than puts would bring there in good time.
// All nodes must be honest.
func (w *Network) Place(it lookup.Item) error {
	v := &bep44.Item{V: bencode.Bytes(it.Value), K: it.Key, Salt: it.Salt, Sig: it.Sig, Seq: it.Seq}
	var stored *bep44.Item
	for _, near := range w.Closest(it.Target, 8) {
		n := w.byAddr(near)
		if n == nil {
			return fmt.Errorf("place an item: %s is no node of this network", near.Addr)
		}
		if stored != nil { // the wrapper's check of the signature is not needed again
			if err := n.items.Put(stored); err != nil {
				return fmt.Errorf("place an item: %w", err)
			}
			continue
		}
		if err := bep44.NewWrapper(n.items, itemExpiry).Put(v); err != nil {
			return fmt.Errorf("place an item: %w", err)
		}
		var err error
		if stored, err = n.items.Get(bep44.Target(it.Target)); err != nil {
			return fmt.Errorf("place an item: %w", err)
		}
	}
	return nil
}

func (w *Network) byAddr(at lookup.Node) *Node {
	for _, n := range w.nodes {
		if n.Addr() == at.Addr {
			return n
		}
	}
	return nil
}

// Nodes is the network's honest nodes.
func (w *Network) Nodes() []lookup.Node {
	var all []lookup.Node
	for _, n := range w.nodes {
		all = append(all, lookup.Node{ID: n.ID(), Addr: n.Addr()})
	}
	return all
}
