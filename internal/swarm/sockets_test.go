package swarm

import (
	"fmt"
	"net"
	"testing"
)

// stranger is a connection from somewhere.
type stranger struct {
	net.Conn
	from string
}

func (s stranger) RemoteAddr() net.Addr {
	a, _ := net.ResolveTCPAddr("tcp", s.from)
	return a
}

func (s stranger) Close() error { return nil }

// accepted is how many of n connections from an address are taken, which may
// have the number in it.
func accepted(s *sockets, n int, incoming bool, from string) (taken []net.Conn) {
	for i := range n {
		at := from
		if _, err := net.ResolveTCPAddr("tcp", from); err != nil {
			at = fmt.Sprintf(from, i/250, i%250)
		}
		if nc, ok := s.track(stranger{from: at}, incoming); ok {
			taken = append(taken, nc)
		}
	}
	return taken
}

func TestNobodyTakesAllConnections(t *testing.T) {
	w := newWorld(t)
	s := w.client().sockets
	one := accepted(s, 1000, true, "203.0.113.9:6881")
	if len(one) != incomingEachMax {
		t.Errorf("%d connections from one IPv4 address", len(one))
	}
	if n := len(accepted(s, 100, true, "[::ffff:203.0.113.9]:6881")); n != 0 {
		t.Errorf("%d more from the same address written as IPv6", n)
	}
	if n := len(accepted(s, 1000, true, "[2001:db8::%x:%x]:6881")); n != incomingEachMax {
		t.Errorf("%d connections from one IPv6 network", n)
	}
	for _, nc := range one {
		nc.Close()
		nc.Close()
	}
	if n := len(accepted(s, 1000, true, "203.0.113.9:6881")); n != incomingEachMax {
		t.Errorf("%d connections after all were closed", n)
	}
	crowd := accepted(s, 1000, true, "198.51.%d.%d:6881")
	if n := len(crowd) + 2*incomingEachMax; n != incomingMax {
		t.Errorf("%d connections that others opened", n)
	}
	if n := len(accepted(s, 1, true, "127.0.0.1:6881")); n != 0 {
		t.Error("this machine's own are not counted")
	}
	if n := len(accepted(s, 1000, false, "203.0.113.9:6881")); n != connectionsMax-incomingMax {
		t.Errorf("room to dial %d", n)
	}
}
