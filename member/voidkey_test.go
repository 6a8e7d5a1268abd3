package member

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// rekey gives an account another key.
func (k *keeper) rekey(account uint64, id *keys.Identity) {
	k.t.Helper()
	args, err := wire.Rekey{Account: account, Key: id.Public(), Seal: id.SealPublic()}.Args()
	k.act("rekey", args, err)
	delete(k.boxes, account)
}

func TestAKeyThatOnlyTheThiefReplacedIsItsMembersAgain(t *testing.T) {
	w, k, ann, ben := village(t)
	ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	thief := k.thief(90)
	two := ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(thief)
	three := ann.pay(t, 2) // waits when the thief gives the account to a friend, who pays and renames
	w.run(5 * time.Second)
	friend := identity(66)
	thief.rekey(1, friend)
	args, err := wire.Rename{Account: 1, Name: "anna"}.Args()
	thief.act("rename", args, err)
	thief.grow(friend, 2)
	thief.publish()
	w.run(time.Minute)
	if _, err := ann.Desk().Account(); !errors.Is(err, ErrReplaced) {
		t.Fatalf("%v", err)
	}
	if _, ok := ben.Store().State().ByKey(friend.Public()); !ok {
		t.Fatal("ben does not see the friend")
	}
	k.succeed(identity(9))
	k.publish()
	w.run(2 * time.Hour)
	s := ann.Status()
	if s.Account == nil || s.Account.Name != "ann" || s.Account.Last != 1 || s.Foreign != "" || s.Problem != "" || !slices.Equal(s.Void, []uint64{two, three}) || s.Waiting != 2 {
		t.Fatalf("%+v %+v", s, s.Account)
	}
	w.cycle(k)
	w.cycle(k)
	for n, want := range map[uint64]wire.Verdict{two: wire.Applied, three: wire.UnknownHistory} {
		if got := must[Result](t)(ann.Desk().Result(n)); got.Verdict != want {
			t.Errorf("number %d: %+v", n, got)
		}
	}
	// Of the thief's doing nothing is left: key and name are anybody's.
	k.admit(friend, "anna")
	k.publish()
	w.run(time.Minute)
	for _, d := range []*device{ann, ben} {
		if a, ok := d.Store().State().ByKey(friend.Public()); !ok || a.Name != "anna" || a.Number != 3 {
			t.Fatalf("%+v", a)
		}
		if a, _ := d.Store().State().Account(1); a.Key != ann.id.Public() || len(a.FormerKeys)+len(a.FormerNames) > 0 || a.Rekeyed != 0 {
			t.Fatalf("%+v", a)
		}
		if report := must[*store.Report](t)(d.Store().Audit(nil)); !report.OK() {
			t.Fatalf("%+v", report)
		}
	}
	four := ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	if got := must[Result](t)(ann.Desk().Result(four)); got.Outcome != Accepted || k.db.State().Sum() != 0 {
		t.Fatalf("%+v", got)
	}
}

// The honest manager had given ann's account to her new device, and the owner of the
// database takes the log back to before that.
func TestAMemberWhoGotItsAccountByAVoidEntryIsToldToAskAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		before bool // the old device pays before the account goes to the new one
		since  bool // the old device pays after the succession
		back   []uint64
		lost   []uint64
	}{
		{"its changes go back", false, false, []uint64{2, 3}, nil},
		{"they follow a void one of the old device", true, false, nil, []uint64{3, 4}},
		{"the old device pays meanwhile", false, true, nil, []uint64{2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, k, ann, _ := village(t)
			ann.pay(t, 2)
			w.run(5 * time.Second)
			w.cycle(k)
			void := k.thief(90) // of the same key: it plays the honest manager up to the succession
			if c.before {
				ann.pay(t, 2)
				w.run(5 * time.Second)
				w.cycle(void)
			}
			void.rekey(1, identity(21))
			void.publish()
			d := newDevice(t, k, 8, identity(21))
			w.run(time.Minute)
			d.pay(t, 2)
			w.run(5 * time.Second)
			w.cycle(void)
			d.pay(t, 2) // waits
			w.run(5 * time.Second)

			k.succeed(identity(9))
			k.publish()
			w.run(2 * time.Hour)
			s := d.Status()
			if s.Account != nil || !strings.Contains(s.Unkeyed, "weir manager rekey once more") || !slices.Contains(s.Warnings(), s.Unkeyed) {
				t.Fatalf("%+v", s)
			}
			if _, err := d.Pay(2, 1, "", time.Time{}); !errors.Is(err, ErrNotAdmitted) || !strings.Contains(err.Error(), "weir member code") {
				t.Fatalf("%v", err)
			}
			if c.since {
				ann.pay(t, 2)
				w.run(5 * time.Second)
				w.cycle(k)
				if got := ann.Status(); got.Account == nil || got.Account.Last != 2 {
					t.Fatalf("%+v", got)
				}
			}
			if c.before {
				ann.Member.Stop()
				k.poll() // what the old device has sent again
			}
			k.rekey(1, identity(21))
			k.publish()
			w.run(time.Minute)
			s = d.Status()
			if s.Account == nil || s.Unkeyed != "" || s.Foreign != "" || s.Trouble != "" || !slices.Equal(s.VoidLost, c.lost) || s.Waiting != len(c.back) {
				t.Fatalf("%+v", s)
			}
			w.cycle(k)
			w.cycle(k)
			for _, n := range c.back {
				if got := must[Result](t)(d.Desk().Result(n)); got.Void == nil || got.Outcome != Refused || got.Verdict != wire.UnknownHistory {
					t.Errorf("number %d: %+v", n, got)
				}
			}
			d.reopen(t, k)
			w.run(time.Minute)
			n := d.pay(t, 2)
			w.run(5 * time.Second)
			w.cycle(k)
			if got := must[Result](t)(d.Desk().Result(n)); got.Outcome != Accepted || d.Status().Foreign != "" || k.db.State().Sum() != 0 {
				t.Fatalf("%+v %+v", got, d.Status())
			}
		})
	}
}
