package wire

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// span is a range of code points, both ends included.
type span struct{ from, to rune }

// controls are the code points that no text of weir contains: those that
// move the cursor, break the line or turn the direction of writing around.
var controls = []span{
	{0x0000, 0x001f}, {0x007f, 0x009f}, {0x061c, 0x061c}, {0x200e, 0x200f},
	{0x2028, 0x202e}, {0x2066, 0x2069},
}

// unseen are the code points that besides these no name contains: they show
// nothing, or a space that is not U+0020, so that two names could look alike.
// (Unicode's Default_Ignorable_Code_Point and White_Space, the empty pattern of
// Braille, the null notehead and the controls of hieroglyphs, fixed here so that a
// later Unicode changes nothing.)
var unseen = []span{
	{0x00a0, 0x00a0}, {0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x115f, 0x1160},
	{0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200d},
	{0x202f, 0x202f}, {0x205f, 0x2065}, {0x206a, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000},
	{0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
	{0xfff0, 0xfffd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d159, 0x1d159}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
}

// CheckName says whether a text may be the name of a database: 1 to
// NameBytesMax bytes of UTF-8 without control, direction, invisible or odd
// space characters; U+0020 not first, not last and not twice in a row. The
// error is fit for people.
func CheckName(name string) error { return checkName(name, NameBytesMax) }

// CheckMemberName is CheckName for a member: at most MemberNameBytesMax bytes.
func CheckMemberName(name string) error { return checkName(name, MemberNameBytesMax) }

func checkName(name string, most int) error {
	if name == "" {
		return errors.New("the name is empty")
	}
	if len(name) > most {
		return fmt.Errorf("the name has %d bytes where %d are allowed", len(name), most)
	}
	if err := checkRunes("name", name, controls, unseen); err != nil {
		return err
	}
	last := ' '
	for _, c := range name {
		if c == ' ' && last == ' ' {
			return errors.New("the name begins with a space or has two in a row")
		}
		last = c
	}
	if last == ' ' {
		return errors.New("the name ends with a space")
	}
	return nil
}

// CheckText says whether a text may be a memo or a reason: at most most bytes
// of UTF-8 without control, line-breaking or direction characters. what
// names it in the error.
func CheckText(what, text string, most int) error {
	if len(text) > most {
		return fmt.Errorf("the %s has %d bytes where %d are allowed", what, len(text), most)
	}
	return checkRunes(what, text, controls)
}

func checkRunes(what, text string, refused ...[]span) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("the %s is not valid UTF-8", what)
	}
	for _, c := range text {
		for _, spans := range refused {
			for _, s := range spans {
				if c >= s.from && c <= s.to {
					return fmt.Errorf("the %s contains %U, which none may", what, c)
				}
			}
		}
	}
	return nil
}

// checkUnit says whether a text may be the unit of a ledger: 1 to
// UnitBytesMax ASCII letters.
func checkUnit(unit string) error {
	if unit == "" || len(unit) > UnitBytesMax {
		return fmt.Errorf("the unit has %d letters where 1 to %d are allowed", len(unit), UnitBytesMax)
	}
	for _, c := range []byte(unit) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return fmt.Errorf("the unit %q contains something else than ASCII letters", unit)
		}
	}
	return nil
}
