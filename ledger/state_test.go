package ledger

import (
	"slices"
	"strings"
	"testing"

	"weir/keys"
	"weir/ledger/wire"
)

func TestAFoundedDatabaseIsItsCharterAndItsManager(t *testing.T) {
	charter := testCharter(t)
	s, b, err := Found(charter, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, n, err := wire.ParseFrame(b.Frames)
	if err != nil || n != len(b.Frames) || string(f.Entry) != string(charter) || f.State != wire.BodyBlanked {
		t.Errorf("frame %+v, %v", f, err)
	}
	if s.ID != wire.CharterID(charter) || s.Digest != wire.CharterDigest(charter) || s.Charter.Name != "the weir" {
		t.Errorf("%+v", s)
	}
	if s.Size != 1 || s.Length != uint64(n) || s.Time != created || s.Members() != 0 || s.Sum() != 0 || s.Fixed != b.Fixed {
		t.Errorf("%+v", s.Fixed)
	}
	if got := s.Accounts(); len(got) != 1 || got[0].Key != identity(0).Public() || !slices.Equal(got, b.Accounts) {
		t.Errorf("accounts %+v", got)
	}
	if _, ok := s.ByName(""); ok {
		t.Error("account 0 has a name")
	}
	if a, ok := s.ByKey(identity(0).Public()); !ok || a.Number != 0 {
		t.Error("account 0 is not found by its key")
	}
	if _, _, err := Found([]byte("d1:Vi1ee"), nil); err == nil {
		t.Error("founded on a bad charter")
	}
}

func TestAccountsAreFoundByNumberKeyAndName(t *testing.T) {
	w := newWorld(t, 3)
	for n := uint64(1); n <= 3; n++ {
		a, ok := w.state.Account(n)
		byKey, ok2 := w.state.ByKey(w.ids[n].Public())
		byName, ok3 := w.state.ByName(strings.ToUpper(a.Name))
		if !ok || !ok2 || !ok3 || a != byKey || a != byName || a.Number != n {
			t.Errorf("account %d: %+v, %+v, %+v", n, a, byKey, byName)
		}
		if a.Limits != (wire.Limits{Lower: lower, Upper: upper}) || a.Admitted != w.state.Time || a.Last != 0 {
			t.Errorf("account %d: %+v", n, a)
		}
	}
	if _, ok := w.state.Account(4); ok {
		t.Error("account 4")
	}
	if _, ok := w.state.Account(^uint64(0)); ok {
		t.Error("the last account number")
	}
	if _, ok := w.state.ByKey(keys.Public{1}); ok {
		t.Error("an unknown key")
	}
	if _, ok := w.state.ByName("Nobody"); ok {
		t.Error("an unknown name")
	}
	if w.state.Members() != 3 {
		t.Errorf("%d members", w.state.Members())
	}
}

func TestAStateIsLoadedAsItWas(t *testing.T) {
	w := busy(t, nil)
	accounts := w.state.Accounts()
	slices.Reverse(accounts)
	sameState(t, w.load(t, w.state.Fixed, accounts), w.state)
}

func TestAStateThatCannotBeIsNotLoaded(t *testing.T) {
	w := busy(t, nil)
	for name, f := range map[string]func(*Fixed, *[]Account){
		"no accounts":        func(_ *Fixed, a *[]Account) { *a = nil },
		"a missing account":  func(_ *Fixed, a *[]Account) { *a = slices.Delete(*a, 2, 3) },
		"an account twice":   func(_ *Fixed, a *[]Account) { *a = append(*a, (*a)[1]) },
		"another manager":    func(_ *Fixed, a *[]Account) { (*a)[0].Key[0]++ },
		"a key twice":        func(_ *Fixed, a *[]Account) { (*a)[2].Key = (*a)[1].Key },
		"a name twice":       func(_ *Fixed, a *[]Account) { (*a)[2].Name = (*a)[1].Name },
		"a sum":              func(_ *Fixed, a *[]Account) { (*a)[2].Balance++ },
		"an entry too many":  func(f *Fixed, _ *[]Account) { f.Size++ },
		"no size":            func(f *Fixed, _ *[]Account) { *f = Fixed{} },
		"a tail past itself": func(f *Fixed, _ *[]Account) { f.Volume = f.Length + 1 },
		"negative volumes":   func(f *Fixed, _ *[]Account) { f.Volumes = -1 },
	} {
		fixed, accounts := w.state.Fixed, w.state.Accounts()
		f(&fixed, &accounts)
		if _, err := Load(testCharter(t), nil, fixed, accounts); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
	if _, err := Load([]byte("x"), nil, w.state.Fixed, w.state.Accounts()); err == nil {
		t.Error("a bad charter: loaded")
	}
}

func TestABatchIsAdoptedOnceAndInOrder(t *testing.T) {
	w := newWorld(t, 2)
	b := w.merge(w.queue(1, w.change(pay(1, 2, 1))))
	defer func() {
		if recover() == nil {
			t.Error("adopted twice")
		}
	}()
	w.state.Adopt(b)
}

func TestNamesFoldOnlyInASCII(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""}, {"abc", "abc"}, {"aBC", "abc"}, {"ÄB", "Äb"}, {"ſK", "ſk"}, {"\u212a", "\u212a"},
	} {
		if got := foldName(c[0]); got != c[1] {
			t.Errorf("%q folds to %q", c[0], got)
		}
	}
}
