package keys

import (
	"errors"
	"strings"
	"testing"
)

// The 24-word vectors of BIP-39's reference implementation.
var bip39Vectors = []struct{ entropy, words string }{
	{"0000000000000000000000000000000000000000000000000000000000000000", "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"},
	{"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f", "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title"},
	{"8080808080808080808080808080808080808080808080808080808080808080", "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless"},
	{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote"},
	{"3e141609b97933b66a060dcddc71fad1d91677db872031e85f4c015c5e7e8982", "dignity pass list indicate nasty swamp pool script soccer toe leaf photo multiply desk host tomato cradle drill spread actor shine dismiss champion exotic"},
	{"2c85efc7f24ee4573d2b81a6ec66cee209b2dcbd09d8eddc51e0215b0b68e416", "clutch control vehicle tonight unusual clog visa ice plunge glimpse recipe series open hour vintage deposit universe tip job dress radar refuse motion taste"},
	{"4fa1a8bc3e6d80ee1316050e862c1812031493212b7ec3f3bb1b08f168cabeef", "exile ask congress lamp submit jacket era scheme attend cousin alcohol catch course end lucky hurt sentence oven short ball bird grab wing top"},
	{"15da872c95a13dd738fbf50e427583ad61f18fd99f628c417a61cf8343c90419", "beyond stage sleep clip because twist token leaf atom beauty genius food business side grid unable middle armed observe pair crouch tonight away coconut"},
}

func TestTheWordsAreThoseOfBIP39(t *testing.T) {
	for _, v := range bip39Vectors {
		seed := Seed(unhex(t, v.entropy))
		if got := strings.Join(Words(seed), " "); got != v.words {
			t.Errorf("%s: %s", v.entropy, got)
		}
		if back, err := FromWords(v.words); err != nil || back != seed {
			t.Errorf("%s: %x, %v", v.entropy, back, err)
		}
	}
}

func TestWordsReadBackHoweverTheyAreWritten(t *testing.T) {
	seed := fill(0x5a)
	words := Words(seed)
	for _, text := range []string{
		strings.Join(words, "\n"), "  " + strings.Join(words, " \t ") + " ", strings.ToUpper(strings.Join(words, " ")),
	} {
		if back, err := FromWords(text); err != nil || back != seed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWordsThatAreNoKeySayWhy(t *testing.T) {
	words := Words(fill(0x5a))
	with := func(i int, word string) string {
		w := append([]string(nil), words...)
		w[i] = word
		return strings.Join(w, " ")
	}
	for text, why := range map[string]string{
		"":                                  "there are 0",
		strings.Join(words[:23], " "):       "there are 23",
		strings.Join(words, " ") + " zoo":   "there are 25",
		with(4, "weir"):                     `word 5, "weir"`,
		with(23, "zooo"):                    `word 24, "zooo"`,
		with(0, "zoo"):                      "two may have changed places",
		strings.Repeat("zoo ", 24):          "two may have changed places",
		strings.Repeat("x", 1<<20):          "there are 1",
		strings.Repeat("a ", 1<<16) + "zoo": "there are 65537",
	} {
		_, err := FromWords(text)
		if !errors.Is(err, ErrWords) || !strings.Contains(err.Error(), why) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// An 8-bit checksum misses one exchange in 256; that most are caught is what
// can be promised.
func TestAlmostEveryExchangeOfTwoWordsIsCaught(t *testing.T) {
	missed, tried := 0, 0
	for b := range 32 {
		words := Words(Derive(fill(byte(b))).SealPrivate())
		for i := 1; i < len(words); i++ {
			if words[i] == words[i-1] {
				continue
			}
			w := append([]string(nil), words...)
			w[i], w[i-1] = w[i-1], w[i]
			tried++
			if _, err := FromWords(strings.Join(w, " ")); err == nil {
				missed++
			}
		}
	}
	if missed*64 > tried {
		t.Errorf("%d of %d exchanges missed", missed, tried)
	}
}

func FuzzFromWords(f *testing.F) {
	for _, v := range bip39Vectors {
		f.Add(v.words)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := FromWords(text)
		if err == nil && strings.Join(Words(s), " ") != strings.Join(strings.Fields(strings.ToLower(text)), " ") {
			t.Fatalf("%q is %v", text, Words(s))
		}
	})
}
