package store

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// closedStory is a disk with a store of an encrypted database, closed again.
func closedStory(t testing.TB) (*story, *Crashable) {
	s := sealedStory(t, 3)
	for n := range 5 {
		s.pay(t, n+1)
	}
	d := NewCrashable(1, nil)
	st := must[*Store](t)(Create(d, s.charter, s.options()))
	check(t, st.Commit(s.batches))
	check(t, st.Close())
	return s, d
}

func TestAnEncryptedStoreReadsAsAReadableOneDoes(t *testing.T) {
	s := sealedStory(t, 3)
	s.pay(t, 5)
	s.pay(t, 1)
	disks(t, func(t *testing.T, again func() Disk) {
		st := must[*Store](t)(Create(again(), s.charter, s.options()))
		check(t, st.Commit(s.batches[:1]))
		check(t, st.Commit(s.batches[1:]))
		check(t, st.Close())
		st = must[*Store](t)(Open(again(), s.options()))
		compare(t, st, s.store)
		clean(t, st)
		if st.State().Fixed != s.store.State().Fixed || *st.State().ReadKey != *s.key {
			t.Errorf("state %+v, want %+v", st.State().Fixed, s.store.State().Fixed)
		}
		volumesAre(t, st, s.charter, s.batches)
		check(t, st.Close())
		report := must[*Report](t)(Audit(again(), s.options(), nil))
		if !report.OK() || report.Root != s.store.State().Root || report.Entries != s.store.State().Size-1 {
			t.Errorf("the audit: %+v", report)
		}
	})
}

func TestAnEncryptedStoreOpensUnderItsOwnKeyOnly(t *testing.T) {
	s, d := closedStory(t)
	readable := NewCrashable(2, nil)
	plain := newStory(t, 1)
	check(t, must[*Store](t)(Create(readable, plain.charter, Options{Small: true})).Close())
	wrong := keys.ReadKey{1}
	other := newPerson(9, wire.Digest{}).ReadKey(s.manager.digest)
	for name, c := range map[string]struct {
		disk *Crashable
		key  *keys.ReadKey
		says string
	}{
		"no key":                        {d, nil, "the database is encrypted, and no key is given"},
		"a wrong key":                   {d, &wrong, "it does not open this database's entries"},
		"the key of another's seed":     {d, &other, "it does not open this database's entries"},
		"a key of zeros":                {d, &keys.ReadKey{}, "it is zero"},
		"a key for a readable one":      {readable, s.key, "the database is not encrypted, and a key is given"},
		"of an empty store, and no key": {emptyStore(t, s), nil, "the database is encrypted, and no key is given"},
	} {
		before := c.disk.Steps()
		for what, do := range map[string]func() error{
			"open":  func() error { _, err := Open(c.disk, Options{Small: true, ReadKey: c.key}); return err },
			"audit": func() error { _, err := Audit(c.disk, Options{Small: true, ReadKey: c.key}, nil); return err },
		} {
			err := do()
			if !errors.Is(err, ErrReadKey) || errors.Is(err, ErrDamaged) || !strings.HasSuffix(err.Error(), "the read key does not fit: "+c.says) {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
		if c.disk.Steps() != before {
			t.Errorf("%s: the disk was written to", name)
		}
	}
	// The lock was given up each time, and nothing was lost.
	st := must[*Store](t)(Open(d, s.options()))
	compare(t, st, s.store)
	check(t, st.Close())
}

// emptyStore is a disk with a store of the story's database that has no entry.
func emptyStore(t testing.TB, s *story) *Crashable {
	d := NewCrashable(3, nil)
	check(t, must[*Store](t)(Create(d, s.charter, s.options())).Close())
	return d
}

func TestAStoreIsNotMadeWithoutItsKey(t *testing.T) {
	s, plain := sealedStory(t, 1), newStory(t, 1)
	for name, c := range map[string]struct {
		charter []byte
		key     *keys.ReadKey
	}{
		"encrypted, no key": {s.charter, nil}, "encrypted, zero": {s.charter, &keys.ReadKey{}}, "readable, a key": {plain.charter, s.key},
	} {
		d := NewCrashable(1, nil)
		if _, err := Create(d, c.charter, Options{Small: true, ReadKey: c.key}); !errors.Is(err, ErrReadKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Open(d, Options{Small: true, ReadKey: c.key}); !errors.Is(err, ErrNotFound) || d.Steps() != 0 {
			t.Errorf("%s: something was made: %v", name, err)
		}
	}
}

// With a wrong key nothing gets into a store that is empty yet, so that it is
// of use as soon as the right one is there.
func TestAnEmptyStoreThatWasMadeWithAWrongKeyIsNotSpoilt(t *testing.T) {
	s, _ := closedStory(t)
	wrong := keys.ReadKey{1}
	d := NewCrashable(4, nil)
	st := must[*Store](t)(Create(d, s.charter, Options{Small: true, ReadKey: &wrong}))
	frames := s.batches[0].Frames
	if _, err := st.State().Replay(frames, st, sign.ZIP215{}); !errors.Is(err, ledger.ErrInvalid) || !errors.Is(err, wire.ErrOpen) {
		t.Errorf("a wrong key replays: %v", err)
	}
	check(t, st.Close())
	st = must[*Store](t)(Open(d, s.options()))
	check(t, st.Commit(s.batches))
	compare(t, st, s.store)
	check(t, st.Close())
}

func TestTheCharterIsReadBeforeTheKeyIsThere(t *testing.T) {
	s, d := closedStory(t)
	b := must[[]byte](t)(Charter(d))
	if !bytes.Equal(b, s.charter) {
		t.Errorf("it says %x", b)
	}
	key := s.manager.ReadKey(wire.CharterDigest(b))
	check(t, must[*Store](t)(Open(d, Options{Small: true, ReadKey: &key})).Close())
	if _, err := Charter(NewCrashable(1, nil)); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	check(t, d.Damage(charterFile, 0))
	if _, err := Charter(d); !errors.Is(err, ErrDamaged) {
		t.Errorf("of what is damaged: %v", err)
	}
	check(t, d.Damage(charterFile, 0))
	delete(d.names, charterFile)
	if _, err := Charter(d); !errors.Is(err, ErrDamaged) {
		t.Errorf("of what is missing: %v", err)
	}
	disks(t, func(t *testing.T, again func() Disk) {
		st := must[*Store](t)(Create(again(), s.charter, s.options()))
		check(t, st.Close())
		disk := again()
		if b := must[[]byte](t)(Charter(disk)); !bytes.Equal(b, s.charter) {
			t.Errorf("it says %x", b)
		}
		check(t, must[*Store](t)(Open(disk, s.options())).Close())
	})
}

func TestADamagedByteOfASealedStreamIsFound(t *testing.T) {
	s, d := closedStory(t)
	size := len(d.names[volumeName(0)].data)
	audited := 0
	for off := 0; off < size; off += 13 {
		check(t, d.Damage(volumeName(0), int64(off)))
		report, err := Audit(d, s.options(), nil)
		switch {
		case err != nil && !errors.Is(err, ErrDamaged):
			t.Fatalf("at %d: %v", off, err)
		case err == nil && report.OK():
			t.Fatalf("at %d: the audit finds nothing", off)
		case err == nil:
			audited++
		}
		check(t, d.Damage(volumeName(0), int64(off)))
	}
	if audited == 0 {
		t.Error("no audit got as far as a report")
	}
	report := must[*Report](t)(Audit(d, s.options(), nil))
	if !report.OK() {
		t.Errorf("the audit of what is mended found %v", report.Findings)
	}
}

// The first entry alone does not say that the key is wrong.
func TestADamagedFirstEntryIsDamageAndNoWrongKey(t *testing.T) {
	s, d := closedStory(t)
	first := int(s.batches[0].Start) + 60
	check(t, d.Damage(volumeName(0), int64(first)))
	report := must[*Report](t)(Audit(d, s.options(), nil))
	if report.OK() || !strings.Contains(report.Findings[0], wire.ErrOpen.Error()) {
		t.Errorf("the audit found %v", report.Findings)
	}
	st, err := Open(d, s.options())
	if err == nil {
		if _, err := st.Entry(1); !errors.Is(err, ErrDamaged) || !errors.Is(err, wire.ErrOpen) {
			t.Errorf("it reads: %v", err)
		}
		must[ledger.Decided](t)(st.Entry(2))
		check(t, st.Close())
	} else if !errors.Is(err, ErrDamaged) {
		t.Errorf("it opens: %v", err)
	}
}

func TestAPowerLossAtAnyWriteStepLeavesASealedCommitWholeOrNotAtAll(t *testing.T) {
	s, base := closedStory(t)
	s.pay(t, 3)
	next := s.batches[len(s.batches)-1:]
	before := next[0].Start
	for step := 1; ; step++ {
		d := base.Restart()
		st := must[*Store](t)(Open(d, s.options()))
		d.CrashAt(step)
		err := st.Commit(next)
		check(t, st.Close())
		if err == nil {
			if step < 4 {
				t.Errorf("only %d steps", step-1)
			}
			return
		}
		d = d.Restart()
		st = must[*Store](t)(Open(d, s.options()))
		switch st.State().Length {
		case before:
			check(t, st.Commit(next))
		case next[0].Length:
		default:
			t.Fatalf("step %d: the store is between two commits: %+v", step, st.State().Fixed)
		}
		clean(t, st)
		check(t, st.Close())
	}
}

func TestSweepsOfASealedStreamCutWhereItsBytesSay(t *testing.T) {
	if testing.Short() { // as with the race detector, which finds nothing in what runs on one thread
		t.Skip("long, on one thread")
	}
	s := sealedStory(t, 3)
	s.memo = strings.Repeat("m", wire.MemoBytesMax)
	for s.store.State().Volumes < 1 {
		s.pay(t, 1000)
	}
	s.pay(t, 3)
	st := must[*Store](t)(Create(NewCrashable(1, nil), s.charter, Options{ReadKey: s.key}))
	check(t, st.Commit(s.batches))
	volumesAre(t, st, s.charter, s.batches)
	clean(t, st)
	check(t, st.Close())
}

// Names and balances are in the index, which is not encrypted: doc of Options.
// What is published is.
func TestTheStreamOnTheDiskIsTheSealedOne(t *testing.T) {
	s, d := closedStory(t)
	data := d.names[volumeName(0)].data
	if bytes.Contains(data, []byte("member 1")) || !bytes.Contains(data, s.charter) {
		t.Error("a name is in the stream, or the charter is not")
	}
	if !bytes.Contains(data, s.batches[0].Frames) {
		t.Error("other bytes than the batch's were written")
	}
}
