package bench

import (
	"net"
	"net/netip"
	"slices"
	"sync"

	"weir/internal/lookup"
)

// traitor is a node that answers what it is asked, so that its replies are let
// in, and keeps what was asked and answered for replaying.
type traitor struct {
	id   [20]byte
	conn *net.UDPConn
	wg   sync.WaitGroup

	mu   sync.Mutex
	kept [][]byte // whole datagrams, the newest replaysMax
}

const replaysMax = 256

// startTraitor starts one that is close to the first of some outboxes, and so
// among those asked for it.
func startTraitor(o *outboxes) (*traitor, error) {
	it, err := o.sign(0, 1)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil { // of 127.0.0.0/8 some systems have only the first
		conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	}
	if err != nil {
		return nil, err
	}
	t := &traitor{id: it.Target, conn: conn}
	t.id[len(t.id)-1] ^= 1
	t.wg.Go(t.serve)
	return t, nil
}

func (t *traitor) addr() string { return t.conn.LocalAddr().String() }

func (t *traitor) close() {
	t.conn.Close()
	t.wg.Wait()
}

// replays are the datagrams kept.
func (t *traitor) replays() [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.kept)
}

func (t *traitor) serve() {
	b := make([]byte, 2048)
	for {
		n, from, err := t.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		asked := slices.Clone(b[:n])
		if answer := t.answer(asked); answer != nil {
			t.keep(asked, answer)
			t.conn.WriteToUDPAddrPort(answer, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		}
	}
}

// answer says that nothing is here; nil: nobody asked.
func (t *traitor) answer(b []byte) []byte {
	q, err := lookup.ParseMessage(b)
	if err != nil || q.Kind != lookup.KindQuery {
		return nil
	}
	r := lookup.Message{Kind: lookup.KindResponse, Transaction: slices.Clone(q.Transaction), ID: t.id}
	if q.Method == lookup.MethodGet || q.Method == lookup.MethodGetPeers {
		r.Token = []byte("weirweir")
	}
	return r.Encode()
}

func (t *traitor) keep(b ...[]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	t.kept = slices.Delete(t.kept, 0, max(0, len(t.kept)-replaysMax))
}
