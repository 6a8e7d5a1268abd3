package mainline

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/internal/lookup/kademliatest"
)

// wireTo is a bare socket to one node.
type wireTo struct {
	testing.TB
	conn  *net.UDPConn
	pings int
}

func dialNode(t testing.TB, n *Node) *wireTo {
	t.Helper()
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(n.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return &wireTo{TB: t, conn: conn}
}

func (w *wireTo) send(b []byte) {
	w.Helper()
	if _, err := w.conn.Write(b); err != nil {
		w.Fatal(err)
	}
}

// receive gives the next answer.
func (w *wireTo) receive() ([]byte, lookup.Message) {
	w.Helper()
	b := make([]byte, packetBytesMax)
	size, err := w.conn.Read(b)
	if err != nil {
		w.Fatalf("the node does not answer: %v", err)
	}
	m, err := lookup.ParseMessage(b[:size])
	if err != nil {
		w.Fatalf("the node sent %q: %v", b[:size], err)
	}
	return b[:size], m
}

// exchange sends a query and gives its answer.
func (w *wireTo) exchange(query []byte) []byte {
	w.Helper()
	w.send(query)
	for {
		if b, m := w.receive(); !bytes.HasPrefix(m.Transaction, []byte("ping")) {
			return b
		}
	}
}

// maybe is exchange where silence is right: a node that has answered several
// pings sent later says nothing more to the query. An answer after that is an answer
// to nothing, which the next exchange fails on.
func (w *wireTo) maybe(query []byte) []byte {
	w.Helper()
	w.send(query)
	for range 20 {
		w.pings++
		t := fmt.Appendf(nil, "ping%d", w.pings)
		ping := lookup.Message{Kind: lookup.KindQuery, Method: lookup.MethodPing, ReadOnly: true, Transaction: t, ID: [20]byte{1}}
		w.send(ping.Encode())
		b, m := w.receive()
		if !bytes.HasPrefix(m.Transaction, []byte("ping")) {
			return b
		}
	}
	return nil
}

func TestARealNodeDoesWhatOurLookUpsRelyOn(t *testing.T) {
	n := open(t, Config{})
	w := dialNode(t, n)
	kademliatest.ConformanceInTime(t, w.exchange, w.maybe)
}
