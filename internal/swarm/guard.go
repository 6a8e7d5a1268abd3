package swarm

import (
	"net/netip"
	"strings"
	"time"

	"github.com/anacrolix/torrent"
	pp "github.com/anacrolix/torrent/peer_protocol"
)

// conn is what we know of one connection to a torrent peer.
type conn struct {
	pc    *torrent.PeerConn
	share *share
	dead  bool   // nothing of it is looked at any more
	told  bool   // it has said once what it holds
	all   bool   // it holds everything
	have  bitset // otherwise
	begun time.Time
	since time.Time // it has been complete
	port  uint16    // it says that it listens on
	conductsMetadata
	standing
}

// Bounds on what the library keeps for ever or multiplies by.
const (
	requestBytesMax = 128 << 10 // one request; others use 16 KiB
	reqqMax         = 2048      // requests that a torrent peer wants to have at once
	pexPeersMax     = 200       // in one message
	piecesMax       = 1 << 16   // of which we note who has them
)

func (c *Client) connAdded(pc *torrent.PeerConn) {
	pc.LocalLtepProtocolMap = c.ltep
	incoming := pc.Discovery == torrent.PeerSourceIncoming
	remote, err := netip.ParseAddrPort(pc.RemoteAddr.String())
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.conns[pc] = &conn{pc: pc, share: c.shares[pc.Torrent().InfoHash()], begun: now, standing: standingOf(pc, now)}
	select {
	case c.came <- struct{}{}:
	default:
	}
	// By uTP comes also who was called before, through the way out.
	if incoming && err == nil && !remote.Addr().IsLoopback() && strings.HasPrefix(pc.Network, "tcp") {
		c.reached = true
	}
}

func (c *Client) connClosed(pc *torrent.PeerConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.conns[pc]
	if k == nil {
		return
	}
	delete(c.conns, pc)
	k.dead = true
	if s := k.share; s != nil && s.metadata.from == k {
		s.metadata.from = nil
		c.ask(s, time.Now())
	}
}

// readMessage looks at every message before the library does; one that is
// made a keepalive is passed over.
func (c *Client) readMessage(pc *torrent.PeerConn, m *pp.Message) {
	if m.Keepalive {
		return
	}
	known := pc.Torrent().Info() != nil
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.conns[pc]
	if k == nil || k.dead || k.share == nil {
		m.Keepalive = true
		return
	}
	ok := true
	switch m.Type {
	case pp.Bitfield, pp.HaveAll, pp.HaveNone:
		ok = k.tell(m)
	case pp.Have:
		k.have.set(int(m.Index))
	case pp.Request:
		ok = m.Length > 0 && m.Length <= requestBytesMax
		k.active = time.Now()
	case pp.Piece:
		ok = known && k.aligned(m)
		if ok && !k.genuine(m) {
			m.Keepalive = true
			c.strike(k)
			return
		}
		k.active = time.Now()
	case pp.Reject:
		ok = known && k.rejectable(m)
	case pp.Extended:
		ok = c.readExtended(k, m)
	case pp.Hashes, pp.HashRequest, pp.HashReject: // BEP 52, which we do not speak
		m.Keepalive = true
	}
	if !ok {
		m.Keepalive = true
		c.cut(k)
		return
	}
	if k.since.IsZero() && k.complete() {
		k.since = time.Now()
		k.share.seen(k, k.since)
	}
}

// tell notes what a torrent peer holds, which it says once and first (BEP 3, BEP 6).
func (k *conn) tell(m *pp.Message) bool {
	if k.told {
		return false
	}
	k.told = true
	k.all = m.Type == pp.HaveAll
	for i, has := range m.Bitfield {
		if has {
			k.have.set(i)
		}
	}
	return true
}

// complete: the torrent peer holds every piece.
func (k *conn) complete() bool {
	pieces := k.share.store.pieces()
	return pieces > 0 && (k.all || k.have.count >= pieces)
}

// aligned: a piece message is one whole chunk at its place.
func (k *conn) aligned(m *pp.Message) bool {
	size := k.share.store.size(int(m.Index))
	begin := int64(m.Begin)
	return begin < size && begin%chunkBytes == 0 && int64(len(m.Piece)) == min(chunkBytes, size-begin)
}

// genuine hashes a piece that is one chunk; larger ones the library hashes
// when they are whole.
func (k *conn) genuine(m *pp.Message) bool {
	s := k.share.store
	return s.unit > chunkBytes || s.genuine(int(m.Index), m.Piece)
}

func (k *conn) rejectable(m *pp.Message) bool {
	size := k.share.store.size(int(m.Index))
	return int64(m.Begin) < size && m.Begin%chunkBytes == 0
}

// readExtended checks a message of BEP 10, and handles ut_metadata.
func (c *Client) readExtended(k *conn, m *pp.Message) bool {
	if m.ExtendedID == pp.HandshakeExtendedID {
		_, _, ok := parseDict(m.ExtendedPayload)
		return ok
	}
	i := int(m.ExtendedID) - 1
	if i >= len(c.ltep.Index) {
		return false
	}
	switch c.ltep.Index[i] {
	case metadataExtension:
		m.Keepalive = true
		return c.readMetadata(k, m.ExtendedPayload)
	case exchangeExtension:
		return checkExchange(m.ExtendedPayload)
	}
	return true
}

// checkExchange checks a message of BEP 11.
func checkExchange(b []byte) bool {
	fields, rest, ok := parseDict(b)
	if !ok || len(rest) > 0 {
		return false
	}
	for name, unit := range map[string]int{
		"added": 6, "dropped": 6, "added6": 18, "dropped6": 18, "added.f": 1, "added6.f": 1,
	} {
		value, there := fields[name]
		if !there {
			continue
		}
		text, ok := parseString(value)
		if !ok || len(text)%unit != 0 || len(text) > unit*pexPeersMax {
			return false
		}
	}
	return true
}

// readHandshake takes what matters from an extended handshake and leaves
// the library only what it can bear: it keeps every extension name for ever,
// and believes every size.
func (c *Client) readHandshake(pc *torrent.PeerConn, d *pp.ExtendedHandshakeMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.conns[pc]
	if k == nil || k.dead || k.share == nil {
		return
	}
	if d.Port > 0 && d.Port <= 0xffff {
		k.port = uint16(d.Port)
	} else {
		d.Port = 0
	}
	d.Reqq = min(max(d.Reqq, 0), reqqMax)
	for name := range d.M {
		if name != metadataExtension && name != holepunchExtension && name != exchangeExtension {
			delete(d.M, name)
		}
	}
	k.speaks = d.M[metadataExtension] != 0
	if d.MetadataSize > 0 && d.MetadataSize <= infoBytesMax {
		k.size = d.MetadataSize
	}
	d.MetadataSize = 0
	c.ask(k.share, time.Now())
}

// bitset is a growing set of piece numbers below piecesMax.
type bitset struct {
	words []uint64
	count int
}

func (b *bitset) set(i int) {
	if i < 0 || i >= piecesMax {
		return
	}
	for len(b.words) <= i/64 {
		b.words = append(b.words, 0)
	}
	if bit := uint64(1) << (i % 64); b.words[i/64]&bit == 0 {
		b.words[i/64] |= bit
		b.count++
	}
}
