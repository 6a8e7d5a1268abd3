package mainline

import (
	"net"
	"net/netip"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"
)

// resendDelay is how long the server waits for an answer before it asks again or gives up.
const resendDelay = time.Second

// newServer starts an anacrolix server on the pipe. What it is told here, and
// why, is in the comments; every one mends something that a private network, or a
// stranger, would trip over.
func newServer(c Config, id [20]byte, p *pipe, start []netip.AddrPort, stored *items, announced *peers) (*dht.Server, error) {
	// Only failures to decode go to the log package's own default logger, and the
	// guard passes nothing that does not decode.
	quiet := log.NewLogger("dht")
	quiet.SetHandlers(log.DiscardHandler)
	return dht.NewServer(&dht.ServerConfig{
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
	})
}

// mendQuery corrects a query before the server answers it. The server looks for
// the target of find_node and get in info_hash, so it would answer with nodes near
// zero. And it refuses immutable puts without seq, which is how libtorrent
// sends them, though BEP 44 gives them none.
func mendQuery(q *krpc.Msg, _ net.Addr) bool {
	if q.A == nil {
		return true
	}
	switch q.Q {
	case "find_node", "get":
		q.A.InfoHash = q.A.Target
	case "put":
		if q.A.Seq == nil && q.A.K == ([32]byte{}) {
			q.A.Seq = new(int64)
		}
	}
	return true
}
