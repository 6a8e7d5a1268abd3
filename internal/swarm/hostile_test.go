package swarm

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

// raw is a torrent peer that sends what it likes.
type raw struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

const (
	msgUnchoke, msgInterested, msgHave, msgBitfield      = 1, 2, 4, 5
	msgRequest, msgPiece, msgCancel, msgPort             = 6, 7, 8, 9
	msgSuggest, msgHaveAll, msgHaveNone, msgReject       = 13, 14, 15, 16
	msgAllowedFast, msgExtended                          = 17, 20
	msgHashRequest, msgHashes, msgHashReject             = 21, 22, 23
	ourMetadataID, rawMetadataID                    byte = 2, 7 // on loopback ours follows ut_holepunch
)

// dial connects to a client without encryption and exchanges the handshakes.
func (w *world) dial(c *Client, infohash [20]byte) *raw {
	t := w.t
	t.Helper()
	w.eventually("the torrent is there", func() bool { _, ok := c.lib.Torrent(infohash); return ok })
	nc, err := net.Dial("tcp", c.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	p := &raw{t, nc, bufio.NewReader(nc)}
	reserved := []byte{0, 0, 0, 0, 0, 0x10, 0, 0x04} // BEP 10, BEP 6
	nc.Write(fmt.Appendf(nil, "\x13BitTorrent protocol%s%s-XX0000-%012d", reserved, infohash[:], time.Now().UnixNano()%1e12))
	if _, err := io.ReadFull(p.r, make([]byte, 68)); err != nil {
		t.Fatalf("handshake: %v", err)
	}
	return p
}

func integers(n ...uint32) []byte {
	var b []byte
	for _, i := range n {
		b = binary.BigEndian.AppendUint32(b, i)
	}
	return b
}

func message(kind byte, payload ...[]byte) []byte {
	b := bytes.Join(payload, nil)
	return append(append(integers(uint32(len(b)+1)), kind), b...)
}

func extended(id byte, payload string) []byte {
	return message(msgExtended, []byte{id}, []byte(payload))
}

// hello is an extended handshake.
func hello(metadataSize int) []byte {
	return extended(0, fmt.Sprintf("d1:md11:ut_metadatai%dee13:metadata_sizei%dee", rawMetadataID, metadataSize))
}

func (p *raw) send(b ...[]byte) { p.nc.Write(bytes.Join(b, nil)) } // an error shows when it reads

// read gives the next message, or an error when the connection has been closed.
func (p *raw) read() (kind byte, payload []byte, err error) {
	for {
		var head [4]byte
		if _, err := io.ReadFull(p.r, head[:]); err != nil {
			return 0, nil, err
		}
		n := binary.BigEndian.Uint32(head[:])
		if n == 0 {
			continue
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(p.r, b); err != nil {
			return 0, nil, err
		}
		return b[0], b[1:], nil
	}
}

// settle waits until everything sent has been looked at: either the connection is
// closed, or a question after it is answered.
func (p *raw) settle() (closed bool) {
	p.send(hello(0), extended(ourMetadataID, "d8:msg_typei0e5:piecei0ee"))
	for {
		kind, payload, err := p.read()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			p.t.Fatal("neither an answer nor the end")
		}
		if err != nil {
			return true
		}
		if kind == msgExtended && payload[0] == rawMetadataID {
			return false
		}
	}
}

func TestNoMessageEndsTheProcess(t *testing.T) {
	far := uint32(0xffffffff)
	piece := make([]byte, wire.PieceBytes)
	full := bytes.Repeat([]byte{0xff}, 1)
	root := make([]byte, 32)
	for name, sent := range map[string][]byte{
		"hashes of BEP 52":                   message(msgHashes, root, integers(0, 0, 0, 0), root),
		"hashes with proof layers":           message(msgHashes, root, integers(0, 0, 0, 9), root),
		"a hash request":                     message(msgHashRequest, root, integers(0, 0, 2, 1)),
		"a hash reject":                      message(msgHashReject, root, integers(0, 0, 2, 1)),
		"a piece nobody asked for":           message(msgPiece, integers(0, 0), piece),
		"a piece off its place":              message(msgPiece, integers(0, 1), piece),
		"a piece far away":                   message(msgPiece, integers(far, far), piece),
		"an empty piece":                     message(msgPiece, integers(0, 0)),
		"a reject of nothing":                message(msgReject, integers(0, 0, 16384)),
		"a reject far away":                  message(msgReject, integers(far, far, far)),
		"a cancel far away":                  message(msgCancel, integers(far, far, far)),
		"a request far away":                 message(msgRequest, integers(far, far, far)),
		"a request of nothing":               message(msgRequest, integers(0, 0, 0)),
		"an overflowing request":             message(msgRequest, integers(0, far, 16384)),
		"a have far away":                    message(msgHave, integers(far)),
		"a bitfield after have all":          append(message(msgHaveAll), message(msgBitfield, full)...),
		"have none after have all":           append(message(msgHaveAll), message(msgHaveNone)...),
		"have all after haves":               append(message(msgHave, integers(1)), message(msgHaveAll)...),
		"have none after haves":              append(message(msgHave, integers(1)), message(msgHaveNone)...),
		"a bitfield much too long":           message(msgBitfield, bytes.Repeat([]byte{0xff}, 60000)),
		"a long bitfield, then have none":    append(message(msgBitfield, bytes.Repeat([]byte{0xff}, 600)), message(msgHaveNone)...),
		"allowed fast far away":              message(msgAllowedFast, integers(far)),
		"suggest far away":                   message(msgSuggest, integers(far)),
		"a port":                             message(msgPort, []byte{0, 0}),
		"an unknown message":                 message(99, piece),
		"a message much too long":            integers(far),
		"unchoke and interested, many times": bytes.Repeat(append(message(msgUnchoke), message(msgInterested)...), 100),
		"a handshake that is no dictionary":  extended(0, "i5e"),
		"a handshake with a huge string":     extended(0, "d1:v134217726:e"),
		"a deeply nested handshake":          extended(0, "d1:x"+strings.Repeat("l", 60000)),
		"a handshake with wild numbers":      extended(0, "d1:md11:ut_metadatai255e4:asdfi300ee13:metadata_sizei-5e1:pi-1e4:reqqi-9ee"),
		"a handshake with a huge info":       extended(0, fmt.Sprintf("d1:md11:ut_metadatai%dee13:metadata_sizei16000000ee", rawMetadataID)),
		"an unknown extension":               extended(200, "de"),
		"a holepunch for nobody":             extended(1, "\x00\x01\x7f\x00\x00\x01\x00\x09\x00\x00\x00\x00"),
		"a short holepunch":                  extended(1, "\x01"),
		"a holepunch with wrong address":     extended(1, "\x01\x02\x7f\x00\x00\x01\x00\x09\x00\x00\x00\x00"),
		"metadata nobody asked for":          extended(ourMetadataID, "d8:msg_typei1e5:piecei0e10:total_sizei5eehello"),
		"metadata before the beginning":      extended(ourMetadataID, "d8:msg_typei0e5:piecei-1ee"),
		"metadata past the end":              extended(ourMetadataID, "d8:msg_typei0e5:piecei9999999999ee"),
		"metadata of an unknown type":        extended(ourMetadataID, "d8:msg_typei77e5:piecei0ee"),
		"metadata that is no dictionary":     extended(ourMetadataID, "hello"),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.client(), w.client()
			content := random(1, 100<<10)
			info := volume(content)
			infohash := wire.Infohash(info)
			w.serve(a, info, content)
			p := w.dial(a, infohash)
			p.send(sent)
			p.settle()

			// And to one that does not have the info dictionary yet.
			m := &memory{b: make([]byte, len(content))}
			done, _ := w.start(b, info, m, 0)
			q := w.dial(b, infohash)
			q.send(sent)
			q.settle()
			q.nc.Close()
			b.AddPeers([]netip.AddrPort{a.Addr()})
			if r := w.wait(done); r.Err != nil {
				t.Fatalf("the honest fetch: %v", r.Err)
			}
		})
	}
}

// serveRaw answers as a seed would, but with what reply gives for a request.
func (p *raw) serveRaw(info []byte, reply func(index, begin, length uint32) []byte) {
	for {
		kind, b, err := p.read()
		if err != nil {
			return
		}
		switch {
		case kind == msgRequest:
			p.send(reply(binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])))
		case kind == msgExtended && b[0] == rawMetadataID && bytes.Contains(b, []byte("msg_typei0e")):
			if info != nil {
				p.send(extended(ourMetadataID, fmt.Sprintf("d8:msg_typei1e5:piecei0e10:total_sizei%dee%s", len(info), info)))
			}
		}
	}
}

func TestNoAnswerToARequestEndsTheProcess(t *testing.T) {
	content := random(2, 100<<10)
	info := volume(content)
	for name, reply := range map[string]func(index, begin, length uint32) []byte{
		"one byte further": func(i, begin, n uint32) []byte {
			return message(msgPiece, integers(i, begin+1), make([]byte, n))
		},
		"a shorter piece": func(i, begin, n uint32) []byte {
			return message(msgPiece, integers(i, begin), make([]byte, n-1))
		},
		"a longer piece": func(i, begin, n uint32) []byte {
			return message(msgPiece, integers(i, begin), make([]byte, n+1))
		},
		"another piece": func(i, begin, n uint32) []byte {
			return message(msgPiece, integers(i^1, begin), make([]byte, n))
		},
		"rubbish": func(i, begin, n uint32) []byte {
			return message(msgPiece, integers(i, begin), make([]byte, n))
		},
		"the piece and a reject": func(i, begin, n uint32) []byte {
			off := int(i) * wire.PieceBytes
			return append(message(msgPiece, integers(i, begin), content[off:off+int(n)]), message(msgReject, integers(i, begin, n))...)
		},
		"a reject off its place": func(i, begin, n uint32) []byte {
			return message(msgReject, integers(i, begin+3, n))
		},
		"two rejects": func(i, begin, n uint32) []byte {
			return bytes.Repeat(message(msgReject, integers(i, begin, n)), 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.client(), w.client()
			w.serve(a, info, content)
			m := &memory{b: make([]byte, len(content))}
			done, _ := w.start(b, info, m, 0)
			p := w.dial(b, wire.Infohash(info))
			p.send(hello(len(info)), message(msgHaveAll), message(msgUnchoke))
			asked := make(chan struct{}, 1)
			go p.serveRaw(info, func(index, begin, length uint32) []byte {
				select {
				case asked <- struct{}{}:
				default:
				}
				return reply(index, begin, length)
			})
			select {
			case <-asked:
			case <-time.After(patience):
				t.Fatal("it was never asked")
			}
			b.AddPeers([]netip.AddrPort{a.Addr()})
			if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
				t.Fatalf("the honest fetch: %v", r.Err)
			}
		})
	}
}

func TestAnotherInfoDictionaryIsNotTaken(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(3, 100<<10)
	info, other := volume(content), volume(random(4, 100<<10))
	m := &memory{b: make([]byte, len(content))}
	planned := false // owned by the loop
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Plan: func(got []byte) (seed.Content, int64, error) {
			planned = true
			if !bytes.Equal(got, info) {
				t.Error("Plan was asked about an info dictionary of another infohash")
			}
			return m, 0, nil
		},
	})
	p := w.dial(b, wire.Infohash(info))
	p.send(hello(len(other)), message(msgHaveAll))
	p.serveRaw(other, nil) // until it is cut off
	w.serve(a, info, content)
	b.AddPeers([]netip.AddrPort{a.Addr()})
	if r := w.wait(done); r.Err != nil || !planned || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
}

func TestATorrentPeerWithoutTheInfoItPromisesIsPassedOver(t *testing.T) {
	w := newWorld(t)
	b := w.client()
	content := random(5, 50<<10)
	info := volume(content)
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(b, info, m, 0)
	silent := w.dial(b, wire.Infohash(info))
	silent.send(hello(len(info)), message(msgHaveAll))
	w.eventually("it is asked", func() bool {
		kind, p, err := silent.read()
		return err == nil && kind == msgExtended && p[0] == rawMetadataID
	})
	silent.send(extended(ourMetadataID, "d8:msg_typei2e5:piecei0ee"))
	a := w.client()
	w.serve(a, info, content)
	b.AddPeers([]netip.AddrPort{a.Addr()})
	if r := w.wait(done); r.Err != nil {
		t.Fatal(r.Err)
	}
}

func TestATorrentPeerThatDripsTheInfoHasNoLongerForIt(t *testing.T) {
	w := newWorld(t)
	b := w.client()
	content := random(6, 50<<10)
	info := volume(content)
	w.start(b, info, &memory{b: make([]byte, len(content))}, 0)
	slow := w.dial(b, wire.Infohash(info))
	const pieces = 8
	slow.send(hello(pieces*chunkBytes), message(msgHaveAll))
	w.eventually("it is asked", func() bool {
		kind, p, err := slow.read()
		return err == nil && kind == msgExtended && p[0] == rawMetadataID
	})
	look := func() (left int, until time.Time) {
		b.mu.Lock()
		defer b.mu.Unlock()
		m := &b.shares[wire.Infohash(info)].metadata
		return m.left, m.until
	}
	_, before := look()
	slow.send(extended(ourMetadataID, "d8:msg_typei1e5:piecei0e10:total_sizei131072ee"+string(make([]byte, chunkBytes))))
	w.eventually("its piece is here", func() bool { left, _ := look(); return left < pieces })
	if _, after := look(); after != before || time.Until(after) > metadataPatience+2*time.Second {
		t.Errorf("128 KiB have until %v, and after a piece until %v", before, after)
	}
}

func TestWhoeverSendsRubbishAgainAndAgainIsRefused(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	b := newBans()
	a := netip.MustParseAddrPort("203.0.113.5:1000")
	neighbour := netip.MustParseAddrPort("203.0.113.5:2000")
	b.strike(a, now)
	if !b.banned(a, now) || b.banned(neighbour, now) {
		t.Error("one strike is for the address and port")
	}
	b.strike(a, now)
	b.strike(a, now)
	if !b.banned(neighbour, now) {
		t.Error("three strikes are for the IP address")
	}
	if later := now.Add(banFor + time.Second); b.banned(a, later) || b.banned(neighbour, later) {
		t.Error("bans never end")
	}
	here := netip.MustParseAddrPort("127.0.0.1:1000")
	for range 5 {
		b.strike(here, now)
	}
	if b.refused(here.Addr(), now) {
		t.Error("this machine is refused")
	}
	for i := range 3 * bansMax {
		b.strike(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1), now)
	}
	if len(b.addrs) > bansMax || len(b.strikes) > bansMax {
		t.Errorf("%d addresses and %d strikes are kept", len(b.addrs), len(b.strikes))
	}
}
