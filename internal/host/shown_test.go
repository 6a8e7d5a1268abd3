package host

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatConfusesALineIsWrittenOut(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Ana", "Ana"},
		{"Ánà Đặng 李 Ελένη Ігор ก็ 👩‍🔧 ❤️", "Ánà Đặng 李 Ελένη Ігор ก็ 👩‍🔧 ❤️"},
		{"דוד", "דוד"},
		{"\x1b[2Jgone", `\u001b[2Jgone`},
		{"a\rb\tc\nd\x7f", `a\u000db\u0009c\u000ad\u007f`},
		{"C1 \u009b31m", `C1 \u009b31m`},
		{"evil\u202etxt.exe\u2066\u2069\u200f\u061c", `evil\u202etxt.exe\u2066\u2069\u200f\u061c`},
		{"a\u2028b\u2029c\u0085", `a\u2028b\u2029c\u0085`},
		{"An\u200ba \u2060\ufeff\u00ad", `An\u200ba \u2060\ufeff\u00ad`},
		{"\u3164\u115f\uffa0\U000e0041", `\u3164\u115f\uffa0\U000e0041`},
		{"\ufdd0\uffff", `\ufdd0\uffff`},
		{"bad \xff\xc0 bytes", `bad \xff\xc0 bytes`},
		{"\ufffd", "\ufffd"},
		{"Z" + strings.Repeat("\u0301", 50) + "a", "Z" + strings.Repeat("\u0301", 4) + "…a"},
		{"Z" + strings.Repeat("\u200d", 50), "Z" + strings.Repeat("\u200d", 4) + "…"},
	} {
		if got := Shown(c.text); got != c.want {
			t.Errorf("%+q: %+q, want %+q", c.text, got, c.want)
		}
	}
	if got := ShownLines("a\nb\x1b\r\n\rc"); got != "a\nb\\u001b\r\n\\u000dc" {
		t.Errorf("%q", got)
	}
}

func TestWhatIsWrittenFromRightToLeftIsIsolated(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Ana 1.00", "Ana 1.00"},
		{"דוד 1.00 HRS", "\u2068דוד\u2069 1.00 HRS"},
		{"3 דוד בן-גוריון, 4 علي", "3 \u2068דוד בן-גוריון\u2069, 4 \u2068علي\u2069"},
		{"דוד  תיקון אופניים", "\u2068דוד\u2069  \u2068תיקון אופניים\u2069"}, // columns
		{"(אבא) x", "(\u2068אבא\u2069) x"},
		{"שָׁלוֹם", "\u2068שָׁלוֹם\u2069"},
	} {
		if got := Isolated(c.text); got != c.want {
			t.Errorf("%+q: %+q, want %+q", c.text, got, c.want)
		}
	}
}

func TestWidthsAreThoseOfATerminal(t *testing.T) {
	for text, want := range map[string]int{"": 0, "Ana": 3, "李明": 4, "Zo\u0308e": 3, "ﾊﾝﾄﾞ": 4, "ＡＢ": 4, "한국": 4, "한": 2, "דוד": 3, "👍": 2, "\u2068דוד\u2069": 3, "Ａ": 2, "ﾊﾝ": 2, "שלום": 4, "a\u200db": 2, "नि": 2} {
		if got := Width(text); got != want {
			t.Errorf("%+q: %d, want %d", text, got, want)
		}
	}
}

func FuzzShown(f *testing.F) {
	f.Add("a\x1b\u202eb\xff\u0301")
	f.Fuzz(func(t *testing.T, text string) {
		got := Shown(text)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, Unseen) || Shown(got) != got {
			t.Errorf("%+q: %+q", text, got)
		}
		if n := strings.Count(Isolated(got), "\u2068"); n != strings.Count(Isolated(got), "\u2069") || strings.NewReplacer("\u2068", "", "\u2069", "").Replace(Isolated(got)) != got {
			t.Errorf("%+q: isolated %+q", got, Isolated(got))
		}
		if w := Width(got); w < 0 || w > 2*len(got) {
			t.Errorf("%+q: width %d", got, w)
		}
	})
}
