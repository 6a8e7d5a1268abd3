// Package seed says what the roles need of torrents: to serve content, to fetch
// it, and to know who else holds it. It has the types, and what every
// implementation does alike; package internal/swarm does it with real torrents,
// internal/simnet in memory.
package seed

import (
	"errors"
	"net/netip"
	"time"
)

// ErrStalled: nobody sent anything new for too long.
var ErrStalled = errors.New("no torrent peer sent anything new")

// Content is the bytes of one torrent, its files one after the other. WriteAt
// is called only while it is being fetched, and only with bytes whose piece has not
// yet been verified; ReadAt must give back what was written.
type Content interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
}

// Fetch asks for a torrent by its infohash.
type Fetch struct {
	Infohash [20]byte
	Peers    []netip.AddrPort // torrent peers already known
	// Plan is called once the info dictionary is here. It refuses what is not
	// expected, or says where the bytes go and how many at the front are already there and verified.
	Plan func(info []byte) (c Content, have int64, err error)
	// Resume: behind have the content may hold pieces of an earlier fetch. They
	// are hashed before anything is asked for, and those that are right not fetched again.
	Resume bool
	// Stall gives up after so long without a new piece or metadata; 0: 30 s.
	Stall time.Duration
	// First is the same until the first piece has come: so long for the info dictionary, and
	// again as long for a piece. It is for who has other ways. 0, or more than Stall: Stall.
	First time.Duration
	// Progress, when set, is called now and then.
	Progress func(have, total int64)
	// Done is called once. Received is every payload byte from torrent peers, metadata included.
	Done func(r Result)
}

// Result is how a fetch ended.
type Result struct {
	Received int64
	Here     int64 // bytes of the content that were there and right before anything was asked for
	Info     []byte
	Err      error // ErrStalled, what Plan or Content returned, or nil
}

// Swarm is what the roles need of torrents. Callbacks run on the loop the caller gave to the
// implementation, never inside a call.
type Swarm interface {
	// Serve seeds complete content. The info dictionary is ours, so its infohash is known. announce: tell the DHT.
	Serve(info []byte, c Content, announce bool) error
	Fetch(f Fetch) (cancel func())
	// Stop stops serving or fetching and returns when no read of its content is under way.
	Stop(infohash [20]byte)
	// Seeders is how many torrent peers other than ourselves were lately seen to hold the whole torrent.
	Seeders(infohash [20]byte) int
}
