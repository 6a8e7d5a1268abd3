package simnet

import (
	"encoding/binary"
	"net/netip"
	"time"

	"weir/ledger/wire"
)

const (
	tokenRotation  = 5 * time.Minute
	tokenRotations = 2 // a token is good for its own rotation and so many after it
)

// makeToken is a write token for an address and, by libtorrent, a target. It
// lasts 10 to 15 minutes.
func (n *Node) makeToken(to netip.AddrPort, t wire.Target) []byte {
	binary.LittleEndian.PutUint64(n.token[:], n.tokenOf(n.now()/int64(tokenRotation), to, t))
	return n.token[:]
}

func (n *Node) goodToken(token []byte, from netip.AddrPort, t wire.Target) bool {
	if len(token) != len(n.token) {
		return false
	}
	rotation, got := n.now()/int64(tokenRotation), binary.LittleEndian.Uint64(token)
	for i := range int64(tokenRotations + 1) {
		if got == n.tokenOf(rotation-i, from, t) {
			return true
		}
	}
	return false
}

func (n *Node) tokenOf(rotation int64, to netip.AddrPort, t wire.Target) uint64 {
	h := trace(n.secret)
	h.word(uint64(rotation))
	h.word(uint64(addressWord(to)))
	if n.config.Dialect == Libtorrent {
		h.bytes(t[:])
	}
	return uint64(h)
}
