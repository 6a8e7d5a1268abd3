package keys

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tyler-smith/go-bip39"
)

// ErrWords is wrapped by every error about words that are no seed.
var ErrWords = errors.New("these are not the 24 words of a key")

// Words writes the seed as 24 words of the English BIP-39 list: 256 bits and
// an 8-bit checksum. (The seed is BIP-39's entropy; its passphrase
// stretching is not used.)
func Words(s Seed) []string {
	m, err := bip39.NewMnemonic(s[:])
	if err != nil {
		panic("keys: BIP-39 refused 32 bytes") // cannot be: 256 bits are an allowed size
	}
	return strings.Fields(m)
}

// FromWords reads 24 words; case and spacing do not matter. The error says
// which word is not in the list, or that the checksum does not fit.
func FromWords(text string) (Seed, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) != 24 {
		return Seed{}, fmt.Errorf("%w: there are %d", ErrWords, len(words))
	}
	for i, w := range words {
		if _, ok := bip39.GetWordIndex(w); !ok {
			return Seed{}, fmt.Errorf("%w: word %d, %q, is not in the list", ErrWords, i+1, w)
		}
	}
	b, err := bip39.EntropyFromMnemonic(strings.Join(words, " "))
	if err != nil {
		return Seed{}, fmt.Errorf("%w: each is in the list, but together they do not fit; two may have changed places", ErrWords)
	}
	return Seed(b), nil
}
