package kademliatest

import (
	"crypto/ed25519"
	"crypto/sha1"
	"fmt"
	"strings"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

func ping(a *asker) {
	first := a.response(lookup.Message{Method: lookup.MethodPing})
	again := a.response(lookup.Message{Method: lookup.MethodPing})
	if first.ID == ([20]byte{}) || first.ID != again.ID {
		a.Fatalf("the node's id is %x, then %x", first.ID, again.ID)
	}
}

func findNode(a *asker) {
	q := lookup.Message{Method: lookup.MethodFindNode, Target: wire.Target{1, 2, 3}, Want: lookup.WantN4}
	if r := a.response(q); len(r.Nodes)%26 != 0 || len(r.Nodes) > 8*26 {
		a.Fatalf("%d bytes of nodes", len(r.Nodes))
	}
}

func getNothing(a *asker) {
	r := a.get(a.item("", 1, "1:a"))
	if len(r.Token) == 0 || r.Value != nil || r.Key != nil {
		a.Fatalf("token %x, value %q, key %x", r.Token, r.Value, r.Key)
	}
}

func putMutable(a *asker) {
	for i, value := range []string{"12:Hello World!", "0:", "i-7e", "le", "d1:ali1e1:b2:cdee", "i9007199254740991e"} {
		it := a.item(fmt.Sprint("values ", i), 4, value)
		a.response(a.put(it))
		a.holds(it)
	}
}

func getWithSeq(a *asker) {
	it := a.item("", 10, "3:ten")
	a.response(a.put(it))
	for _, c := range []struct {
		seq   int64
		value bool
	}{{9, true}, {10, false}, {11, false}} {
		r := a.response(lookup.Message{Method: lookup.MethodGet, Target: it.Target, Seq: c.seq, HasSeq: true})
		if (r.Value != nil) != c.value {
			a.Errorf("asked with seq %d: value %q", c.seq, r.Value)
		}
		if !r.HasSeq || r.Seq != 10 || len(r.Token) == 0 {
			a.Errorf("asked with seq %d: seq %d, token %x", c.seq, r.Seq, r.Token)
		}
	}
}

// dismissed checks that the node said nothing, or 203.
func dismissed(a *asker, q lookup.Message) {
	a.Helper()
	if r := a.try(q, a.maybe); r != nil && (r.Kind != lookup.KindError || r.Code != lookup.CodeProtocol) {
		a.Fatalf("%s got %c %d %s, where silence or error 203 is right", q.Method, r.Kind, r.Code, r.Text)
	}
}

func putBadToken(a *asker) {
	it := a.item("", 1, "1:a")
	q := a.put(it)
	for _, token := range [][]byte{nil, {}, []byte("no such token"), append(q.Token[:len(q.Token):len(q.Token)], 0)} {
		q.Token = token
		dismissed(a, q)
	}
	a.absent(it)
}

func putBadSignature(a *asker) {
	it := a.item("", 1, "1:a")
	other := a.item("", 2, "1:a")
	q := a.put(it)
	q.Sig = other.Sig[:]
	a.refused(q, lookup.CodeBadSignature)
	q = a.put(it)
	q.Value = []byte("1:b")
	a.refused(q, lookup.CodeBadSignature)
	a.absent(it)
}

// text is a bencoded string of so many bytes, its length's 3 digits and the
// colon included.
func text(bytes int) string {
	n := bytes - 4
	return fmt.Sprintf("%d:%s", n, strings.Repeat("x", n))
}

func putTooBig(a *asker) {
	it := a.item("", 1, text(1000))
	a.response(a.put(it))
	a.holds(it)

	big := a.item("", 2, "0:")
	big.Value = []byte(text(1001))
	sign(a, &big)
	a.refused(a.put(big), lookup.CodeValueTooBig)
	a.holds(it)

	a.refused(a.put(lookup.Item{Target: wire.ImmutableTarget(big.Value), Value: big.Value}), lookup.CodeValueTooBig)
}

// sign signs what lookup.Sign refuses to.
func sign(a *asker, it *lookup.Item) {
	copy(it.Sig[:], ed25519.Sign(a.key, wire.ItemSigned(it.Salt, it.Seq, it.Value)))
	it.Target = wire.Target(sha1.Sum(append(it.Key[:], it.Salt...)))
}

func putSalt(a *asker) {
	it := a.item(strings.Repeat("s", 64), 1, "1:a")
	a.response(a.put(it))
	a.holds(it)

	long := a.item("", 1, "1:a")
	long.Salt = []byte(strings.Repeat("s", 65))
	sign(a, &long)
	a.refused(a.put(long), lookup.CodeSaltTooBig)
	a.absent(long)
}

func putTwoSalts(a *asker) {
	one, two, none := a.item("one", 3, "1:1"), a.item("two", 2, "1:2"), a.item("", 1, "1:0")
	for _, it := range []lookup.Item{one, two, none} {
		a.response(a.put(it))
	}
	a.holds(one)
	a.holds(two)
	a.holds(none)
}

func putHigherSeq(a *asker) {
	for _, seq := range []int64{0, 1, 7, 1_700_000_000_000, wire.IntMax} {
		it := a.item("", seq, fmt.Sprintf("i%de", seq))
		a.response(a.put(it))
		a.holds(it)
	}
}

func putLowerSeq(a *asker) {
	it := a.item("", 5, "3:new")
	a.response(a.put(it))
	a.refused(a.put(a.item("", 4, "3:old")), lookup.CodeSeqTooLow)
	a.refused(a.put(a.item("", 4, "3:new")), lookup.CodeSeqTooLow)
	a.holds(it)
}

func putAgain(a *asker) {
	it := a.item("", 5, "4:same")
	a.response(a.put(it))
	a.response(a.put(it))
	a.holds(it)
}

// putFork: anacrolix refuses with 302, libtorrent acknowledges and keeps what it has.
func putFork(a *asker) {
	it := a.item("", 5, "3:one")
	a.response(a.put(it))
	r := a.ask(a.put(a.item("", 5, "3:two")))
	if r.Kind == lookup.KindError && r.Code != lookup.CodeSeqTooLow {
		a.Fatalf("error %d, %s", r.Code, r.Text)
	}
	a.holds(it)
}

func putImmutable(a *asker) {
	for _, value := range []string{"19:conformance, string", text(1000), "l11:conformancee"} {
		it, err := lookup.Immutable([]byte(value))
		if err != nil {
			a.Fatal(err)
		}
		a.response(a.put(it))
		a.holds(it)
		a.response(a.put(it))
	}
}

// putImmutableAnySeq: immutable items have no seq, so none that a stranger makes up may keep others from
// putting the same item again.
func putImmutableAnySeq(a *asker) {
	it, err := lookup.Immutable([]byte("16:conformance, seq"))
	if err != nil {
		a.Fatal(err)
	}
	for _, seq := range []int64{wire.IntMax, 0, 7, -1, 1} {
		q := a.put(it)
		q.Seq = seq
		a.response(q)
		a.holds(it)
	}
	q := a.put(it)
	q.HasSeq = false // as libtorrent sends it
	a.response(q)
	a.holds(it)
}

// peersOf asks for torrent peers.
func (a *asker) peersOf(infohash wire.Target) *lookup.Message {
	a.Helper()
	return a.response(lookup.Message{Method: lookup.MethodGetPeers, Target: infohash, Want: lookup.WantN4})
}

func announce(a *asker) {
	infohash := wire.Target(sha1.Sum([]byte("conformance announce")))
	q := lookup.Message{Method: lookup.MethodAnnouncePeer, Target: infohash, Port: 6543, Token: a.peersOf(infohash).Token}
	a.response(q)
	for range 1000 { // a node may acknowledge before it has written it down
		for _, p := range a.peersOf(infohash).Peers {
			if p.Port() == 6543 {
				return
			}
		}
	}
	a.Fatal("the torrent peer is not named")
}

func announceBadToken(a *asker) {
	infohash := wire.Target(sha1.Sum([]byte("conformance token")))
	dismissed(a, lookup.Message{Method: lookup.MethodAnnouncePeer, Target: infohash, Port: 6543, Token: []byte("no such token")})
	if p := a.peersOf(infohash).Peers; len(p) != 0 {
		a.Fatalf("torrent peers %v", p)
	}
}

func unknownMethod(a *asker) {
	a.refused(lookup.Message{Method: "vote"}, lookup.CodeMethodUnknown)
}

func malformed(a *asker) {
	whole := lookup.Message{
		Kind: lookup.KindQuery, Method: lookup.MethodPing, Transaction: []byte("tt"), ID: [20]byte{1},
	}
	b := string(whole.Encode())
	for _, packet := range []string{
		"",
		"hello",
		"i1e",
		"le",
		"de",
		b[:len(b)-1],
		b + "e",
		strings.Replace(b, "2:id20:", "2:id21:", 1),
		strings.Replace(b, "1:y1:q", "1:y1:z", 1),
		strings.Replace(b, "1:t2:tt", "", 1),
		strings.Replace(b, "1:t2:tt", "1:t9999999:tt", 1),
		"d1:q4:ping1:t2:tt1:y1:qe",
		"d1:q3:put1:t2:tt1:y1:qe",
		"d1:q13:announce_peer1:t2:tt1:y1:qe",
		"d2:ip0:1:q4:ping1:t2:tt1:y1:qe",
		strings.Repeat("l", 1500),
	} {
		if r := a.maybe([]byte(packet)); r != nil {
			a.Errorf("%.60q is answered with %q", packet, r)
		}
	}
	ping(a)
}
