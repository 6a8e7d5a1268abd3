package host

import (
	"errors"
	"fmt"
	"strings"

	"weir/ledger/wire"
)

// letters are those of links.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// readLink reads a link that a person gives. Of one that was mistyped it says what
// to look at: the checksum tells a slip of one letter from all others.
func readLink(text string) (any, error) {
	l, err := wire.ParseLink(text)
	if errors.Is(err, wire.ErrMistyped) {
		return nil, fmt.Errorf("%w. %s", err, slip(strings.ToUpper(strings.Join(strings.Fields(text), ""))))
	}
	return l, err
}

// slip says what is probably wrong with a link that was mistyped.
func slip(text string) string {
	const prefix = "WEIR:"
	for i, r := range text {
		if i >= len(prefix) && !strings.ContainsRune(letters, r) {
			return fmt.Sprintf("Its character %d, %q, is in no link: they have the letters A to Z and the digits 2 to 7%s", len([]rune(text[:i]))+1, r, meant(r))
		}
	}
	if at, right := mended(text); right != "" {
		return fmt.Sprintf("Only its character %d, %q, seems wrong: compare it there, it probably is %q (… %s …)", at+1, text[at], right[at], around(right, at))
	}
	if at, right := swapped(text); right != "" {
		return fmt.Sprintf("Its characters %d and %d, %q, seem to have changed places (… %s …)", at+1, at+2, text[at:at+2], around(right, at))
	}
	return fmt.Sprintf("It has %d characters: compare that with the original, and its last ones, %q. A part may be missing, or several letters be wrong; better copy it whole, or use its QR code", len(text), text[max(len(prefix), len(text)-6):])
}

// meant is what somebody takes for a character that links do not have.
func meant(r rune) string {
	like := map[rune]string{'0': "O", '1': "I or L", '8': "B", '9': "G"}
	if s := like[r]; s != "" {
		return "; it may be " + s
	}
	return ""
}

// around is a character and some beside it.
func around(text string, at int) string { return text[max(0, at-4):min(len(text), at+5)] }

func whole(text string) bool {
	_, err := wire.ParseLink(text)
	return !errors.Is(err, wire.ErrMistyped)
}

// mended finds the one letter whose change makes a link whole.
func mended(text string) (at int, right string) {
	b := []byte(text)
	for i := len("WEIR:"); i < len(b) && len(b) <= wire.LinkCharsMax; i++ {
		was := b[i]
		for _, l := range []byte(letters) {
			if b[i] = l; l != was && whole(string(b)) {
				return i, string(b)
			}
		}
		b[i] = was
	}
	return 0, ""
}

// swapped finds the two neighbours whose exchange makes a link whole.
func swapped(text string) (at int, right string) {
	b := []byte(text)
	for i := len("WEIR:"); i+1 < len(b) && len(b) <= wire.LinkCharsMax; i++ {
		b[i], b[i+1] = b[i+1], b[i]
		if whole(string(b)) {
			return i, string(b)
		}
		b[i], b[i+1] = b[i+1], b[i]
	}
	return 0, ""
}
