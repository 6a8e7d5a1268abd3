package ledger

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// succeed is the arguments of a succession by an identity that fits the log as
// it is: changed before it is signed, and spoiled after.
func (w *world) succeed(by int, change, spoil func(*wire.Succeed)) args {
	w.Helper()
	id := identity(by)
	s := wire.Succeed{Seq: w.now, Succession: wire.Succession{
		Number: w.state.Terms().Newest().Number + 1, Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Size: w.state.Size, Root: w.state.Root,
	}}
	if change != nil {
		change(&s)
	}
	s, err := wire.SignSuccession(s.Succession, w.state.ID, s.Seq, identity(1_000_000).Publish)
	if err != nil {
		w.Fatal(err)
	}
	if spoil != nil {
		spoil(&s)
	}
	b, err := s.Args()
	return args{wire.KindSucceed, b, err}
}

func TestASuccessorGoesOnWithTheNumbersOfAccount0AndEverybodyCanReplayIt(t *testing.T) {
	both(t, func(t *testing.T, key *keys.ReadKey) {
		w := newWorldCut(t, key, 3, wire.VolumeBytes)
		w.merge(w.queue(1, w.change(pay(1, 2, 5))))
		last, _ := w.state.Account(0)
		size := w.state.Size

		w.ids[0] = identity(500)
		b := w.merge(w.queue(0, w.change(w.succeed(500, nil, nil)), w.change(admit(4, "Four", nil))), w.queue(2, w.change(pay(2, 3, 1))))
		if got := verdictsOf(b); !slices.Equal(got, []wire.Verdict{0, 0, 0}) {
			t.Fatalf("verdicts %v", got)
		}
		now, _ := w.state.Account(0)
		if now.Key != identity(500).Public() || now.Seal != identity(500).SealPublic() || now.Last != last.Last+2 {
			t.Fatalf("account 0 is %+v", now)
		}
		if a, ok := w.state.ByKey(identity(500).Public()); !ok || a.Number != 0 {
			t.Fatal("account 0 is not known by its new key")
		}
		if _, ok := w.state.ByKey(identity(0).Public()); ok {
			t.Fatal("account 0 is known by its old key")
		}
		if w.state.LogKey(size) != identity(0).LogPublic() || w.state.LogKey(size+1) != identity(500).LogPublic() {
			t.Fatal("the log keys do not change at the size that the succession says")
		}
		sameState(t, w.load(t, w.state.Fixed, w.state.Accounts()), w.state)

		w.ids[0] = identity(501)
		w.merge(w.queue(0, w.change(w.succeed(501, nil, nil))))
		w.ids[0] = identity(500)
		b, err := w.try(w.queue(0, w.change(admit(5, "Five", nil))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.reader.Replay(b.Frames, w.hashes, sign.ZIP215{}); !errors.Is(err, ErrSignature) && !errors.Is(err, ErrInvalid) {
			t.Fatalf("an entry under a key that was succeeded: %v", err)
		}

		// A stranger who has charter and stream alone.
		s, _, err := Found(w.charter, w.key)
		if err != nil {
			t.Fatal(err)
		}
		batches, err := s.Replay(w.stream[s.Length:], w.hashes, sign.ZIP215{})
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			s.Adopt(b)
		}
		sameState(t, s, w.state)
	})
}

func TestASuccessionIsRefusedWhereItDoesNotStand(t *testing.T) {
	w := newWorld(t, 3)
	w.merge(w.queue(1, w.change(pay(1, 2, 5))))
	key := func(k keys.Public) func(*wire.Succeed) { return func(s *wire.Succeed) { s.Manager = k } }
	for _, c := range []struct {
		name    string
		signer  uint64
		change  func(*wire.Succeed)
		spoil   func(*wire.Succeed)
		verdict wire.Verdict
	}{
		{"by a member", 1, nil, nil, wire.NotPermitted},
		{"an earlier size", 0, func(s *wire.Succeed) { s.Size-- }, nil, wire.NotPermitted},
		{"a later size", 0, func(s *wire.Succeed) { s.Size++ }, nil, wire.NotPermitted},
		{"another root", 0, func(s *wire.Succeed) { s.Root[31] ^= 1 }, nil, wire.NotPermitted},
		{"another signature", 0, nil, func(s *wire.Succeed) { s.Sig[0] ^= 1 }, wire.NotPermitted},
		{"another seq than was signed", 0, nil, func(s *wire.Succeed) { s.Seq++ }, wire.NotPermitted},
		{"another key than was signed", 0, nil, key(identity(600).Public()), wire.NotPermitted},
		{"a member's key", 0, key(identity(2).Public()), nil, wire.KeyInUse},
		{"a member's key as log key", 0, func(s *wire.Succeed) { s.Log = keys.LogPublic(identity(2).Public()) }, nil, wire.KeyInUse},
		{"the manager's own key", 0, key(identity(0).Public()), nil, wire.KeyInUse},
		{"the manager's log key", 0, func(s *wire.Succeed) { s.Log = identity(0).LogPublic() }, nil, wire.KeyInUse},
		{"the recovery key", 0, key(identity(1_000_000).Public()), nil, wire.KeyInUse},
	} {
		b := w.merge(w.queue(c.signer, w.change(w.succeed(500, c.change, c.spoil))))
		if got := verdictsOf(b); len(got) != 1 || got[0] != c.verdict {
			t.Errorf("%s: %v, not %v", c.name, got, c.verdict)
		}
	}

	w.ids[0] = identity(500)
	w.merge(w.queue(0, w.change(w.succeed(500, func(s *wire.Succeed) { s.Number = 7 }, nil))))
	for name, number := range map[string]uint64{"the same number again": 7, "a lower number": 6} {
		a := w.succeed(501, func(s *wire.Succeed) { s.Number = number }, nil)
		if got := verdictsOf(w.merge(w.queue(0, w.change(a)))); got[0] != wire.NotPermitted {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, a := range map[string]args{
		"a key that was the manager's":     admitKey(identity(0).Public(), "Old", nil),
		"a log key that was the manager's": admitKey(keys.Public(identity(0).LogPublic()), "Old", nil),
		"the manager's log key":            admitKey(keys.Public(identity(500).LogPublic()), "New", nil),
		"the manager's key":                admitKey(identity(500).Public(), "New", nil),
	} {
		if got := verdictsOf(w.merge(w.queue(0, w.change(a)))); got[0] != wire.KeyInUse {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOneWhoHasNoRecoveryKeyCannotSucceedByItsOwnSignature(t *testing.T) {
	w := newWorld(t, 2)
	thief := w.succeed(500, nil, func(s *wire.Succeed) { s.Sig[5] ^= 1 })
	w.ids[0] = identity(500)
	b, err := w.try(w.queue(0, w.change(thief)))
	if err != nil {
		t.Fatal(err)
	}
	// Refused, it is account 0's by the old key; the thief signed with another.
	if _, err := w.reader.Replay(b.Frames, w.hashes, sign.ZIP215{}); err == nil {
		t.Fatal("a refused succession is taken by the key that it names")
	}
	// Said to be applied, it is decided again.
	d := b.Entries[0]
	d.Entry.Verdict, d.Entry.Effect = wire.Applied, wire.Succession{
		Number: 1, Manager: identity(500).Public(), Log: identity(500).LogPublic(), Seal: identity(500).SealPublic(),
	}.Effect().Encode()
	body := wire.Body{Change: w.change(thief)}.Encode()
	d.Entry.Body = sha256.Sum256(body)
	frame := wire.AppendFrame(nil, wire.Frame{Entry: leafOf(t, d), Body: body})
	if _, err := w.reader.Replay(frame, w.hashes, sign.ZIP215{}); !errors.Is(err, ErrInvalid) {
		t.Fatalf("a succession that the recovery key did not sign: %v", err)
	}
}

func TestTheKeysOfASizeAreThoseOfTheNewestSuccessionBeforeIt(t *testing.T) {
	term := func(number, size uint64, seq int64) wire.Succeed {
		return wire.Succeed{Succession: wire.Succession{Number: number, Size: size, Log: keys.LogPublic{byte(number)}}, Seq: seq}
	}
	at := func(s wire.Succeed) *wire.Succeed { return &s }
	base := Terms{term(0, 0, 0), term(1, 10, 1), term(2, 20, 2)}
	for _, c := range []struct {
		name  string
		known *wire.Succeed
		at    map[uint64]byte // size → number
	}{
		{"none is known", nil, map[uint64]byte{1: 0, 10: 0, 11: 1, 20: 1, 21: 2, 1000: 2}},
		{"an older one is known", at(term(1, 10, 1)), map[uint64]byte{11: 1, 21: 2}},
		{"the newest again", at(term(2, 20, 2)), map[uint64]byte{11: 1, 21: 2}},
		{"the same number, signed before", at(term(2, 15, 1)), map[uint64]byte{16: 1, 21: 2}},
		{"the same number, signed again", at(term(2, 15, 3)), map[uint64]byte{15: 1, 16: 2, 21: 2}},
		{"one beyond all", at(term(3, 30, 3)), map[uint64]byte{21: 2, 30: 2, 31: 3}},
		{"one that voids the newest", at(term(3, 20, 3)), map[uint64]byte{20: 1, 21: 3}},
		{"one that voids all", at(term(9, 5, 3)), map[uint64]byte{5: 0, 6: 9, 11: 9, 21: 9}},
	} {
		terms := base.With(c.known)
		for size, want := range c.at {
			if got := terms.LogKey(size); got[0] != want {
				t.Errorf("%s: size %d has the keys of %d, not %d", c.name, size, got[0], want)
			}
		}
	}
	if len(base) != 3 || base[2].Number != 2 {
		t.Error("With changed the terms it was asked of")
	}
}

func TestSuccessionsThatDoNotFollowEachOtherAreNotLoaded(t *testing.T) {
	w := newWorld(t, 1)
	w.ids[0] = identity(500)
	w.merge(w.queue(0, w.change(w.succeed(500, nil, nil))))
	s := w.state.Terms().Newest()
	later := s
	later.Size = w.state.Size
	for name, list := range map[string][]wire.Succeed{"none": nil, "the same twice": {s, s}, "one beyond the log": {later}} {
		if _, err := Load(w.charter, nil, w.state.Fixed, w.state.Accounts(), list...); err == nil {
			t.Errorf("%s is loaded", name)
		}
	}
}
