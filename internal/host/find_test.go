package host

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// admitAs admits by a name as it is: what a manager of another making may do.
func admitAs(t *testing.T, s *store.Store, desk *manager.Desk, name string) {
	t.Helper()
	st := s.State()
	who := keys.Derive(keys.Seed{50, byte(st.Size)})
	args, err := wire.Admit{Key: who.Public(), Seal: who.SealPublic(), Name: name}.Args()
	if err != nil {
		t.Fatal(err)
	}
	c := wire.Change{Name: "admit", Args: args, Seen: wire.Checkpoint{Size: st.Size, Root: st.Root}.Seen()}
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	batch, err := st.Merge(ledger.MergeInput{
		Now: time.Now().UnixMilli(), Queues: []ledger.Queue{{Account: 0, Changes: []ledger.Candidate{{Change: b}}}},
		Hashes: s, Manager: desk, Salts: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit([]*ledger.Batch{batch}); err != nil {
		t.Fatal(err)
	}
}

// Whoever is called 1 must not be paid what was meant for account 1.
func TestDigitsAreAnAccountsNumberAndNeverAName(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	desk := &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}
	for _, name := range []string{"Ana", "1", "07", "9", "٣", "A9"} {
		admitAs(t, s, desk, name)
	}
	ana := &seat{store: s, desk: &member.Desk{Store: s, Identity: keys.Derive(keys.Seed{50, 1}), Random: rand.Reader, Now: time.Now}}
	for who, want := range map[string]struct {
		account uint64
		says    string
	}{
		"2":                    {account: 2},
		"02":                   {account: 2},
		"A9":                   {account: 6},
		"1":                    {says: "your own account"},
		"9":                    {says: `there is no account 9; there are 1 to 6. Digits mean an account's number; the member who is called "9" has account 4`},
		"07":                   {says: `the member who is called "07" has account 3`},
		"٣":                    {says: `the member who is called "٣" has account 5`},
		"0":                    {says: "there is no account 0"},
		"99999999999999999999": {says: "there is no account 99999999999999999999"},
	} {
		v, err := (&Agent{}).quote(ana, QuoteIn{To: who, Amount: "1"})
		switch q, _ := v.(QuoteView); {
		case want.says == "" && (err != nil || q.To != want.account):
			t.Errorf("%s: %+v, %v", who, v, err)
		case want.says != "" && (err == nil || !strings.Contains(err.Error(), want.says)):
			t.Errorf("%s: %+v, %v", who, v, err)
		}
	}
}

func TestWhoAsksToBeCalledANumberIsCalledMember(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	desk := &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}
	for _, c := range [][2]string{{"7", "member"}, {"٣", "member 2"}, {"7a", "7a"}, {"", "member 3"}} {
		who := keys.Derive(keys.Seed{51, byte(s.State().Size)})
		if a, err := desk.Admit(who.Public(), who.SealPublic(), c[0], nil); err != nil || a.Name != c[1] {
			t.Errorf("%q is called %q, %v", c[0], a.Name, err)
		}
	}
}
