package ledger

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"weir/internal/sign"
	"weir/ledger/wire"
)

// credulous is the Verifier that believes everything, so that fuzzing gets
// past the signatures.
type credulous struct{}

func (credulous) Verify(items []sign.Item) []bool {
	return slices.Repeat([]bool{true}, len(items))
}

// FuzzReplay replays frames with a few bytes changed: an error that says that
// the frames are invalid, or batches that keep every rule, and no panic.
func FuzzReplay(f *testing.F) {
	w := busy(f)
	start := newBusyWorld(f)
	frames := w.stream[start.state.Length:]
	ends := frameEnds(f, frames)
	f.Add([]byte{}, []byte{})
	for i, end := range ends[:12] {
		f.Add([]byte{}, frames[:end])
		f.Add([]byte{0, byte(i), 1}, frames[:end])
	}
	f.Fuzz(func(t *testing.T, edits, frames []byte) {
		frames = slices.Clone(frames)
		for ; len(edits) >= 3 && len(frames) > 0; edits = edits[3:] {
			frames[int(binary.BigEndian.Uint16(edits))%len(frames)] ^= edits[2]
		}
		batches, err := start.state.Replay(frames, start.hashes, credulous{})
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		s, err := Load(testCharter(t), start.state.Fixed, start.state.Accounts())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			s.Adopt(b)
			if err := s.check(); err != nil {
				t.Fatal(err)
			}
		}
		if s.Length != start.state.Length+uint64(len(frames)) {
			t.Fatalf("%d bytes of %d were replayed", s.Length-start.state.Length, len(frames))
		}
	})
}

// FuzzApply merges changes made of fuzzed bytes, and replays what came out.
func FuzzApply(f *testing.F) {
	base := busy(f)
	for _, a := range []args{
		pay(1, 2, 5), pay(1, 99, 5), pay(1, 2, 1<<40), transferOf("memo", posting(1, -5), posting(2, 2), posting(3, 3)),
		admit(70, "Seventy", nil), admit(1, "One", &wire.Limits{Lower: -1, Upper: 1}), limitOf(2, -5, 5), suspend(2), resume(2),
		{kind: wire.KindSweep, b: wire.SweepArgs()}, {b: []byte("de")},
	} {
		f.Add(uint8(1), a.kind.String(), a.b, a.b, int64(0), uint64(1))
		f.Add(uint8(0), a.kind.String(), a.b, a.b, int64(created*2), uint64(0))
	}
	f.Fuzz(func(t *testing.T, signer uint8, kind string, one, other []byte, until int64, seen uint64) {
		w := *base
		w.TB = t
		state, err := Load(testCharter(t), base.state.Fixed, base.state.Accounts())
		if err != nil {
			t.Fatal(err)
		}
		reader, err := Load(testCharter(t), base.state.Fixed, base.state.Accounts())
		if err != nil {
			t.Fatal(err)
		}
		w.state, w.reader = state, reader
		w.state.cut, w.reader.cut = base.state.cut, base.state.cut
		w.hashes, w.stream = slices.Clip(w.hashes), slices.Clip(w.stream)
		w.now += refusalDelayMax

		account := uint64(signer) % 5
		var changes [][]byte
		for _, a := range [][]byte{one, other} {
			c := wire.Change{Name: kind, Args: a, Seen: w.seen(), Until: until}
			if seen%4 == 0 {
				c.Seen.Size = seen / 4 % (wire.IntMax + 1)
			}
			b, err := c.Encode()
			if err != nil {
				return
			}
			changes = append(changes, b)
		}
		w.merge(w.queue(account, changes...), w.queue(5, w.change(pay(5, 4, 1))))
	})
}
