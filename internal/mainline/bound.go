package mainline

import (
	"net/netip"

	"weir/internal/lookup"
)

// Bound is a Node whose callbacks are delivered through a function; see Node.Post.
type Bound struct {
	*Node
	post func(func())
}

// Post gives a view of the node whose callbacks are handed to post, which runs
// them where its owner wants; post must not block.
func (n *Node) Post(post func(func())) Bound { return Bound{Node: n, post: post} }

// Get is Node.Get with done called through post.
func (b Bound) Get(g lookup.Get, done func(lookup.Found)) {
	b.Node.Get(g, func(f lookup.Found) { b.post(func() { done(f) }) })
}

// Put is Node.Put with done, and Put.Check too, called through post.
func (b Bound) Put(p lookup.Put, done func(lookup.Stored)) {
	if p.Check == nil || p.Holders != nil {
		b.Node.Put(p, func(s lookup.Stored) { b.post(func() { done(s) }) })
		return
	}
	// Check belongs to the owner of post, so the look at what is there comes first, on its own.
	it := p.Item
	b.Get(lookup.Get{Target: it.Target, Mutable: it.Mutable, Key: it.Key, Salt: it.Salt, Remembered: p.Remembered, Remember: it.Mutable}, func(f lookup.Found) {
		err := f.Err
		if err == nil {
			err = p.Check(f)
		}
		if err == nil && len(f.Closest) == 0 {
			err = lookup.ErrNotStored
		}
		if err != nil {
			done(lookup.Stored{Found: f, Packets: f.Packets, Err: err})
			return
		}
		p.Check, p.Holders = nil, f.Closest
		b.Put(p, func(s lookup.Stored) {
			s.Found = f
			s.Packets += f.Packets
			done(s)
		})
	})
}

// GetPeers is Node.GetPeers with found called through post.
func (b Bound) GetPeers(infohash [20]byte, found func([]netip.AddrPort)) {
	b.Node.GetPeers(infohash, func(p []netip.AddrPort) { b.post(func() { found(p) }) })
}

// Announce is Node.Announce with found called through post.
func (b Bound) Announce(infohash [20]byte, port uint16, found func([]netip.AddrPort)) {
	b.Node.Announce(infohash, port, func(p []netip.AddrPort) { b.post(func() { found(p) }) })
}
