package swarm

import "sync/atomic"

// Traffic is the bytes that have come from torrent peers and gone to them, all
// of them: handshakes, messages and what was discarded.
func (c *Client) Traffic() (in, out int64) {
	s := c.lib.ConnStats()
	return s.BytesRead.Int64(), s.BytesWritten.Int64()
}

// carried is what went through the client's own sockets.
type carried struct{ in, out atomic.Uint64 }

// headerBytes is what UDP and IPv4 add to a datagram.
const headerBytes = 28

// Carried is the bytes that came and went through the client's own sockets: TCP
// connections, and datagrams of uTP with their headers unless they share the
// socket of the DHT, which counts them.
func (c *Client) Carried() (in, out uint64) { return c.carried.in.Load(), c.carried.out.Load() }

// Mute turns serving off, or on again: muted, the client gives nothing, lets nobody
// in and announces nothing, and still fetches.
func (c *Client) Mute(mute bool) {
	if c.muted.Swap(mute) == mute {
		return
	}
	c.admin.Lock()
	defer c.admin.Unlock()
	c.mu.Lock()
	all := make([]*share, 0, len(c.shares))
	for _, s := range c.shares {
		all = append(all, s)
	}
	c.mu.Unlock()
	for _, s := range all {
		c.hush(s)
	}
	c.kick()
}

// hush makes a share give, or give nothing. Under admin.
func (c *Client) hush(s *share) {
	if s.lib == nil {
		return
	}
	if c.muted.Load() {
		s.lib.DisallowDataUpload()
	} else {
		s.lib.AllowDataUpload()
	}
}
