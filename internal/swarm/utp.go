package swarm

import (
	"net"
	"sync"
	"time"

	"github.com/anacrolix/utp"
)

// openUTP adds uTP; without it TCP still works.
func (s *sockets) openUTP(host string) {
	pc := s.client.config.UTP
	if pc == nil {
		own, err := net.ListenPacket("udp", net.JoinHostPort(host, portText(s.addr.Port())))
		if err != nil {
			s.client.config.Logf("torrent peers are reached by TCP only: open uTP: %v", err)
			return
		}
		pc = own
	}
	// NewSocketFromPacketConn does not fail.
	s.utp, _ = utp.NewSocketFromPacketConn(&datagrams{
		PacketConn: pc, shared: pc == s.client.config.UTP, sockets: s, ended: make(chan struct{}),
	})
	s.listeners = append(s.listeners, &listener{Listener: s.utp, sockets: s})
	s.dialers = append(s.dialers, &outward{sockets: s, network: "udp", dial: s.utp.DialContext})
}

// datagrams is the socket under uTP. uTP closes it when its last connection
// has ended, which may be some seconds after Close; its way to do it at once
// stands still for ever.
type datagrams struct {
	net.PacketConn
	shared  bool // with the DHT, whose it is
	sockets *sockets
	once    sync.Once
	ended   chan struct{}
}

// lingerMax is how long uTP keeps a connection whose other end is silent.
const lingerMax = time.Minute

func (d *datagrams) Close() error {
	d.once.Do(func() { close(d.ended) })
	if d.shared {
		return nil
	}
	return d.PacketConn.Close()
}

// ReadFrom keeps the end of the socket to itself after Close, for uTP would
// write a line to the terminal.
func (d *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, addr, err := d.PacketConn.ReadFrom(b)
	if err == nil && !d.shared {
		d.sockets.client.carried.in.Add(uint64(n + headerBytes))
	}
	if err != nil && d.sockets.client.ctx.Err() != nil {
		select {
		case <-d.ended:
		case <-time.After(lingerMax):
		}
	}
	return n, addr, err
}

// WriteTo loses what cannot be sent, as the network would; uTP writes a line
// to the terminal for each error.
func (d *datagrams) WriteTo(b []byte, to net.Addr) (int, error) {
	d.PacketConn.WriteTo(b, to)
	if !d.shared {
		d.sockets.client.carried.out.Add(uint64(len(b) + headerBytes))
	}
	return len(b), nil
}
