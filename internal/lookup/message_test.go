package lookup

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"weir/ledger/wire"
)

const (
	idA = "abcdefghij0123456789"
	idB = "mnopqrstuvwxyz123456"
)

func id(s string) [20]byte { return [20]byte([]byte(s)) }

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// messages are datagrams in canonical form and what they say; the first ones are BEP 5's
// own examples.
var messages = []struct {
	name string
	data string
	want Message
}{
	{"BEP 5 ping", "d1:ad2:id20:" + idA + "e1:q4:ping1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: MethodPing, Transaction: []byte("aa"), ID: id(idA)}},
	{"BEP 5 ping answered", "d1:rd2:id20:" + idB + "e1:t2:aa1:y1:re",
		Message{Kind: KindResponse, Transaction: []byte("aa"), ID: id(idB)}},
	{"BEP 5 error", "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
		Message{Kind: KindError, Transaction: []byte("aa"), Code: CodeGeneric, Text: "A Generic Error Ocurred"}},
	{"BEP 5 find_node", "d1:ad2:id20:" + idA + "6:target20:" + idB + "e1:q9:find_node1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: MethodFindNode, Transaction: []byte("aa"), ID: id(idA), Target: id(idB)}},
	{"BEP 5 get_peers", "d1:ad2:id20:" + idA + "9:info_hash20:" + idB + "e1:q9:get_peers1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: MethodGetPeers, Transaction: []byte("aa"), ID: id(idA), Target: id(idB)}},
	{"BEP 5 get_peers answered with peers", "d1:rd2:id20:" + idA + "5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
		Message{Kind: KindResponse, Transaction: []byte("aa"), ID: id(idA), Token: []byte("aoeusnth"),
			Peers: []netip.AddrPort{addr("97.120.106.101:11893"), addr("105.100.104.116:28269")}}},
	{"BEP 5 announce_peer", "d1:ad2:id20:" + idA + "12:implied_porti1e9:info_hash20:" + idB + "4:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: MethodAnnouncePeer, Transaction: []byte("aa"), ID: id(idA), Target: id(idB),
			Port: 6881, ImpliedPort: true, Token: []byte("aoeusnth")}},
	{"a read-only get", "d1:ad2:id20:" + idA + "3:seqi9e6:target20:" + idB + "4:wantl2:n42:n0ee1:q3:get2:roi1e1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: MethodGet, ReadOnly: true, Transaction: []byte("aa"), ID: id(idA), Target: id(idB),
			Seq: 9, HasSeq: true, Want: WantN4 | WantNone}},
	{"a get answered with an item", "d1:rd2:id20:" + idA + "1:k2:kk5:nodes0:3:seqi-1e3:sig2:ss5:token1:t1:vd1:ali1eeee1:t0:1:y1:re",
		Message{Kind: KindResponse, Transaction: []byte{}, ID: id(idA), Key: []byte("kk"), Nodes: []byte{}, Seq: -1, HasSeq: true,
			Sig: []byte("ss"), Token: []byte("t"), Value: []byte("d1:ali1eee")}},
	{"a put with cas and salt", "d1:ad3:casi0e2:id20:" + idA + "4:salt1:s3:seqi9223372036854775807e5:token1:t1:v0:e1:q3:put1:t2:aa1:y1:qe",
		Message{Kind: KindQuery, Method: MethodPut, Transaction: []byte("aa"), ID: id(idA), HasCas: true, Salt: []byte("s"),
			Seq: 1<<63 - 1, HasSeq: true, Token: []byte("t"), Value: []byte("0:")}},
}

func TestMessagesAreReadAndWritten(t *testing.T) {
	for _, m := range messages {
		got, err := ParseMessage([]byte(m.data))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if !reflect.DeepEqual(got, m.want) {
			t.Errorf("%s: read\n%+v, want\n%+v", m.name, got, m.want)
		}
		if again := got.Encode(); string(again) != m.data {
			t.Errorf("%s: written\n%q, want\n%q", m.name, again, m.data)
		}
	}
}

func TestSloppyMessagesAreReadToo(t *testing.T) {
	for _, m := range []struct{ name, data string }{
		{"keys in another order", "d1:y1:q1:t2:aa1:q4:ping1:ad2:id20:" + idA + "ee"},
		{"unknown keys", "d1:ad2:id20:" + idA + "1:xlli1eeee1:q4:ping1:t2:aa1:v4:LT011:y1:q2:zzdee"},
		{"ro 0", "d1:ad2:id20:" + idA + "e1:q4:ping2:roi0e1:t2:aa1:y1:qe"},
		{"an unknown want", "d1:ad2:id20:" + idA + "4:wantl2:n9ee1:q4:ping1:t2:aa1:y1:qe"},
	} {
		got, err := ParseMessage([]byte(m.data))
		if err != nil || !reflect.DeepEqual(got, messages[0].want) {
			t.Errorf("%s: %v, read %+v", m.name, err, got)
		}
	}
	m, err := ParseMessage([]byte("d1:rd2:id20:" + idA + "6:valuesl6:axje.u18:............123456ee1:t2:aa1:y1:re"))
	if err != nil || len(m.Peers) != 1 {
		t.Errorf("IPv6 among values: %v %v", m.Peers, err)
	}
	if m, err := ParseMessage([]byte("d1:eli203e2:noi1ee1:t2:aa1:y1:ee")); err != nil || m.Text != "no" {
		t.Errorf("a long error: %+v %v", m, err)
	}
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	r := func(values string) string { return "d1:rd2:id20:" + idA + values + "e1:t2:aa1:y1:re" }
	for name, data := range map[string]string{
		"nothing":                   "",
		"a list":                    "le",
		"an empty dict":             "de",
		"bytes after it":            messages[0].data + "e",
		"no transaction":            "d1:rd2:id20:" + idA + "e1:y1:re",
		"no kind":                   "d1:rd2:id20:" + idA + "e1:t2:aae",
		"an unknown kind":           "d1:rd2:id20:" + idA + "e1:t2:aa1:y1:xe",
		"a long kind":               "d1:rd2:id20:" + idA + "e1:t2:aa1:y2:rre",
		"a query without arguments": "d1:q4:ping1:t2:aa1:y1:qe",
		"a query without a method":  "d1:ad2:id20:" + idA + "e1:t2:aa1:y1:qe",
		"a response without values": "d1:t2:aa1:y1:re",
		"an error without a code":   "d1:ele1:t2:aa1:y1:ee",
		"an error that is a string": "d1:e3:bad1:t2:aa1:y1:ee",
		"arguments and values":      "d1:ad2:id20:" + idA + "e1:rd2:id20:" + idA + "e1:t2:aa1:y1:re",
		"values twice":              "d1:rd2:id20:" + idA + "e1:rd2:id20:" + idA + "e1:t2:aa1:y1:re",
		"no id":                     "d1:rde1:t2:aa1:y1:re",
		"a short id":                "d1:rd2:id19:" + idA[1:] + "e1:t2:aa1:y1:re",
		"a short target":            r("6:target3:abc"),
		"a seq that is a string":    r("3:seq1:1"),
		"a seq past 64 bits":        r("3:seqi9223372036854775808e"),
		"a huge seq":                r("3:seqi99999999999999999999999e"),
		"a seq with leading zeros":  r("3:seqi01e"),
		"minus zero":                r("3:seqi-0e"),
		"no digits":                 r("3:seqie"),
		"a port past 16 bits":       r("4:porti65536e"),
		"a negative port":           r("4:porti-1e"),
		"a value that is none":      r("1:v"),
		"a value cut short":         r("1:v5:ab"),
		"a value without end":       r("1:vl"),
		"nested too deep":           r("1:v" + strings.Repeat("l", 400) + strings.Repeat("e", 400)),
		"dicts nested too deep":     r("1:v" + strings.Repeat("d1:a", 200) + "0:" + strings.Repeat("e", 200)),
		"a length with a zero":      r("1:v03:abc"),
		"a huge length":             r("1:v99999999999999999999:abc"),
		"a negative length":         r("1:v-1:abc"),
		"a key that is no string":   r("i1e0:"),
		"want that is a string":     r("4:want2:n4"),
		"peers that are a string":   r("6:values6:axje.u"),
		"peers that are integers":   r("6:valuesli1ee"),
		"2049 bytes":                "d1:rd2:id20:" + idA + "1:x1971:" + strings.Repeat("x", 2000-29) + strings.Repeat("x", 100) + "e1:t2:aa1:y1:re",
	} {
		if m, err := ParseMessage([]byte(data)); !errors.Is(err, ErrMessage) || !reflect.DeepEqual(m, Message{}) {
			t.Errorf("%s: read %+v, error %v", name, m, err)
		}
	}
}

func TestEveryPrefixOfAMessageIsRefused(t *testing.T) {
	for _, m := range messages {
		for n := range len(m.data) {
			if _, err := ParseMessage([]byte(m.data[:n])); err == nil {
				t.Errorf("%s: its first %d bytes are read", m.name, n)
			}
		}
	}
}

func TestThe64BitLimitsAreRead(t *testing.T) {
	for data, want := range map[string]int64{"i9223372036854775807e": 1<<63 - 1, "i-9223372036854775808e": -1 << 63, "i0e": 0, "i-1e": -1} {
		r := reader{[]byte(data)}
		if v, ok := r.integer(); !ok || v != want || len(r.b) != 0 {
			t.Errorf("%s: %d %v", data, v, ok)
		}
	}
	r := reader{[]byte("i-9223372036854775809e")}
	if _, ok := r.integer(); ok {
		t.Error("read an integer below 64 bits")
	}
}

func TestCanonicalValues(t *testing.T) {
	for value, want := range map[string]bool{
		"12:Hello World!":       true,
		"i5e":                   true,
		"le":                    true,
		"d1:ai1e1:bl0:ee":       true,
		"d0:0:1:a0:e":           true,
		"":                      false,
		"i5ei5e":                false,
		"d1:bi1e1:ai1ee":        false,
		"d1:ai1e1:ai1ee":        false,
		"d0:0:0:0:e":            false,
		"ld1:bi1e1:ai1eee":      false,
		"di1e0:e":               false,
		"02:ab":                 false,
		strings.Repeat("l", 32): false,
		"llllllllleeeeeeeee":    true,
		strings.Repeat("l", 33) + strings.Repeat("e", 33): false,
	} {
		if canonical([]byte(value)) != want {
			t.Errorf("%q: not %v", value, want)
		}
	}
}

func TestNodesInCompactForm(t *testing.T) {
	a := Node{id(idA), addr("1.2.3.4:6881")}
	b := Node{id(idB), addr("255.0.0.1:65535")}
	compact := AppendNode(AppendNode(AppendNode(nil, a), Node{id(idA), addr("[2001:db8::1]:1")}), b)
	if want := idA + "\x01\x02\x03\x04\x1a\xe1" + idB + "\xff\x00\x00\x01\xff\xff"; string(compact) != want {
		t.Errorf("written %q, want %q", compact, want)
	}
	if got := ParseNodes(append(compact, "rest"...), 16); !reflect.DeepEqual(got, []Node{a, b}) {
		t.Errorf("read %v", got)
	}
	if got := ParseNodes(compact, 1); !reflect.DeepEqual(got, []Node{a}) {
		t.Errorf("the first: %v", got)
	}
	mapped := Node{id(idA), netip.AddrPortFrom(netip.MustParseAddr("::ffff:1.2.3.4"), 6881)}
	if !bytes.Equal(AppendNode(nil, mapped), compact[:26]) {
		t.Error("a mapped IPv4 address has another form")
	}
}

func TestAnItemFromAPut(t *testing.T) {
	it := signed(t, 1, 7, "x")
	m := it.put([]byte("token"))
	if got := m.Item(); !reflect.DeepEqual(got, it) || got.Verify() != nil {
		t.Errorf("read %+v, want %+v", got, it)
	}
	for name, spoil := range map[string]func(m *Message){
		"no signature":    func(m *Message) { m.Sig = nil },
		"a short key":     func(m *Message) { m.Key = m.Key[:31] },
		"an empty key":    func(m *Message) { m.Key = []byte{} },
		"no seq":          func(m *Message) { m.HasSeq = false },
		"no value":        func(m *Message) { m.Value = nil },
		"a long salt":     func(m *Message) { m.Salt = make([]byte, 65) },
		"another salt":    func(m *Message) { m.Salt = []byte("other") },
		"a longer value":  func(m *Message) { m.Value = wire.String(make([]byte, 997)) },
		"a low-order key": func(m *Message) { m.Key, m.Sig = make([]byte, 32), make([]byte, 63) },
	} {
		m := it.put([]byte("token"))
		spoil(&m)
		if got := m.Item(); !errors.Is(got.Verify(), ErrItem) {
			t.Errorf("%s: verifies", name)
		}
	}
	immutable, _ := Immutable([]byte("le"))
	m = immutable.put([]byte("token"))
	if got := m.Item(); !reflect.DeepEqual(got, immutable) || !m.HasSeq || m.Seq != 0 || m.HasCas {
		t.Errorf("immutable: %+v", got)
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, m := range messages {
		f.Add([]byte(m.data))
	}
	it := signed(f, 1, 7, "x")
	put := it.put([]byte("token"))
	put.Transaction = []byte("aa")
	f.Add(put.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMessage(data)
		if err != nil {
			return
		}
		if m.Kind == KindQuery {
			it := m.Item()
			_ = it.Verify()
		}
		encoded := m.Encode()
		if (m.Value == nil || canonical(m.Value)) && !canonical(encoded) {
			t.Fatalf("not canonical: %q", encoded)
		}
		if len(encoded) > PacketBytesMax { // canonical words for sloppy ones may be longer
			return
		}
		again, err := ParseMessage(encoded)
		if err != nil {
			t.Fatalf("%q is not read again: %v", encoded, err)
		}
		if !bytes.Equal(again.Encode(), encoded) {
			t.Fatalf("%q is written as %q", encoded, again.Encode())
		}
	})
}

func benchmarkMessages(b *testing.B) (query, answer Message) {
	it := signed(b, 1, 7, strings.Repeat("x", 900))
	query = Message{Kind: KindQuery, Method: MethodGet, ReadOnly: true, Transaction: make([]byte, 8), Want: WantN4}
	answer = Message{Kind: KindResponse, Transaction: make([]byte, 8), Token: make([]byte, 20), Nodes: make([]byte, 8*26)}
	show(&answer, it)
	return query, answer
}

func BenchmarkEncodeGet(b *testing.B) {
	query, _ := benchmarkMessages(b)
	b.ReportAllocs()
	for b.Loop() {
		query.Encode()
	}
}

func BenchmarkAppendGet(b *testing.B) {
	query, _ := benchmarkMessages(b)
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		buf = query.Append(buf[:0])
	}
}

// BenchmarkParseAnswer has for its floor the copying of the datagram.
func BenchmarkParseAnswer(b *testing.B) {
	_, answer := benchmarkMessages(b)
	data := answer.Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMessage(data); err != nil {
			b.Fatal(err)
		}
	}
	parsing := b.Elapsed()
	buf := make([]byte, PacketBytesMax)
	copied, began := 0, time.Now()
	for range b.N {
		copied += copy(buf, data)
	}
	floor := time.Since(began)
	if copied != b.N*len(data) {
		b.Fatal(copied)
	}
	b.ReportMetric(float64(parsing)/float64(floor), "x-copy")
}
