package simnet

import (
	"net/netip"
	"slices"

	"weir/ledger/wire"
)

// peers is who announced which torrents to a node (BEP 5), bounded.
type peers struct {
	at    map[wire.Target][]announced
	order []wire.Target // as they came to be
}

type announced struct {
	addr netip.AddrPort
	at   int64
}

// add notes that somebody has a torrent, and for how long it will be believed.
func (p *peers) add(infohash wire.Target, addr netip.AddrPort, now int64) {
	if p.at == nil {
		p.at = make(map[wire.Target][]announced)
	}
	set, known := p.at[infohash]
	if !known {
		if len(p.order) >= peerSetsMax {
			delete(p.at, p.order[0])
			p.order = p.order[1:]
		}
		p.order = append(p.order, infohash)
	}
	set = slices.DeleteFunc(set, func(a announced) bool {
		return a.addr == addr || now-a.at >= int64(peerExpiry)
	})
	if len(set) >= peersPerHash {
		set = set[1:]
	}
	p.at[infohash] = append(set, announced{addr, now})
}

// get is who announced a torrent lately; nil: nobody.
func (p *peers) get(infohash wire.Target, now int64) []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, a := range p.at[infohash] {
		if now-a.at < int64(peerExpiry) {
			addrs = append(addrs, a.addr)
		}
	}
	return addrs
}
