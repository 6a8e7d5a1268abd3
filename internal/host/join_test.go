package host

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

var (
	here  = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:6881")}
	there = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.2:6881")}
)

// links are some that lead to one database, and one to another of the same id.
func links(t *testing.T) (public, elsewhere, invitation, second, expired, answer, other string) {
	t.Helper()
	text := func(l interface{ Link() (string, error) }) string {
		s, err := l.Link()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	db := wire.DatabaseLink{ID: wire.ID{7}, Digest: [16]byte{1}, Bootstrap: here}
	bare, moved, forged := db, db, db
	bare.Bootstrap, moved.Bootstrap, forged.Digest = nil, there, [16]byte{2}
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	return text(bare), text(moved), text(wire.Invitation{DatabaseLink: db, Secret: [16]byte{1}, Expires: soon}),
		text(wire.Invitation{DatabaseLink: db, Secret: [16]byte{2}, Expires: soon}),
		text(wire.Invitation{DatabaseLink: db, Secret: [16]byte{3}, Expires: soon.Add(-2 * time.Hour)}),
		text(wire.Answer{DatabaseLink: db, Account: 3}), text(forged)
}

func TestJoiningOnceMoreGivesUpNothingThatWasKnown(t *testing.T) {
	public, elsewhere, invitation, second, expired, answer, other := links(t)
	known := func(link string) Database {
		return Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: link, Name: "Harbour", Joiner: "Ana", Bootstrap: here}
	}
	for name, c := range map[string]struct {
		old  Database
		in   JoinIn
		want Database
	}{
		"by the public link after an invitation": {known(invitation), JoinIn{Link: public}, known(invitation)},
		"by the public link after an old one":    {known(expired), JoinIn{Link: public}, known(public)},
		"by the public link after an answer":     {known(answer), JoinIn{Link: public}, known(public)},
		"by an answer after an invitation":       {known(invitation), JoinIn{Link: answer}, known(answer)},
		"by another invitation": {known(invitation), JoinIn{Link: second, Name: "Anna"},
			Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: second, Name: "Harbour", Joiner: "Anna", Bootstrap: here}},
		"by the same invitation under another name": {known(invitation), JoinIn{Link: invitation, Name: "Anna"}, known(invitation)},
		"by an invitation without a name": {Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: public, Bootstrap: here}, JoinIn{Link: invitation},
			Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: invitation, Joiner: "member", Bootstrap: here}},
		"by other addresses": {known(public), JoinIn{Link: elsewhere},
			Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: elsewhere, Name: "Harbour", Joiner: "Ana", Bootstrap: there}},
		"by another charter of the same id": {known(invitation), JoinIn{Link: other},
			Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: other, Bootstrap: here}},
	} {
		d := Directory(t.TempDir())
		if err := errors.Join(d.Make(), d.Save(c.old)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Prepare(c.in); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := d.Choose("", RoleMember)
		if err != nil || !same(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func same(a, b Database) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Link == b.Link && a.Role == b.Role && a.Joiner == b.Joiner &&
		len(a.Bootstrap) == len(b.Bootstrap) && (len(a.Bootstrap) == 0 || a.Bootstrap[0] == b.Bootstrap[0])
}

func TestWhatNobodyCanJoinByIsSaidBeforeAnythingIsMade(t *testing.T) {
	_, _, _, _, expired, _, _ := links(t)
	code, err := wire.NewMemberCode(keys.Derive(keys.Seed{1}), "Ana").Link()
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]int{expired: CodeRefused, code: CodeUsage, "WEIR:NONSENSE": CodeUsage, "": CodeUsage} {
		d := Directory(t.TempDir())
		if _, err := d.Prepare(JoinIn{Link: link}); Code(err) != want {
			t.Errorf("%q: %v", link, err)
		}
		if left, _ := filepath.Glob(filepath.Join(string(d), "*")); len(left) > 0 {
			t.Errorf("%q left %v", link, left)
		}
	}
}

func TestADatabaseIsChosenAmongThoseOfTheRole(t *testing.T) {
	d := Directory(t.TempDir())
	mill := Database{ID: strings.Repeat("1", 40), Name: "Mill", Role: RoleManager}
	harbour := Database{ID: strings.Repeat("2", 40), Name: "Harbour", Role: RoleMember}
	if err := errors.Join(d.Make(), d.Save(mill), d.Save(harbour)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		which, role, want string
		code              int
		says              string
	}{
		{"", RoleManager, "Mill", 0, ""},
		{"", RoleMember, "Harbour", 0, ""},
		{"Harbour", "", "Harbour", 0, ""},
		{"22", RoleMember, "Harbour", 0, ""},
		{"", "", "", CodeNotFound, `say which with --db: "Mill"`},
		{"Mill", RoleMember, "", CodeNotInitialised, `manages "Mill" (1111111111111111111111111111111111111111) and has not joined it`},
		{"Harbour", RoleManager, "", CodeNotInitialised, "does not manage it"},
		{"Hill", RoleManager, "", CodeNotFound, `there are "Mill"`},
	} {
		db, err := d.Choose(c.which, c.role)
		if db.Name != c.want || Code(err) != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q as %q: %q, %v", c.which, c.role, db.Name, err)
		}
	}
	if a, b := d.Control(mill), d.Control(harbour); a == b {
		t.Errorf("both answer at %s", a)
	}
}

// What stands in the way of founding must not be joined by half a database.
func TestAFoundingThatFailsLeavesNothing(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	charter := &wire.Charter{
		Kind: wire.KindLedger, Name: "Mill Lane", Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Recovery: keys.Derive(keys.Seed{2}).Public(), Created: time.Now().UnixMilli(), Unit: "HRS", Scale: 2,
		Lower: -100, Upper: 100, Quota: 10, Heartbeat: 3600, Stale: 7200,
	}
	b, err := charter.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dbID := wire.CharterID(b)
	for name, obstacle := range map[string]func(Directory) string{
		"at the end":       func(d Directory) string { return filepath.Join(d.record(dbID.String()), "x") },
		"in the store":     func(d Directory) string { return filepath.Join(d.Store(dbID), "charter", "x") },
		"before the store": func(d Directory) string { return filepath.Join(d.Store(dbID), "LOCK", "x") },
	} {
		d := Directory(t.TempDir())
		path := obstacle(d)
		if err := errors.Join(d.Make(), os.MkdirAll(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		if _, err := Found(d, charter, nil, nil); err == nil {
			t.Errorf("%s: founded", name)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: what was there is gone: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(d.Store(dbID), "FORMAT")); err == nil {
			t.Errorf("%s: half a database stays", name)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		if _, err := Found(d, charter, nil, nil); err != nil {
			t.Errorf("%s: once more: %v", name, err)
		}
	}
}

func TestALinkWithoutTheReadKeyOpensWhatTheDirectoryHasItOf(t *testing.T) {
	bare := Joining{DatabaseLink: wire.DatabaseLink{ID: wire.ID{7}, Digest: [16]byte{1}}}
	other, whole := bare, bare
	other.Digest, whole.ReadKey = [16]byte{2}, &keys.ReadKey{5}
	text, err := whole.text()
	if err != nil {
		t.Fatal(err)
	}
	none, has := Directory(t.TempDir()), Directory(t.TempDir())
	if err := errors.Join(has.Make(), has.Save(Database{ID: wire.ID{7}.String(), Role: RoleMember, Link: text})); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dir       Directory
		by        Joining
		encrypted bool
		opens     bool
	}{
		"readable": {none, bare, false, true}, "with the key": {none, whole, true, true}, "without": {none, bare, true, false},
		"known here": {has, bare, true, true}, "another is known": {has, other, true, false},
	} {
		if err := c.dir.Opens(c.by, &wire.Charter{Encrypted: c.encrypted}); (err == nil) != c.opens || err != nil && Code(err) != CodePassphrase {
			t.Errorf("%s: %v", name, err)
		}
	}
}
