package ledger

import (
	"slices"
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// sweeps gives the stream offsets of a batch's sweeps.
func sweeps(b *Batch) []uint64 {
	var at []uint64
	for _, d := range b.Entries {
		if d.Entry.Kind == wire.KindSweep && d.Entry.Verdict == wire.Applied {
			at = append(at, d.Offset)
		}
	}
	return at
}

func TestASweepBeginsAVolumeAsSoonAsTheTailIsFull(t *testing.T) { both(t, sweepsWhenFull) }

func sweepsWhenFull(t *testing.T, key *keys.ReadKey) {
	const cut = 2000
	w := newWorldCut(t, key, 3, cut)
	volume, volumes := w.state.Volume, w.state.Volumes
	for range 6 {
		b := w.merge(
			w.queue(1, w.change(pay(1, 2, 1)), w.change(pay(1, 2, 1))),
			w.queue(2, w.change(pay(2, 1, 1)), w.change(pay(2, 1, 1))),
			w.queue(3, w.change(pay(3, 1, 0x7fff))), // refused
		)
		for i, d := range b.Entries {
			full := d.Offset-volume > cut
			sweep := d.Entry.Kind == wire.KindSweep
			if full != sweep {
				t.Fatalf("entry %d at %d in a volume from %d: sweep %v", d.Index, d.Offset, volume, sweep)
			}
			if !sweep {
				continue
			}
			volume, volumes = d.Offset, volumes+1
			if d.Entry.Account != 0 || d.Entry.Time != b.Time || d.Entry.Verdict != wire.Applied || d.Body == nil {
				t.Errorf("sweep %+v", b.Entries[i])
			}
			change, err := wire.ParseChange(d.Body.Change)
			if err != nil || change.Seen.Size >= b.Entries[0].Index+1 {
				t.Errorf("the sweep saw %d, %v", change.Seen.Size, err)
			}
		}
		if w.state.Volume != volume || w.state.Volumes != volumes {
			t.Fatalf("volume %d at %d, not %d at %d", w.state.Volumes, w.state.Volume, volumes, volume)
		}
	}
	if volumes < 3 {
		t.Errorf("only %d volumes: the test shows too little", volumes)
	}
}

func TestASweepComesBetweenTwoActsOfAccountZero(t *testing.T) {
	w := newWorldCut(t, nil, 3, 1500)
	var acts [][]byte
	for range 20 {
		acts = append(acts, w.change(suspend(1)), w.change(resume(1)))
	}
	b := w.merge(w.queue(0, acts...))
	if got := len(sweeps(b)); got < 3 || len(b.Entries) != len(acts)+got {
		t.Errorf("%d sweeps in %d entries of %d acts", got, len(b.Entries), len(acts))
	}
	a, _ := w.state.Account(1)
	if a.Suspended {
		t.Error("the acts were not done in order")
	}
}

func TestSweepsDoNotCountAgainstTheSizeOfABatch(t *testing.T) {
	w := newWorldCut(t, nil, 3, 1000)
	w.now += 1000
	b, err := w.tryMax(10, w.queue(0, slices.Repeat([][]byte{w.change(suspend(1))}, 20)...))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(b.Entries) - len(sweeps(b)); got != 10 || len(sweeps(b)) == 0 {
		t.Errorf("%d entries beside %d sweeps", got, len(sweeps(b)))
	}
	w.adopt(b)
}

func TestAMissingSweepIsAnError(t *testing.T) {
	w := newWorld(t, 3)
	w.reader.cut = w.state.Length + 300 // the manager's is larger
	b, err := w.try(w.queue(1, w.change(pay(1, 2, 1)), w.change(pay(1, 2, 1)), w.change(pay(1, 2, 1))))
	if err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, w.reader, b.Frames, w.hashes)

	w.reader.cut = uint64(len(w.stream)+len(b.Frames)) - 1 // full with the last frame
	if _, err := w.reader.Replay(b.Frames, w.hashes, sign.ZIP215{}); err != nil {
		t.Fatalf("frames that end before a sweep: %v", err)
	}
	reader := w.reader
	w.reader = w.state
	defer func() { w.reader = reader }()
	w.state.Adopt(b)
	w.hashes = append(w.hashes, b.Hashes...)
	next, err := w.try(w.queue(1, w.change(pay(1, 2, 1))))
	if err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, reader, append(slices.Clone(b.Frames), next.Frames...), w.hashes[:len(w.hashes)-len(b.Hashes)])
}

func TestASuperfluousSweepIsAnError(t *testing.T) {
	w := newWorld(t, 3)
	w.state.cut = w.state.Length + 300 // the reader's is larger
	b, err := w.try(w.queue(1, w.change(pay(1, 2, 1)), w.change(pay(1, 2, 1)), w.change(pay(1, 2, 1))))
	if err != nil || len(sweeps(b)) == 0 {
		t.Fatalf("%d sweeps, %v", len(sweeps(b)), err)
	}
	wantInvalid(t, w.reader, b.Frames, w.hashes)
}

func TestMergeDoesNotGoOnInTheMiddleOfABatchThatOwesASweep(t *testing.T) {
	w := newWorld(t, 3)
	w.state.cut = w.state.Length - 1
	if _, err := w.try(w.queue(1, w.change(pay(1, 2, 1)))); err == nil {
		t.Error("merged")
	}
}
