package mainline

import "net"

// utpHeaderBytes is the least that a datagram of uTP has (BEP 29).
const utpHeaderBytes = 20

// isUTP says whether a datagram is one of uTP, by its first byte: the type, 0
// to 4, and the version, 1. KRPC messages begin with 'd'.
func isUTP(b []byte) bool {
	return len(b) >= utpHeaderBytes && b[0]&0x0f == 1 && b[0]>>4 <= 4
}

// Shared is the node's socket for uTP, which BitTorrent programs have on the
// port of their DHT: it reads datagrams of uTP and sends from the node's
// address. Only so do torrent peers behind NATs reach each other, since the way out
// that the DHT keeps open is theirs too. Reads end when the node is closed;
// closing it does not close the node. Every call gives the same one.
func (n *Node) Shared() net.PacketConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.shared.Load()
	if p == nil {
		p = newPipe(n.conn.LocalAddr(), n.write)
		if n.closed {
			p.Close()
		}
		n.shared.Store(p)
	}
	return p
}

// share hands a datagram to Shared, if anybody has asked for it; false: nobody
// has, or it is not one of uTP.
func (n *Node) share(d datagram) (taken bool, v verdict) {
	p := n.shared.Load()
	if p == nil || !isUTP(d.data) {
		return false, pass
	}
	if len(d.data) > packetBytesMax {
		return true, oversized
	}
	if d.from.Port() == 0 {
		return true, malformed
	}
	d.data = append([]byte(nil), d.data...)
	if !p.put(d) {
		return true, overflow
	}
	return true, pass
}
