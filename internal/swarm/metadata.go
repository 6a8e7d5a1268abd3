package swarm

import (
	"crypto/sha1"
	"fmt"
	"time"
)

// metadata is the exchange of one info dictionary (BEP 9). One torrent peer is
// asked at a time, for all of it: it is small, and whoever sends a wrong one is known.
//
//	request  d8:msg_typei0e5:piecei0ee
//	data     d8:msg_typei1e5:piecei0e10:total_sizei1234ee ‖ up to 16 KiB
//	reject   d8:msg_typei2e5:piecei0ee
type metadata struct {
	from  *conn     // is being asked
	until time.Time // it has to send something
	buf   []byte
	got   []bool
	left  int
	round int // conns that were asked in this round are not asked again in it
}

// conductsMetadata is the part of a conn that metadata needs.
type conductsMetadata struct {
	speaks bool // ut_metadata
	size   int  // of its info dictionary; 0: it has none
	asked  int  // the round it was asked in, from 1
	served int  // pieces we sent it
}

const (
	metadataPatience  = 3 * time.Second // at most, and as long as the bytes take at metadataRate
	metadataTurns     = 3               // so many at least have their turn before the fetch gives up
	metadataRate      = 64 << 10        // bytes a second
	metadataServedMax = 4               // times a torrent peer gets the whole info dictionary on one connection
)

const (
	metadataRequest = iota
	metadataData
	metadataReject
)

// forgive lets those be asked again that did not answer.
func (m *metadata) forgive() { m.round++ }

// metadataOf is the info dictionary of a share; nil: not here yet.
func (c *Client) metadataOf(s *share) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.info
}

// askMetadata gives up on a torrent peer that does not answer.
func (c *Client) askMetadata(s *share, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := &s.metadata; m.from != nil && now.After(m.until) {
		m.from = nil
	}
	c.ask(s, now)
}

// ask asks somebody if nobody is being asked. mu is held.
func (c *Client) ask(s *share, now time.Time) {
	m := &s.metadata
	if s.info != nil || m.from != nil || s.fetch == nil {
		return
	}
	var next *conn // the one that was asked longest ago
	for _, k := range c.conns {
		able := k.share == s && !k.dead && k.speaks && k.size > 0 && k.asked <= m.round
		if able && (next == nil || k.asked < next.asked) {
			next = k
		}
	}
	if next == nil {
		return
	}
	next.asked = m.round + 1
	patience := min(metadataPatience, s.fetch.First/metadataTurns)
	m.from, m.until = next, now.Add(patience+time.Duration(next.size)*time.Second/metadataRate)
	m.buf = make([]byte, next.size)
	m.left = (next.size + chunkBytes - 1) / chunkBytes
	m.got = make([]bool, m.left)
	for i := range m.left {
		c.send(next, fmt.Appendf(nil, "d8:msg_typei%de5:piecei%dee", metadataRequest, i))
	}
}

// send writes a ut_metadata message once the locks are free.
func (c *Client) send(k *conn, payload []byte) {
	go k.pc.WriteExtendedMessage(metadataExtension, payload) // the error: the connection has gone
}

// readMetadata handles one message; false: it is against the rules. mu is held.
func (c *Client) readMetadata(k *conn, payload []byte) bool {
	kind, index, data, ok := parseMetadata(payload)
	if !ok {
		return false
	}
	switch kind {
	case metadataRequest:
		return c.serveMetadata(k, index)
	case metadataData:
		return c.takeMetadata(k, index, data)
	case metadataReject:
		if s := k.share; s.metadata.from == k {
			s.metadata.from = nil
			c.ask(s, time.Now())
		}
	}
	return true // others are to be passed over
}

// parseMetadata splits a message; data is what follows the dictionary.
func parseMetadata(payload []byte) (kind, index int64, data []byte, ok bool) {
	fields, data, ok := parseDict(payload)
	if !ok {
		return 0, 0, nil, false
	}
	kind, kindOK := parseInt(fields["msg_type"])
	index, indexOK := parseInt(fields["piece"])
	return kind, index, data, kindOK && indexOK && index >= 0
}

func (c *Client) serveMetadata(k *conn, index int64) bool {
	info := k.share.info
	pieces := int64(len(info)+chunkBytes-1) / chunkBytes
	if index >= pieces {
		c.send(k, fmt.Appendf(nil, "d8:msg_typei%de5:piecei%dee", metadataReject, index))
		k.served++
		return k.served <= metadataServedMax
	}
	if k.served++; int64(k.served) > metadataServedMax*pieces {
		return false
	}
	part := info[index*chunkBytes : min((index+1)*chunkBytes, int64(len(info)))]
	head := fmt.Appendf(nil, "d8:msg_typei%de5:piecei%de10:total_sizei%dee", metadataData, index, len(info))
	k.active, k.infoSum = time.Now(), k.infoSum+int64(len(part))
	c.send(k, append(head, part...))
	return true
}

func (c *Client) takeMetadata(k *conn, index int64, data []byte) bool {
	s := k.share
	m := &s.metadata
	if m.from != k {
		return true // too late
	}
	if index >= int64(len(m.got)) || m.got[index] {
		return false
	}
	if n := min(chunkBytes, len(m.buf)-int(index)*chunkBytes); len(data) != n {
		return false
	}
	copy(m.buf[index*chunkBytes:], data)
	m.got[index] = true
	k.active, k.infoSum = time.Now(), k.infoSum+int64(len(data))
	m.left--
	if m.left > 0 {
		return true
	}
	m.from = nil
	if sha1.Sum(m.buf) != s.infohash {
		m.buf = nil
		c.strike(k)
		c.ask(s, time.Now())
		return true
	}
	s.info, m.buf = m.buf, nil
	if s.fetch != nil {
		s.fetch.poke()
	}
	return true
}
