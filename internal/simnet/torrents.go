package simnet

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"

	"weir/internal/seed"
	"weir/ledger/wire"
)

// Torrents is who holds which torrent, all over the world.
type Torrents struct {
	net  *Network
	held map[[20]byte][]*Swarm // complete, in the order in which they came to be
}

// NewTorrents makes a world of torrents whose peers talk over n's links.
func NewTorrents(n *Network) *Torrents {
	return &Torrents{net: n, held: make(map[[20]byte][]*Swarm)}
}

// Peer is what a torrent peer is like. Shares are of the pieces it sends.
type Peer struct {
	Upload   int64 // bytes a second over all transfers; 0: 1 MiB
	Download int64 // 0: 4 MiB

	Lose    float64 // share that is never answered
	Corrupt float64 // share with a wrong bit
	Stall   float64 // share after which it sends nothing more to that receiver
}

// Swarm is one host's torrent client for one life of the host; a host that
// restarts makes another. It implements seed.Swarm.
type Swarm struct {
	all      *Torrents
	end      *Endpoint
	life     uint32
	peer     Peer
	random   rand.PCG // faults and delays of what it sends
	torrents map[[20]byte]*torrent
	fetches  []*fetch
	meets    [][20]byte

	uploadFree, downloadFree int64 // when the line is free again
}

// torrent is one that a swarm holds.
type torrent struct {
	info     []byte
	content  seed.Content
	announce bool
}

var _ seed.Swarm = (*Swarm)(nil)

// Join gives the endpoint's present life a torrent client.
func (t *Torrents) Join(e *Endpoint, p Peer) *Swarm {
	s := &Swarm{all: t, end: e, life: e.life, torrents: make(map[[20]byte]*torrent)}
	r := t.net.world.Stream("torrents/" + e.addr.String())
	s.random.Seed(r.Uint64(), r.Uint64())
	s.SetPeer(p)
	return s
}

// SetPeer changes what the peer is like from its next piece on.
func (s *Swarm) SetPeer(p Peer) {
	if p.Upload == 0 {
		p.Upload = 1 << 20
	}
	if p.Download == 0 {
		p.Download = 4 << 20
	}
	s.peer = p
}

// Addr is where the torrent peer is reached.
func (s *Swarm) Addr() netip.AddrPort { return s.end.addr }

// Meet makes this client known to all that meet at the same infohash, and
// them to it, for every torrent (DESIGN section 5).
func (s *Swarm) Meet(infohash [20]byte) {
	if !slices.Contains(s.meets, infohash) {
		s.meets = append(s.meets, infohash)
	}
}

var errInfo = errors.New("an info dictionary of more than 1 MiB, or none")

// Serve implements seed.Swarm. Bytes are read when a piece is sent, so content
// that is not what info says is rubbish that others receive.
func (s *Swarm) Serve(info []byte, c seed.Content, announce bool) error {
	if len(info) == 0 || len(info) > infoBytesMax {
		return errInfo
	}
	s.hold(wire.Infohash(info), &torrent{info: slices.Clone(info), content: c, announce: announce})
	return nil
}

func (s *Swarm) hold(infohash [20]byte, t *torrent) {
	if s.torrents[infohash] == nil {
		living := slices.DeleteFunc(s.all.held[infohash], func(o *Swarm) bool { return !o.alive() })
		s.all.held[infohash] = append(living, s)
	}
	s.torrents[infohash] = t
}

// Stop implements seed.Swarm. The Done of a fetch that is stopped is not
// called.
func (s *Swarm) Stop(infohash [20]byte) {
	for _, f := range slices.Clone(s.fetches) {
		if f.Infohash == infohash {
			f.cancel()
		}
	}
	if s.torrents[infohash] == nil {
		return
	}
	delete(s.torrents, infohash)
	held := slices.DeleteFunc(s.all.held[infohash], func(o *Swarm) bool { return o == s })
	if len(held) == 0 {
		delete(s.all.held, infohash)
		return
	}
	s.all.held[infohash] = held
}

// Seeders implements seed.Swarm.
func (s *Swarm) Seeders(infohash [20]byte) int {
	n := 0
	for _, o := range s.all.held[infohash] {
		if o != s && o.alive() && s.connects(o) && s.knows(o, infohash) {
			n++
		}
	}
	return n
}

// alive: the life in which the client was made goes on.
func (s *Swarm) alive() bool { return s.end.up && s.end.life == s.life }

// connects says whether the two can talk: one of them must be able to reach
// the other.
func (s *Swarm) connects(o *Swarm) bool {
	return s.end.reaches(o.end) || o.end.reaches(s.end)
}

// knows says whether the two have heard of each other for a torrent: one of
// them announced it, or they meet.
func (s *Swarm) knows(o *Swarm, infohash [20]byte) bool {
	for _, t := range []*torrent{s.torrents[infohash], o.torrents[infohash]} {
		if t != nil && t.announce {
			return true
		}
	}
	return slices.ContainsFunc(s.meets, func(m [20]byte) bool { return slices.Contains(o.meets, m) })
}
