package swarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anacrolix/torrent"
	pp "github.com/anacrolix/torrent/peer_protocol"
	utHolepunch "github.com/anacrolix/torrent/peer_protocol/ut-holepunch"
	"golang.org/x/time/rate"

	"weir/internal/seed"
)

// PeerSource finds torrent peers by infohash; package mainline does it with
// the DHT. found is called from any goroutine, at any later time or at once,
// and may be called with nothing.
type PeerSource interface {
	// Announce says that a torrent peer listens on a TCP port of this machine, and finds others; port 0:
	// that of the source's own packets, as others see it.
	Announce(infohash [20]byte, port uint16, found func([]netip.AddrPort))
	GetPeers(infohash [20]byte, found func([]netip.AddrPort))
}

// Config says how a Client meets the world. Post is required.
type Config struct {
	// Listen is the TCP address for torrent peers; port 0: any. It should be
	// the port of the DHT's UDP socket, which is opened first; when that port is
	// taken for TCP, another one is announced.
	Listen netip.AddrPort
	// Loopback turns port mapping, peer exchange and, without UTP, uTP with
	// hole punching off, for tests on one machine. Everywhere else they are on.
	Loopback bool
	// UTP carries uTP, for torrent peers that no TCP connection reaches. It
	// is the DHT's socket without the DHT's packets (they begin with 'd'); nil: a
	// socket of our own on the UDP port of Listen if that is free.
	UTP net.PacketConn
	// UploadRate and DownloadRate are bytes a second over all torrents; 0: unlimited.
	UploadRate, DownloadRate int64
	// Unmapped asks no router to let torrent peers in.
	Unmapped bool
	// Peers finds torrent peers; nil: only those handed in are known.
	Peers PeerSource
	// Post runs a function on the loop of the role. All callbacks go through it.
	Post func(func())
	// Logf is told what an operator may want to know; nil: nobody.
	Logf func(format string, args ...any)
}

// Client is a torrent client. Its methods may be called from any goroutine,
// but not from within a call of a Content. It implements seed.Swarm.
type Client struct {
	config  Config
	lib     *torrent.Client
	sockets *sockets
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	work    sync.WaitGroup // the keeper, the usher, the port mapper and all fetches
	wake    chan struct{}  // capacity 1: the keeper has something new to do
	came    chan struct{}  // capacity 1: the usher has somebody new to look at
	ltep    *torrent.LocalLtepProtocolMap
	carried carried
	muted   atomic.Bool
	retry   time.Duration // a fetch without news looks for torrent peers after so long, then twice as long …

	// admin is held while torrents are added to the library or dropped.
	// It is taken before the library's lock.
	admin sync.Mutex

	// mu is taken inside the library's lock, never around it.
	mu      sync.Mutex
	closed  bool
	shares  map[[20]byte]*share
	added   uint64        // shares
	pace    *rate.Limiter // of announcements
	fetches map[*fetch]struct{}
	conns   map[*torrent.PeerConn]*conn
	meets   map[[20]byte]time.Time // infohashes to meet at, and when next
	met     *addresses
	offers  []offered // for the keeper
	bans    bans
	reached bool
	grace   time.Duration // a connection that is younger stays
}

var _ seed.Swarm = (*Client)(nil)

// ErrClosed: the client has been closed.
var ErrClosed = errors.New("the torrent client is closed")

const (
	connectionsMax     = 512 // all torrents together
	incomingMax        = 384 // of them, that others opened: who dials is never without room
	incomingEachMax    = 16  // of them, from one IPv4 address or IPv6 network of 64 bits
	dialsPerSecond     = 50
	limiterBurstMin    = 64 << 10 // a request of 16 KiB must fit several times
	retryFirst         = 2 * time.Second
	handshakeTimeout   = 4 * time.Second
	clientName         = "weir"
	peerIDPrefix       = "-WR0100-"
	chunkBytes         = 16 << 10 // what torrent peers ask for at once (BEP 3)
	infoBytesMax       = 1 << 20
	metadataExtension  = pp.ExtensionNameMetadata
	holepunchExtension = utHolepunch.ExtensionName
	exchangeExtension  = pp.ExtensionNamePex
)

// New opens the sockets and starts.
func New(config Config) (*Client, error) {
	if config.Logf == nil {
		config.Logf = func(string, ...any) {}
	}
	c := &Client{
		config:  config,
		wake:    make(chan struct{}, 1),
		came:    make(chan struct{}, 1),
		retry:   retryFirst,
		grace:   graceFirst,
		shares:  make(map[[20]byte]*share),
		pace:    rate.NewLimiter(announceRate, announceBurst),
		fetches: make(map[*fetch]struct{}),
		conns:   make(map[*torrent.PeerConn]*conn),
		meets:   make(map[[20]byte]time.Time),
		met:     newAddresses(metMax),
		bans:    newBans(),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.ltep = &torrent.LocalLtepProtocolMap{Index: []pp.ExtensionName{holepunchExtension}, NumBuiltin: 1}
	if !config.Loopback {
		c.ltep.Index, c.ltep.NumBuiltin = append(c.ltep.Index, exchangeExtension), 2
	}
	c.ltep.Index = append(c.ltep.Index, metadataExtension)

	var err error
	if c.sockets, err = c.listen(); err != nil {
		c.cancel()
		return nil, fmt.Errorf("listen for torrent peers on %v: %w", config.Listen, err)
	}
	if c.lib, err = torrent.NewClient(c.libraryConfig()); err != nil {
		c.cancel()
		c.sockets.close()
		return nil, fmt.Errorf("start the torrent client: %w", err)
	}
	c.sockets.attach(c.lib)
	if !config.Loopback && !config.Unmapped {
		c.work.Go(c.mapPorts)
	}
	c.work.Go(c.keep)
	c.work.Go(c.usher)
	return c, nil
}

// libraryConfig is UPSTREAM's list of switches. The sockets are ours, so the
// library has none of its own.
func (c *Client) libraryConfig() *torrent.ClientConfig {
	lc := torrent.NewDefaultClientConfig()
	lc.NoDHT = true
	lc.DisableTrackers = true
	lc.DisableWebtorrent = true
	lc.DisableWebseeds = true
	lc.DisableTCP = true
	lc.DisableUTP = true
	lc.NoDefaultPortForwarding = true // mapPorts does it
	lc.DisablePEX = c.config.Loopback
	lc.DropMutuallyCompletePeers = false // parting does it, when both have been seen complete
	lc.DefaultStorage = &storage{}       // or it opens a database in the working directory
	lc.Seed = true
	lc.EstablishedConnsPerTorrent = establishedMax
	lc.DialRateLimiter = rate.NewLimiter(dialsPerSecond, dialsPerSecond)
	lc.HandshakesTimeout = handshakeTimeout
	lc.UploadRateLimiter = limiter(c.config.UploadRate)
	if c.config.DownloadRate > 0 {
		lc.DownloadRateLimiter = limiter(c.config.DownloadRate)
	}
	lc.Slogger = slog.New(slog.DiscardHandler)
	lc.ExtendedHandshakeClientVersion = clientName
	lc.HTTPUserAgent = clientName
	lc.UpnpID = clientName
	lc.Bep20 = peerIDPrefix
	lc.IPBlocklist = blocklist{c}
	lc.Callbacks.ReadMessage = c.readMessage
	lc.Callbacks.ReadExtendedHandshake = c.readHandshake
	lc.Callbacks.PeerConnClosed = c.connClosed
	lc.Callbacks.PeerConnAdded = append(lc.Callbacks.PeerConnAdded, c.connAdded)
	return lc
}

// limiter allows so many bytes a second, and a burst of as many; 0: unlimited.
func limiter(bytes int64) *rate.Limiter {
	if bytes <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(bytes), int(max(bytes, limiterBurstMin)))
}

// Addr is where torrent peers reach us on this machine.
func (c *Client) Addr() netip.AddrPort { return c.sockets.addr }

// Reached says whether a torrent peer from elsewhere has ever connected to us.
func (c *Client) Reached() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reached
}

// Close stops everything. No Content is used and nothing is posted after it returns; Done of
// fetches under way is not called.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	for f := range c.fetches {
		f.stop()
	}
	c.mu.Unlock()
	c.cancel()
	c.work.Wait()

	c.admin.Lock()
	defer c.admin.Unlock()
	for _, s := range c.shares {
		s.store.close()
	}
	c.lib.Close()
	for _, s := range c.shares {
		close(s.store.gone)
	}
	c.sockets.close()
	return nil
}

// kick lets the keeper look what is due.
func (c *Client) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
