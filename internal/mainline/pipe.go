package mainline

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// datagram is one packet that passed the guard.
type datagram struct {
	from netip.AddrPort
	data []byte
}

// pipe is the net.PacketConn that the anacrolix server sees: it reads what the guard lets
// through and never an error while it is open, since the server panics on one.
type pipe struct {
	local net.Addr
	write func(data []byte, to netip.AddrPort) error
	in    chan datagram

	once   sync.Once
	closed chan struct{}
}

// pipeLength is how many queries may wait for the server: 2 MiB at most.
const pipeLength = 1024

func newPipe(local net.Addr, write func([]byte, netip.AddrPort) error) *pipe {
	return &pipe{local: local, write: write, in: make(chan datagram, pipeLength), closed: make(chan struct{})}
}

// put hands a datagram to the server; false: it is behind, or closed.
func (p *pipe) put(d datagram) bool {
	select {
	case p.in <- d:
		return true
	default:
		return false
	}
}

func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-p.in:
		return copy(b, d.data), net.UDPAddrFromAddrPort(d.from), nil
	case <-p.closed:
		return 0, nil, net.ErrClosed
	}
}

func (p *pipe) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errors.New("not a UDP address")
	}
	ap := a.AddrPort()
	if err := p.write(b, netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close is called by the server once it knows that it is closed.
func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipe) LocalAddr() net.Addr { return p.local }

func (p *pipe) SetDeadline(time.Time) error      { return errors.ErrUnsupported }
func (p *pipe) SetReadDeadline(time.Time) error  { return errors.ErrUnsupported }
func (p *pipe) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
