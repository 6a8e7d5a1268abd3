package member

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// thief is another machine with a copy of the keeper's key and log.
func (k *keeper) thief(n uint64) *keeper {
	k.t.Helper()
	t := *k
	t.host, t.boxes = k.world.host(n), map[uint64]*outbox.Receiver{}
	t.db = must[*store.Store](k.t)(store.Create(store.NewCrashable(n, nil), k.db.Charter(), k.options()))
	k.t.Cleanup(func() { t.db.Close() })
	b := make([]byte, k.db.State().Length-t.db.State().Length)
	must[int](k.t)(k.db.ReadStream(b, t.db.State().Length))
	check(k.t, t.db.Commit(must[[]*ledger.Batch](k.t)(t.db.State().Replay(b, t.db, sign.ZIP215{}))))
	return &t
}

// signSuccession makes a succession from the keeper's log as it is.
func (k *keeper) signSuccession(number uint64, to *keys.Identity) wire.Succeed {
	k.t.Helper()
	st := k.db.State()
	return must[wire.Succeed](k.t)(wire.SignSuccession(wire.Succession{
		Number: number, Manager: to.Public(), Log: to.LogPublic(), Seal: to.SealPublic(), Size: st.Size, Root: st.Root,
	}, st.ID, k.now.UnixMilli(), identity(2).Publish))
}

// succession puts the item of one.
func (k *keeper) putSuccession(s wire.Succeed) {
	st := k.db.State()
	it := SuccessionItem(s, st.Charter.Recovery, st.ID.Salt())
	k.items[it.Target] = it
}

// succeed replaces the keeper's keys.
func (k *keeper) succeed(to *keys.Identity) wire.Succeed {
	k.t.Helper()
	s := k.signSuccession(k.db.State().Terms().Newest().Number+1, to)
	k.putSuccession(s)
	k.id, k.boxes, k.newest, k.older = to, map[uint64]*outbox.Receiver{}, wire.Head{}, nil
	args, err := s.Args()
	k.act("succeed", args, err)
	return s
}

func TestASuccessorIsFollowedAndWhatTheThiefTookGoesBackToTheManager(t *testing.T) {
	w, k, ann, ben := village(t)
	r := newReader(t, k, 7)
	one := ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)

	good := k.db.State().Fixed
	two := ann.pay(t, 2) // seen before the thief
	w.run(5 * time.Second)
	thief := k.thief(90)
	thief.admit(identity(66), "eve")
	w.cycle(thief)
	three := must[uint64](t)(ann.Pay(3, 5, "", time.Time{})) // to eve, whom the thief admitted
	w.run(5 * time.Second)
	w.cycle(thief)
	four := ann.pay(t, 2) // waits, and has seen the thief's log
	w.run(5 * time.Second)
	for _, f := range []*Follower{ann.Follower, ben.Follower, r.Follower} {
		if f.Store().State().Size != thief.db.State().Size {
			t.Fatal("the thief deceives nobody")
		}
	}
	if got := must[Result](t)(ann.Desk().Result(three)); got.Outcome != Accepted {
		t.Fatalf("the thief's entry: %+v", got)
	}

	k.succeed(identity(9))
	k.publish()
	w.run(2 * time.Hour)
	r.follows(t, k)
	if st := ann.Store().State(); st.Size != k.db.State().Size || st.Root != k.db.State().Root {
		t.Fatalf("ann has %d entries", st.Size)
	}
	s := ann.Status()
	if !slices.Equal(s.Void, []uint64{two, three, four}) || s.Waiting != 3 || s.Succession != (SuccessionStatus{1, good.Size, thief.db.State().Size - good.Size}) {
		t.Fatalf("%+v", s)
	}
	waiting := must[Result](t)(ann.Desk().Result(three))
	if waiting.Outcome != Seen || waiting.Void == nil || !waiting.Void.Seen || !strings.Contains(waiting.Reason, "sign it again") {
		t.Fatalf("%+v", waiting)
	}
	if waiting = must[Result](t)(ann.Desk().Result(two)); waiting.Void == nil || waiting.Void.Seen || !strings.Contains(waiting.Reason, "is void") {
		t.Fatalf("%+v", waiting)
	}
	ann.reopen(t, k)
	w.run(time.Minute)

	w.cycle(k)
	w.cycle(k)
	for number, want := range map[uint64]wire.Verdict{one: wire.Applied, two: wire.Applied, three: wire.UnknownHistory, four: wire.UnknownHistory} {
		got := must[Result](t)(ann.Desk().Result(number))
		if got.Outcome != Accepted && got.Outcome != Refused || got.Verdict != want {
			t.Errorf("number %d: %+v, not %v", number, got, want)
		}
		if want != wire.Applied && (!strings.Contains(got.Reason, "void") || got.Change == nil) {
			t.Errorf("number %d: %+v", number, got)
		}
	}
	if s = ann.Status(); len(s.Void) > 0 || !slices.Equal(s.VoidRefused, []uint64{three, four}) || s.Waiting > 0 {
		t.Fatalf("%+v", s)
	}
	if k.db.State().Sum() != 0 {
		t.Fatal("money was made")
	}
	five := ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	if got := must[Result](t)(ann.Desk().Result(five)); got.Outcome != Accepted {
		t.Fatalf("%+v", got)
	}
	if s = ann.Status(); !slices.Equal(s.VoidRefused, []uint64{three, four}) {
		t.Fatalf("one was signed again, and two were refused: %v", s.VoidRefused)
	}
	six := ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	if s = ann.Status(); len(s.VoidRefused) > 0 {
		t.Fatalf("both were signed again: %v; %+v", s.VoidRefused, must[Result](t)(ann.Desk().Result(six)))
	}
	for _, st := range []*store.Store{ann.Store(), ben.Store(), r.Store()} {
		if report := must[*store.Report](t)(st.Audit(nil)); !report.OK() || report.Root != k.db.State().Root {
			t.Fatalf("%v", report.Findings)
		}
	}
	item, ok, err := SignedHead(r.Store())
	if err != nil || !ok || item.Verify() != nil || item.Key != identity(9).Public() {
		t.Fatalf("the head that is kept: %+v, %v", item, err)
	}
	// The thief goes on: nobody is deceived.
	thief.admit(identity(67), "eva")
	thief.publish()
	w.run(3 * time.Hour)
	r.follows(t, k)
}

func TestAThiefThatContradictsTheLogIsOutlivedByTheSuccessor(t *testing.T) {
	w, k, _, _ := village(t)
	thief := k.thief(90)
	k.grow(identity(11), 3)
	k.publish()
	r := newReader(t, k, 7)
	w.run(2 * time.Minute)
	r.follows(t, k)
	thief.grow(identity(12), 1)
	thief.publish()
	w.run(10 * time.Minute)
	if s := r.Status(); s.Phase != Stopped {
		t.Fatalf("%+v", s)
	}
	k.succeed(identity(9))
	k.publish()
	w.run(time.Hour)
	r.follows(t, k)
	r.reopen(t, k)
	w.run(time.Minute)
	r.follows(t, k)
	if n := len(r.evidence(t)); n != 1 {
		t.Errorf("%d pieces of evidence are kept", n)
	}
}

func TestASuccessionOfAnotherHistoryIsNotFollowed(t *testing.T) {
	w, k, _, _ := village(t)
	other := k.thief(90)
	k.grow(identity(11), 3)
	k.publish()
	r := newReader(t, k, 7)
	w.run(2 * time.Minute)
	held := r.Store().State().Fixed
	other.grow(identity(12), 2)
	other.succeed(identity(9))
	other.publish()
	w.run(2 * time.Hour)
	for range 2 {
		s := r.Status()
		if s.Phase != Stopped || !strings.Contains(s.Reason, "another history") {
			t.Fatalf("%+v", s)
		}
		if r.Store().State().Fixed != held {
			t.Fatal("what it held is gone")
		}
		r.reopen(t, k)
		w.run(time.Hour)
	}
}

func TestTheHighestSuccessionWinsAndWhoeverFindsItMissingPutsItAgain(t *testing.T) {
	w, k, _, _ := village(t)
	r := newReader(t, k, 7)
	w.run(2 * time.Minute)
	first := k.succeed(identity(9))
	k.publish()
	w.run(2 * time.Hour)
	r.follows(t, k)

	// The successor's key is stolen too, and the log goes back behind it.
	second := first
	second.Number, second.Manager, second.Log, second.Seal = 2, identity(10).Public(), identity(10).LogPublic(), identity(10).SealPublic()
	second = must[wire.Succeed](t)(wire.SignSuccession(second.Succession, k.db.State().ID, k.now.UnixMilli(), identity(2).Publish))
	check(t, k.db.Rewind(first.Size))
	k.putSuccession(second)
	k.id, k.newest, k.older = identity(10), wire.Head{}, nil
	args, err := second.Args()
	k.act("succeed", args, err)
	k.publish()
	w.run(2 * time.Hour)
	r.follows(t, k)

	recovery := identity(2).Public()
	target := wire.MutableTarget(recovery, k.db.State().ID.Salt())
	for name, spoil := range map[string]func(){
		"missing": func() { delete(w.items, target) },
		"old":     func() { k.putSuccession(first) },
	} {
		spoil()
		w.run(3 * time.Hour)
		if it, ok := w.items[target]; !ok || it.Seq != second.Seq {
			t.Errorf("the item that was %s is not put again", name)
		}
	}
	r.follows(t, k)
}

func TestWhatDoesNotFitTheOutboxWhenItGoesBackWaitsForRoom(t *testing.T) {
	w, k, ann, _ := village(t)
	thief := k.thief(90)
	thief.admit(identity(66), "eve")
	w.cycle(thief)
	memo := strings.Repeat("m", wire.MemoBytesMax)
	const most = 120
	for n := 0; n < most; {
		if _, err := ann.Pay(2, 1, memo, time.Time{}); err != nil {
			w.run(5 * time.Second)
			w.cycle(thief)
			continue
		}
		n++
	}
	w.run(5 * time.Second)
	for range 10 {
		w.cycle(thief)
	}
	a, _ := thief.db.State().ByKey(identity(11).Public())
	if a.Last != most {
		t.Fatalf("the thief took %d", a.Last)
	}
	k.succeed(identity(9))
	k.publish()
	w.run(2 * time.Hour)
	if s := ann.Status(); s.Waiting != most || len(s.Void) != most {
		t.Fatalf("%+v", s)
	}
	if left := must[owed](t)(ann.Desk().left()); len(left.Messages) == 0 {
		t.Fatal("all of it fits, and the test shows nothing")
	}
	if _, err := ann.Pay(2, 1, "", time.Time{}); err == nil {
		t.Fatal("a new change is signed before the old ones have room")
	}
	for range 30 {
		w.cycle(k)
	}
	ann.reopen(t, k)
	w.run(time.Minute)
	if a, _ = k.db.State().ByKey(identity(11).Public()); a.Last != most {
		t.Fatalf("the successor took %d", a.Last)
	}
	if s := ann.Status(); s.Waiting != 0 {
		t.Fatalf("%+v", s)
	}
	if got := must[uint64](t)(ann.Pay(2, 1, "", time.Time{})); got != most+1 {
		t.Fatalf("the next number is %d", got)
	}
}

func TestAMemberWhomOnlyTheThiefAdmittedAsksTheSuccessor(t *testing.T) {
	w, k := scene(t)
	secret := [16]byte{5}
	thief := k.thief(90)
	st := k.db.State()
	invite := &wire.Invitation{DatabaseLink: k.link(), Secret: secret, Expires: w.now.Add(48 * time.Hour)}
	d := &device{host: w.host(5), id: identity(13), disk: store.NewCrashable(5, nil), invite: invite, name: "cyd"}
	d.open(t, k)
	w.run(30 * time.Second)
	request := func() lookup.Item {
		return w.items[wire.MutableTarget(d.inviteKey(invite), st.ID.Salt())]
	}
	before := request()
	if _, err := wire.OpenJoinRequest(before.Value, identity(1)); err != nil {
		t.Fatal(err)
	}
	thief.admit(identity(13), "cyd")
	w.cycle(thief)
	if s := d.Status(); s.Joining != Admitted {
		t.Fatalf("%+v", s)
	}
	pay := d.pay(t, 1)
	w.run(5 * time.Second)
	w.cycle(thief)
	k.succeed(identity(9))
	k.publish()
	w.run(2 * time.Hour)
	if s := d.Status(); s.Joining != Asking || s.Account != nil {
		t.Fatalf("%+v", s)
	}
	after := request()
	got, err := wire.OpenJoinRequest(after.Value, identity(9))
	if err != nil || got.Key != identity(13).Public() || got.Name != "cyd" || after.Seq != before.Seq+1 {
		t.Fatalf("seq %d: %+v, %v", after.Seq, got, err)
	}
	k.admit(identity(13), "cyd")
	k.publish()
	w.run(time.Minute)
	w.cycle(k)
	w.cycle(k)
	if got := must[Result](t)(d.Desk().Result(pay)); got.Outcome != Refused || got.Verdict != wire.UnknownHistory {
		t.Fatalf("%s", fmt.Sprintf("%+v", got))
	}
}
