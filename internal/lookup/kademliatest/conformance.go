package kademliatest

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"

	"weir/internal/lookup"
)

// Exchange sends a query to the node under test and gives its answer, or nil
// when the node says nothing. Every call comes from the same address.
type Exchange func(query []byte) (reply []byte)

// Conformance runs every check against one node. It leaves items and torrent
// peers behind.
func Conformance(t *testing.T, exchange Exchange) { ConformanceInTime(t, exchange, exchange) }

// ConformanceInTime is Conformance for a node in real time, where nobody can
// be sure of silence: exchange is asked where an answer must come, and may wait
// for it as long as it likes; maybe is asked where silence is right.
func ConformanceInTime(t *testing.T, exchange, maybe Exchange) {
	for _, c := range []struct {
		name string
		run  func(*asker)
	}{
		{"a ping is answered with the node's id", ping},
		{"find_node gives whole compact nodes", findNode},
		{"a get of nothing gives a token and no value", getNothing},
		{"a mutable item is given back as it was put", putMutable},
		{"a get that knows the seq gets no value", getWithSeq},
		{"a put without a good token stores nothing", putBadToken},
		{"a put with a bad signature is refused with 206", putBadSignature},
		{"a value of 1000 bytes is stored and one of 1001 refused with 205", putTooBig},
		{"a salt of 64 bytes is stored and one of 65 refused with 207", putSalt},
		{"two salts of one key are two items", putTwoSalts},
		{"a higher seq replaces the item", putHigherSeq},
		{"a lower seq is refused with 302", putLowerSeq},
		{"the same item may be put again", putAgain},
		{"other bytes at the same seq never replace the item", putFork},
		{"an immutable item is given back as it was put", putImmutable},
		{"an immutable item may be put again whatever seq came with it", putImmutableAnySeq},
		{"an announced torrent peer is named", announce},
		{"an announcement without a good token is ignored", announceBadToken},
		{"an unknown method gets error 204", unknownMethod},
		{"what is no query gets silence, and the node lives on", malformed},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(newAsker(t, exchange, maybe)) })
	}
}

// asker puts queries together and takes answers apart.
type asker struct {
	*testing.T
	exchange Exchange
	maybe    Exchange
	sent     uint32
	key      ed25519.PrivateKey // of this check alone
}

func newAsker(t *testing.T, exchange, maybe Exchange) *asker {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, t.Name()[max(0, len(t.Name())-len(seed)):])
	return &asker{T: t, exchange: exchange, maybe: maybe, key: ed25519.NewKeyFromSeed(seed)}
}

// try sends a query; nil: the node said nothing.
func (a *asker) try(q lookup.Message, exchange Exchange) *lookup.Message {
	a.Helper()
	a.sent++
	q.Kind = lookup.KindQuery
	q.ReadOnly = true
	q.Transaction = binary.BigEndian.AppendUint32([]byte("kt"), a.sent)
	q.ID = [20]byte{0: 0x77, 19: 1}
	b := exchange(q.Encode())
	if b == nil {
		return nil
	}
	r, err := lookup.ParseMessage(b)
	if err != nil {
		a.Fatalf("%s: the answer %q: %v", q.Method, b, err)
	}
	if string(r.Transaction) != string(q.Transaction) {
		a.Fatalf("%s: transaction id %x came back as %x", q.Method, q.Transaction, r.Transaction)
	}
	if r.Kind == lookup.KindQuery {
		a.Fatalf("%s was answered with a query", q.Method)
	}
	return &r
}

// ask is try where silence is a failure.
func (a *asker) ask(q lookup.Message) *lookup.Message {
	a.Helper()
	r := a.try(q, a.exchange)
	if r == nil {
		a.Fatalf("%s got no answer", q.Method)
	}
	return r
}

// response is ask where an error is a failure.
func (a *asker) response(q lookup.Message) *lookup.Message {
	a.Helper()
	r := a.ask(q)
	if r.Kind != lookup.KindResponse {
		a.Fatalf("%s got error %d, %s", q.Method, r.Code, r.Text)
	}
	return r
}

// refused is ask where everything but one error is a failure.
func (a *asker) refused(q lookup.Message, code int) {
	a.Helper()
	if r := a.ask(q); r.Kind != lookup.KindError || r.Code != code {
		a.Fatalf("%s got %c %d %s, where error %d is right", q.Method, r.Kind, r.Code, r.Text, code)
	}
}

func (a *asker) get(it lookup.Item) *lookup.Message {
	a.Helper()
	return a.response(lookup.Message{Method: lookup.MethodGet, Target: it.Target})
}

// put gives the query that stores an item, with a good token.
func (a *asker) put(it lookup.Item) lookup.Message {
	a.Helper()
	q := lookup.Message{
		Method: lookup.MethodPut, Token: a.get(it).Token,
		Value: it.Value, Seq: it.Seq, HasSeq: true,
	}
	if it.Mutable {
		q.Key, q.Sig = it.Key[:], it.Sig[:]
		if len(it.Salt) > 0 {
			q.Salt = it.Salt
		}
	}
	return q
}

// holds checks that the node gives the item; absent that it gives none.
func (a *asker) holds(it lookup.Item) {
	a.Helper()
	r := a.get(it)
	if r.Value == nil {
		a.Fatal("the item is not there")
	}
	if string(r.Value) != string(it.Value) {
		a.Fatalf("the item's value is %q, want %q", r.Value, it.Value)
	}
	if it.Mutable && (string(r.Key) != string(it.Key[:]) || string(r.Sig) != string(it.Sig[:]) || !r.HasSeq || r.Seq != it.Seq) {
		a.Fatalf("key, signature or seq %d of the item is not as it was put", r.Seq)
	}
	if !it.Mutable && (r.Key != nil || r.Sig != nil) {
		a.Fatal("an immutable item came with a key or a signature")
	}
}

func (a *asker) absent(it lookup.Item) {
	a.Helper()
	if r := a.get(it); r.Value != nil {
		a.Fatalf("the node holds %q, which it should not have taken", r.Value)
	}
}

// item signs a value under the check's key.
func (a *asker) item(salt string, seq int64, value string) lookup.Item {
	a.Helper()
	it, err := lookup.Sign(a.key, []byte(salt), seq, []byte(value))
	if err != nil {
		a.Fatal(err)
	}
	return it
}
