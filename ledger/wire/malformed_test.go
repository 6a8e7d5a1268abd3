package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// field is one key of a dict with the raw bytes of its value.
type field struct {
	key   string
	value []byte
}

func fields(t testing.TB, dict []byte) (list []field) {
	r := reader{b: dict}
	r.open('d')
	for r.more() {
		key := string(r.bytes(0, len(r.b)))
		list = append(list, field{key, r.raw()})
	}
	r.close()
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	return list
}

func dictOf(list []field) []byte {
	w := writer{}
	w.dict()
	for _, f := range list {
		w.text(f.key)
		w.raw(f.value)
	}
	w.end()
	return w.b
}

// with is the list with what stands at i replaced by some fields.
func with(list []field, i int, instead ...field) []byte {
	var out []field
	out = append(out, list[:i]...)
	out = append(out, instead...)
	return dictOf(append(out, list[i+1:]...))
}

// wrong are values that are right for no key: integers that are not canonical
// or too large, strings likewise, unsorted dicts, deep nesting.
var wrong = []string{
	"i01e", "i-0e", "i+1e", "i 1e", "ie", "i-e", "i1", "i1.5e", "i0x1e",
	"i9007199254740992e", "i-9007199254740992e", "i9223372036854775808e", "i1" + strings.Repeat("0", 400) + "e",
	"03:abc", "-1:", "+3:abc", "4:abc", "3abc", ":abc", "99999999:", "999999999999999999999999:x", "3;abc",
	"d1:bi1e1:ai1ee", "d1:ai1e1:ai1ee", "di1ei1ee", "d1:ae", "l", "d", "le",
	"llllleeeee", "lllleeee", strings.Repeat("l", 1000) + strings.Repeat("e", 1000),
	strings.Repeat("d1:a", 500) + "i1e" + strings.Repeat("e", 500), "", "e", "x", "\x00",
}

func TestEveryDictIsRefusedWhenAnyOfItsKeysIsWrong(t *testing.T) {
	s := makeSample(t)
	// optional lists the keys that may be missing.
	dicts := map[string]string{
		"charter": "e j", "change": "u", "transfer": "m", "admit": "", "limit": "", "suspend": "r",
		"resume": "r", "rename": "", "rekey": "", "head": "h ih w", "succession": "", "succeed": "", "info": "",
	}
	for _, d := range decoders {
		optional, ok := dicts[d.name]
		if !ok {
			continue
		}
		refused := func(b []byte, format string, args ...any) {
			t.Helper()
			if _, err := d.decode(b); err == nil {
				t.Errorf("%s decodes %s: %.200q", d.name, fmt.Sprintf(format, args...), b)
			}
		}
		for _, valid := range d.valid(t, s) {
			list := fields(t, valid)
			for i, f := range list {
				if !bytes.Contains([]byte(" "+optional+" "), []byte(" "+f.key+" ")) {
					refused(with(list, i), "without %q", f.key)
				}
				refused(with(list, i, f, f), "with %q twice", f.key)
				refused(with(list, i, f, field{f.key + "\x00", []byte("i1e")}), "with an unknown key after %q", f.key)
				if i > 0 {
					swapped := slices.Clone(list)
					swapped[i-1], swapped[i] = f, list[i-1]
					refused(dictOf(swapped), "with %q before %q", f.key, list[i-1].key)
				}
				for _, w := range wrong {
					refused(with(list, i, field{f.key, []byte(w)}), "with %q = %.40q", f.key, w)
				}
				for _, w := range otherTypes(f.value) {
					refused(with(list, i, field{f.key, []byte(w)}), "with %q = %.40q", f.key, w)
				}
			}
		}
	}
}

// otherTypes are values of the types that a value is not, and for strings one
// that is too long for everything.
func otherTypes(value []byte) []string {
	others := map[string]string{"i": "i1e", "s": "3:abc", "l": "l3:abce", "d": "d3:abci1ee"}
	kind := string(value[:1])
	if kind >= "0" && kind <= "9" {
		kind = "s"
	}
	delete(others, kind)
	list := []string{string(String(make([]byte, 20000)))}
	for _, v := range others {
		list = append(list, v)
	}
	return list
}

func TestEveryKeyOfFixedLengthIsRefusedWhenLongerOrShorter(t *testing.T) {
	s := makeSample(t)
	variable := map[string]bool{"charter k": true, "charter n": true, "charter un": true, "change k": true,
		"transfer m": true, "admit n": true, "suspend r": true, "info name": true}
	for _, d := range decoders {
		switch d.name {
		case "charter", "change", "admit", "head", "succession", "info":
		default:
			continue
		}
		for _, valid := range d.valid(t, s) {
			list := fields(t, valid)
			for i, f := range list {
				if f.value[0] < '0' || f.value[0] > '9' || variable[d.name+" "+f.key] {
					continue
				}
				b := must[[]byte](t)(func() ([]byte, error) { r := reader{b: f.value}; return r.bytes(0, 50_000), r.end() }())
				if len(b) == 0 {
					continue
				}
				for _, other := range [][]byte{nil, b[1:], append([]byte{1}, b...)} {
					if d.name == "head" && f.key == "d" && len(other) == 0 {
						continue // no chunks
					}
					if _, err := d.decode(with(list, i, field{f.key, String(other)})); err == nil {
						t.Errorf("%s decodes with %d bytes of %q", d.name, len(other), f.key)
					}
				}
			}
		}
	}
}

func TestVersionsThatAreNotOursAreToldApart(t *testing.T) {
	s := makeSample(t)
	for _, d := range decoders {
		for _, valid := range d.valid(t, s) {
			switch {
			case bytes.HasPrefix(valid, []byte("d1:Vi1e")):
				newer := bytes.Replace(valid, []byte("Vi1e"), []byte("Vi2e"), 1)
				if _, err := d.decode(newer); !errors.Is(err, ErrNewer) {
					t.Errorf("%s of version 2: %v", d.name, err)
				}
				for _, none := range []string{"Vi0e", "Vi-1e", "V1:1"} {
					if _, err := d.decode(bytes.Replace(valid, []byte("Vi1e"), []byte(none), 1)); err == nil || errors.Is(err, ErrNewer) {
						t.Errorf("%s with %q: %v", d.name, none, err)
					}
				}
			case d.name == "window" || d.name == "entry" || d.name == "frame" || d.name == "join request" || d.name == "state" || d.name == "evidence":
				b := bytes.Clone(valid)
				b[0] = 2
				if _, err := d.decode(b); !errors.Is(err, ErrNewer) {
					t.Errorf("%s of version 2: %v", d.name, err)
				}
				b[0] = 0
				if _, err := d.decode(b); err == nil || errors.Is(err, ErrNewer) {
					t.Errorf("%s of version 0: %v", d.name, err)
				}
			}
		}
	}
}

func TestEveryIntegerOfTheBinaryFormatsHasItsLimit(t *testing.T) {
	s := makeSample(t)
	// offsets of 8-byte integers in the first valid value
	for name, offsets := range map[string][]int{
		"window": {1, 43}, "entry": {1, 9, 17}, "state": {1, 9}, "evidence": {4, 4 + 104 + 2},
		"transfer effect": {1, 9, 17, 25}, "admit effect": {0, 72, 80}, "limit effect": {0, 8, 16}, "account effect": {0},
	} {
		d := named(t, name)
		valid := d.valid(t, s)[0]
		for _, at := range offsets {
			for _, n := range []uint64{1 << 53, 1<<63 - 1, 1 << 63} {
				b := bytes.Clone(valid)
				binary.BigEndian.PutUint64(b[at:], n)
				if _, err := d.decode(b); err == nil {
					t.Errorf("%s decodes with %d at byte %d", name, n, at)
				}
			}
		}
	}
}

func TestLengthsThatPromiseTooMuchAreRefusedBeforeAnythingIsAllocated(t *testing.T) {
	s := makeSample(t)
	// one byte or more of the first valid value is set to 0xff
	for name, spans := range map[string][][2]int{
		"message": {{0, 2}}, "window": {{9, 11}, {147, 148}, {148, 150}, {150, 152}},
		"entry": {{123, 124}, {122, 123}, {121, 122}}, "frame": {{1, 2}, {2, 4}, {4, 8}, {8, 12}},
		"transfer effect": {{0, 1}}, "admit effect": {{88, 89}}, "join request": {{129, 130}},
		"state": {{113, 115}, {115, 117}}, "evidence": {{1, 2}, {2, 4}},
	} {
		d := named(t, name)
		valid := d.valid(t, s)[0]
		for _, span := range spans {
			b := bytes.Clone(valid)
			copy(b[span[0]:span[1]], bytes.Repeat([]byte{0xff}, span[1]-span[0]))
			_, err := d.decode(b)
			if err == nil {
				t.Errorf("%s decodes with bytes %d to %d all ones", name, span[0], span[1])
			}
			if d.stream && errors.Is(err, ErrShort) {
				t.Errorf("%s waits for bytes that can never be enough: %v", name, err)
			}
		}
	}
}

func TestAReaderOfBencodeKeepsItsFirstError(t *testing.T) {
	r := reader{b: []byte("d1:ai01e1:bi2ee")}
	r.open('d')
	r.key("a")
	if n := r.int(0, 9); n != 0 || r.err == nil {
		t.Fatalf("%d, %v", n, r.err)
	}
	first := r.err
	r.key("b")
	r.int(0, 9)
	r.raw()
	r.close()
	if r.optional("c") || r.more() || r.end() != first {
		t.Errorf("%v, not %v", r.end(), first)
	}
}

func TestBencodeIsCanonicalOrRefused(t *testing.T) {
	for _, ok := range []string{
		"i0e", "i-1e", "i9007199254740991e", "i-9007199254740991e", "0:", "3:abc", "le", "de", "lllleeee",
		"d0:i1e1:ai1ee", "d1:ai1e2:aai1e1:bi1ee", "l" + strings.Repeat("le", 5000) + "e",
	} {
		if err := CheckBencode([]byte(ok)); err != nil {
			t.Errorf("%.40q: %v", ok, err)
		}
	}
	for _, bad := range wrong {
		switch bad {
		case "le", "lllleeee":
			continue
		}
		if CheckBencode([]byte(bad)) == nil {
			t.Errorf("%.40q is taken", bad)
		}
	}
}
