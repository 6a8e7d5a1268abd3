package member

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// device is a member on a host and disk of its own.
type device struct {
	*Member
	*host
	id     *keys.Identity
	disk   *store.Crashable
	invite *wire.Invitation
	name   string
}

func newDevice(t testing.TB, k *keeper, n uint64, id *keys.Identity) *device {
	d := &device{host: k.world.host(n), id: id, disk: store.NewCrashable(n, nil)}
	d.open(t, k)
	return d
}

func (d *device) open(t testing.TB, k *keeper) {
	t.Helper()
	s, err := store.Open(d.disk, k.options())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	disk := d.disk
	d.Member = must[*Member](t)(NewMember(MemberConfig{
		Config: Config{
			Store: s, Link: k.link(),
			Create: func(charter []byte) (*store.Store, error) {
				return store.Create(disk, charter, k.options())
			},
		},
		Identity: d.id, Invitation: d.invite, Name: d.name,
	}, d.edges()))
	m := d.Member
	t.Cleanup(func() {
		m.Stop()
		if m.Store() != nil {
			m.Store().Close()
		}
	})
	d.Start()
}

// reopen ends the member with a power loss and starts it again.
func (d *device) reopen(t testing.TB, k *keeper) {
	t.Helper()
	d.Member.Stop()
	d.disk.Crash()
	if d.Store() != nil {
		d.Store().Close()
	}
	d.disk = d.disk.Restart()
	d.open(t, k)
}

// twin copies the device, disk and all, and starts both.
func (d *device) twin(t testing.TB, k *keeper) *device {
	t.Helper()
	d.Member.Stop()
	d.disk.Crash()
	d.Store().Close()
	twin := &device{host: k.world.host(9), id: d.id, disk: d.disk.Restart()}
	d.disk = d.disk.Restart()
	d.open(t, k)
	twin.open(t, k)
	k.run(10 * time.Second)
	return twin
}

func (d *device) outboxTarget(k *keeper) wire.Target {
	return wire.MutableTarget(d.id.Public(), k.db.State().ID.Salt())
}

// pay submits a payment of one unit to the account.
func (d *device) pay(t testing.TB, to uint64) uint64 {
	t.Helper()
	return must[uint64](t)(d.Pay(to, 1, "", time.Time{}))
}

// cycle is one of the manager's: poll, merge, publish; then the members follow.
func (w *world) cycle(k *keeper) {
	k.t.Helper()
	k.poll()
	k.publish()
	w.run(45 * time.Second)
}

func village(t testing.TB) (w *world, k *keeper, ann, ben *device) {
	w, k = scene(t)
	ann, ben = newDevice(t, k, 2, identity(11)), newDevice(t, k, 3, identity(12))
	w.run(5 * time.Second)
	return w, k, ann, ben
}

func TestAPaymentGoesFromOneMemberToTheOther(t *testing.T) {
	w, k, ann, ben := village(t)
	if s := ann.Status(); s.Account == nil || s.Account.Number != 1 || s.Nodes != 8 || s.Waiting != 0 {
		t.Fatalf("an idle member holds a place in the DHT: %+v", s)
	}
	n := must[uint64](t)(ann.Pay(2, 250, "eggs", time.Time{}))
	if r := must[Result](t)(ann.Desk().Result(n)); r.Outcome != Waiting || n != 1 {
		t.Fatalf("%+v", r)
	}
	w.run(2 * time.Second)
	if r := must[Result](t)(ann.Desk().Result(n)); r.Outcome != Seen {
		t.Fatalf("%+v", r)
	}
	if s := ann.Status(); s.Waiting != 1 || s.Handed != 1 || s.Nodes != 8 || s.Asked != 8 || len(s.Warnings()) != 0 {
		t.Fatalf("%+v", s)
	}
	w.cycle(k)
	r := must[Result](t)(ann.Desk().Result(n))
	if r.Outcome != Accepted || r.Index != 3 || r.Change == nil {
		t.Fatalf("%+v", r)
	}
	if a, b := ann.Status(), ben.Status(); a.Account.Balance != -250 || b.Account.Balance != 250 || a.Waiting != 0 || a.Seq <= 0 {
		t.Fatalf("%+v %+v", a.Account, b.Account)
	}
	if _, err := ann.Desk().Result(2); !errors.Is(err, ErrNotFound) {
		t.Fatalf("a number that is not: %v", err)
	}
}

func TestAStoreGoesOnWithNoOtherKey(t *testing.T) {
	w, _, ann, ben := village(t)
	ann.pay(t, 2)
	w.run(2 * time.Second)
	with := func(id *keys.Identity) *Desk {
		return &Desk{Store: ann.Store(), Identity: id, Random: ann.random, Now: func() time.Time { return w.now }}
	}
	// Another member of the same database, whose numbers are others.
	other := with(ben.id)
	if _, err := other.Pay(1, 1, "", time.Time{}); !errors.Is(err, ErrOtherKey) {
		t.Fatalf("pay: %v", err)
	}
	if _, err := other.Raw(); !errors.Is(err, ErrOtherKey) {
		t.Fatalf("raw: %v", err)
	}
	if err := other.TakeOver(); !errors.Is(err, ErrOtherKey) {
		t.Fatalf("take over: %v", err)
	}
	stranger := identity(13)
	for _, id := range []*keys.Identity{ben.id, stranger} {
		if err := with(id).Claim(); !errors.Is(err, ErrOtherKey) || !strings.Contains(err.Error(), ann.id.Public().String()) {
			t.Fatalf("claim: %v", err)
		}
	}
	check(t, with(ann.id).Claim())
	if s := ann.Status(); s.Waiting != 1 || s.Foreign != "" {
		t.Fatalf("%+v", s)
	}
	// An older store says nothing: it is of the key that opens it.
	check(t, ann.Store().Commit(nil, store.KV{Key: keyOwner}))
	if n := must[uint64](t)(with(ann.id).Pay(2, 1, "", time.Time{})); n != 2 {
		t.Fatalf("number %d", n)
	}
	if err := with(ben.id).Claim(); !errors.Is(err, ErrOtherKey) {
		t.Fatalf("claim: %v", err)
	}
}

func TestAReadersStoreIsOfTheKeyThatOpensIt(t *testing.T) {
	w, k := scene(t)
	reader := newDevice(t, k, 2, identity(13))
	w.run(5 * time.Second)
	desk := func(id *keys.Identity) *Desk { return &Desk{Store: reader.Store(), Identity: id} }
	check(t, desk(identity(13)).Claim())
	check(t, desk(identity(13)).Claim())
	if err := desk(identity(11)).Claim(); !errors.Is(err, ErrOtherKey) {
		t.Fatalf("claim: %v", err)
	}
}

func TestARefusedPaymentSaysWhyAndKeepsTheChange(t *testing.T) {
	w, k, ann, _ := village(t)
	args, err := wire.Limit{Account: 1, Limits: wire.Limits{Lower: -100, Upper: 100}}.Args()
	k.act("limit", args, err)
	w.cycle(k)
	if v, why, err := ann.Desk().PreviewPay(2, 101, "too much"); err != nil || v != wire.BelowLowerLimit || why == "" {
		t.Fatalf("preview: %v %q %v", v, why, err)
	}
	n := must[uint64](t)(ann.Pay(2, 101, "too much", time.Time{}))
	w.run(2 * time.Second)
	w.cycle(k)
	for range 2 {
		r := must[Result](t)(ann.Desk().Result(n))
		if r.Outcome != Refused || r.Verdict != wire.BelowLowerLimit || r.Reason == "" || r.Change == nil {
			t.Fatalf("%+v", r)
		}
		if tr := must[wire.Transfer](t)(wire.ParseTransfer(r.Change.Args)); tr.Memo != "too much" {
			t.Fatalf("%+v", tr)
		}
		ann.reopen(t, k)
		w.run(2 * time.Second)
	}
}

func TestSixtyChangesWaitForTheManagerAndComeInOrder(t *testing.T) {
	w, k, ann, _ := village(t)
	for n := uint64(1); n <= 60; n++ {
		if got := must[uint64](t)(ann.Pay(2, int64(n), strings.Repeat("x", int(n)), time.Time{})); got != n {
			t.Fatalf("number %d for %d", got, n)
		}
		w.run(time.Second)
	}
	if s := ann.Status(); s.Waiting != 60 || s.Nodes != 8 {
		t.Fatalf("%+v", s)
	}
	if raw := must[Raw](t)(ann.Desk().Raw()); len(raw.Chunks) < 10 {
		t.Fatalf("%d chunks", len(raw.Chunks))
	}
	for i := 0; ann.Status().Waiting > 0; i++ {
		if i == 10 {
			t.Fatalf("%d wait for ever", ann.Status().Waiting)
		}
		w.cycle(k)
	}
	for n := uint64(1); n <= 60; n++ {
		r := must[Result](t)(ann.Desk().Result(n))
		tr := must[wire.Transfer](t)(wire.ParseTransfer(r.Change.Args))
		if r.Outcome != Accepted || tr.Postings[1].Amount != int64(n) {
			t.Fatalf("%+v", r)
		}
	}
	// Their chunks are dropped; nothing is put under an old seq.
	if raw := must[Raw](t)(ann.Desk().Raw()); len(raw.Chunks) != 0 {
		t.Fatalf("%d chunks are left", len(raw.Chunks))
	}
}

func TestAFullOutboxIsAClearErrorAndLosesNothing(t *testing.T) {
	w, k, ann, _ := village(t)
	signed := uint64(0)
	for {
		n, err := ann.Pay(2, 1, strings.Repeat("m", wire.MemoBytesMax), time.Time{})
		if errors.Is(err, outbox.ErrFull) {
			break
		}
		check(t, err)
		signed = n
	}
	w.run(5 * time.Second)
	for i := 0; ann.Status().Waiting > 0 && i < 20; i++ {
		w.cycle(k)
	}
	if a := must[ledger.Account](t)(ann.Desk().Account()); a.Last != signed || a.Balance != -int64(signed) {
		t.Fatalf("%d of %d changes are in the log", a.Last, signed)
	}
	if n := ann.pay(t, 2); n != signed+1 {
		t.Fatalf("number %d", n)
	}
}

func TestCancelTakesBackOnlyWhatWasNeverHandedToAPut(t *testing.T) {
	w, k, ann, _ := village(t)
	n := ann.pay(t, 2)
	check(t, ann.Cancel(n))
	w.run(5 * time.Second)
	if n2 := ann.pay(t, 2); n2 != n {
		t.Fatalf("number %d", n2)
	}
	w.run(5 * time.Second)
	if err := ann.Cancel(n); !errors.Is(err, outbox.ErrHanded) {
		t.Fatalf("%v", err)
	}
	w.cycle(k)
	if s := ann.Status(); s.Account.Balance != -1 {
		t.Fatalf("%+v", s.Account)
	}
}

func TestItIsPutAgainWhileItWaitsHourlyAndSoonWhenNobodyTookIt(t *testing.T) {
	w, k, ann, _ := village(t)
	target := ann.outboxTarget(k)
	count := func(d time.Duration) int {
		before := ann.putTimes(target)
		w.run(d)
		return ann.putTimes(target) - before
	}
	if n := count(4 * time.Hour); n < 3 || n > 6 {
		t.Errorf("idle: put %d times in four hours", n)
	}
	ann.pay(t, 2)
	if n := count(time.Hour); n < 5 || n > 10 {
		t.Errorf("waiting: put %d times in an hour", n)
	}
	ann.offline = true
	ann.pay(t, 2)
	w.run(3 * time.Minute)
	if s := ann.Status(); !strings.Contains(strings.Join(s.Warnings(), " "), "hand over") {
		t.Errorf("offline: %q", s.Warnings())
	}
	ann.offline = false
	w.run(6 * time.Minute)
	if s := ann.Status(); s.Nodes != 8 || s.Handed != 2 || s.Trouble != "" {
		t.Errorf("back: %+v", s)
	}
}

func TestWhatIsMissingOfItsOutboxIsPutBack(t *testing.T) {
	w, k, ann, _ := village(t)
	for range 20 {
		ann.pay(t, 2)
	}
	w.run(5 * time.Second)
	raw := must[Raw](t)(ann.Desk().Raw())
	delete(w.items, ann.outboxTarget(k))
	for _, c := range raw.Chunks {
		delete(w.items, c.Target)
	}
	w.run(2 * time.Hour)
	if _, ok := w.items[ann.outboxTarget(k)]; !ok {
		t.Error("the item is missing")
	}
	for i, c := range must[Raw](t)(ann.Desk().Raw()).Chunks {
		if _, ok := w.items[c.Target]; !ok {
			t.Errorf("chunk %d is missing", i)
		}
	}
}

// TestNothingIsLostOrSignedTwiceByACrashAtAnyWriteStep pays while the power
// goes at one write step after the other. The DHT of these tests fails when two
// values are signed under one seq; the keeper's merge when a number comes
// twice.
func TestNothingIsLostOrSignedTwiceByACrashAtAnyWriteStep(t *testing.T) {
	w, k, ann, _ := village(t)
	paid := int64(0)
	for step := 1; step <= 24; step++ {
		ann.disk.CrashAt(step)
		for range 3 {
			if _, err := ann.Pay(2, 1, "", time.Time{}); err == nil {
				paid++
			}
			w.run(time.Second)
		}
		k.poll()
		k.publish()
		w.run(time.Minute)
		ann.reopen(t, k)
		w.run(10 * time.Second)
		w.cycle(k)
		w.cycle(k)
		s := ann.Status()
		if s.Foreign != "" || s.Waiting != 0 {
			t.Fatalf("step %d: %+v", step, s)
		}
		// A payment whose commit met the power loss may or may not be there.
		if got := -s.Account.Balance; got < paid || got > paid+1 {
			t.Fatalf("step %d: %d paid, %d in the log", step, paid, got)
		}
		paid = -s.Account.Balance
	}
}

func TestTwoDevicesWithOneKeyAreNoticedAndOneMayTakeOver(t *testing.T) {
	t.Run("by the log", func(t *testing.T) {
		w, k, ann, _ := village(t)
		twin := ann.twin(t, k)
		twin.offline = true
		ann.pay(t, 2)
		w.run(2 * time.Second)
		w.cycle(k)
		delete(w.items, ann.outboxTarget(k))
		twin.offline = false
		w.run(2 * time.Minute)
		if s := twin.Status(); !strings.Contains(s.Foreign, "the log has change number 1") {
			t.Fatalf("%+v", s)
		}
		if _, err := twin.Pay(2, 1, "", time.Time{}); !errors.Is(err, ErrOtherDevice) {
			t.Fatalf("%v", err)
		}
		twin.reopen(t, k)
		w.run(time.Minute)
		if _, err := twin.Pay(2, 1, "", time.Time{}); !errors.Is(err, ErrOtherDevice) {
			t.Fatalf("after a restart: %v", err)
		}
		ann.Member.Stop()
		check(t, twin.TakeOver())
		if n := twin.pay(t, 2); n != 2 {
			t.Fatalf("number %d", n)
		}
		w.run(5 * time.Second)
		w.cycle(k)
		if s := twin.Status(); s.Foreign != "" || s.Account.Balance != -2 || s.Waiting != 0 {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("by the DHT", func(t *testing.T) {
		w, k, ann, _ := village(t)
		twin := ann.twin(t, k)
		ann.offline = true
		twin.pay(t, 2)
		w.run(10 * time.Second)
		ann.offline = false
		n := ann.pay(t, 2)
		w.run(10 * time.Minute)
		if s := ann.Status(); !strings.Contains(s.Foreign, "and not here") {
			t.Fatalf("%+v", s)
		}
		if r, err := ann.Desk().Result(n); !errors.Is(err, ErrOtherDevice) {
			t.Fatalf("%+v %v", r, err)
		}
		if s := twin.Status(); s.Foreign != "" {
			t.Fatalf("the one that was first: %q", s.Foreign)
		}
		twin.Member.Stop()
		check(t, ann.TakeOver())
		ann.pay(t, 2)
		w.run(5 * time.Second)
		w.cycle(k)
		if s := ann.Status(); s.Foreign != "" || s.Account.Balance != -2 {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("a fresh one where another has an outbox", func(t *testing.T) {
		w, k, _, _ := village(t)
		fresh := newDevice(t, k, 9, identity(11))
		w.run(10 * time.Second)
		if s := fresh.Status(); !strings.Contains(s.Foreign, "and not here") {
			t.Fatalf("%+v", s)
		}
	})
}

func TestAnotherClientMayPutTheRawOutbox(t *testing.T) {
	w, k, ann, _ := village(t)
	ann.offline = true
	w.run(time.Second)
	ann.pay(t, 2)
	raw := must[Raw](t)(ann.Desk().Raw())
	if again := must[Raw](t)(ann.Desk().Raw()); !bytes.Equal(again.Value, raw.Value) || again.Seq != raw.Seq {
		t.Fatal("asking twice made two items")
	}
	// A stock client signs the same value under a seq of its own choice.
	it := must[lookup.Item](t)(lookup.Sign(ann.id.Publish, raw.Salt, raw.Seq+7, raw.Value))
	k.store(it, &lookup.Stored{})
	w.cycle(k)
	ann.offline = false
	w.run(10 * time.Minute)
	if s := ann.Status(); s.Foreign != "" || s.Account.Balance != -1 || s.Seq <= raw.Seq+7 || s.Nodes != 8 {
		t.Fatalf("%+v", s)
	}
}

func TestASeqNeverGoesBackWhenTheClockDoes(t *testing.T) {
	w, k, ann, _ := village(t)
	ann.skew = 365 * 24 * time.Hour
	ann.pay(t, 2)
	w.run(5 * time.Second)
	ahead := ann.Status().Seq
	ann.skew = -time.Hour
	ann.pay(t, 2)
	w.run(5 * time.Second)
	if s := ann.Status(); s.Seq != ahead+1 || s.Nodes != 8 || s.Foreign != "" {
		t.Fatalf("%d after %d: %+v", s.Seq, ahead, s)
	}
	w.cycle(k)
	if s := ann.Status(); s.Waiting != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestAnExpiredChangeIsRefusedByTheLogsClock(t *testing.T) {
	w, k, ann, _ := village(t)
	n := must[uint64](t)(ann.Pay(2, 1, "", w.now.Add(time.Minute)))
	w.run(2 * time.Minute)
	w.cycle(k)
	if r := must[Result](t)(ann.Desk().Result(n)); r.Verdict != wire.Expired {
		t.Fatalf("%+v", r)
	}
}

func TestTheDeskWorksWhenNoAgentRuns(t *testing.T) {
	w, k, ann, _ := village(t)
	ann.Member.Stop()
	d := &Desk{Store: ann.Store(), Identity: ann.id, Random: ann.random, Now: ann.Now}
	n := must[uint64](t)(d.Pay(2, 5, "", time.Time{}))
	check(t, d.Cancel(n))
	n = must[uint64](t)(d.Pay(2, 6, "", time.Time{}))
	ann.reopen(t, k)
	w.run(5 * time.Second)
	w.cycle(k)
	if s := ann.Status(); n != 1 || s.Account.Balance != -6 {
		t.Fatalf("%+v", s.Account)
	}
	if _, err := (&Desk{Store: ann.Store(), Identity: identity(50)}).Account(); !errors.Is(err, ErrNotAdmitted) {
		t.Fatal(err)
	}
	for _, amount := range []int64{0, -3} {
		if _, err := ann.Pay(2, amount, "", time.Time{}); err == nil {
			t.Fatalf("%d were paid", amount)
		}
	}
}

func TestASuspendedMemberIsTold(t *testing.T) {
	w, k, ann, _ := village(t)
	args, err := wire.Suspend{Account: 1, Reason: "away"}.Args()
	k.act("suspend", args, err)
	w.cycle(k)
	n := ann.pay(t, 2)
	w.run(5 * time.Second)
	w.cycle(k)
	if r := must[Result](t)(ann.Desk().Result(n)); r.Verdict != wire.Suspended {
		t.Fatalf("%+v", r)
	}
	if w := fmt.Sprint(ann.Status().Warnings()); !strings.Contains(w, "suspended") {
		t.Fatal(w)
	}
}

func TestAMemberOfARewrittenLogHandsNothingOver(t *testing.T) {
	w, k, ann, _ := village(t)
	st := k.db.State()
	forked := k.newest
	forked.Checkpoint = wire.SignCheckpoint(st.ID, k.id.Log, st.Size, wire.Hash{9})
	k.put(forked)
	w.run(time.Minute)
	puts := ann.putTimes(ann.outboxTarget(k))
	ann.pay(t, 2)
	w.run(3 * time.Hour)
	if n := ann.putTimes(ann.outboxTarget(k)); n != puts || ann.Status().Phase != Stopped {
		t.Fatalf("%d puts; %+v", n-puts, ann.Status())
	}
}
