package simnet

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// natOpen is how long a NAT lets answers in after something went out. RFC 4787
// asks for 2 minutes; many give half a minute.
const natOpen = 30 * time.Second

// natHolesMax bounds what a NAT remembers.
const natHolesMax = 4096

// Endpoint is one address on the network, and the life of what stands there:
// timers of a life that has ended do not fire.
type Endpoint struct {
	net     *Network
	addr    netip.AddrPort
	receive func(from netip.AddrPort, data []byte)
	random  rand.PCG // delays and losses of what it sends
	link    *Link    // nil: the network's
	part    int
	up      bool
	life    uint32
	holes   map[netip.AddrPort]int64 // behind a NAT: when it last sent where; nil: no NAT
}

// Addr is where datagrams reach the endpoint.
func (e *Endpoint) Addr() netip.AddrPort { return e.addr }

// Alive: between its making or Restart and Kill.
func (e *Endpoint) Alive() bool { return e.up }

// Kill ends the life: nothing is received or sent, no timer fires.
func (e *Endpoint) Kill() {
	e.up = false
	e.life++
}

// Restart begins a new life at the same address. What is still under way to
// it arrives.
func (e *Endpoint) Restart() { e.up = true }

// SetLink gives the endpoint a link of its own, to and from everywhere; nil:
// the network's again.
func (e *Endpoint) SetLink(l *Link) { e.link = l }

// SetNAT puts the endpoint behind a NAT, or takes it out: only addresses that
// it has sent something to in the last half minute reach it.
func (e *Endpoint) SetNAT(on bool) {
	e.holes = nil
	if on {
		e.holes = make(map[netip.AddrPort]int64)
	}
}

// Send sends a datagram. data must not be changed afterwards.
func (e *Endpoint) Send(to netip.AddrPort, data []byte) { e.SendAs(e.addr, to, data) }

// SendAs sends a datagram with a false source address.
func (e *Endpoint) SendAs(source, to netip.AddrPort, data []byte) {
	if e.up {
		e.net.send(e, source, to, data)
	}
}

// After runs f when d has passed, if this life lasts so long.
func (e *Endpoint) After(d time.Duration, f func()) Timer {
	if !e.up {
		return Timer{}
	}
	return e.net.world.after(d, e, f)
}

// opened lets answers from an address through the NAT.
func (e *Endpoint) opened(to netip.AddrPort) {
	if e.holes == nil {
		return
	}
	now := e.net.world.now
	if len(e.holes) >= natHolesMax {
		for a, at := range e.holes { // which goes does not depend on the order
			if now-at > int64(natOpen) {
				delete(e.holes, a)
			}
		}
	}
	if len(e.holes) < natHolesMax {
		e.holes[to] = now
	}
}

// admits says whether the NAT, if there is one, lets a datagram in.
func (e *Endpoint) admits(from netip.AddrPort) bool {
	if e.holes == nil {
		return true
	}
	at, ok := e.holes[from]
	return ok && e.net.world.now-at <= int64(natOpen)
}

// reaches says whether e could open a connection to another endpoint.
func (e *Endpoint) reaches(to *Endpoint) bool {
	return e.up && to.up && e.part == to.part && (to.holes == nil || to.admits(e.addr))
}
