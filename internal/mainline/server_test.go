package mainline

import (
	"expvar"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"golang.org/x/time/rate"

	"weir/internal/lookup"
)

// quiet says whether a logger writes nothing anywhere.
func quiet(l log.Logger) bool {
	for _, h := range l.Handlers {
		if s, ok := h.(log.StreamHandler); !ok || s.W != io.Discard {
			return false
		}
	}
	return !l.IsZero()
}

// What the library would do by itself is in the comments of serverConfig.
func TestTheServerIsToldWhatItsDefaultsGetWrong(t *testing.T) {
	stored, announced := newItems(itemBytesMax, time.Now), newPeers(peersMax, time.Now)
	start := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9")}
	c := serverConfig(Config{}, [20]byte{1}, nil, start, stored, announced)
	addrs, err := c.StartingNodes()
	for what, ok := range map[string]bool{
		"it starts from the given nodes and no others": err == nil && len(addrs) == 1 && addrs[0].String() == "127.0.0.1:9",
		"queries are mended":                           c.OnQuery != nil,
		"items have an end":                            c.Store == stored,
		"items live for two hours":                     c.Exp == 2*time.Hour,
		"torrent peers have an end":                    c.PeerStore == announced,
		"replies wait for nothing":                     c.SendLimiter != nil && c.SendLimiter.Limit() == rate.Inf,
		"no reply is left out":                         c.WaitToReply,
		"it asks for IPv4 nodes only":                  slices.Equal(c.DefaultWant, []krpc.Want{krpc.WantNodes}),
		"it asks again after a second":                 c.QueryResendDelay != nil && c.QueryResendDelay() == time.Second,
		"its logger is quiet":                          quiet(c.Logger),
	} {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}
	for _, c := range []Config{{}, {Public: true}, {ReadOnly: true}} {
		s := serverConfig(c, [20]byte{1}, nil, nil, stored, announced)
		if s.NoSecurity == c.Public || s.Passive != c.ReadOnly {
			t.Errorf("%+v: NoSecurity %v, Passive %v", c, s.NoSecurity, s.Passive)
		}
	}
}

func TestTheLoggerThatTheLibrarySharesIsQuiet(t *testing.T) {
	open(t, Config{})
	if !quiet(log.Default) {
		t.Errorf("it writes to %v", log.Default.Handlers)
	}
}

// The library's own bucket holds 25 tokens and gets 250 a second, for the whole process.
func TestABurstOfQueriesIsAnsweredWithoutTheBucketOfTheWholeProcess(t *testing.T) {
	w := dialNode(t, open(t, Config{}))
	ping := honest(t)["ping"]
	for range 16 {
		for range 64 { // as many as any socket has room for
			w.send(ping)
		}
		for range 64 {
			w.receive()
		}
		if b := dht.DefaultSendLimiter; b.Tokens() < float64(b.Burst()) {
			t.Fatalf("%.1f of %d tokens are left", b.Tokens(), b.Burst())
		}
	}
}

// vote is the shortest query of a method that nobody knows.
func vote(method string) []byte {
	return fmt.Appendf(nil, "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q%d:%s1:t1:t1:y1:qe", len(method), method)
}

func TestMethodsThatNobodyKnowsAreRefusedAndLeaveNothingBehind(t *testing.T) {
	w := dialNode(t, open(t, Config{}))
	for i := range 200 {
		q := vote(fmt.Sprintf("stranger %d", i))
		b := w.exchange(q)
		r, err := lookup.ParseMessage(b)
		if err != nil || r.Kind != lookup.KindError || r.Code != lookup.CodeMethodUnknown || string(r.Transaction) != "t" {
			t.Fatalf("%q is answered with %q, %v", q, b, err)
		}
	}
	if w.maybe(honest(t)["error"]) != nil { // by now the server has counted what it was given
		t.Error("an error is answered")
	}
	kept := 0
	expvar.Get("dht").(*expvar.Map).Do(func(kv expvar.KeyValue) {
		if strings.Contains(kv.Key, "stranger") {
			kept++
		}
	})
	if kept > 0 {
		t.Errorf("the process keeps %d names of methods for ever", kept)
	}
}

func TestARefusalIsNoWeaponAgainstThirdParties(t *testing.T) {
	q := vote("x")
	if r := refusal(q); len(r) >= len(q) {
		t.Errorf("%d bytes answer %d", len(r), len(q))
	}
	n := open(t, Config{})
	forged := netip.MustParseAddrPort("203.0.113.5:9") // a socket on loopback sends nothing there
	now := time.Unix(1_000_000, 0)
	for range 3 * queryBurst {
		n.receive(now, forged, q)
	}
	if s := n.Stats(); s.PacketsOut != queryBurst || s.Dropped["flooding"] != 2*queryBurst {
		t.Errorf("%d answers to one address, dropped %v", s.PacketsOut, s.Dropped)
	}
}
