package mainline

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"

	"weir/internal/lookup"
)

// honest is one valid datagram of each sort.
func honest(t testing.TB) map[string][]byte {
	id := [20]byte{1, 2, 3}
	it := sign(t, newKey(t), 7, "d1:ali1ei-2ee1:b3:xyze")
	q := func(m lookup.Message) []byte {
		m.Kind, m.ID, m.Transaction = lookup.KindQuery, id, []byte("aa")
		return m.Encode()
	}
	r := func(m lookup.Message) []byte {
		m.Kind, m.ID, m.Transaction = lookup.KindResponse, id, []byte("aa")
		return m.Encode()
	}
	nodes := lookup.AppendNode(nil, lookup.Node{ID: id, Addr: netip.MustParseAddrPort("10.1.2.3:6881")})
	return map[string][]byte{
		"ping":            q(lookup.Message{Method: "ping", ReadOnly: true}),
		"find_node":       q(lookup.Message{Method: "find_node", Target: it.Target, Want: lookup.WantN4 | lookup.WantN6}),
		"get_peers":       q(lookup.Message{Method: "get_peers", Target: it.Target}),
		"announce_peer":   q(lookup.Message{Method: "announce_peer", Target: it.Target, Port: 80, Token: []byte("tok"), ImpliedPort: true}),
		"get":             q(lookup.Message{Method: "get", Target: it.Target, Seq: 5, HasSeq: true, Want: lookup.WantNone}),
		"put":             q(lookup.Message{Method: "put", Token: []byte("tok"), Value: it.Value, Key: it.Key[:], Sig: it.Sig[:], Seq: 7, HasSeq: true, Salt: []byte("s"), Cas: 6, HasCas: true}),
		"unknown method":  q(lookup.Message{Method: "vote", Target: it.Target}),
		"response":        r(lookup.Message{Nodes: nodes, Token: []byte("tok")}),
		"item":            r(lookup.Message{Nodes: nodes, Token: []byte("tok"), Value: it.Value, Key: it.Key[:], Sig: it.Sig[:], Seq: 7, HasSeq: true}),
		"torrent peers":   r(lookup.Message{Token: []byte("tok"), Peers: []netip.AddrPort{netip.MustParseAddrPort("10.1.2.3:6881")}}),
		"error":           []byte("d1:eli204e14:Method Unknowne1:t2:aa1:y1:ee"),
		"error text":      []byte("d1:e5:wrong1:t2:aa1:y1:ee"),
		"with everything": []byte("d2:ip6:abcdef1:rd2:id20:aaaaaaaaaaaaaaaaaaaa8:intervali5e6:nodes60:3:numi1e1:pi6881e7:samples0:e2:roi0e1:t4:abcd1:v4:LT\x01\x021:y1:re"),
		"unsorted":        []byte("d1:t2:aa1:y1:q1:q4:ping1:ad2:id20:aaaaaaaaaaaaaaaaaaaa1:zi1eee"),
	}
}

func TestWhatHonestNodesSendPasses(t *testing.T) {
	for name, b := range honest(t) {
		k, v := inspect(b)
		want := kindReply
		if strings.Contains(string(b), "1:y1:q") {
			want = kindQuery
		}
		if name == "unknown method" {
			want = kindOther
		}
		if v != pass || k != want {
			t.Errorf("%s: %v, kind %d: %q", name, v, k, b)
		}
	}
}

func TestWhatTheServerCannotTakeIsDropped(t *testing.T) {
	const id = "2:id20:aaaaaaaaaaaaaaaaaaaa"
	for _, c := range []struct {
		name, packet string
		want         verdict
	}{
		{"nothing", "", malformed},
		{"no dictionary", "i1e", malformed},
		{"text", "GET / HTTP/1.1", malformed},
		{"cut short", "d1:ad" + id + "e1:q4:ping1:t2:aa1:y1:q", malformed},
		{"a rest", "d1:ad" + id + "e1:q4:ping1:t2:aa1:y1:qe0", malformed},
		{"no transaction", "d1:ad" + id + "e1:q4:ping1:y1:qe", malformed},
		{"a long transaction", "d1:ad" + id + "e1:q4:ping1:t33:" + strings.Repeat("t", 33) + "1:y1:qe", malformed},
		{"no kind", "d1:ad" + id + "e1:q4:ping1:t2:aae", malformed},
		{"an unknown kind", "d1:ad" + id + "e1:q4:ping1:t2:aa1:y1:xe", malformed},
		{"a query without a method", "d1:ad" + id + "e1:t2:aa1:y1:qe", malformed},
		{"a query without arguments", "d1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"a query without an id", "d1:ade1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"an id of 19 bytes", "d1:ad2:id19:aaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"arguments twice", "d1:ad" + id + "e1:ad" + id + "e1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"an id twice", "d1:ad" + id + id + "e1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"arguments that are a list", "d1:al" + id + "e1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"a put without a value", "d1:ad" + id + "5:token1:xe1:q3:put1:t2:aa1:y1:qe", malformed},
		{"a value with unsorted keys", "d1:ad" + id + "1:vd1:bi1e1:ai1eee1:q3:put1:t2:aa1:y1:qe", malformed},
		{"a value with an integer as key", "d1:ad" + id + "1:vdi1ei1eee1:q3:put1:t2:aa1:y1:qe", malformed},
		{"an integer with a leading zero", "d1:ad" + id + "1:vi01ee1:q3:put1:t2:aa1:y1:qe", malformed},
		{"an integer minus zero", "d1:ad" + id + "1:vi-0ee1:q3:put1:t2:aa1:y1:qe", malformed},
		{"an empty integer", "d1:ad" + id + "1:viee1:q3:put1:t2:aa1:y1:qe", malformed},
		{"a seq past 64 bits", "d1:ad" + id + "3:seqi9223372036854775808ee1:q3:get1:t2:aa1:y1:qe", malformed},
		{"a seq of 30 digits", "d1:ad" + id + "3:seqi" + strings.Repeat("9", 30) + "ee1:q3:get1:t2:aa1:y1:qe", malformed},
		{"a key of 31 bytes", "d1:ad" + id + "1:k31:" + strings.Repeat("k", 31) + "e1:q3:get1:t2:aa1:y1:qe", malformed},
		{"a port that is a string", "d1:ad" + id + "4:port2:80e1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"want that is a string", "d1:ad" + id + "4:want2:n4e1:q4:ping1:t2:aa1:y1:qe", malformed},
		{"a length with a leading zero", "d1:ad" + id + "e1:q04:ping1:t2:aa1:y1:qe", malformed},
		{"a response without values", "d1:t2:aa1:y1:re", malformed},
		{"nodes of 27 bytes", "d1:rd" + id + "5:nodes27:" + strings.Repeat("n", 27) + "e1:t2:aa1:y1:re", malformed},
		{"an error without its list", "d1:t2:aa1:y1:ee", malformed},
		{"an error of one element", "d1:eli201ee1:t2:aa1:y1:ee", malformed},
		{"an error that is a number", "d1:ei201e1:t2:aa1:y1:ee", malformed},
		{"too long", "d1:ad" + id + "1:v2000:" + strings.Repeat("v", 2000) + "e1:q3:put1:t2:aa1:y1:qe", oversized},
		{"a length past all integers", "d1:t99999999999999999999999:aae", crashing},
		{"a value nested 40 deep", "d1:ad" + id + "1:v" + strings.Repeat("l", 40) + strings.Repeat("e", 40) + "e1:q3:put1:t2:aa1:y1:qe", crashing},
	} {
		if _, v := inspect([]byte(c.packet)); v != c.want {
			t.Errorf("%s: %v, want %v", c.name, v, c.want)
		}
	}
	for _, b := range CrashPackets([]byte("aa")) {
		if _, v := inspect(b); v == pass || v == oversized {
			t.Errorf("%.80q: %v", b, v)
		}
	}
}

func TestAServerBehindTheGuardOutlivesEveryCrashPacket(t *testing.T) {
	n := open(t, Config{})
	w := dialNode(t, n)
	sent := 0
	for _, transaction := range []string{"aa", "\x00\x00\x00\x01", strings.Repeat("t", 20)} {
		for _, b := range CrashPackets([]byte(transaction)) {
			if r := w.maybe(b); r != nil {
				t.Errorf("%.80q is answered with %q", b, r)
			}
			sent++
		}
	}
	if s := n.Stats(); s.DroppedTotal() != uint64(sent) || s.Dropped["crashing"] == 0 {
		t.Errorf("%d packets sent, dropped: %v", sent, s.Dropped)
	}
}

// Here the server waits for the answers, so nothing but the guard stands
// between them and its code.
func TestAServerBehindTheGuardOutlivesCrashingAnswersToItsOwnQueries(t *testing.T) {
	n := open(t, Config{})
	conn, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan bool, 1)
	go func() { asked <- n.ping(ctx, conn.LocalAddr().(*net.UDPAddr).AddrPort()) }()

	b := make([]byte, packetBytesMax)
	size, from, err := conn.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	q, err := lookup.ParseMessage(b[:size])
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range CrashPackets(q.Transaction) {
		if _, err := conn.WriteToUDPAddrPort(p, from); err != nil {
			t.Fatal(err)
		}
	}
	if w := dialNode(t, n); w.exchange(honest(t)["ping"]) == nil {
		t.Error("no answer to a ping")
	}
	cancel()
	if <-asked {
		t.Error("a crashing packet counted as an answer")
	}
}

func TestAServerBehindTheGuardOutlives100000MutatedPackets(t *testing.T) {
	n := open(t, Config{})
	var seeds [][]byte
	for _, b := range honest(t) {
		seeds = append(seeds, b)
	}
	seeds = append(seeds, CrashPackets([]byte("aa"))...)
	draw := rand.New(rand.NewPCG(1, 2))
	passed := 0
	for i := range 100_000 {
		// Each from somebody else who was asked something, and nobody minds the answers there.
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), 9)
		n.asked.add(from, time.Now())
		b := mutate(draw, seeds[draw.IntN(len(seeds))])
		if _, v := inspect(b); v == pass {
			passed++
		}
		n.receive(time.Now(), from, b)
		for len(n.pipe.in)+len(n.replies) > pipeLength/2 { // the server shall see every one that passes
			runtime.Gosched()
		}
	}
	for len(n.pipe.in)+len(n.replies) > 0 {
		runtime.Gosched()
	}
	if w := dialNode(t, n); w.exchange(honest(t)["ping"]) == nil {
		t.Error("no answer to a ping")
	}
	s := n.Stats()
	if s.Dropped["overflow"]+s.Dropped["flooding"]+s.Dropped["unasked"] != 0 || passed == 0 {
		t.Errorf("%d passed; dropped %v", passed, s.Dropped)
	}
}

func TestAReplyOfWhoWasAskedNothingIsDropped(t *testing.T) {
	n := open(t, Config{})
	w := dialNode(t, n)
	reply := lookup.Message{Kind: lookup.KindResponse, Transaction: []byte("aa"), ID: [20]byte{1}}
	w.send(reply.Encode())
	if w.exchange(honest(t)["ping"]) == nil { // what came before it was read by then
		t.Fatal("no answer to a ping")
	}
	if s := n.Stats(); s.Dropped["unasked"] != 1 || s.DroppedTotal() != 1 {
		t.Errorf("dropped %v", s.Dropped)
	}
}

func TestWhoWasAskedOnceCannotFlood(t *testing.T) {
	n := open(t, Config{})
	w := dialNode(t, n)
	n.asked.add(w.conn.LocalAddr().(*net.UDPAddr).AddrPort(), time.Now())
	reply := lookup.Message{Kind: lookup.KindResponse, Transaction: []byte("aa"), ID: [20]byte{1}}
	for range repliesEach + 100 {
		w.send(reply.Encode())
	}
	if w.exchange(honest(t)["ping"]) == nil { // what came before it was read by then
		t.Fatal("no answer to a ping")
	}
	if s := n.Stats(); s.Dropped["unasked"] != 100 || s.DroppedTotal() != 100 {
		t.Errorf("dropped %v", s.Dropped)
	}
}

// mutate changes a few bytes, cuts, doubles or splices.
func mutate(draw *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + draw.IntN(3) {
		if len(b) == 0 {
			return b
		}
		i, j := draw.IntN(len(b)), draw.IntN(len(b))
		switch draw.IntN(6) {
		case 0:
			b[i] = byte(draw.Uint32())
		case 1:
			b[i] = "0123456789delqr:i-"[draw.IntN(18)]
		case 2:
			b = b[:i]
		case 3:
			b = append(b[:i:i], b[j:]...)
		case 4:
			b = append(b[:i:i], append([]byte("0:"), b[i:]...)...)
		case 5:
			b[i] ^= 1 << draw.IntN(8)
		}
	}
	return b
}

// methods are those the server knows.
var methods = []string{"ping", "find_node", "get_peers", "announce_peer", "get", "put"}

// What passes decodes: the server's decoder logs to a logger of the whole
// process when it fails, and has no limits of its own.
func FuzzWhatPassesDecodesWithoutError(f *testing.F) {
	for _, b := range honest(f) {
		f.Add(b)
	}
	for _, b := range CrashPackets([]byte("aa")) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k, v := inspect(b)
		if v != pass {
			return
		}
		var m krpc.Msg
		if err := bencode.Unmarshal(b, &m); err != nil {
			t.Fatalf("passes, but: %v: %q", err, b)
		}
		if (m.Y == "q") != (k == kindQuery || k == kindOther) {
			t.Fatalf("kind %d, but y is %q", k, m.Y)
		}
		if m.Y == "q" && (k == kindQuery) != slices.Contains(methods, m.Q) {
			t.Fatalf("kind %d, but the method is %q", k, m.Q)
		}
		if k == kindOther {
			var e krpc.Msg
			if r := refusal(b); bencode.Unmarshal(r, &e) != nil || e.T != m.T || len(r) >= len(b) {
				t.Fatalf("%q is answered with %q", b, r)
			}
		}
		if m.Y == "q" && m.A == nil || m.Y == "r" && m.R == nil {
			t.Fatalf("passes without its body: %q", b)
		}
		if again, err := bencode.Marshal(m); err != nil {
			t.Fatalf("cannot be encoded again: %v: %q, %q", err, b, again)
		}
	})
}

func BenchmarkGuard(b *testing.B) {
	packets := honest(b)
	for _, name := range []string{"ping", "get", "put", "item"} {
		b.Run(name, func(b *testing.B) {
			p := packets[name]
			b.ReportAllocs()
			for b.Loop() {
				if _, v := inspect(p); v != pass {
					b.Fatal(v)
				}
			}
		})
	}
	// The floor: what the server's own decoder takes for the same packet.
	b.Run("floor: decode an item", func(b *testing.B) {
		p := packets["item"]
		for b.Loop() {
			var m krpc.Msg
			if err := bencode.Unmarshal(p, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestQueriesFromOneAddressAreLimited(t *testing.T) {
	l := newLimiter()
	now := time.Unix(1_000_000, 0)
	flood := netip.MustParseAddrPort("203.0.113.5:6881")
	allowed := 0
	for range 10 * queryBurst {
		if l.allow(flood, now) {
			allowed++
		}
	}
	if allowed != queryBurst {
		t.Errorf("%d queries at once allowed, want %d", allowed, queryBurst)
	}
	refused := 0
	for i := range byte(100) { // a few may share the slot
		if !l.allow(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, i}), 6881), now) {
			refused++
		}
	}
	if refused > 10 {
		t.Errorf("%d of 100 other addresses are refused", refused)
	}
	if l.allow(netip.AddrPortFrom(flood.Addr(), 1), now) {
		t.Error("another port of the same address is allowed")
	}
	if l.allow(flood, now) || !l.allow(flood, now.Add(time.Second/queryRate+time.Millisecond)) {
		t.Error("a token does not come back at its time")
	}
	l = newLimiter() // in which nothing shares a slot with the first
	allowed = 0
	for range 2 * localFactor * queryBurst {
		if l.allow(netip.MustParseAddrPort("127.0.0.1:6881"), now) {
			allowed++
		}
	}
	if allowed != localFactor*queryBurst {
		t.Errorf("%d queries at once allowed to a port of this machine, want %d", allowed, localFactor*queryBurst)
	}
	others := 0
	for port := range uint16(20) {
		if l.allow(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 6882+port), now) {
			others++
		}
	}
	if others < 15 {
		t.Errorf("%d of 20 other ports are allowed", others)
	}
}
