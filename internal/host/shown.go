package host

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/width"
)

// marksMax is how many combining and joining characters a letter keeps. Vietnamese
// needs two, pointed Hebrew and Tibetan four; more is a tower that covers the lines
// above and below.
const marksMax = 4

// Shown is a text from outside, a name, memo, file name or what another program
// said, as one line may have it: what would move the cursor, break the line, turn
// the direction of writing around or show nothing is written out (\u202e), and of
// more than four marks on a letter the rest is "…". All else stays as it is.
func Shown(text string) string { return shown(text, false) }

// ShownLines is Shown for a text of several lines.
func ShownLines(text string) string { return shown(text, true) }

func shown(text string, lines bool) string {
	plain := true
	for _, c := range text {
		if c < ' ' && !(lines && c == '\n') || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return text
	}
	var b strings.Builder
	marks := 0
	for i, c := range text {
		if c == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
				fmt.Fprintf(&b, `\x%02x`, text[i])
				continue
			}
		}
		switch {
		case isMark(c):
			if marks++; marks > marksMax {
				if marks == marksMax+1 {
					b.WriteRune('…')
				}
				continue
			}
		case lines && (c == '\n' || c == '\r' && strings.HasPrefix(text[i+1:], "\n")): // CSV ends lines with both
			marks = 0
		default:
			marks = 0
			if unseen(c) {
				b.WriteString(Written(c))
				continue
			}
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Written is a character as program text has it, \u202e.
func Written(c rune) string {
	if c > 0xffff {
		return fmt.Sprintf(`\U%08x`, c)
	}
	return fmt.Sprintf(`\u%04x`, c)
}

// isMark says whether a character is drawn with the one before it. The two joiners
// and the variation selectors are: scripts and pictures need them.
func isMark(c rune) bool {
	return unicode.In(c, unicode.Mn, unicode.Me) && c != 0x034f || c == 0x200c || c == 0x200d
}

// unseen says whether a character must not reach a line as it is: controls,
// separators of lines, everything that formats and shows nothing (Unicode's Cf, with
// all that turns the direction around), letters that are drawn as nothing, and code
// points that never are characters.
func unseen(c rune) bool {
	switch {
	case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs):
		return true
	case c == 0x034f || c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0: // fillers
		return true
	}
	return c >= 0xfdd0 && c <= 0xfdef || c&0xfffe == 0xfffe
}

// Unseen says whether Shown would write a character out.
func Unseen(c rune) bool { return unseen(c) && !isMark(c) }

// Isolated puts what is written from right to left into isolates (Unicode UAX 9),
// so that on a terminal no Hebrew or Arabic name takes the amounts beside it to
// its other side. Two spaces end such a run: columns stay columns.
func Isolated(text string) string {
	var b strings.Builder
	open, at, end := -1, 0, 0 // where a run begins, where what is not written begins, the run's end so far
	closeRun := func() {
		if open >= 0 {
			b.WriteString(text[at:open] + "\u2068" + text[open:end] + "\u2069")
			at, open = end, -1
		}
	}
	space := false
	for i, c := range text {
		p, _ := bidi.LookupRune(c)
		switch p.Class() {
		case bidi.R, bidi.AL, bidi.AN:
			if open < 0 {
				open = i
			}
			end, space = i+utf8.RuneLen(c), false
		case bidi.NSM:
			if open >= 0 && end == i {
				end += utf8.RuneLen(c)
			}
		default:
			joins := strings.ContainsRune(" '\"-.׳״", c) && !(c == ' ' && space)
			space = c == ' '
			if !joins {
				closeRun()
			}
		}
	}
	closeRun()
	return b.String() + text[at:]
}

// Width is how many cells of a terminal a text takes: two for a character that
// East Asian scripts draw wide, none for what is drawn with the one before it.
func Width(text string) int {
	n := 0
	for _, c := range text {
		switch {
		case isMark(c) || unicode.Is(unicode.Cf, c) || c >= 0x1160 && c <= 0x11ff: // the second and third parts of a Hangul syllable
		default:
			n++
			if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
				n++
			}
		}
	}
	return n
}
