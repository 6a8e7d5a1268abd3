package host

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/manager"
)

func inviter(t *testing.T) *Manager {
	t.Helper()
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	return &Manager{store: s, desk: &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}}
}

// invited makes an invitation for somebody.
func invited(t *testing.T, m *Manager, who string) InvitationView {
	t.Helper()
	v, err := m.invite(InviteIn{Seconds: 60, For: who})
	if err != nil {
		t.Fatal(err)
	}
	return v.(InvitationView)
}

// closed is how many invitations are.
func closed(t *testing.T, m *Manager) (n int) {
	t.Helper()
	all, err := m.desk.Invitations()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Revoked {
			n++
		}
	}
	return n
}

func TestAnInvitationIsClosedByNumberIDOrName(t *testing.T) {
	m := inviter(t)
	var made []InvitationView
	for n := range 12 {
		made = append(made, invited(t, m, fmt.Sprintf("Ana %c", 'a'+n)))
	}
	for i, v := range made {
		if v.Number != uint64(i)+1 || len(v.ID) != 64 {
			t.Fatalf("%+v", v)
		}
		say := []string{fmt.Sprint(v.Number), strings.ToUpper(v.ID[:16]), v.ID, strings.ToUpper(v.For)}[i%4]
		got, err := m.revoke(RevokeIn{ID: say})
		if err != nil || got.(InvitationView).ID != v.ID || got.(InvitationView).State != "revoked" || closed(t, m) != i+1 {
			t.Fatalf("%q: %v, %v; %d closed", say, got, err, closed(t, m))
		}
	}
	for _, none := range []string{"", "x", "0", "13", "-1", "Ana", made[0].ID[:3], made[0].ID + "0"} {
		if _, err := m.revoke(RevokeIn{ID: none}); Code(err) != CodeNotFound {
			t.Errorf("%q: %v", none, err)
		}
	}
}

func TestWhatMayMeanSeveralInvitationsClosesNone(t *testing.T) {
	m := inviter(t)
	first, second := invited(t, m, "Ana"), invited(t, m, "ana")
	if _, err := m.revoke(RevokeIn{ID: "Ana"}); Code(err) != CodeNotFound || !strings.Contains(err.Error(), "number 1, id "+first.ID[:8]+", open; number 2, id "+second.ID[:8]) || closed(t, m) != 0 {
		t.Fatalf("%v, %d closed", err, closed(t, m))
	}
	if _, err := m.revoke(RevokeIn{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	// What is closed is not meant where something else is.
	if v, err := m.revoke(RevokeIn{ID: "Ana"}); err != nil || v.(InvitationView).ID != second.ID {
		t.Fatalf("%v, %v", v, err)
	}
	// A name that is the number of another.
	invited(t, m, "4")
	invited(t, m, "Ben")
	if _, err := m.revoke(RevokeIn{ID: "4"}); Code(err) != CodeNotFound || closed(t, m) != 2 {
		t.Fatalf("%v, %d closed", err, closed(t, m))
	}
}

func TestManyInvitationsAreMadeOrNone(t *testing.T) {
	m := inviter(t)
	names := make([]string, manager.InvitationsMax)
	for i := range names {
		names[i] = fmt.Sprintf("Ж %d", i)
	}
	v, err := m.inviteAll(InviteAllIn{Seconds: 60, For: names})
	if err != nil || len(v.([]InvitationView)) != len(names) {
		t.Fatal(err)
	}
	for i, one := range v.([]InvitationView) {
		if one.Number != uint64(i)+1 || one.For != names[i] || one.State != "open" || one.Link == "" {
			t.Fatalf("%+v", one)
		}
	}
	for name, bad := range map[string][]string{
		"none": nil, "too many": append(names, "x"), "a name that cannot be shown": {"Ana", "B\nen"}, "a name too long": {"Ana", strings.Repeat("n", 65)},
	} {
		if _, err := m.inviteAll(InviteAllIn{Seconds: 60, For: bad}); err == nil {
			t.Errorf("%s: made", name)
		}
	}
	if v, err := m.revokeOpen(RevokeOpenIn{IDs: []string{v.([]InvitationView)[7].ID}}); err != nil || len(v.([]InvitationView)) != 1 || closed(t, m) != 1 {
		t.Fatal(v, err)
	}
	if v, err := m.revokeOpen(RevokeOpenIn{}); err != nil || len(v.([]InvitationView)) != len(names)-1 || closed(t, m) != len(names) {
		t.Fatal(err)
	}
}
