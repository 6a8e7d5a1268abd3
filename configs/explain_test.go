package configs

import (
	"slices"
	"strings"
	"testing"
)

func catalogueOf(t testing.TB) []Message {
	t.Helper()
	all, err := Messages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryMessageIsExplainedAsWhatItIs(t *testing.T) {
	all := catalogueOf(t)
	for _, m := range all {
		for _, text := range m.Texts {
			said := strings.ReplaceAll(text, "…", "X7")
			if len(strings.Trim(strings.ReplaceAll(text, "…", ""), ":;.,() ")) < 2*least || m.Class == "the end of a message" || m.Class == Step {
				continue // too short to be found alone
			}
			hits := Explain(all, "weir: do this: "+said)
			if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Cause == m.Cause || h.Class == Step || strings.Contains(h.Text, text) }) {
				t.Errorf("%s: %q is explained as %+v", m.Room, said, hits)
			}
		}
	}
}

func TestWhatSaysMoreIsExplainedFirst(t *testing.T) {
	all := catalogueOf(t)
	for _, c := range []struct{ text, first string }{
		{"weir: open the key /home/ana/key: the passphrase is wrong", "the passphrase is wrong"},
		{"not found: there is no account 99; there are 1 to 3", "…: there is no account …; there are 1 to …"},
		{"note: This account\nis SUSPENDED:  its changes are refused until the manager resumes it", "this account is suspended: its changes are refused until the manager resumes it"},
		{"open the manager: open a store", "open the manager: …"},
	} {
		hits := Explain(all, c.text)
		if len(hits) == 0 || hits[0].Text != c.first || !hits[0].Exact {
			t.Errorf("%q: %+v", c.text, hits)
		}
	}
}

func TestWhatIsSaidInOtherWordsFindsTheNearest(t *testing.T) {
	all := catalogueOf(t)
	hits := Explain(all, "the balans would fall under the limit of the account")
	if len(hits) != 1 || hits[0].Exact || hits[0].Text != "The balance would fall below the account's lower limit." {
		t.Errorf("%+v", hits)
	}
	for _, text := range []string{"", "xyzzy", "how do I cook an egg"} {
		if hits := Explain(all, text); len(hits) != 0 {
			t.Errorf("%q: %+v", text, hits)
		}
	}
}

func FuzzExplain(f *testing.F) {
	all := catalogueOf(f)
	f.Add("weir: open the key x: the passphrase is wrong")
	f.Add("…: … İ ſ \xff")
	f.Fuzz(func(t *testing.T, text string) {
		if hits := Explain(all, text); len(hits) > hitsMax {
			t.Errorf("%d hits", len(hits))
		}
	})
}
