package swarm

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"

	"weir/ledger/wire"
)

func TestNoDatagramEndsTheProcess(t *testing.T) {
	w := newWorld(t)
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	a, b := w.client(func(c *Config) { c.UTP = pc }), w.client()
	r := rand.New(rand.NewPCG(1, 1))
	from, err := net.Dial("udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for range 50_000 {
		p := make([]byte, r.IntN(60))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		if len(p) >= 20 {
			p[0] = byte(r.IntN(5))<<4 | 1                         // a packet of uTP
			p[1] = byte(r.IntN(3))                                // the first extension
			binary.BigEndian.PutUint16(p[2:], uint16(r.IntN(8)))  // few connections, so that they are met again
			binary.BigEndian.PutUint16(p[16:], uint16(r.IntN(8))) // sequence number
			binary.BigEndian.PutUint16(p[18:], uint16(r.IntN(8))) // acknowledged
		}
		from.Write(p)
	}
	content := random(1, 50<<10)
	info := volume(content)
	w.serve(a, info, content)
	b.AddPeers([]netip.AddrPort{netip.MustParseAddrPort(pc.LocalAddr().String())})
	w.fetch(b, info, content, 0, a)
	if a.share(wire.Infohash(info)) == nil {
		t.Error("it is not served any more")
	}
}
