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

// FuzzReadLink reads what people type.
func FuzzReadLink(f *testing.F) {
	f.Add("WEIR:AHSRN4WZJU5GL6MGSHUO434IB4EB")
	f.Add("weir:0Ж")
	f.Add("WEIR:\xff")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := readLink(text); err == nil {
			if _, err := wire.ParseLink(text); err != nil {
				t.Fatal(err)
			}
		}
	})
}
