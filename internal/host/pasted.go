package host

import (
	"errors"
	"strings"
	"unicode"

	"weir/ledger/wire"
)

const (
	linkBegins = "WEIR:"
	// pastedBytesMax is more than a mail, or what weir manager invite prints with
	// its QR code.
	pastedBytesMax = 1 << 16
)

// CutLink is the error about a link that may only be the beginning of one: it is
// not whole, and no slip of one letter would explain that.
type CutLink struct{ error }

func (e CutLink) Unwrap() error { return e.error }

// FindLink gives the one link of what somebody typed or pasted: alone, with line
// breaks in it, or within a message. Of one that was mistyped it says what to look
// at; two different ones are refused, for one of them is not meant.
func FindLink(text string) (string, error) {
	if len(text) > pastedBytesMax {
		return "", misread("this is too long to look for a link in it: give the link alone, it begins with %s", linkBegins)
	}
	if _, err := wire.ParseLink(text); err == nil {
		return strings.ToUpper(strings.Join(strings.Fields(text), "")), nil
	}
	whole, broken := linksIn(text)
	switch {
	case len(whole) > 1:
		var kinds []string
		for _, w := range whole {
			kind := "another link"
			if l, err := wire.ParseLink(w); err == nil {
				kind = what(l)
			}
			kinds = append(kinds, kind)
		}
		if len(kinds) > alikeMax {
			kinds = append(kinds[:alikeMax], "…")
		}
		return "", misread("there are %d different links in this, and one is wanted: %s. Give the one that is meant alone", len(whole), strings.Join(kinds, "; "))
	case len(whole) == 1:
		return whole[0], nil
	case broken == "":
		_, err := wire.ParseLink("") // it begins otherwise
		return "", err
	}
	if _, err := wire.ParseLink(broken); !errors.Is(err, wire.ErrMistyped) {
		return "", err // too long to be one
	}
	return "", mistyped(broken)
}

// linksIn finds the links of a text, each once, as ParseLink takes them. Where
// there is none, broken is the first that would be one but for a slip.
func linksIn(text string) (whole []string, broken string) {
	seen := map[string]bool{}
	upper := strings.Map(func(c rune) rune { // and nothing else, so that it keeps its length
		if c >= 'a' && c <= 'z' {
			return c - 'a' + 'A'
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	for rest := upper; ; {
		at := strings.Index(rest, linkBegins)
		if at < 0 {
			break
		}
		rest = rest[at+len(linkBegins):]
		here := rest
		if next := strings.Index(here, linkBegins); next >= 0 {
			here = here[:next]
		}
		link, slip := linkAt(here)
		switch {
		case link != "" && !seen[link]:
			seen[link] = true
			whole = append(whole, link)
		case link == "" && broken == "":
			broken = slip
		}
	}
	return whole, broken
}

// linkAt reads a link from what follows its beginning: its letters, with white
// space anywhere between them, until they make a whole one. Where they never do, it
// gives what was probably meant.
func linkAt(text string) (link, broken string) {
	b := []byte(linkBegins)
	isWhole := func() bool { _, err := wire.ParseLink(string(b)); return !errors.Is(err, wire.ErrMistyped) }
	looked := 0 // letters that were there when it was last looked whether they are whole
	for _, c := range text + "." {
		if strings.ContainsRune(letters, c) {
			if b = append(b, byte(c)); len(b) > wire.LinkCharsMax {
				break
			}
			continue
		}
		if len(b) > looked && isWhole() {
			return string(b), ""
		}
		if looked = len(b); !unicode.IsSpace(c) {
			break
		}
	}
	return "", linkBegins + strings.Join(likeLink(strings.Fields(text)), "")
}

// likeLink are the words at the beginning of a text that look like parts of a link:
// the first, whatever stands in it, and those after it that are longer than a
// sentence's and have a link's letters only.
func likeLink(words []string) []string {
	if len(words) > 0 {
		words[0] = strings.TrimRightFunc(words[0], unicode.IsPunct) // of the sentence
	}
	for i, w := range words {
		if i > 0 && (len(w) < linkPartMin || strings.Trim(w, letters) != "") {
			return words[:i]
		}
	}
	return words
}

// linkPartMin is fewer letters than a line has into which a link is broken.
const linkPartMin = 16
