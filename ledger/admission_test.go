package ledger

import (
	"slices"
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

func (w *world) account(n uint64) Account {
	w.Helper()
	a, ok := w.state.Account(n)
	if !ok {
		w.Fatalf("no account %d", n)
	}
	return a
}

func TestANewKeyContinuesTheNumbersAndTheOldOneSignsNothingAnyMore(t *testing.T) { both(t, newKey) }

func newKey(t *testing.T, key *keys.ReadKey) {
	w := newWorldCut(t, key, 2, wire.VolumeBytes)
	w.merge(w.queue(1, w.change(pay(1, 2, 10)), w.change(pay(1, 2, 20))))
	old := w.ids[1]
	before := w.account(1)

	// What waits under the old key is not taken with the act, nor after it.
	late := w.queue(1, w.change(pay(1, 2, 50)))
	b := w.merge(w.queue(0, w.change(rekeyTo(1, identity(7).Public()))), late, w.queue(2, w.change(pay(2, 1, 1))))
	if got := signersOf(b); !slices.Equal(got, []uint64{0, 2}) {
		t.Fatalf("entries of accounts %d", got)
	}
	a := w.account(1)
	if a.Key != identity(7).Public() || a.Last != before.Last || a.Chain != before.Chain || a.Rekeyed != 2 || a.Balance != before.Balance+1 {
		t.Fatalf("after %+v: %+v", before, a)
	}
	if got, ok := w.state.ByFormerKey(old.Public()); !ok || got.Number != 1 {
		t.Fatalf("by the old key: %+v", got)
	}
	if _, ok := w.state.ByKey(old.Public()); ok {
		t.Fatal("the old key still signs")
	}
	forged, err := w.try(late)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.reader.Replay(forged.Frames, w.hashes, sign.ZIP215{}); err == nil {
		t.Fatal("an entry that the old key signed replays")
	}

	w.ids[1] = identity(7)
	if got := verdictsOf(w.merge(w.queue(1, w.change(pay(1, 2, 5))))); !slices.Equal(got, []wire.Verdict{wire.Applied}) {
		t.Fatalf("signed with the new key: %v", got)
	}
	if a := w.account(1); a.Last != 3 {
		t.Fatalf("number %d", a.Last)
	}

	// A key that once was an account's is nobody else's, and not even its own again.
	for name, act := range map[string]args{
		"admitted":       admitKey(old.Public(), "Another", nil),
		"another's":      rekeyTo(2, old.Public()),
		"the same again": rekeyTo(1, old.Public()),
	} {
		if got := verdictsOf(w.merge(w.queue(0, w.change(act)))); !slices.Equal(got, []wire.Verdict{wire.KeyInUse}) {
			t.Errorf("the old key %s: %v", name, got)
		}
	}
	sameState(t, w.load(t, w.state.Fixed, w.state.Accounts()), w.state)
}

func TestANameThatAMemberHadIsNobodyElses(t *testing.T) { both(t, newName) }

func newName(t *testing.T, key *keys.ReadKey) {
	w := newWorldCut(t, key, 2, wire.VolumeBytes)
	first := memberName(1)
	for _, name := range []string{"Anna", "ANNA", "Annette", "Anna"} {
		if got := verdictsOf(w.merge(w.queue(0, w.change(renameTo(1, name))))); !slices.Equal(got, []wire.Verdict{wire.Applied}) {
			t.Fatalf("%s: %v", name, got)
		}
	}
	a := w.account(1)
	if got := a.EarlierNames(); a.Name != "Anna" || !slices.Equal(got, []string{first, "Anna", "ANNA", "Annette"}) {
		t.Fatalf("%q after %q", a.Name, got)
	}
	for _, name := range []string{first, "annette", "Anna"} {
		if got, ok := w.state.ByName(name); !ok || got.Number != 1 {
			t.Errorf("by %q: %+v", name, got)
		}
		for what, act := range map[string]args{"an admission": admit(9, name, nil), "a new name": renameTo(2, name)} {
			if got := verdictsOf(w.merge(w.queue(0, w.change(act)))); !slices.Equal(got, []wire.Verdict{wire.NameInUse}) {
				t.Errorf("%s of %q: %v", what, name, got)
			}
		}
	}
	sameState(t, w.load(t, w.state.Fixed, w.state.Accounts()), w.state)

	accounts := w.state.Accounts()
	accounts[2].Name = first
	if _, err := Load(w.charter, w.key, w.state.Fixed, accounts); err == nil {
		t.Fatal("a member with another's earlier name loads")
	}
}
