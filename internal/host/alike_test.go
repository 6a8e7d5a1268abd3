package host

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/manager"
)

// People type names; whoever is paid must be whom they meant.
func TestNamesInAnyScriptAreFoundOrGuessed(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	desk := &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}
	for _, name := range []string{"Zoë", "花子", "Борис", "Ben", "Élise", "élise", "Ben 2"} {
		admitAs(t, s, desk, name)
	}
	for typed, want := range map[string]struct {
		account uint64
		says    string
	}{
		"Zoe\u0308":   {account: 1},                                // two code points for one letter
		"ZOË":         {account: 1},                                // the log's own comparison folds A to Z alone
		"花子":          {account: 2},                                //
		"борис":       {account: 3},                                //
		"ben":         {account: 4},                                //
		"ÉLISE":       {account: 5},                                //
		"e\u0301lise": {says: "several members are called"},        // and their keys are shown
		"Elise":       {says: "did you mean 5 Élise ("},            //
		"Bne":         {says: "did you mean 4 Ben ("},              //
		"Бори":        {says: "did you mean 3 Борис ("},            //
		"花":           {says: `no member is called "花"`},           // one letter is no hint
		"Cleo":        {says: `no member is called "Cleo" in the`}, //
		"\xff\xfe":    {says: "no member is called"},               //
		"Веn":         {says: "did you mean 4 Ben ("},              // the first two letters are Cyrillic
		"<nobody at>": {says: "no member is called"},               //
	} {
		a, err := findAccount(s.State(), typed)
		switch {
		case want.says == "" && (err != nil || a.Number != want.account):
			t.Errorf("%q: account %d, %v", typed, a.Number, err)
		case want.says != "" && (err == nil || !strings.Contains(err.Error(), want.says)):
			t.Errorf("%q: account %d, %v, want %q", typed, a.Number, err, want.says)
		}
	}
}

func TestNamesThatMayBeTakenForEachOtherAreShown(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	desk := &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}
	for _, name := range []string{"Ben", "Вen", "Ben 2", "B-e-n", "Bén", "Ana", "花子", "花"} {
		admitAs(t, s, desk, name)
	}
	for number, want := range map[uint64]int{1: 4, 2: 4, 6: 0, 7: 0, 8: 0} {
		a, _ := s.State().Account(number)
		if got := alike(s.State(), a, 0); len(got) != want {
			t.Errorf("%s: %v", a.Name, got)
		}
		if got := alike(s.State(), a, 1); want == 4 && number != 1 && len(got) != 3 {
			t.Errorf("%s, asked by Ben: %v", a.Name, got)
		}
	}
}

func FuzzAlike(f *testing.F) {
	f.Add("Ben", "Бен")
	f.Add("\xff", "花")
	f.Fuzz(func(t *testing.T, a, b string) {
		isNear(a, b)
		if Slips([]rune(a), []rune(a)) != 0 || len([]rune(a)) > 1 && !isNear(a, a) {
			t.Error("a name is not like itself")
		}
	})
}

func TestNewMembersWhoLookLikeEarlierOnesAreNamed(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	desk := &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}
	for _, name := range []string{"Ben", "Ana", "Вen", "花", "Bén"} {
		admitAs(t, s, desk, name)
	}
	got := alikeSince(s.State(), time.Time{})
	if len(got) != 2 || got[0].Account != 5 || got[1].Account != 3 || got[0].To.Account != 1 || got[1].To.Account != 1 {
		t.Errorf("%+v", got)
	}
	if got := alikeSince(s.State(), time.Now().Add(time.Hour)); got != nil {
		t.Errorf("of later: %+v", got)
	}
}
