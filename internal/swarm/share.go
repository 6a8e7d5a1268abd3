package swarm

import (
	"crypto/sha1"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/anacrolix/torrent"

	"weir/internal/seed"
)

// share is one torrent that is here: served, or being fetched and served
// already as far as it is there.
type share struct {
	infohash [20]byte
	store    *storage

	// Guarded by Client.admin.
	lib *torrent.Torrent

	// Guarded by Client.mu.
	info     []byte // nil: not known yet
	fetch    *fetch // nil: complete
	number   uint64 // of those that were added
	announce bool
	next     time.Time  // when to announce again; zero: it never was
	known    *addresses // torrent peers of this torrent
	seeders  map[torrent.PeerID]time.Time
	metadata metadata
	wrong    int                        // pieces and info dictionaries that did not verify
	spent    map[netip.Prefix]time.Time // addresses whose connection was cut for others, until when it counts

	over chan struct{} // closed when it is complete, or dropped
}

const (
	knownMax   = 256 // addresses kept of one torrent
	seedersMax = 256
	seederFor  = time.Hour // a torrent peer counts for so long after it was seen complete
)

// Serve implements seed.Swarm. What is served under this infohash already is
// exchanged for c; a fetch under way takes what it lacks from c.
func (c *Client) Serve(info []byte, content seed.Content, announce bool) error {
	if len(info) == 0 || len(info) > infoBytesMax {
		return fmt.Errorf("serve a torrent: %w", errShape)
	}
	infohash := sha1.Sum(info)
	c.admin.Lock()
	defer c.admin.Unlock()
	if old := c.share(infohash); old != nil {
		if c.exchange(old, content, announce) {
			return nil
		}
		c.drop(old)
	}
	s := c.newShare(infohash, &storage{content: content, all: true, trouble: c.kick})
	s.info, s.announce = slices.Clone(info), announce
	close(s.over)
	if err := c.add(s, s.info); err != nil {
		return fmt.Errorf("serve a torrent: %w", err)
	}
	c.kick()
	return nil
}

// exchange gives a complete share other content.
func (c *Client) exchange(s *share, content seed.Content, announce bool) bool {
	c.mu.Lock()
	fetching := s.fetch != nil
	if !fetching && announce && !s.announce {
		s.announce, s.next = true, time.Time{}
	}
	c.mu.Unlock()
	if fetching {
		return false
	}
	s.store.exchange(content, false)
	c.kick()
	return true
}

// Stop implements seed.Swarm. Nothing is posted for the torrent after it
// returns.
func (c *Client) Stop(infohash [20]byte) {
	var stopped []*fetch
	c.mu.Lock()
	for f := range c.fetches {
		if f.Infohash == infohash {
			f.stop()
			stopped = append(stopped, f)
		}
	}
	c.mu.Unlock()
	for _, f := range stopped {
		f.settle()
	}
	c.admin.Lock()
	defer c.admin.Unlock()
	if s := c.share(infohash); s != nil {
		c.drop(s)
	}
}

// Seeders implements seed.Swarm.
func (c *Client) Seeders(infohash [20]byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shares[infohash]
	if s == nil {
		return 0
	}
	now := time.Now()
	for _, k := range c.conns {
		if k.share == s && k.complete() {
			s.seen(k, now)
		}
	}
	n := 0
	for _, at := range s.seeders {
		if now.Sub(at) < seederFor {
			n++
		}
	}
	return n
}

// seen notes that a torrent peer holds everything.
func (s *share) seen(k *conn, now time.Time) {
	if _, ok := s.seeders[k.pc.PeerID]; !ok && len(s.seeders) >= seedersMax {
		for id, at := range s.seeders {
			if now.Sub(at) >= seederFor {
				delete(s.seeders, id)
			}
		}
		if len(s.seeders) >= seedersMax {
			return
		}
	}
	s.seeders[k.pc.PeerID] = now
}

func (c *Client) newShare(infohash [20]byte, store *storage) *share {
	store.gone = make(chan struct{})
	return &share{
		infohash: infohash,
		store:    store,
		known:    newAddresses(knownMax),
		seeders:  make(map[torrent.PeerID]time.Time),
		over:     make(chan struct{}),
	}
}

// share is the torrent under an infohash; nil: not here.
func (c *Client) share(infohash [20]byte) *share {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shares[infohash]
}

// add gives a share to the library, with its info dictionary if that has been
// planned. Under admin.
func (c *Client) add(s *share, info []byte) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.added++
	s.number = c.added
	c.shares[s.infohash] = s
	c.mu.Unlock()
	c.register(s, info)
	if info != nil && s.lib.Info() == nil {
		c.drop(s)
		return errShape
	}
	c.offer(s, c.everybody(s))
	return nil
}

func (c *Client) register(s *share, info []byte) {
	s.lib, _ = c.lib.AddTorrentOpt(torrent.AddTorrentOpts{
		InfoHash:                 s.infohash,
		Storage:                  s.store,
		InfoBytes:                info,
		DisableInitialPieceCheck: true,
	})
	s.lib.SetOnWriteChunkError(func(error) {}) // the storage keeps the error
	if c.muted.Load() {
		c.hush(s)
	}
	c.mu.Lock()
	narrow := s.fetch != nil && !s.fetch.wide
	c.mu.Unlock()
	if narrow {
		s.lib.SetMaxEstablishedConns(1)
	}
}

// drop takes a share from the library; its content is not used any more. Under
// admin.
func (c *Client) drop(s *share) {
	s.store.close()
	s.lib.Drop()
	close(s.store.gone)
	c.mu.Lock()
	if c.shares[s.infohash] == s {
		delete(c.shares, s.infohash)
	}
	if s.fetch != nil {
		s.fetch = nil
		close(s.over)
	}
	c.mu.Unlock()
}

// dropBroken stops serving what cannot be read any more.
func (c *Client) dropBroken() {
	c.admin.Lock()
	defer c.admin.Unlock()
	c.mu.Lock()
	var broken []*share
	for _, s := range c.shares {
		if _, _, _, err := s.store.progress(); err != nil && s.fetch == nil {
			broken = append(broken, s)
		}
	}
	c.mu.Unlock()
	for _, s := range broken {
		_, _, _, err := s.store.progress()
		c.config.Logf("torrent %x is not served any more: %v", s.infohash, err)
		c.drop(s)
	}
}

// offer hands addresses to the library, which tries each once. Under admin.
func (c *Client) offer(s *share, peers []netip.AddrPort) {
	infos := make([]torrent.PeerInfo, 0, len(peers))
	for _, a := range peers {
		if !c.banned(a) && a != c.sockets.addr {
			infos = append(infos, torrent.PeerInfo{Addr: torrent.StringAddr(a.String())})
		}
	}
	if len(infos) > 0 {
		s.lib.AddPeers(infos)
	}
}

// everybody is all torrent peers that may have a share.
func (c *Client) everybody(s *share) []netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(s.known.list(), c.met.list()...)
}
