package lookup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"weir/ledger/wire"
)

// The bytes of Holders:
//
//	version (1 byte, 1) ‖ for each key: target (20) ‖ count (1, 1 to 8) ‖
//	for each holder: IPv4 address (4) ‖ port (2, big endian) ‖ recent failures (1)
const (
	holdersVersion  = 1
	holderBytes     = 7
	holdersKeyBytes = 21
)

// AppendHolders appends one key's holders, closest first, to bytes for
// AddHolders, which begin with it when dst is empty. Of nodes without an IPv4
// address, and of more than 8, nothing is kept.
func AppendHolders(dst []byte, t wire.Target, nodes []Node) []byte {
	if len(dst) == 0 {
		dst = append(dst, holdersVersion)
	}
	count := len(dst) + len(t)
	dst = append(append(dst, t[:]...), 0)
	for _, n := range nodes {
		if n.Addr = unmap(n.Addr); n.Addr.Addr().Is4() && dst[count] < holdersMax {
			dst = append(appendCompactAddr(dst, n.Addr), 0)
			dst[count]++
		}
	}
	if dst[count] == 0 {
		return dst[:count-len(t)]
	}
	return dst
}

// export is Client.Holders.
func (p *poller) export() []byte {
	size := 1
	for i := range p.keys {
		if n := int(p.keys[i].count); n > 0 {
			size += holdersKeyBytes + n*holderBytes
		}
	}
	if size == 1 {
		return nil
	}
	b := append(make([]byte, 0, size), holdersVersion)
	for i := range p.keys {
		k := &p.keys[i]
		if k.count == 0 {
			continue
		}
		b = append(append(b, k.target[:]...), k.count)
		for _, h := range k.holders[:k.count] {
			b = append(appendCompactAddr(b, unpackAddr(p.nodes.list[h.node].at)), h.fails)
		}
	}
	return b
}

var errHolders = errors.New("not the bytes of remembered holders")

// restore is Client.AddHolders.
func (p *poller) restore(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := checkHolders(b); err != nil {
		return fmt.Errorf("remember holders: %w", err)
	}
	for b = b[1:]; len(b) > 0; {
		target, n := wire.Target(b[:20]), int(b[20])
		b = b[holdersKeyBytes:]
		k := p.key(target)
		known := k == nil || k.count > 0
		for ; n > 0; n-- {
			if !known {
				at := uint64(binary.BigEndian.Uint32(b))<<16 | uint64(binary.BigEndian.Uint16(b[4:]))
				k.holders[k.count] = rememberedHolder{node: p.nodes.hold(at, [20]byte{}), fails: b[6]}
				k.count++
			}
			b = b[holderBytes:]
		}
	}
	return nil
}

// checkHolders says whether restore can take the bytes.
func checkHolders(b []byte) error {
	if b[0] != holdersVersion {
		return fmt.Errorf("%w: version %d", errHolders, b[0])
	}
	for b = b[1:]; len(b) > 0; {
		if len(b) < holdersKeyBytes || b[20] == 0 || b[20] > holdersMax || len(b) < holdersKeyBytes+int(b[20])*holderBytes {
			return fmt.Errorf("%w: a key is cut off, or has too many holders", errHolders)
		}
		all := b[holdersKeyBytes:][:int(b[20])*holderBytes]
		b = b[holdersKeyBytes+len(all):]
		for i := 0; i < len(all); i += holderBytes {
			h := all[i:][:holderBytes]
			if !askable(netip.AddrPortFrom(netip.AddrFrom4([4]byte(h)), binary.BigEndian.Uint16(h[4:]))) || h[6] > failsMax {
				return fmt.Errorf("%w: a holder is no node", errHolders)
			}
			for j := 0; j < i; j += holderBytes {
				if bytes.Equal(all[j:j+6], h[:6]) {
					return fmt.Errorf("%w: a holder is named twice", errHolders)
				}
			}
		}
	}
	return nil
}
