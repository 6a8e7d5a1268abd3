package wire

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"weir/keys"
)

// update writes testdata and the examples of SPEC.md anew. Read the
// difference: every line that changes is a format that changed.
var update = flag.Bool("update", false, "write testdata and SPEC.md's examples anew")

// vector is one block of a file of vectors: lines of "key: value".
type vector map[string]string

// readVectors reads blocks that are separated by empty lines. Lines that
// begin with # are comments.
func readVectors(t testing.TB, path string) (list []vector) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v := vector{}
	lines := bufio.NewScanner(bytes.NewReader(append(b, '\n', '\n')))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		key, value, ok := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "#"):
		case ok:
			v[key] = strings.TrimPrefix(value, " ")
		case line == "" && len(v) > 0:
			list = append(list, v)
			v = vector{}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (v vector) hex(t testing.TB, key string) []byte {
	t.Helper()
	b, err := hex.DecodeString(v[key])
	if err != nil {
		t.Fatalf("%s: %s: %v", v["name"], key, err)
	}
	return b
}

func TestTheVectorsOfBEP44(t *testing.T) {
	list := readVectors(t, filepath.Join("testdata", "bep44.txt"))
	if len(list) != 3 {
		t.Fatalf("%d vectors", len(list))
	}
	for _, v := range list {
		value, salt := []byte(v["value"]), []byte(v["salt"])
		if b, err := ParseString(value); err != nil || string(String(b)) != v["value"] {
			t.Errorf("%s: value %q, %v", v["name"], b, err)
		}
		if v["public-key"] == "" {
			if got := ImmutableTarget(value); got.String() != v["target"] {
				t.Errorf("%s: target %v", v["name"], got)
			}
			continue
		}
		key := keys.Public(v.hex(t, "public-key"))
		if got := MutableTarget(key, salt); got.String() != v["target"] {
			t.Errorf("%s: target %v", v["name"], got)
		}
		seq, err := strconv.ParseInt(v["seq"], 10, 64)
		signed := ItemSigned(salt, seq, value)
		if err != nil || string(signed) != v["signed-buffer"] {
			t.Errorf("%s: signed %q", v["name"], signed)
		}
		if !ed25519.Verify(key[:], signed, v.hex(t, "signature")) {
			t.Errorf("%s: the signature does not verify", v["name"])
		}
	}
}

// outcome is the word after expect: in a vector.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrShort):
		return "short"
	case errors.Is(err, ErrNewer):
		return "newer"
	case errors.Is(err, ErrOpen):
		return "does not open"
	case errors.Is(err, ErrNotLink):
		return "not a link"
	case errors.Is(err, ErrMistyped):
		return "mistyped"
	}
	return "refused"
}

// spoiled are values of a format that come from a valid one.
func spoiled(d decoder, valid []byte) []vector {
	var list []vector
	add := func(name string, b []byte) {
		list = append(list, vector{"name": name, "hex": hex.EncodeToString(b)})
	}
	add("the last byte is missing", valid[:len(valid)-1])
	add("a byte too many", append(bytes.Clone(valid), 'e'))
	add("nothing", nil)
	switch {
	case d.name == "link":
		lower := strings.ToLower(string(valid))
		add("lower case, with space around", []byte("  "+lower+"\n"))
		add("without its beginning", valid[5:])
		add("two characters exchanged", []byte(lower[:20]+lower[21:22]+lower[20:21]+lower[22:]))
	case bytes.HasPrefix(valid, []byte("d1:Vi1e")):
		add("version 2", bytes.Replace(valid, []byte("Vi1e"), []byte("Vi2e"), 1))
		add("version with a leading zero", bytes.Replace(valid, []byte("Vi1e"), []byte("Vi01e"), 1))
		add("the version twice", bytes.Replace(valid, []byte("d1:Vi1e"), []byte("d1:Vi1e1:Vi1e"), 1))
		add("an unknown key at the end", append(bytes.Clone(valid[:len(valid)-1]), "2:zzi1ee"...))
		add("an integer of 2^53", bytes.Replace(valid, []byte("Vi1e"), []byte("Vi9007199254740992e"), 1))
	case valid[0] == Version && d.name != "body":
		add("version 2", append([]byte{2}, valid[1:]...))
		add("version 0", append([]byte{0}, valid[1:]...))
	}
	return list
}

// TestTheVectorsOfEveryFormat goes through testdata: one file a format, valid
// values and spoiled ones, and what a decoder says of each.
func TestTheVectorsOfEveryFormat(t *testing.T) {
	s := makeSample(t)
	for _, d := range decoders {
		path := filepath.Join("testdata", strings.ReplaceAll(d.name, " ", "-")+".txt")
		if *update {
			writeVectors(t, path, d, s)
		}
		list := readVectors(t, path)
		if len(list) < 3 {
			t.Errorf("%s: %d vectors", path, len(list))
		}
		for _, v := range list {
			b := v.hex(t, "hex")
			_, err := d.decode(b)
			if got := outcome(err); got != v["expect"] {
				t.Errorf("%s: %s: %s (%v), not %s", path, v["name"], got, err, v["expect"])
			}
			d.check(t, b)
		}
		// What the code writes today is what the file holds.
		for i, b := range d.valid(t, s) {
			if v := list[i]; v["expect"] != "ok" || !bytes.Equal(v.hex(t, "hex"), b) {
				t.Errorf("%s: %s is not what is written now", path, v["name"])
			}
		}
		for _, want := range others(t, d, s) {
			if !slices.ContainsFunc(list, func(v vector) bool { return v["name"] == want["name"] && v["hex"] == want["hex"] }) {
				t.Errorf("%s: %s is not there, or another", path, want["name"])
			}
		}
	}
}

// others are a format's vectors besides the valid ones.
func others(t testing.TB, d decoder, s *sample) []vector {
	return slices.Concat(
		spoiled(d, d.valid(t, s)[0]),
		chosen[d.name],
		reservedVectors(t, s, d.name),
		sealedVectors(t, s, d.name),
		lowOrderVectors(t, s, d.name),
	)
}

func writeVectors(t *testing.T, path string, d decoder, s *sample) {
	var out strings.Builder
	fmt.Fprintf(&out, "# Format %s of SPEC.md. Bytes in hex; expect is what a decoder says.\n", d.name)
	if note := vectorNotes[d.name]; note != "" {
		fmt.Fprintf(&out, "# %s\n", note)
	}
	list := []vector{}
	for i, b := range d.valid(t, s) {
		list = append(list, vector{"name": fmt.Sprintf("valid %d", i+1), "hex": hex.EncodeToString(b)})
	}
	list = append(list, others(t, d, s)...)
	for _, v := range list {
		b := v.hex(t, "hex")
		_, err := d.decode(b)
		fmt.Fprintf(&out, "\nname: %s\nhex: %x\nexpect: %s\n", v["name"], b, outcome(err))
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

var vectorNotes = map[string]string{
	"outbox":              "Sealed under a key of 32 zero bytes.",
	"chunk":               "Sealed under a key of 32 zero bytes.",
	"join request":        "What is inside the sealed box.",
	"sealed join request": "Sealed to the seal key of the seed 0101...01.",
	"note":                "Of the id abab...ab, by the log key of the seed 0101...01.",
	"link":                "The hex is of the text.",
	"body":                "The change is not looked into.",
	"sealed frame":        "Of the id abab...ab at stream offset 1000, under a read key of 32 zero bytes.",
}

func text(name, s string) vector { return vector{"name": name, "hex": hex.EncodeToString([]byte(s))} }

// chosen are values that were thought of by hand.
var chosen = map[string][]vector{
	"bencode": {
		text("zero", "i0e"), text("minus zero", "i-0e"), text("leading zero", "i01e"), text("plus", "i+1e"), text("no digits", "ie"),
		text("2^53-1", "i9007199254740991e"), text("2^53", "i9007199254740992e"), text("-2^53+1", "i-9007199254740991e"), text("2^63", "i9223372036854775808e"),
		text("length with a leading zero", "01:a"), text("negative length", "-1:a"), text("longer than it is", "2:a"), text("empty string", "0:"),
		text("depth 4", "lllleeee"), text("depth 5", "llllleeeee"), text("sorted keys", "d1:Ai1e1:ai1e2:aai1ee"), text("unsorted keys", "d1:ai1e1:Ai1ee"),
		text("a key twice", "d1:ai1e1:ai2ee"), text("integer as key", "di1ei1ee"), text("no value", "d1:ae"), text("two values", "i1ei1e"),
		text("much longer than it is", "999:a"), text("a zero byte", "\x00"), text("a zero byte in a list", "l\x00"), text("the list ends inside an integer", "li1"), text("the dict ends inside a key", "d1:"), text("the dict ends before a value", "d1:a"),
	},
	"transfer": {
		text("one posting", "d1:plli1ei0eeee"), text("sum is not zero, which is for the ledger to say", "d1:plli1ei-5eeli2ei6eeee"),
		text("one account twice, which is for the ledger to say", "d1:plli1ei-5eeli1ei5eeee"),
		text("posting of three", "d1:plli1ei-5ei0eeli2ei5eeee"), text("negative account", "d1:plli-1ei-5eeli2ei5eeee"),
		text("empty memo", "d1:m0:1:plli1ei-5eeli2ei5eeee"), text("memo of two lines", "d1:m3:a\nb1:plli1ei-5eeli2ei5eeee"),
		text("memo with a right-to-left override", "d1:m4:a\u202e1:plli1ei-5eeli2ei5eeee"), text("memo not in UTF-8", "d1:m1:\xff1:plli1ei-5eeli2ei5eeee"),
	},
	"limit":   {text("one limit", "d1:ai2e1:li-5ee"), text("both limits the wrong way around, which is for the ledger to say", "d1:ai2e1:li5e1:ui-5ee")},
	"suspend": {text("empty reason", "d1:ai2e1:r0:e"), text("no account", "d1:r1:xe")},
	"sweep":   {text("with something in it", "d1:ai1ee")},
	"succeed": {
		text("no succession", "d1:qi1e1:s64:"+strings.Repeat("s", 64)+"1:v2:dee"),
		text("an empty succession", "d1:qi1e1:s64:"+strings.Repeat("s", 64)+"1:v0:e"),
		text("a succession that ends early", "d1:qi1e1:s64:"+strings.Repeat("s", 64)+"1:v7:d1:Vi1ee"),
		text("a succession of a later version", "d1:qi1e1:s64:"+strings.Repeat("s", 64)+"1:v8:d1:Vi2eee"),
		text("a negative seq", "d1:qi-1e1:s64:"+strings.Repeat("s", 64)+"1:v2:dee"),
		text("a signature of 63 bytes", "d1:qi1e1:s63:"+strings.Repeat("s", 63)+"1:v2:dee"),
	},
	"link": {text("magnet", "magnet:?xt=urn:btih:0000000000000000000000000000000000000000"), text("nothing behind the colon", "WEIR:")},
}
