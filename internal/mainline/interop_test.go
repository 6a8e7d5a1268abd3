package mainline

import (
	"encoding/hex"
	"testing"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The test vectors of BEP 44.
func TestTheItemsOfBEP44TravelThroughRealNodes(t *testing.T) {
	key := keys.Public(unhex(t, "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"))
	value := []byte("12:Hello World!")
	w := network(t, 12)
	writer := open(t, Config{Bootstrap: w.Hosts(1), ReadOnly: true})
	reader := open(t, Config{Bootstrap: w.Hosts(2), ReadOnly: true})
	for name, it := range map[string]lookup.Item{
		"mutable": {
			Mutable: true, Key: key, Seq: 1, Value: value,
			Target: wire.Target(unhex(t, "4a533d47ec9c7d95b1ad75f576cffc641853b750")),
			Sig:    wire.Signature(unhex(t, "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01")),
		},
		"mutable with salt": {
			Mutable: true, Key: key, Seq: 1, Value: value, Salt: []byte("foobar"),
			Target: wire.Target(unhex(t, "411eba73b6f087ca51a3795d9c8c938d365e32c1")),
			Sig:    wire.Signature(unhex(t, "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17ddf9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08")),
		},
		"immutable": {Value: value, Target: wire.Target(unhex(t, "e5f96f6f38320f0f33959cb4d3d656452117aadb"))},
	} {
		if s := put(t, writer, it); s.Err != nil || s.Acknowledged != 8 {
			t.Errorf("%s: put %+v", name, s)
		}
		f := get(t, reader, it)
		if f.Item == nil || string(f.Item.Value) != string(value) || f.Item.Sig != it.Sig || f.Item.Seq != it.Seq {
			t.Errorf("%s: found %+v", name, f)
		}
	}
}

func TestANodeTakesImmutablePutsWithoutSeqAsLibtorrentSendsThem(t *testing.T) {
	n := open(t, Config{})
	w := dialNode(t, n)
	value := []byte("10:libtorrent")
	ask := func(m lookup.Message) lookup.Message {
		t.Helper()
		m.Kind, m.Transaction, m.ReadOnly = lookup.KindQuery, []byte("aa"), true
		r, err := lookup.ParseMessage(w.exchange(m.Encode()))
		if err != nil || r.Kind != lookup.KindResponse {
			t.Fatalf("%s: %c %d %s, %v", m.Method, r.Kind, r.Code, r.Text, err)
		}
		return r
	}
	get := lookup.Message{Method: lookup.MethodGet, Target: wire.ImmutableTarget(value)}
	ask(lookup.Message{Method: lookup.MethodPut, Token: ask(get).Token, Value: value})
	if r := ask(get); string(r.Value) != string(value) {
		t.Errorf("the node gives %q", r.Value)
	}
}

// Uncorrected, the server answers find_node and get with the nodes closest to zero.
func TestANodeNamesTheNodesClosestToTheTarget(t *testing.T) {
	w := network(t, 64)
	target := wire.Target{0xff, 0xee, 0xdd}
	asked := -1
	for i := range w.Len() { // one in the other half of the ids, which knows 8 in this
		if id := w.Node(i).ID(); commonBits(id, target) == 0 {
			asked = i
		}
	}
	for _, method := range []string{lookup.MethodFindNode, lookup.MethodGet} {
		q := lookup.Message{
			Kind: lookup.KindQuery, Method: method, Target: target, Transaction: []byte("aa"), ReadOnly: true, Want: lookup.WantN4,
		}
		r, err := lookup.ParseMessage(dialNode(t, w.Node(asked)).exchange(q.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		named := lookup.ParseNodes(r.Nodes, 16)
		if len(named) != 8 {
			t.Errorf("%s: %d nodes named", method, len(named))
		}
		for _, node := range named {
			if commonBits(node.ID, target) == 0 {
				t.Errorf("%s: %x is named, in the half of the ids that is farther from %x", method, node.ID, target)
			}
		}
	}
}
