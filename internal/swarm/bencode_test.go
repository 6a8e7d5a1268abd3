package swarm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/anacrolix/torrent/bencode"
	pp "github.com/anacrolix/torrent/peer_protocol"
)

func TestADictionaryIsSplitIntoItsValues(t *testing.T) {
	fields, rest, ok := parseDict([]byte("d1:ai-5e1:bli1e2:xxe1:cd1:k1:vee tail"))
	if !ok || string(rest) != " tail" || len(fields) != 3 {
		t.Fatalf("got %q, %q, %v", fields, rest, ok)
	}
	if n, ok := parseInt(fields["a"]); !ok || n != -5 {
		t.Errorf("a is %d, %v", n, ok)
	}
	if string(fields["b"]) != "li1e2:xxe" || string(fields["c"]) != "d1:k1:ve" {
		t.Errorf("got %q", fields)
	}
}

func TestWhatTheLibraryCannotBearIsNoDictionary(t *testing.T) {
	for _, text := range []string{
		"", "d", "de1", "le", "i1e", "d1:a", "d1:ae", "d1:ai1", "d1:aie", "d1:ai-e", "di1ei1ee",
		"d1:v134217726:e", "d1:v99999999999999999999:e", "d-1:ai1ee", "d1:ai1234567890123456789ee",
		"d1:a" + strings.Repeat("l", 60000) + strings.Repeat("e", 60000) + "e",
		"d" + strings.Repeat("1:ai1e", fieldsMax+1) + "x",
	} {
		if _, rest, ok := parseDict([]byte(text)); ok && len(rest) == 0 {
			t.Errorf("%.40q is a dictionary", text)
		}
	}
}

func TestAPeerExchangeHasWholeAddresses(t *testing.T) {
	six, eighteen := strings.Repeat("a", 6), strings.Repeat("b", 18)
	for text, want := range map[string]bool{
		"de":                                 true,
		"d5:added6:" + six + "e":             true,
		"d6:added618:" + eighteen + "e":      true,
		"d5:added6:" + six + "7:added.f1:xe": true,
		"d5:added5:aaaaae":                   false,
		"d5:added1:ae":                       false,
		"d6:added66:" + six + "e":            false,
		"d5:addedi1ee":                       false,
		"d7:added.fli1eee":                   false,
		"d5:added6:" + six + "etail":         false,
		"d5:added1206:" + strings.Repeat(six, pexPeersMax+1) + "e": false,
	} {
		if got := checkExchange([]byte(text)); got != want {
			t.Errorf("%.40q: %v, want %v", text, got, want)
		}
	}
}

// FuzzExtended: what passes the guard does not end the library.
func FuzzExtended(f *testing.F) {
	f.Add(bencode.MustMarshal(pp.ExtendedHandshakeMessage{
		M: map[pp.ExtensionName]pp.ExtensionNumber{"ut_metadata": 2}, V: "x", Reqq: 250, MetadataSize: 99,
		YourIp: pp.CompactIp{1, 2, 3, 4}, Ipv4: pp.CompactIp{1, 2, 3, 4}, Port: 80,
	}))
	f.Add([]byte("d5:added6:aaaaaa7:added.f1:x7:dropped6:aaaaaae"))
	f.Add([]byte("d8:msg_typei1e5:piecei0e10:total_sizei5eehello"))
	f.Add([]byte("d1:mle6:yourip0:1:pi-1e4:reqq1:ae"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if fields, rest, ok := parseDict(b); ok {
			if !bytes.HasSuffix(b, rest) || len(fields) > fieldsMax {
				t.Error("not what was split")
			}
			var d pp.ExtendedHandshakeMessage
			_ = bencode.Unmarshal(slices.Clone(b), &d)
		}
		if checkExchange(b) {
			if m, err := pp.LoadPexMsg(slices.Clone(b)); err == nil && m.Len() > 4*pexPeersMax {
				t.Errorf("%d addresses", m.Len())
			}
		}
		if _, index, data, ok := parseMetadata(b); ok && (index < 0 || !bytes.HasSuffix(b, data)) {
			t.Error("not what was split")
		}
	})
}
