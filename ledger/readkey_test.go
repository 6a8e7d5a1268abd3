package ledger

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

func TestAReadKeyIsThereIfAndOnlyIfTheDatabaseIsEncrypted(t *testing.T) {
	for name, c := range map[string]struct {
		charter, key *keys.ReadKey
		ok           bool
	}{
		"readable":                    {nil, nil, true},
		"encrypted":                   {testKey, testKey, true},
		"readable, and a key":         {nil, testKey, false},
		"encrypted, without a key":    {testKey, nil, false},
		"encrypted, a key of zeros":   {testKey, &keys.ReadKey{}, false},
		"readable, and a key of none": {nil, &keys.ReadKey{}, false},
	} {
		charter := testCharterOf(t, c.charter)
		s, b, err := Found(charter, c.key)
		if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrReadKey) {
			t.Errorf("%s: found: %v", name, err)
		}
		if err == nil {
			_, err = Load(charter, c.key, s.Fixed, s.Accounts())
		} else {
			_, err = Load(charter, c.key, Fixed{}, nil)
		}
		if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrReadKey) {
			t.Errorf("%s: loaded: %v", name, err)
		}
		if !c.ok {
			continue
		}
		// The founding frame is plain: it says whose the stream is.
		if f, _, err := wire.ParseFrame(b.Frames); err != nil || f.ReadKey != 0 || !bytes.Equal(f.Entry, charter) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if c.key != nil && (s.ReadKey == c.key || *s.ReadKey != *c.key) {
			t.Errorf("%s: the state has no key of its own", name)
		}
	}
}

func TestNothingOfAnEntryIsInTheStreamOfAnEncryptedDatabase(t *testing.T) {
	w := busy(t, testKey)
	readable := busy(t, nil)
	if w.state.Size < 30 {
		t.Fatalf("%d entries", w.state.Size)
	}
	founding := uint64(len(charterFrame(w.charter)))
	for i, p := range w.plain(w.stream[founding:], founding) {
		e, err := wire.ParseEntry(p.Entry)
		if err != nil {
			t.Fatal(err)
		}
		secrets := [][]byte{p.Entry[1:9], e.Chain[:16], e.Sig[:16], e.Body[:16], e.Effect, p.Body}
		for j, secret := range secrets {
			if len(secret) >= 8 && bytes.Contains(w.stream, secret) {
				t.Errorf("entry %d: secret %d is in the stream", i+1, j)
			}
		}
	}
	if bytes.Contains(w.stream, []byte("Member")) || !bytes.Contains(readable.stream, []byte("Member")) {
		t.Error("a name is in the sealed stream, or not in the plain one")
	}
	nonces := map[string]bool{}
	boxes := 0
	for rest := w.stream[founding:]; len(rest) > 0; {
		f, n, err := wire.ParseFrame(rest)
		if err != nil || f.ReadKey != wire.ReadKeyNumber || f.State == wire.BodyPlain {
			t.Fatalf("%+v, %v", f, err)
		}
		for _, box := range [][]byte{f.Entry, f.Body} {
			if len(box) > 0 {
				boxes++
				nonces[string(box[:24])] = true
			}
		}
		rest = rest[n:]
	}
	if len(nonces) != boxes {
		t.Errorf("%d nonces in %d boxes", len(nonces), boxes)
	}
}

// Everything but the stream itself is as in a readable database: what a batch
// says of its entries, and how long their frames are.
func TestOnlyTheFramesAreSealed(t *testing.T) {
	w := newWorldCut(t, testKey, 3, wire.VolumeBytes)
	b := w.merge(
		w.queue(1, w.change(pay(1, 2, 10))),
		w.queue(2, w.change(pay(2, 1, 5000))),
	)
	at := 0
	for _, d := range b.Entries {
		f, n, err := wire.ParseFrame(b.Frames[at:])
		if err != nil || d.Frame != n || d.Offset != b.Start+uint64(at) {
			t.Fatalf("entry %d: %d bytes at %d, %d at %d, %v", d.Index, d.Frame, d.Offset, n, at, err)
		}
		leaf := leafOf(t, d)
		want := 12 + len(leaf) + 40
		state := wire.BodyBlanked
		if d.Body != nil {
			want, state = want+len(d.Body.Encode())+40, wire.BodySealed
		}
		if n != want || f.State != state || f.ReadKey != wire.ReadKeyNumber {
			t.Errorf("entry %d: a frame of %d bytes, state %d; %d, %d are wanted", d.Index, n, f.State, want, state)
		}
		opened, err := w.state.OpenFrame(f, d.Offset)
		if err != nil || !bytes.Equal(opened.Entry, leaf) {
			t.Errorf("entry %d: %v", d.Index, err)
		}
		at += n
	}
}

func TestADatabaseIsEncryptedOrReadableAsAWhole(t *testing.T) {
	sealed, readable := lastBatch(t, testKey), lastBatch(t, nil)
	for i := range sealed.frames {
		// One plain frame among the sealed, and one sealed among the plain.
		var mixed, other []byte
		for j, f := range sealed.frames {
			if j == i {
				mixed = wire.AppendFrame(mixed, f)
			} else {
				mixed = sealed.seal(mixed, sealed.before.Length, f)
			}
		}
		for j, f := range readable.frames {
			if j == i {
				f, err := wire.SealFrame(f, readable.before.ID, readable.before.Length+uint64(len(other)), *testKey, &readable.salts)
				if err != nil {
					t.Fatal(err)
				}
				other = wire.AppendFrame(other, f)
			} else {
				other = wire.AppendFrame(other, f)
			}
		}
		if err := wantInvalid(t, sealed.before, mixed, sealed.hashes); errors.Is(err, wire.ErrOpen) {
			t.Errorf("plain frame %d: %v", i, err)
		}
		wantInvalid(t, readable.before, other, readable.hashes)
	}
}

func TestFramesUnderAnotherKeyOrElsewhereDoNotOpen(t *testing.T) {
	l := lastBatch(t, testKey)
	wrong := keys.ReadKey{8}
	stranger, err := Load(l.charter, &wrong, l.before.Fixed, l.before.Accounts())
	if err != nil {
		t.Fatal(err)
	}
	if err := wantInvalid(t, stranger, l.batch.Frames, l.hashes); !errors.Is(err, wire.ErrOpen) {
		t.Errorf("another key: %v", err)
	}
	// The same frames, sealed for a byte further on.
	var moved []byte
	for _, f := range l.frames {
		moved = l.seal(moved, l.before.Length+1, f)
	}
	if err := wantInvalid(t, l.before, moved, l.hashes); !errors.Is(err, wire.ErrOpen) {
		t.Errorf("elsewhere: %v", err)
	}
	// Sealed once more, with other nonces, they are the same log.
	var again []byte
	for _, f := range l.frames {
		again = l.seal(again, l.before.Length, f)
	}
	batches, err := l.before.Replay(again, l.hashes, sign.ZIP215{})
	if err != nil || bytes.Equal(again, l.batch.Frames) || batches[0].Root != l.batch.Root || batches[0].Fixed != l.batch.Fixed {
		t.Errorf("sealed again: %v", err)
	}
}

func TestAnyChangedByteOfASealedStreamIsFound(t *testing.T) {
	l := lastBatch(t, testKey)
	for at := range l.batch.Frames {
		err := wantInvalid(t, l.before, flip(l.batch.Frames, at), l.hashes)
		if errors.Is(err, ErrReadKey) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

func TestWithoutNoncesNothingIsMerged(t *testing.T) {
	w := newWorldCut(t, testKey, 2, wire.VolumeBytes)
	// Enough for the salt, then for the salt and one box.
	for _, n := range []int{0, 15, 16, 39, 40, 63} {
		b, err := w.state.Merge(MergeInput{
			Now: w.now + 1000, Queues: []Queue{w.queue(1, w.change(pay(1, 2, 1)))}, Hashes: w.hashes, Manager: w,
			Salts: bytes.NewReader(make([]byte, n)),
		})
		if err == nil {
			t.Errorf("%d random bytes: a batch of %d bytes", n, len(b.Frames))
		}
	}
	b, err := w.state.Merge(MergeInput{
		Now: w.now + 1000, Queues: []Queue{w.queue(1, w.change(pay(1, 2, 1)))}, Hashes: w.hashes, Manager: w,
		Salts: bytes.NewReader(make([]byte, 64)),
	})
	if err != nil || len(b.Entries) != 1 {
		t.Errorf("64 random bytes: %v", err)
	}
}

func TestWhatReplayGivesOfASealedStreamIsPlain(t *testing.T) {
	l := lastBatch(t, testKey)
	frames := slices.Clone(l.batch.Frames)
	batches, err := l.before.Replay(frames, l.hashes, sign.ZIP215{})
	if err != nil {
		t.Fatal(err)
	}
	sameBatch(t, batches[0], l.batch)
	for i := range frames {
		frames[i] = 0 // Entries do not alias it
	}
	for i, d := range batches[0].Entries {
		if !bytes.Equal(leafOf(t, d), leafOf(t, l.batch.Entries[i])) {
			t.Errorf("entry %d is in the frames", d.Index)
		}
	}
}
