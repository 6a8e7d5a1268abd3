package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// Text forms are base32 (RFC 4648, no padding) of the 32 bytes and the first
// 4 bytes of SHA-256(label NUL bytes).
const (
	seedPrefix    = "WEIR-SECRET-"
	seedLabel     = "weir/v1/text/seed"
	publicLabel   = "weir/v1/text/key"
	checksumBytes = 4
)

// ErrText is wrapped by every error about a key that does not read.
var ErrText = errors.New("not a key, or mistyped")

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Text is the seed as a line of text. It is secret.
func (s Seed) Text() string { return seedPrefix + encodeText(seedLabel, s[:]) }

// ParseSeed reads what Seed.Text wrote; case and surrounding space do not
// matter.
func ParseSeed(text string) (Seed, error) {
	rest, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(text)), seedPrefix)
	if !ok {
		return Seed{}, fmt.Errorf("read a secret key: %w: it begins with %s", ErrText, seedPrefix)
	}
	b, err := decodeText(seedLabel, rest)
	if err != nil {
		return Seed{}, fmt.Errorf("read a secret key: %w", err)
	}
	return Seed(b), nil
}

// String is the key as people pass it on: 58 lower-case characters with a
// checksum.
func (p Public) String() string { return strings.ToLower(encodeText(publicLabel, p[:])) }

// Short is the beginning of String, for lists.
func (p Public) Short() string { return p.String()[:8] }

// ParsePublic reads what Public.String wrote; case and surrounding space do
// not matter.
func ParsePublic(text string) (Public, error) {
	b, err := decodeText(publicLabel, strings.ToUpper(strings.TrimSpace(text)))
	if err != nil {
		return Public{}, fmt.Errorf("read a public key: %w", err)
	}
	return Public(b), nil
}

func encodeText(label string, b []byte) string {
	sum := textChecksum(label, b)
	return base32Text.EncodeToString(append(bytes.Clone(b), sum[:]...))
}

func decodeText(label, text string) ([]byte, error) {
	if want := base32Text.EncodedLen(32 + checksumBytes); len(text) != want {
		return nil, fmt.Errorf("%w: %d characters where a key has %d", ErrText, len(text), want)
	}
	raw, err := base32Text.DecodeString(text)
	if err != nil || len(raw) != 32+checksumBytes { // line breaks are passed over
		return nil, fmt.Errorf("%w: a line break, or another character that no key contains", ErrText)
	}
	b, sum := raw[:32], raw[32:]
	if want := textChecksum(label, b); !bytes.Equal(sum, want[:]) {
		return nil, fmt.Errorf("%w: the checksum does not fit", ErrText)
	}
	if base32Text.EncodeToString(raw) != text {
		return nil, fmt.Errorf("%w: not in its one form", ErrText)
	}
	return b, nil
}

func textChecksum(label string, b []byte) [checksumBytes]byte {
	h := sha256.Sum256(append([]byte(label+"\x00"), b...))
	return [checksumBytes]byte(h[:])
}
