package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// reservedForm is a value with one thing in it that only a later weir knows.
type reservedForm struct {
	format, name string
	b            []byte
	// tells is how many bytes tell it, whatever follows; 0: a whole value does.
	tells int
}

// reservedForms is every reserved form of SPEC.md, in values that are else
// valid.
func reservedForms(t testing.TB, s *sample) (list []reservedForm) {
	add := func(format, name string, b []byte, tells int) {
		list = append(list, reservedForm{format, name, b, tells})
	}
	// changed is the format's first valid value with one byte set.
	changed := func(format string, at int, to byte) []byte {
		b := bytes.Clone(named(t, format).valid(t, s)[0])
		b[at] = to
		return b
	}
	for _, format := range []string{"change", "charter", "head", "succession"} {
		add(format, "version 2", changed(format, len("d1:Vi"), '2'), len("d1:Vi2e"))
	}
	for _, format := range []string{"window", "entry", "frame", "join request", "state", "evidence"} {
		add(format, "version 2", changed(format, 0, 2), 1)
	}
	for _, format := range []string{"outbox", "chunk", "sealed join request"} {
		valid := named(t, format).valid(t, s)[0]
		add(format, "version 2", changed(format, bytes.IndexByte(valid, ':')+1, 2), 0)
		add(format, "version 2 and nothing after it", String([]byte{2}), 0)
	}
	for _, key := range charterReserved {
		add("charter", "key "+key, withKey(fields(t, s.Charter), field{key, []byte("i1e")}), 0)
	}
	for _, policy := range []string{"i2e", "i9007199254740991e"} {
		add("charter", "join policy "+policy, withKey(fields(t, s.Charter), field{"j", []byte(policy)}), 0)
	}
	later := sampleCharter()
	later.Kind = kindCatalogue
	add("charter", "kind catalogue", later.bytes(), 0)
	add("window", "padding", append(must[[]byte](t)(s.Window.Encode()), 0), 0)
	full := must[[]byte](t)((&Window{First: 8, Before: s.Chain}).Encode())
	add("window", "padding to 955 bytes", append(full, make([]byte, WindowBytesMax-len(full))...), 0)
	const kindAt = 1 + 8 + 8 + 8 + 32 + 64
	add("entry", fmt.Sprintf("kind %d", kinds), changed("entry", kindAt, byte(kinds)), 0)
	add("entry", "verdict 14", changed("entry", kindAt+1, byte(verdicts)), 0)
	add("frame", "state 1 without read key", changed("frame", 1, byte(BodySealed)), 4)
	add("frame", "state 3", changed("frame", 1, 3), 2)
	add("frame", "read key 2", changed("frame", 3, 2), 4)
	sealed := bytes.Clone(s.Sealed.Frames[3])
	sealed[3] = 2
	add("frame", "read key 2, sealed", sealed, 4)
	sealed = bytes.Clone(sealed)
	sealed[2], sealed[3] = 1, 0
	add("frame", "read key 256, sealed", sealed, 4)
	add("evidence", "kind 4", changed("evidence", 1, 4), 2)

	link := func(name string, kind byte, payload []byte) { add("link", name, []byte(linkText(kind, payload)), 0) }
	database := must[[]byte](t)(s.Link.append(nil))
	const flagsAt = 20 + 16
	for _, bit := range []byte{1, 7} {
		flagged := bytes.Clone(database)
		flagged[flagsAt] = 1 << bit
		name := "flag bit " + string('0'+rune(bit))
		link(name, linkDatabase, flagged)
		link(name+" and nothing after it", linkDatabase, flagged[:flagsAt+1])
		link(name+" and a key after it", linkDatabase, append(flagged, make([]byte, 32)...))
	}
	both := must[[]byte](t)(s.Sealed.Link.append(nil))
	both[flagsAt] |= 2
	link("flag bits 0 and 1", linkDatabase, both)
	link("type 5", 5, database)
	link("type 5 and nothing after it", 5, nil)
	link("type 6", 6, database)
	return list
}

// withKey is a dict with one key more, in its place.
func withKey(list []field, f field) []byte {
	list = append(slices.Clone(list), f)
	slices.SortFunc(list, func(a, b field) int { return strings.Compare(a.key, b.key) })
	return dictOf(list)
}

// reservedVectors are those of one format, with what looks like them and is
// refused.
func reservedVectors(t testing.TB, s *sample, format string) (list []vector) {
	add := func(name string, b []byte) {
		list = append(list, vector{"name": name, "hex": hex.EncodeToString(b)})
	}
	for _, f := range reservedForms(t, s) {
		if f.format != format {
			continue
		}
		if f.tells == 0 || f.name != "version 2" { // which is among the spoiled
			add(f.name, f.b)
		}
		if f.tells > 0 {
			add(f.name+" and nothing after it", f.b[:f.tells])
		}
	}
	switch format {
	case "window":
		add("padding that is not zero", append(must[[]byte](t)(s.Window.Encode()), 0, 1, 0))
	case "evidence":
		b := must[[]byte](t)(s.Evidence.Encode())
		b[1] = 0
		add("kind 0", b)
		grown := must[[]byte](t)(s.Outgrows.Encode())
		const rootAt = 2 + 2*(2+checkpointBytes)
		add("a proof of 55 hashes", append(append(bytes.Clone(grown[:rootAt+32]), 55), make([]byte, 55*32)...))
		add("a proof of 255 hashes and nothing after it", append(bytes.Clone(grown[:rootAt+32]), 255))
		begins := bytes.Clone(grown)
		copy(begins[rootAt:], begins[4+8:4+8+32])
		add("kind 3 and the smaller one's root", begins)
		one := bytes.Clone(grown)
		one[2+2+checkpointBytes+2+7] = one[4+7]
		add("kind 3 of one size", one)
		add("kind 1 of two sizes", append([]byte{Version, byte(EvidenceCheckpoints)}, grown[2:rootAt]...))
	case "link":
		add("type 0", []byte(linkText(0, must[[]byte](t)(s.Link.append(nil)))))
		sealed := must[[]byte](t)(s.Sealed.Link.append(nil))
		add("flag bit 0 and no read key", []byte(linkText(linkDatabase, sealed[:len(sealed)-32])))
		add("flag bit 0 and a read key of 31 bytes", []byte(linkText(linkDatabase, sealed[:len(sealed)-1])))
		add("flag bit 0 and a byte too many", []byte(linkText(linkDatabase, append(bytes.Clone(sealed), 0))))
		add("flag bit 0 and a read key of zeros", []byte(linkText(linkDatabase, append(bytes.Clone(sealed[:len(sealed)-32]), make([]byte, 32)...))))
		unflagged := bytes.Clone(sealed)
		unflagged[20+16] = 0
		add("a read key without flag bit 0", []byte(linkText(linkDatabase, unflagged)))
	case "charter":
		for _, value := range []string{"i0e", "i2e", "1:1"} {
			add("key e = "+value, withKey(fields(t, s.Charter), field{"e", []byte(value)}))
		}
		for _, value := range []string{"i0e", "i-1e", "1:1"} {
			add("key j = "+value, withKey(fields(t, s.Charter), field{"j", []byte(value)}))
		}
	}
	return list
}

func TestEverythingReservedIsNewer(t *testing.T) {
	s := makeSample(t)
	for _, f := range reservedForms(t, s) {
		if _, err := named(t, f.format).decode(f.b); !errors.Is(err, ErrNewer) {
			t.Errorf("%s with %s: %v", f.format, f.name, err)
		}
	}
}

func TestWhatDecidesHowTheRestIsLaidOutIsNewerWhateverFollows(t *testing.T) {
	s := makeSample(t)
	for _, f := range reservedForms(t, s) {
		d := named(t, f.format)
		if f.tells == 0 {
			continue
		}
		for n := f.tells; n <= len(f.b); n++ {
			if _, err := d.decode(f.b[:n]); !errors.Is(err, ErrNewer) {
				t.Errorf("%s with %s, %d bytes: %v", f.format, f.name, n, err)
			}
		}
		for _, tail := range []string{"\x00", "e", "\xff\xff\xff"} {
			if _, err := d.decode(append(bytes.Clone(f.b[:f.tells]), tail...)); !errors.Is(err, ErrNewer) {
				t.Errorf("%s with %s, then %q: %v", f.format, f.name, tail, err)
			}
		}
		if _, err := d.decode(f.b[:f.tells-1]); errors.Is(err, ErrNewer) {
			t.Errorf("%s with %s: told one byte too early", f.format, f.name)
		}
	}
}

func TestWhatElseIsReservedIsNewerInAWholeValueOnly(t *testing.T) {
	s := makeSample(t)
	for _, f := range reservedForms(t, s) {
		d := named(t, f.format)
		if f.tells > 0 || f.format != "charter" && f.format != "entry" {
			continue
		}
		for n := range len(f.b) {
			if _, err := d.decode(f.b[:n]); !errors.Is(err, ErrShort) {
				t.Errorf("%s with %s, %d bytes: %v", f.format, f.name, n, err)
			}
		}
		if _, err := d.decode(append(bytes.Clone(f.b), 'e')); err == nil || errors.Is(err, ErrNewer) {
			t.Errorf("%s with %s and a byte too many: %v", f.format, f.name, err)
		}
	}
	unsorted := append(fields(t, s.Charter), field{"al", []byte("i1e")})
	if _, err := ParseCharter(dictOf(unsorted)); err == nil || errors.Is(err, ErrNewer) {
		t.Errorf("a reserved key out of its place: %v", err)
	}
}
