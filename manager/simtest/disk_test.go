package simtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/ledger/store"
)

func TestAManagerWhoseDiskIsFullKeepsChangesForLater(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	ada, bob := m[0], m[1]
	w.Manager.Disk().Fill(100)
	must(ada.Pay(bob, 500))(t)
	must(w.Invite("cleo", time.Hour))(t)
	w.Run(10 * time.Minute)
	if s := w.Manager.Role.Status(); !strings.Contains(s.Last.Problem, "full") || s.LogSize != 3 {
		t.Fatalf("with a full disk it has %d entries and says %q", s.LogSize, s.Last.Problem)
	}
	if _, err := w.Manager.Desk().Suspend(2, ""); !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("an act on a full disk: %v", err)
	}
	if _, err := w.Manager.Desk().Invite(time.Hour); err != nil {
		t.Errorf("an invitation needs no room in the stream: %v", err)
	}
	w.Manager.Disk().Fill(-1)
	settle(t, w, 5*time.Minute)
	check(t, w)
	if s := w.Manager.Role.Status(); s.LogSize != 5 || s.Last.Problem != "" {
		t.Errorf("with room again it has %d entries and says %q", s.LogSize, s.Last.Problem)
	}
	for _, i := range must(w.Manager.Desk().Invitations())(t) {
		if i.Account == 3 && i.Problem != "" {
			t.Errorf("cleo has joined, and her invitation says %q", i.Problem)
		}
	}
}

func TestAMemberWhoseDiskIsFullCatchesUpLater(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob")
	ada, bob := m[0], m[1]
	bob.Disk().Fill(100)
	must(ada.Pay(bob, 500))(t)
	w.Run(10 * time.Minute)
	if s := bob.Role.Status(); !strings.Contains(s.Problem, "full") || s.Size != 3 {
		t.Fatalf("with a full disk it has %d entries and says %q", s.Size, s.Problem)
	}
	bob.Disk().Fill(-1)
	settle(t, w, 5*time.Minute)
	check(t, w)
	if s := bob.Role.Status(); s.Account.Balance != 500 || s.Problem != "" {
		t.Errorf("with room again it has %d and says %q", s.Account.Balance, s.Problem)
	}
}

// A write that fails is tried again; after a sync that failed nobody knows what
// is on the disk, and the machine has to begin anew.
func TestAWriteThatFailsLosesNothing(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	for n := 1; n <= 6; n++ {
		for _, who := range []string{"the manager", "a member"} {
			t.Run(fmt.Sprintf("write %d of %s", n, who), func(t *testing.T) {
				w, m := begin(t, Setup{Nodes: 12}, ManagerSetup{}, "ada", "bob")
				victim := w.Manager.machine
				if who == "a member" {
					victim = m[1].machine
				}
				victim.Disk().FailStream(n, broken)
				for range 3 {
					must(m[0].Pay(m[1], 10))(t)
					w.Run(time.Minute)
				}
				if victim.Store().Commit(nil, store.KV{Key: "test"}) != nil {
					victim.Off()
					if err := victim.On(); err != nil {
						t.Fatal(err)
					}
				}
				settle(t, w, 10*time.Minute)
				check(t, w)
			})
		}
	}
}
