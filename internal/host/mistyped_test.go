package host

import (
	"errors"
	"strings"
	"testing"

	"weir/ledger/wire"
)

func TestAMistypedLinkSaysWhereToLook(t *testing.T) {
	_, _, link, _, _, _, _ := links(t)
	other := func(at int) string { // another letter there
		b := []byte(link)
		b[at] = letters[(strings.IndexByte(letters, b[at])+7)%len(letters)]
		return string(b)
	}
	at := 20
	for link[at] == link[at+1] {
		at++
	}
	for name, c := range map[string]struct{ text, want string }{
		"a wrong letter":       {other(30), "Only its character 31, "},
		"the last one":         {other(len(link) - 1), "Only its character "},
		"one in lower case":    {strings.ToLower(other(9)), "Only its character 10, "},
		"two changed places":   {link[:at] + link[at+1:at+2] + link[at:at+1] + link[at+2:], "seem to have changed places"},
		"a zero":               {link[:12] + "0" + link[13:], `Its character 13, '0', is in no link: they have the letters A to Z and the digits 2 to 7; it may be O`},
		"a foreign letter":     {link[:12] + "Ж" + link[13:], `Its character 13, 'Ж', is in no link`},
		"its end is cut off":   {link[:len(link)-3], "It has "},
		"many letters wrong":   {link[:10] + strings.Repeat("B", 20) + link[30:], "It has "},
		"nothing but a prefix": {"WEIR:", "It has 5 characters"},
	} {
		_, err := readLink(c.text)
		if !errors.Is(err, wire.ErrMistyped) || !strings.Contains(err.Error(), c.want) || Code(err) != CodeUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readLink(link); err != nil {
		t.Error(err)
	}
}

// TestALinkIsFoundInAMessage takes links as they come: in a sentence, a mail, or all
// that a command printed.
func TestALinkIsFoundInAMessage(t *testing.T) {
	public, _, link, code, _, _, _ := links(t)
	lines := link[:50] + "\n" + link[50:100] + "\n" + link[100:]
	for name, text := range map[string]string{
		"alone":                 link,
		"in a sentence":         "Hello Ana, join by " + link + ", please, before Monday.",
		"before a sentence":     link + " please",
		"in brackets":           "(<" + strings.ToLower(link) + ">)",
		"with line breaks":      lines,
		"and a sentence after":  "here:\r\n" + strings.ReplaceAll(lines, "\n", "\r\n") + "\r\nSee you ABCDEFGH IJKLMNOP\r\n",
		"printed by a command":  "██ ▄▄▄ ██\n" + link + "\n\nGood for one person until 2026-12-05. They join with: weir member join LINK\n",
		"a command":             "$ weir member join " + link,
		"twice":                 link + "\n\n" + strings.ToLower(link),
		"beside an error of us": "weir: there is no DHT\nweir: " + link,
		"beside a broken one":   link[:40] + "\n\n" + link,
	} {
		if got, err := FindLink(text); err != nil || got != link {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"two different ones":  {public + " or " + link, "there are 2 different links in this, and one is wanted: a database's public link, of "},
		"many":                {"a: " + public + " " + link + "\n" + code, "there are 3 different links"},
		"none":                {"hello", "not a weir link: one begins with WEIR:"},
		"nothing":             {"", "not a weir link: one begins with WEIR:"},
		"a slip in a message": {"Join by " + link[:12] + "0" + link[13:] + ", Ana.", "Its character 13, '0', is in no link"},
		"too much":            {strings.Repeat("WEIR: ", 1<<14), "too long to look for a link in it"},
		"too long a link":     {"by " + link + strings.Repeat("A", 300), "not a weir link"},
	} {
		if _, err := FindLink(c.text); err == nil || !strings.Contains(err.Error(), c.want) || Code(err) != CodeUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	var cut CutLink
	if _, err := FindLink("by " + lines[:110]); !errors.As(err, &cut) {
		t.Errorf("the beginning of a link: %v", err)
	}
	if _, err := FindLink(link[:12] + "0" + link[13:60]); err == nil || errors.As(err, &cut) {
		t.Errorf("the beginning of a mistyped link: %v", err)
	}
}

// FuzzReadLink reads what people type.
func FuzzReadLink(f *testing.F) {
	f.Add("WEIR:AHSRN4WZJU5GL6MGSHUO434IB4EB")
	f.Add("weir:0Ж")
	f.Add("WEIR:\xff")
	f.Add("Ana, here it is: weir:ahsrn4wz ju5gl6mgs huo434ib4eb, good till Monday")
	f.Fuzz(func(t *testing.T, text string) {
		link, err := FindLink(text)
		if err != nil {
			return
		}
		if again, err := FindLink("Join by " + link + ".\n"); err != nil || again != link {
			t.Fatal(again, err)
		}
		if link != strings.ToUpper(link) || len(link) > wire.LinkCharsMax {
			t.Fatal(link)
		}
	})
}
