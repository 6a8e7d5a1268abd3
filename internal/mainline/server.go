package mainline

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"
)

// resendDelay is how long the server waits for an answer before it asks again or gives up.
const resendDelay = time.Second

// silence quiets the logger that the library shares with the whole process. The server tells it what it could not
// decode. The guard passes nothing of that sort (FuzzWhatPassesDecodesWithoutError); should it err one day, or
// the library say more there, the lines of a stranger still do not reach the terminal. Once, before there is a
// server: none may be reading the logger while it changes.
var silence = sync.OnceFunc(func() { log.Default.SetHandlers(log.DiscardHandler) })

// newServer starts an anacrolix server on the pipe.
func newServer(c Config, id [20]byte, p *pipe, start []netip.AddrPort, stored *items, announced *peers) (*dht.Server, error) {
	silence()
	return dht.NewServer(serverConfig(c, id, p, start, stored, announced))
}

// serverConfig is what the server is told. Why is in the comments; every one mends something that a
// private network, or a stranger, would trip over.
func serverConfig(c Config, id [20]byte, p *pipe, start []netip.AddrPort, stored *items, announced *peers) *dht.ServerConfig {
	quiet := log.NewLogger("dht")
	quiet.SetHandlers(log.DiscardHandler)
	return &dht.ServerConfig{
		NodeId:     id,
		Conn:       p,
		Passive:    c.ReadOnly,
		NoSecurity: !c.Public,
		StartingNodes: func() ([]dht.Addr, error) {
			var addrs []dht.Addr
			for _, a := range start {
				addrs = append(addrs, dht.NewAddr(net.UDPAddrFromAddrPort(a)))
			}
			return addrs, nil
		},
		OnQuery:          mendQuery,
		QueryResendDelay: func() time.Duration { return resendDelay },
		PeerStore:        announced,  // the default keeps everything and returns wrong addresses
		Store:            stored,     // the default keeps everything
		Exp:              itemExpiry, // zero expires items at once
		Logger:           quiet,
		DefaultWant:      []krpc.Want{krpc.WantNodes},
		// The default is one bucket of 250 a second for the whole process. Queries are
		// limited by source before they get here, so nothing waits for the limiter.
		SendLimiter: rate.NewLimiter(rate.Inf, 1),
		WaitToReply: true,
	}
}

// mendQuery corrects a query before the server answers it. The server looks for
// the target of find_node and get in info_hash, so it would answer with nodes near
// zero. And it takes the seq of immutable puts for theirs, though BEP 44 gives them none: it
// refuses those without, which is how libtorrent sends them, and after one with the highest seq
// it would refuse everybody else's put of the same value.
func mendQuery(q *krpc.Msg, _ net.Addr) bool {
	if q.A == nil {
		return true
	}
	switch q.Q {
	case "find_node", "get":
		q.A.InfoHash = q.A.Target
	case "put":
		if q.A.K == ([32]byte{}) {
			q.A.Seq = new(int64)
		}
	}
	return true
}
