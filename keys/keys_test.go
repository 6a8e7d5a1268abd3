package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func fill(b byte) Seed { return Seed(bytes.Repeat([]byte{b}, SeedBytes)) }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASeedGivesTheSameKeysForEver(t *testing.T) {
	for _, c := range []struct {
		seed               Seed
		publish, log, seal string
	}{
		{fill(0x00), "42b73e9322daff30d7a878a00244655389a462d5b5b8e0efa9b0201de9061c91", "fc427057dc3a722e9ed21cf783339c9990c15fee409ce1b3b62dacdf7ea9156f", "dfae828aa8f4ce251cd49a281a69f044175efb1099f6357631f1da88db59d249"},
		{fill(0x01), "425f3406aaad78df8b70f656bbafadc1dfc2479af6b5c434ceb2a7ee4c6ef80d", "dcdf4edec0b82a352fd10553453a22cf1e8e776d2e313a5ee254b64340971093", "72fc67ab71e8fb155434bf04c0acb02854a401c7dff6d793d25959fdc9bfe90e"},
	} {
		id := Derive(c.seed)
		p, l, s := id.Public(), id.LogPublic(), id.SealPublic()
		if hex.EncodeToString(p[:]) != c.publish {
			t.Errorf("%x: publish %x", c.seed[:1], p)
		}
		if hex.EncodeToString(l[:]) != c.log {
			t.Errorf("%x: log %x", c.seed[:1], l)
		}
		if hex.EncodeToString(s[:]) != c.seal {
			t.Errorf("%x: seal %x", c.seed[:1], s)
		}
	}
}

// expand is HKDF-SHA256 with no salt and 32 bytes of output as RFC 5869
// writes it down, without the library.
func expand(secret []byte, info string) []byte {
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	extract.Write(secret)
	out := hmac.New(sha256.New, extract.Sum(nil))
	out.Write([]byte(info + "\x01"))
	return out.Sum(nil)
}

func TestEachKeyIsDerivedUnderItsOwnLabel(t *testing.T) {
	seed := fill(0x2a)
	id := Derive(seed)
	seal := id.SealPrivate()
	for label, got := range map[string][]byte{
		"weir/v1/publish": id.Publish.Seed(), "weir/v1/log": id.Log.Seed(), "weir/v1/seal": seal[:],
	} {
		if want := expand(seed[:], label); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, not %x", label, got, want)
		}
	}
}

func TestAReadKeyIsOfOneSeedAndOneDatabase(t *testing.T) {
	seed, digest := fill(0x2a), [32]byte(bytes.Repeat([]byte{0xd1}, 32))
	got := Derive(seed).ReadKey(digest)
	if want := expand(seed[:], "weir/v1/read"+string(digest[:])); !bytes.Equal(got[:], want) {
		t.Errorf("%x, not %x", got, want)
	}
	if got == Derive(fill(0x2b)).ReadKey(digest) || got == Derive(seed).ReadKey([32]byte{}) {
		t.Error("another seed or another database has the same one")
	}
	if words, err := FromWords(strings.Join(Words(seed), " ")); err != nil || Derive(words).ReadKey(digest) != got {
		t.Errorf("the words give another: %v", err)
	}
}

func TestTheKeysSignUnderTheirPublicHalves(t *testing.T) {
	id := Derive(fill(3))
	p, l := id.Public(), id.LogPublic()
	if !ed25519.Verify(p[:], []byte("x"), ed25519.Sign(id.Publish, []byte("x"))) {
		t.Error("publish")
	}
	if !ed25519.Verify(l[:], []byte("x"), ed25519.Sign(id.Log, []byte("x"))) {
		t.Error("log")
	}
}

func TestTwoIdentitiesAgreeOnOneSecret(t *testing.T) {
	a, b, c := Derive(fill(1)), Derive(fill(2)), Derive(fill(3))
	ab, err1 := a.Shared(b.SealPublic())
	ba, err2 := b.Shared(a.SealPublic())
	ac, err3 := a.Shared(c.SealPublic())
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if ab != ba || ab == ac || ab == ([32]byte{}) {
		t.Errorf("%x, %x, %x", ab, ba, ac)
	}
}

func TestASecretThatEverybodyKnowsIsRefused(t *testing.T) {
	// Points of low order (RFC 7748 section 6.1, and Curve25519's own list).
	for _, low := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		if s, err := Derive(fill(1)).Shared(SealPublic(unhex(t, low))); err == nil {
			t.Errorf("%s: %x", low, s)
		}
	}
}

func TestASeedIsReadFromItsSourceWhole(t *testing.T) {
	s, err := NewSeed(bytes.NewReader(bytes.Repeat([]byte{7}, 40)))
	if err != nil || s != fill(7) {
		t.Errorf("%x, %v", s, err)
	}
	if s, err := NewSeed(bytes.NewReader(make([]byte, 31))); err == nil || s != (Seed{}) {
		t.Errorf("31 bytes: %x, %v", s, err)
	}
}

func TestTextFormsReadBack(t *testing.T) {
	for b := range 256 {
		seed := fill(byte(b))
		if back, err := ParseSeed(seed.Text()); err != nil || back != seed {
			t.Fatalf("%d: %v", b, err)
		}
		p := Derive(seed).Public()
		for _, text := range []string{p.String(), strings.ToUpper(p.String()), "  " + p.String() + "\n"} {
			if back, err := ParsePublic(text); err != nil || back != p {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if back, err := ParseSeed(" " + strings.ToLower(seed.Text()) + "\t"); err != nil || back != seed {
			t.Fatalf("%d: %v", b, err)
		}
	}
	if p := Derive(fill(1)).Public(); len(p.String()) != 58 || len(p.Short()) != 8 || !strings.HasPrefix(p.String(), p.Short()) {
		t.Errorf("%s, %s", p, p.Short())
	}
}

// everyMistyping calls f with text once for each character that each place
// could hold instead, from a set that has more than base32 does.
func everyMistyping(text string, from int, f func(string)) {
	for i := from; i < len(text); i++ {
		for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567 0189-=_\n\x00\xff") {
			if c != text[i] {
				f(text[:i] + string(rune(c)) + text[i+1:])
				f(text[:i] + string([]byte{c}) + text[i+1:])
			}
		}
	}
}

func TestEveryMistypedCharacterIsCaught(t *testing.T) {
	seed := fill(0x42)
	everyMistyping(seed.Text(), 0, func(text string) {
		if _, err := ParseSeed(text); !errors.Is(err, ErrText) {
			t.Fatalf("%q: %v", text, err)
		}
	})
	public := strings.ToUpper(Derive(seed).Public().String())
	everyMistyping(public, 0, func(text string) {
		if _, err := ParsePublic(text); !errors.Is(err, ErrText) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func TestEveryExchangeOfNeighboursIsCaught(t *testing.T) {
	public := Derive(fill(0x42)).Public().String()
	for i := 1; i < len(public); i++ {
		if public[i] == public[i-1] {
			continue
		}
		text := public[:i-1] + public[i:i+1] + public[i-1:i] + public[i+1:]
		if _, err := ParsePublic(text); !errors.Is(err, ErrText) {
			t.Fatalf("%q: %v", text, err)
		}
	}
}

func TestTextThatIsCutOffOrOfAnotherKindIsCaught(t *testing.T) {
	seed, public := fill(9).Text(), Derive(fill(9)).Public().String()
	for i := range len(seed) {
		if _, err := ParseSeed(seed[:i]); !errors.Is(err, ErrText) {
			t.Fatalf("%q: %v", seed[:i], err)
		}
	}
	for i := range len(public) {
		if _, err := ParsePublic(public[:i]); !errors.Is(err, ErrText) {
			t.Fatalf("%q: %v", public[:i], err)
		}
	}
	for _, text := range []string{public + "a", seedPrefix + public, strings.TrimPrefix(seed, seedPrefix), strings.Repeat("a", 1<<20)} {
		if _, err := ParseSeed(text); !errors.Is(err, ErrText) {
			t.Errorf("%.60q is a seed: %v", text, err)
		}
		if text == strings.TrimPrefix(seed, seedPrefix) || len(text) != 58 {
			if _, err := ParsePublic(text); !errors.Is(err, ErrText) {
				t.Errorf("%.60q is a public key: %v", text, err)
			}
		}
	}
}

func TestTextWithALineBreakInItIsNoKey(t *testing.T) {
	seed, public := fill(9).Text(), Derive(fill(9)).Public().String()
	for _, breaks := range []string{"\n", "\r\n", "\n\n\n\n\n\n\n\n", strings.Repeat("\n", 40)} {
		n := len(breaks)
		// As many characters as a key has: base32 passes over line breaks.
		if _, err := ParsePublic(public[:10] + breaks + public[10+n:]); !errors.Is(err, ErrText) {
			t.Errorf("%q in a public key: %v", breaks, err)
		}
		if _, err := ParseSeed(seed[:15] + breaks + seed[15+n:]); !errors.Is(err, ErrText) {
			t.Errorf("%q in a secret key: %v", breaks, err)
		}
	}
}

func FuzzParsePublic(f *testing.F) {
	f.Add("a" + strings.Repeat("\n", 56) + "a")
	f.Add(Derive(fill(1)).Public().String())
	f.Add(strings.ToUpper(Derive(fill(2)).Public().String()))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePublic(text)
		if err == nil && !strings.EqualFold(p.String(), strings.TrimSpace(text)) {
			t.Fatalf("%q is %s", text, p)
		}
	})
}

func FuzzParseSeed(f *testing.F) {
	f.Add(fill(1).Text())
	f.Add(strings.ToLower(fill(2).Text()))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSeed(text)
		if err == nil && s.Text() != strings.ToUpper(strings.TrimSpace(text)) {
			t.Fatalf("%q is %s", text, s.Text())
		}
	})
}
