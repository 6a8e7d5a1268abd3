package host

import (
	"errors"
	"fmt"
	"strings"

	"weir/ledger/wire"
)

// letters are those of links.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// readLink reads a link that a person gives, alone or within a message.
func readLink(text string) (any, error) {
	link, err := FindLink(text)
	if err != nil {
		return nil, err
	}
	return wire.ParseLink(link)
}

// mistyped says of a link that does not read what to look at: the checksum tells a
// slip of one letter from all others.
func mistyped(text string) error {
	why, slip := slipOf(text)
	err := fmt.Errorf("read a link: %w. %s", wire.ErrMistyped, why)
	if !slip {
		return CutLink{err}
	}
	return err
}

// slipOf says what is probably wrong with a link that was mistyped; false: more than
// one slip, or a part of it is missing.
func slipOf(text string) (why string, one bool) {
	for i, r := range text {
		if i >= len(linkBegins) && !strings.ContainsRune(letters, r) {
			return fmt.Sprintf("Its character %d, %q, is in no link: they have the letters A to Z and the digits 2 to 7%s", len([]rune(text[:i]))+1, r, meant(r)), true
		}
	}
	if at, right := mended(text); right != "" {
		return fmt.Sprintf("Only its character %d, %q, seems wrong: compare it there, it probably is %q (… %s …)", at+1, text[at], right[at], around(right, at)), true
	}
	if at, right := swapped(text); right != "" {
		return fmt.Sprintf("Its characters %d and %d, %q, seem to have changed places (… %s …)", at+1, at+2, text[at:at+2], around(right, at)), true
	}
	return fmt.Sprintf("It has %d characters: compare that with the original, and its last ones, %q. A part may be missing, or several letters be wrong; better copy it whole, or use its QR code", len(text), text[max(len(linkBegins), len(text)-6):]), false
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
	for i := len(linkBegins); i < len(b) && len(b) <= wire.LinkCharsMax; i++ {
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
	for i := len(linkBegins); i+1 < len(b) && len(b) <= wire.LinkCharsMax; i++ {
		b[i], b[i+1] = b[i+1], b[i]
		if whole(string(b)) {
			return i, string(b)
		}
		b[i], b[i+1] = b[i+1], b[i]
	}
	return 0, ""
}
