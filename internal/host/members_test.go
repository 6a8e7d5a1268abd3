package host

import (
	"crypto/rand"
	"testing"
	"time"

	"weir/keys"
	"weir/manager"
)

func TestWhoIsQuietAndWhoWasSeenWhen(t *testing.T) {
	id := keys.Derive(keys.Seed{1})
	s := founded(t, id)
	now := time.Now()
	m := &Manager{store: s, desk: &manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: func() time.Time { return now }}}
	grow(t, s, id, 2)
	if _, err := m.limit(ActIn{Who: "2", Lower: "-7"}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(quietAfter + time.Hour)
	all, err := m.members()
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if !all[0].Quiet || all[0].Own || all[0].Seen != viewTime(time.UnixMilli(s.State().Accounts()[1].Admitted)) {
		t.Errorf("nothing came since the admission: %+v", all[0])
	}
	if !all[1].Own {
		t.Errorf("limits of its own: %+v", all[1])
	}
	a, _ := s.State().Account(1)
	v, err := m.viewMember(manager.MemberStatus{Account: a, Seen: now.Add(-time.Hour)})
	if err != nil || v.Quiet || v.Seen != viewTime(now.Add(-time.Hour)) {
		t.Errorf("seen an hour ago: %+v, %v", v, err)
	}
}
