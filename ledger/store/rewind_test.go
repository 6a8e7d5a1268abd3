package store

import (
	"errors"
	"fmt"
	"testing"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// last is the record that play writes with batch number n.
func last(n int) KV { return KV{"last", fmt.Append(nil, n)} }

// successionStory is a story in which a successor takes over half way.
func successionStory(t testing.TB) (charter []byte, batches []*ledger.Batch) {
	s := newStory(t, 3)
	for n := range 5 {
		s.pay(t, n+1)
		if n == 2 {
			s.succeed(t)
		}
	}
	return s.charter, s.batches
}

// succeed has another take over as manager.
func (s *story) succeed(t testing.TB) {
	t.Helper()
	id, st := newPerson(3, s.manager.digest), s.store.State()
	id.number, id.chain = s.manager.number, s.manager.chain
	signed := must[wire.Succeed](t)(wire.SignSuccession(wire.Succession{
		Number: 1, Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(), Size: st.Size, Root: st.Root,
	}, st.ID, s.time, newPerson(2, wire.Digest{}).Publish))
	s.manager = id
	s.merge(t, ledger.Queue{Changes: []ledger.Candidate{id.change(wire.KindSucceed, must[[]byte](t)(signed.Args()), s.seen)}})
	if _, err := s.store.Entry(st.Size - 1); err != nil {
		t.Fatal(err)
	}
}

func TestALogThatIsTakenBackIsAsItWasThen(t *testing.T) {
	charter, batches := successionStory(t)
	_, undisturbed, err := play(NewCrashable(0, nil), charter, batches)
	check(t, err)
	want := must[wire.Hash](t)(undisturbed.Fingerprint())
	if got := undisturbed.State().LogKey(undisturbed.State().Size); got == undisturbed.State().Charter.Log {
		t.Fatal("nobody took over")
	}
	check(t, undisturbed.Close())
	for n := range batches {
		then := must[*Store](t)(Create(NewCrashable(0, nil), charter, Options{Small: true}))
		for i, b := range batches[:n+1] {
			check(t, then.Commit([]*ledger.Batch{b}, last(i)))
		}
		d := NewCrashable(1, nil)
		_, s, err := play(d, charter, batches)
		check(t, err)
		check(t, s.KeepAhead())
		check(t, s.Rewind(batches[n].Size, last(n)))
		for range 2 { // as it is, and as the next Open finds it
			if s.State().Fixed != batches[n].Fixed {
				t.Fatalf("batch %d: the state is %+v, not %+v", n, s.State().Fixed, batches[n].Fixed)
			}
			if got := must[wire.Hash](t)(s.Fingerprint()); got != must[wire.Hash](t)(then.Fingerprint()) {
				t.Fatalf("batch %d: the contents are others than those of a store that never went on", n)
			}
			clean(t, s)
			if got := streamBytes(d); got != int(batches[n].Length) {
				t.Fatalf("batch %d: %d bytes of stream lie there", n, got)
			}
			check(t, s.Close())
			s = must[*Store](t)(Open(d, Options{Small: true}))
		}
		check(t, s.Close())
		check(t, then.Close())
		_, s, err = play(d, charter, batches)
		check(t, err)
		if got := must[wire.Hash](t)(s.Fingerprint()); got != want {
			t.Fatalf("batch %d: gone on from there the contents are others", n)
		}
		check(t, s.Close())
	}
}

func TestALogIsTakenBackToAnyLeafAndNowhereElse(t *testing.T) {
	charter, batches := successionStory(t)
	for size := batches[len(batches)-1].Size; size > 0; size-- {
		d := NewCrashable(1, nil)
		_, s, err := play(d, charter, batches)
		check(t, err)
		root := must[wire.Hash](t)(s.RootAt(size))
		for _, never := range []uint64{0, s.State().Size + 1} {
			if err := s.Rewind(never); err == nil || errors.Is(err, ErrBroken) {
				t.Fatalf("to %d: %v", never, err)
			}
		}
		check(t, s.Rewind(size))
		if st := s.State(); st.Size != size || st.Root != root || st.Sum() != 0 {
			t.Fatalf("to %d: the state is %+v", size, st.Fixed)
		}
		clean(t, s)
		if _, ok, err := s.Find(0, 1); err != nil || ok != (size > 1) {
			t.Fatalf("to %d: the first act is found: %v, %v", size, ok, err)
		}
		if _, err := s.Entry(size); err == nil {
			t.Fatalf("to %d: what is void is read", size)
		}
		check(t, s.Close())
	}
}

func TestAPowerLossWhileALogIsTakenBackLeavesItThereOrTakesItBack(t *testing.T) {
	charter, batches := successionStory(t)
	const n = 1
	long, short := batches[len(batches)-1], batches[n]
	base := NewCrashable(1, nil)
	_, s, err := play(base, charter, batches)
	check(t, err)
	check(t, s.Close())
	before, after := 0, 0
	for step := 1; ; step++ {
		d := base.Restart()
		s := must[*Store](t)(Open(d, Options{Small: true}))
		check(t, s.KeepAhead())
		tail := must[*File](t)(s.Volume(0))
		must[int](t)(tail.WriteAt(make([]byte, 900), int64(long.Length)))
		d.CrashAt(step)
		err := s.Rewind(short.Size, last(n))
		check(t, s.Close())
		if err == nil {
			break
		}
		if !errors.Is(err, ErrCrashed) {
			t.Fatalf("step %d: %v", step, err)
		}
		d = d.Restart()
		s = must[*Store](t)(Open(d, Options{Small: true}))
		switch s.State().Fixed {
		case long.Fixed:
			before++
			check(t, s.Rewind(short.Size, last(n)))
		case short.Fixed:
			after++
		default:
			t.Fatalf("step %d: the state is %+v", step, s.State().Fixed)
		}
		if whole(t, s, batches) != n+1 {
			t.Fatalf("step %d: it is not as it was after batch %d", step, n)
		}
		check(t, s.Commit(batches[n+1:], last(len(batches)-1)))
		whole(t, s, batches)
		check(t, s.Close())
	}
	if before == 0 || after == 0 {
		t.Errorf("%d crashes came before it, %d after it", before, after)
	}
}

// sweepsAreTakenBack takes a log of three volumes back into the first.
func sweepsAreTakenBack(t *testing.T, charter []byte, batches []*ledger.Batch) {
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, Options{}))
	check(t, s.Commit(batches))
	for _, n := range []int{len(batches) - 2, 1} {
		check(t, s.Rewind(batches[n].Size))
		if s.State().Fixed != batches[n].Fixed {
			t.Fatalf("the state is %+v, not %+v", s.State().Fixed, batches[n].Fixed)
		}
		check(t, s.Close())
		s = must[*Store](t)(Open(d, Options{}))
		clean(t, s)
	}
	check(t, s.Commit(batches[2:]))
	check(t, s.Scrub(func(int) error { return nil }))
	clean(t, s)
	check(t, s.Close())
}

func TestAnEncryptedLogIsTakenBack(t *testing.T) {
	s := sealedStory(t, 2)
	s.pay(t, 3)
	at := s.store.State().Fixed
	s.pay(t, 4)
	check(t, s.store.Rewind(at.Size))
	if s.store.State().Fixed != at || s.store.State().ReadKey == nil || *s.store.State().ReadKey == (keys.ReadKey{}) {
		t.Fatalf("the state is %+v", s.store.State().Fixed)
	}
	clean(t, s.store)
}
