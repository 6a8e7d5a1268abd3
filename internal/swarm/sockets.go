package swarm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/anacrolix/torrent"
	"github.com/anacrolix/utp"
)

// sockets are the ends of all connections. They are ours and not the
// library's so that a ban is by address and port, Close takes everything with
// it, and uTP can share the DHT's socket.
type sockets struct {
	client    *Client
	addr      netip.AddrPort
	listeners []*listener
	dialers   []torrent.Dialer
	utp       *utp.Socket

	mu       sync.Mutex
	conns    map[*tracked]struct{}
	incoming int
	from     map[netip.Prefix]int // incoming ones by where they come from
	closed   bool
}

var errBanned = errors.New("a torrent peer that sent rubbish")

// acceptPause is between two attempts to accept when the system has no room.
const acceptPause = 100 * time.Millisecond

func (c *Client) listen() (*sockets, error) {
	s := &sockets{client: c, conns: make(map[*tracked]struct{}), from: make(map[netip.Prefix]int)}
	at := c.config.Listen
	host := ""
	if at.Addr().IsValid() {
		host = at.Addr().String()
	}
	var config net.ListenConfig
	tcp, err := config.Listen(c.ctx, "tcp", net.JoinHostPort(host, portText(at.Port())))
	if at.Port() != 0 && errors.Is(err, syscall.EADDRINUSE) {
		c.config.Logf("TCP port %d is taken, torrent peers get another: %v", at.Port(), err)
		tcp, err = config.Listen(c.ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, err
	}
	s.addr = tcp.Addr().(*net.TCPAddr).AddrPort()
	s.addr = netip.AddrPortFrom(s.addr.Addr().Unmap(), s.addr.Port())
	s.listeners = append(s.listeners, &listener{Listener: tcp, sockets: s})
	dialer := &net.Dialer{KeepAlive: -1}
	if a := at.Addr(); a.IsValid() && !a.IsUnspecified() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
	}
	s.dialers = append(s.dialers, &outward{sockets: s, network: "tcp", dial: dialer.DialContext})
	if !c.config.Loopback || c.config.UTP != nil {
		s.openUTP(host)
	}
	return s, nil
}

// attach gives the sockets to the library.
func (s *sockets) attach(lib *torrent.Client) {
	for _, l := range s.listeners {
		lib.AddListener(l)
	}
	for _, d := range s.dialers {
		lib.AddDialer(d)
	}
}

// close closes the sockets and every connection that is still open.
func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	open := s.conns
	s.conns = nil
	s.mu.Unlock()
	for c := range open {
		c.Conn.Close()
	}
	for _, l := range s.listeners {
		l.Listener.Close()
	}
}

// track remembers an open connection, or closes it when there are too many.
// Of those that others opened there are fewer, and few from one place, so that
// nobody who opens one after the other keeps all the rest away.
func (s *sockets) track(nc net.Conn, incoming bool) (net.Conn, bool) {
	tcp, isTCP := nc.(*net.TCPConn)
	if isTCP {
		tcp.SetLinger(0)
	}
	t := &tracked{Conn: nc, sockets: s, incoming: incoming, counted: isTCP}
	if incoming {
		t.from = origin(nc.RemoteAddr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	full := len(s.conns) >= connectionsMax || incoming && s.incoming >= incomingMax || s.from[t.from] >= incomingEachMax
	if s.closed || full || incoming && s.client.muted.Load() {
		go nc.Close()
		return nil, false
	}
	s.conns[t] = struct{}{}
	if incoming {
		s.incoming++
	}
	if t.from.IsValid() {
		s.from[t.from]++
	}
	return t, true
}

// origin is the IPv4 address, or the IPv6 network, that one household or
// machine has; none is this machine's own and what is no address.
func origin(a fmt.Stringer) netip.Prefix {
	at, err := netip.ParseAddrPort(a.String())
	ip := at.Addr().Unmap().WithZone("")
	if err != nil || ip.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // as many bits as it has
	return p
}

type tracked struct {
	net.Conn
	sockets  *sockets
	incoming bool
	counted  bool         // its bytes are: those of uTP are where its datagrams are
	from     netip.Prefix // zero: not counted
}

func (t *tracked) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if t.counted {
		t.sockets.client.carried.in.Add(uint64(max(n, 0)))
	}
	return n, err
}

func (t *tracked) Write(b []byte) (int, error) {
	n, err := t.Conn.Write(b)
	if t.counted {
		t.sockets.client.carried.out.Add(uint64(max(n, 0)))
	}
	return n, err
}

func (t *tracked) Close() error {
	t.sockets.forget(t)
	return t.Conn.Close()
}

// forget makes the room of a connection free, once.
func (s *sockets) forget(t *tracked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[t]; !ok {
		return
	}
	delete(s.conns, t)
	if t.incoming {
		s.incoming--
	}
	if t.from.IsValid() {
		if s.from[t.from]--; s.from[t.from] == 0 {
			delete(s.from, t.from)
		}
	}
}

// The library takes an error of these for a mistake of its own and ends the
// process; a connection that was closed shows it soon enough.
func (t *tracked) SetDeadline(at time.Time) error      { t.Conn.SetDeadline(at); return nil }
func (t *tracked) SetReadDeadline(at time.Time) error  { t.Conn.SetReadDeadline(at); return nil }
func (t *tracked) SetWriteDeadline(at time.Time) error { t.Conn.SetWriteDeadline(at); return nil }

type listener struct {
	net.Listener
	sockets *sockets
}

// Accept never gives an error while the client lives, for the library would
// ask again at once.
func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err == nil {
			if t, ok := l.sockets.track(nc, true); ok {
				return t, nil
			}
			continue
		}
		select {
		case <-l.sockets.client.ctx.Done():
			return nil, err
		case <-time.After(acceptPause):
		}
	}
}

// outward is a torrent.Dialer that refuses the banned and ends with the client.
type outward struct {
	sockets *sockets
	network string
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (o *outward) DialerNetwork() string { return o.network }

func (o *outward) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c := o.sockets.client
	if at, err := netip.ParseAddrPort(addr); err == nil && c.banned(at) {
		return nil, errBanned
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	nc, err := o.dial(ctx, o.network, addr)
	if err != nil {
		return nil, err
	}
	t, ok := o.sockets.track(nc, false)
	if !ok {
		return nil, ErrClosed
	}
	return t, nil
}
