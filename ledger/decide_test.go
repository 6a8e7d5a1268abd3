package ledger

import (
	"testing"

	"weir/keys"
	"weir/ledger/wire"
)

// In every case account 1 has 500, account 2 has -40, account 3 is suspended
// and account 4 holds its upper limit.
func verdictWorld(t *testing.T) *world {
	w := newWorld(t, 5)
	w.merge(w.queue(0, w.change(limitOf(5, -10_000, 10_000))))
	w.merge(w.queue(5, w.change(pay(5, 1, 500)), w.change(pay(5, 4, upper))), w.queue(2, w.change(pay(2, 5, 40))))
	w.merge(w.queue(0, w.change(suspend(3))))
	return w
}

func posting(account uint64, amount int64) wire.Posting {
	return wire.Posting{Account: account, Amount: amount}
}

func TestEveryVerdictHasItsReasonsAndTheFirstOneCounts(t *testing.T) {
	none := func(*wire.Change) {}
	unseen := func(c *wire.Change) { c.Seen.Root[0]++ }
	late := func(c *wire.Change) { c.Until = created }
	lateUnseen := func(c *wire.Change) { late(c); unseen(c) }
	manager, recovery := identity(0), identity(1_000_000)
	unknown := args{b: []byte("de")} // of kind "unknown"
	malformed := args{kind: wire.KindTransfer, b: []byte("d1:xi1ee")}
	malformedAs := func(k wire.Kind) args { return args{kind: k, b: []byte("d1:xi1ee")} }
	bad := &wire.Limits{Lower: 1, Upper: 1000}
	lowOrder, lowOrderZero := admitSeal(6, keys.SealPublic{1}), admitSeal(6, keys.SealPublic{})

	cases := []struct {
		name   string
		signer uint64
		args   args
		with   func(*wire.Change)
		want   wire.Verdict
	}{
		{"a transfer within limits is applied", 1, pay(1, 2, 10), none, wire.Applied},
		{"a transfer down to the lower limit is applied", 1, pay(1, 2, 600), none, wire.Applied},
		{"a transfer up to the upper limit is applied", 1, pay(1, 5, 1), none, wire.Applied},
		{"a transfer to a suspended account is applied", 1, pay(1, 3, 10), none, wire.Applied},
		{"a transfer to three is applied", 1, transferOf("three", posting(2, 1), posting(1, -6), posting(3, 2), posting(5, 3)), none, wire.Applied},
		{"an admission is applied", 0, admit(6, "Six", nil), none, wire.Applied},
		{"an admission with limits is applied", 0, admit(6, "Six", &wire.Limits{}), none, wire.Applied},
		{"limits that leave the balance outside are applied", 0, limitOf(1, 0, 10), none, wire.Applied},
		{"to suspend who is suspended is applied", 0, suspend(3), none, wire.Applied},
		{"to resume who is not is applied", 0, resume(1), none, wire.Applied},
		{"a new name is applied", 0, renameTo(1, "Anna"), none, wire.Applied},
		{"the name one has is applied", 0, renameTo(1, memberName(1)), none, wire.Applied},
		{"the name one has in other letters is applied", 0, renameTo(1, "mEMBER aB"), none, wire.Applied},
		{"a new key is applied", 0, rekeyTo(1, identity(6).Public()), none, wire.Applied},
		{"a change with time left is applied", 1, pay(1, 2, 10), func(c *wire.Change) { c.Until = created + 1e9 }, wire.Applied},

		{"late comes before all else", 3, unknown, lateUnseen, wire.Expired},
		{"late comes before limits", 1, pay(1, 4, 5000), late, wire.Expired},
		{"an unknown root comes before an unknown kind", 3, unknown, unseen, wire.UnknownHistory},
		{"a size of 0 is no history", 1, pay(1, 2, 1), func(c *wire.Change) { c.Seen = wire.Seen{} }, wire.UnknownHistory},
		{"a size past the log is unknown", 1, pay(1, 2, 1), func(c *wire.Change) { c.Seen.Size++ }, wire.UnknownHistory},
		{"the largest size is unknown", 1, pay(1, 2, 1), func(c *wire.Change) { c.Seen.Size = wire.IntMax }, wire.UnknownHistory},
		{"an older size with the newest root is unknown", 1, pay(1, 2, 1), func(c *wire.Change) { c.Seen.Size-- }, wire.UnknownHistory},
		{"an unknown kind comes before a suspension", 3, unknown, none, wire.UnknownKind},
		{"malformed comes before a suspension", 3, malformed, none, wire.MalformedArguments},
		{"an admission of a seal key of low order", 0, lowOrder, none, wire.MalformedArguments},
		{"an admission of a seal key of zero", 0, lowOrderZero, none, wire.MalformedArguments},
		{"malformed comes before permission", 1, malformedAs(wire.KindAdmit), none, wire.MalformedArguments},
		{"a malformed limit", 0, malformedAs(wire.KindLimit), none, wire.MalformedArguments},
		{"a malformed suspension", 0, malformedAs(wire.KindSuspend), none, wire.MalformedArguments},
		{"a malformed resumption", 0, malformedAs(wire.KindResume), none, wire.MalformedArguments},
		{"a malformed new name", 0, malformedAs(wire.KindRename), none, wire.MalformedArguments},
		{"a malformed new key", 0, malformedAs(wire.KindRekey), none, wire.MalformedArguments},
		{"a malformed sweep", 0, malformedAs(wire.KindSweep), none, wire.MalformedArguments},
		{"a suspension comes before permission", 3, pay(1, 3, 10), none, wire.Suspended},
		{"a suspended account cannot pay", 3, pay(3, 1, 10), none, wire.Suspended},
		{"nobody pays from another's account", 1, pay(2, 1, 10), none, wire.NotPermitted},
		{"nobody pays from another's account beside its own", 1, transferOf("", posting(1, -5), posting(2, -5), posting(5, 10)), none, wire.NotPermitted},
		{"a transfer takes something from its signer", 1, transferOf("", posting(2, 5), posting(5, 5)), none, wire.NotPermitted},
		{"the manager pays nobody", 0, pay(0, 1, 10), none, wire.NotPermitted},
		{"permission comes before balance", 1, transferOf("", posting(2, -5), posting(5, 6)), none, wire.NotPermitted},
		{"a member admits nobody, of whatever key", 1, admitKey(manager.Public(), "Six", bad), none, wire.NotPermitted},
		{"a member sets no limits, of whatever account", 1, limitOf(99, 5, 5), none, wire.NotPermitted},
		{"a member suspends nobody", 1, suspend(99), none, wire.NotPermitted},
		{"a member resumes nobody", 1, resume(99), none, wire.NotPermitted},
		{"a member renames nobody, itself neither", 1, renameTo(1, "Anna"), none, wire.NotPermitted},
		{"a member gives nobody a key, itself neither", 1, rekeyTo(1, identity(6).Public()), none, wire.NotPermitted},
		{"a member sweeps nothing", 1, args{kind: wire.KindSweep, b: wire.SweepArgs()}, none, wire.NotPermitted},
		{"the manager sweeps only when it is due", 0, args{kind: wire.KindSweep, b: wire.SweepArgs()}, none, wire.NotPermitted},
		{"a transfer sums to zero", 1, transferOf("", posting(1, -5), posting(2, 6)), none, wire.Unbalanced},
		{"a posting is not zero", 1, transferOf("", posting(1, -5), posting(2, 5), posting(5, 0)), none, wire.Unbalanced},
		{"no receiver comes twice", 1, transferOf("", posting(1, -5), posting(2, 2), posting(2, 3)), none, wire.Unbalanced},
		{"no payer comes twice", 1, transferOf("", posting(1, -5), posting(1, -5), posting(2, 10)), none, wire.Unbalanced},
		{"nobody pays itself", 1, pay(1, 1, 5), none, wire.Unbalanced},
		{"balance comes before accounts", 1, transferOf("", posting(1, -5), posting(99, 6)), none, wire.Unbalanced},
		{"the largest amounts do not overflow", 1, transferOf("", posting(1, -wire.IntMax), posting(2, wire.IntMax), posting(5, wire.IntMax)), none, wire.Unbalanced},
		{"an unknown account comes before limits", 1, pay(1, 99, 5000), none, wire.UnknownAccount},
		{"account 0 receives nothing", 1, pay(1, 0, 5), none, wire.UnknownAccount},
		{"an unknown account comes before invalid limits", 0, limitOf(99, 5, 5), none, wire.UnknownAccount},
		{"account 0 has no limits", 0, limitOf(0, -5, 5), none, wire.UnknownAccount},
		{"account 0 is not suspended", 0, suspend(0), none, wire.UnknownAccount},
		{"account 0 is not resumed", 0, resume(0), none, wire.UnknownAccount},
		{"an unknown account is not suspended", 0, suspend(99), none, wire.UnknownAccount},
		{"account 0 has no name", 0, renameTo(0, "Zero"), none, wire.UnknownAccount},
		{"an unknown account gets no name", 0, renameTo(99, memberName(1)), none, wire.UnknownAccount},
		{"account 0 gets no key by it", 0, rekeyTo(0, identity(6).Public()), none, wire.UnknownAccount},
		{"an unknown account gets no key", 0, rekeyTo(99, manager.Public()), none, wire.UnknownAccount},
		{"a new key is not another account's", 0, rekeyTo(1, identity(2).Public()), none, wire.KeyInUse},
		{"a new key is not the one that is there", 0, rekeyTo(1, identity(1).Public()), none, wire.KeyInUse},
		{"a new key is not the manager's", 0, rekeyTo(1, manager.Public()), none, wire.KeyInUse},
		{"a new key is not the recovery key", 0, rekeyTo(1, recovery.Public()), none, wire.KeyInUse},
		{"a new name is not another account's", 0, renameTo(1, "mEMBER aC"), none, wire.NameInUse},
		{"a member's key comes before its name", 0, admit(1, memberName(1), bad), none, wire.KeyInUse},
		{"the manager's key is in use", 0, admitKey(manager.Public(), "Six", nil), none, wire.KeyInUse},
		{"the log key is in use", 0, admitKey(keys.Public(manager.LogPublic()), "Six", nil), none, wire.KeyInUse},
		{"the recovery key is in use", 0, admitKey(recovery.Public(), "Six", nil), none, wire.KeyInUse},
		{"a name comes before limits", 0, admit(6, memberName(1), bad), none, wire.NameInUse},
		{"a name in other letters is the same", 0, admit(6, "mEMBER aB", nil), none, wire.NameInUse},
		{"a lower limit above zero", 0, admit(6, "Six", bad), none, wire.InvalidLimits},
		{"an upper limit below zero", 0, limitOf(1, -5, -1), none, wire.InvalidLimits},
		{"limits the wrong way round", 0, limitOf(1, 5, -5), none, wire.InvalidLimits},
		{"too little to pay comes before too much to hold", 1, pay(1, 4, 601), none, wire.BelowLowerLimit},
		{"too little whatever the order of postings", 1, transferOf("", posting(4, 601), posting(1, -601)), none, wire.BelowLowerLimit},
		{"one unit too much to pay", 1, pay(1, 5, 601), none, wire.BelowLowerLimit},
		{"one unit too much to hold", 1, pay(1, 4, 1), none, wire.AboveUpperLimit},
		{"too much for one of two", 1, transferOf("", posting(1, -2), posting(4, 1), posting(2, 1)), none, wire.AboveUpperLimit},
	}
	covered := map[wire.Verdict]bool{}
	for _, c := range cases {
		covered[c.want] = true
		t.Run(c.name, func(t *testing.T) {
			w := verdictWorld(t)
			b := w.changeWith(c.args, c.with)
			change, err := wire.ParseChange(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.state.Preview(c.signer, change, w.now, w.hashes); got != c.want {
				t.Errorf("the preview is %s, not %s", got, c.want)
			}
			before := w.state.Accounts()
			batch := w.merge(w.queue(c.signer, b))
			if got := verdictsOf(batch); len(got) != 1 || got[0] != c.want {
				t.Fatalf("%v, not %s", got, c.want)
			}
			if c.want == wire.Applied {
				return
			}
			for _, a := range before {
				now, _ := w.state.Account(a.Number)
				if now.Balance != a.Balance || now.Limits != a.Limits || now.Suspended != a.Suspended {
					t.Errorf("a refused change moved account %d", a.Number)
				}
			}
			if len(w.state.Accounts()) != len(before) {
				t.Error("a refused change made an account")
			}
		})
	}
	for v := wire.Applied; v <= wire.AboveUpperLimit; v++ {
		if !covered[v] {
			t.Errorf("no case of %s", v)
		}
	}
}

func TestWhatWasSeenMayBeAnyPrefixOfTheLog(t *testing.T) {
	w := verdictWorld(t)
	for size, newest := uint64(1), w.state.Size; size <= newest; size++ {
		root, err := RootAt(size, w.hashes)
		if err != nil {
			t.Fatal(err)
		}
		b := w.changeWith(pay(1, 2, 1), func(c *wire.Change) {
			c.Seen = wire.Checkpoint{Size: size, Root: root}.Seen()
		})
		if got := verdictsOf(w.merge(w.queue(1, b))); got[0] != wire.Applied {
			t.Errorf("size %d: %s", size, got[0])
		}
	}
}

// An account outside its limits can be moved by what does not break the limit
// of its own side.
func TestAnAccountOutsideItsLimitsMovesOnlyTheWayTheyAllow(t *testing.T) {
	w := verdictWorld(t) // 1 has 500
	w.merge(w.queue(0, w.change(limitOf(1, 0, 100))))
	if got := verdictsOf(w.merge(w.queue(2, w.change(pay(2, 1, 1)))))[0]; got != wire.AboveUpperLimit {
		t.Errorf("above its upper limit it receives: %s", got)
	}
	if got := verdictsOf(w.merge(w.queue(1, w.change(pay(1, 5, 10)))))[0]; got != wire.Applied {
		t.Errorf("above its upper limit it pays: %s", got)
	}
	w.merge(w.queue(0, w.change(limitOf(2, 0, 100)))) // 2 has -40
	w.now += refusalDelayMax
	if got := verdictsOf(w.merge(w.queue(2, w.change(pay(2, 5, 1)))))[0]; got != wire.BelowLowerLimit {
		t.Errorf("below its lower limit it pays: %s", got)
	}
	if got := verdictsOf(w.merge(w.queue(5, w.change(pay(5, 2, 1)))))[0]; got != wire.Applied {
		t.Errorf("below its lower limit it receives: %s", got)
	}
}

func TestAResumedAccountPaysAgain(t *testing.T) {
	w := verdictWorld(t)
	w.merge(w.queue(0, w.change(resume(3))))
	if got := verdictsOf(w.merge(w.queue(3, w.change(pay(3, 2, 1)))))[0]; got != wire.Applied {
		t.Error(got)
	}
}

func TestPreviewWithoutHashesJudgesAllButHistory(t *testing.T) {
	w := verdictWorld(t)
	c := &wire.Change{Name: "transfer", Args: pay(1, 2, 10).b}
	if got := w.state.Preview(1, c, w.now, nil); got != wire.Applied {
		t.Error(got)
	}
	c.Args = pay(1, 2, 10_000).b
	if got := w.state.Preview(1, c, w.now, nil); got != wire.BelowLowerLimit {
		t.Error(got)
	}
	if got := w.state.Preview(99, c, w.now, nil); got != wire.UnknownAccount {
		t.Error(got)
	}
}
