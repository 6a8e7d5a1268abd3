package host

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/manager"
)

func TestAnInvitationIsClosedByAnyBeginningThatNoOtherHas(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	m := &Manager{store: s, desk: &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}}
	var ids []string
	for range 17 { // so two begin with the same digit
		v, err := m.invite(InviteIn{Seconds: 60})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, v.(InvitationView).ID)
	}
	alike := func(begin string) (n int) {
		for _, id := range ids {
			if strings.HasPrefix(id, begin) {
				n++
			}
		}
		return n
	}
	for i, id := range ids {
		if len(id) != 64 {
			t.Fatalf("the id %s is not whole", id)
		}
		for n := 1; ; n++ {
			begin := id[:n]
			v, err := m.revoke(RevokeIn{ID: strings.ToUpper(begin)})
			if alike(begin) == 1 {
				if err != nil || v.(InvitationView).ID != id || v.(InvitationView).State != "revoked" {
					t.Errorf("%s: %v, %v", begin, v, err)
				}
				break
			}
			if Code(err) != CodeNotFound {
				t.Errorf("%s, of %d: %v, %v", begin, alike(begin), v, err)
			}
		}
		all, err := m.desk.Invitations()
		if err != nil {
			t.Fatal(err)
		}
		closed := 0
		for _, v := range all {
			if v.Revoked {
				closed++
			}
		}
		if closed != i+1 {
			t.Fatalf("%d are closed, not %d", closed, i+1)
		}
	}
	for _, none := range []string{"", "x", ids[0] + "0"} {
		if _, err := m.revoke(RevokeIn{ID: none}); Code(err) != CodeNotFound {
			t.Errorf("%q: %v", none, err)
		}
	}
}
