package lookup

import (
	"bufio"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"weir/ledger/wire"
)

// bep44 reads the vectors published in BEP 44.
func bep44(t *testing.T) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "bep44.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []map[string]string
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, ok := strings.Cut(s.Text(), ": ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if name == "name" {
			all = append(all, make(map[string]string))
		}
		all[len(all)-1][name] = value
	}
	return all
}

func unhex(t *testing.T, dst []byte, text string) {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(dst) {
		t.Fatalf("%q: %v", text, err)
	}
	copy(dst, b)
}

func TestTheVectorsOfBEP44Verify(t *testing.T) {
	vectors := bep44(t)
	if len(vectors) != 3 {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		it := Item{Value: []byte(v["value"])}
		unhex(t, it.Target[:], v["target"])
		if k, ok := v["public-key"]; ok {
			it.Mutable = true
			it.Salt = []byte(v["salt"])
			unhex(t, it.Key[:], k)
			unhex(t, it.Sig[:], v["signature"])
			seq, err := strconv.ParseInt(v["seq"], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			it.Seq = seq
		}
		if err := it.Verify(); err != nil {
			t.Errorf("%s: %v", v["name"], err)
		}
		for name, spoil := range spoilt {
			bad := it
			if !spoil(&bad) {
				continue
			}
			if err := bad.Verify(); !errors.Is(err, ErrItem) {
				t.Errorf("%s with %s verifies", v["name"], name)
			}
		}
	}
}

// spoilt are ways to make an item invalid; false: they do not apply.
var spoilt = map[string]func(it *Item) bool{
	"another value":           func(it *Item) bool { it.Value = []byte("12:Hello World?"); return true },
	"bytes after the value":   func(it *Item) bool { it.Value = append(it.Value, 'e'); return true },
	"no value":                func(it *Item) bool { it.Value = nil; return true },
	"another target":          func(it *Item) bool { it.Target[0]++; return true },
	"another seq":             func(it *Item) bool { it.Seq++; return true },
	"a negative seq":          func(it *Item) bool { it.Seq = -1; return true },
	"a seq past 2^53":         func(it *Item) bool { it.Seq = wire.IntMax + 1; return true },
	"a salt of 65 bytes":      func(it *Item) bool { it.Salt = make([]byte, 65); return true },
	"another salt":            func(it *Item) bool { it.Salt = []byte("x"); return true },
	"another key":             func(it *Item) bool { it.Key[0]++; return it.Mutable },
	"another signature":       func(it *Item) bool { it.Sig[9]++; return it.Mutable },
	"a non-canonical S":       func(it *Item) bool { it.Sig[63] |= 0xe0; return it.Mutable },
	"a value of 1001 bytes":   func(it *Item) bool { it.Value = wire.String(make([]byte, 997)); return true },
	"a value out of its form": func(it *Item) bool { it.Value = []byte("012:Hello World!"); return true },
}

func TestItemsAreSignedAtTheLimitsAndNotBeyond(t *testing.T) {
	full := wire.String(make([]byte, 996))
	if len(full) != 1000 {
		t.Fatal(len(full))
	}
	for _, c := range []struct {
		name  string
		salt  []byte
		seq   int64
		value []byte
		ok    bool
	}{
		{"the largest", make([]byte, 64), wire.IntMax, full, true},
		{"the smallest", nil, 0, []byte("0:"), true},
		{"a long salt", make([]byte, 65), 1, full, false},
		{"a negative seq", nil, -1, full, false},
		{"a seq that JavaScript corrupts", nil, 1 << 53, full, false},
		{"a long value", nil, 1, wire.String(make([]byte, 997)), false},
		{"no bencode", nil, 1, []byte("hello"), false},
	} {
		it, err := Sign(key(1), c.salt, c.seq, c.value)
		if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrItem) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && it.Verify() != nil {
			t.Errorf("%s: %v", c.name, it.Verify())
		}
	}
	if it, err := Immutable(full); err != nil || it.Verify() != nil {
		t.Error(err)
	}
	if _, err := Immutable([]byte("d1:b0:1:a0:e")); !errors.Is(err, ErrItem) {
		t.Error(err)
	}
}

func TestTheLargestPutFitsADatagram(t *testing.T) {
	it, err := Sign(key(1), make([]byte, 64), wire.IntMax, wire.String(make([]byte, 996)))
	if err != nil {
		t.Fatal(err)
	}
	m := it.put(make([]byte, tokenBytesMax))
	m.Transaction, m.ReadOnly = make([]byte, transactionBytes), true
	if n := len(m.Encode()); n > 1472 { // of IPv4 over Ethernet
		t.Errorf("%d bytes", n)
	}
}
