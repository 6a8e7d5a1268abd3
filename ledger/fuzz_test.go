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
	w := busy(f, nil)
	start := newBusyWorld(f, nil)
	frames := w.stream[start.state.Length:]
	ends := frameEnds(f, frames)
	f.Add([]byte{}, []byte{})
	for i, end := range ends[:12] {
		f.Add([]byte{}, frames[:end])
		f.Add([]byte{0, byte(i), 1}, frames[:end])
	}
	f.Fuzz(func(t *testing.T, edits, frames []byte) {
		start.replaysOrNot(t, edited(frames, edits))
	})
}

// replaysOrNot replays frames that may be anything.
func (w *world) replaysOrNot(t *testing.T, frames []byte) {
	batches, err := w.state.Replay(frames, w.hashes, credulous{})
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
		return
	}
	s := w.load(t, w.state.Fixed, w.state.Accounts())
	for _, b := range batches {
		s.Adopt(b)
		if err := s.check(); err != nil {
			t.Fatal(err)
		}
	}
	if s.Length != w.state.Length+uint64(len(frames)) {
		t.Fatalf("%d bytes of %d were replayed", s.Length-w.state.Length, len(frames))
	}
}

// FuzzReplaySealed is FuzzReplay in an encrypted database: frames that the
// fuzzer, which cannot seal, changes before they are sealed, and then once more.
func FuzzReplaySealed(f *testing.F) {
	w := busy(f, testKey)
	start := newBusyWorld(f, testKey)
	base := start.state.Length
	var plain []byte
	for i, p := range w.plain(w.stream[base:], base) {
		if i == 12 {
			break
		}
		plain = wire.AppendFrame(plain, p)
		f.Add([]byte{}, []byte{}, plain)
		f.Add([]byte{0, byte(i), 1}, []byte{}, plain)
		f.Add([]byte{}, []byte{0, byte(20 * i), 1}, plain)
	}
	f.Fuzz(func(t *testing.T, inside, outside, plain []byte) {
		w := *start
		w.TB = t
		plain = edited(plain, inside)
		var frames []byte
		for len(plain) > 0 {
			p, n, err := wire.ParseFrame(plain)
			if err != nil {
				break
			}
			if p.ReadKey == 0 {
				frames = w.seal(frames, base, p)
			} else {
				frames = wire.AppendFrame(frames, p) // sealed by the fuzzer, which has no key
			}
			plain = plain[n:]
		}
		w.replaysOrNot(t, edited(append(frames, plain...), outside))
	})
}

// edited is bytes with some changed: place u16 and mask, each.
func edited(b, edits []byte) []byte {
	b = slices.Clone(b)
	for ; len(edits) >= 3 && len(b) > 0; edits = edits[3:] {
		b[int(binary.BigEndian.Uint16(edits))%len(b)] ^= edits[2]
	}
	return b
}

// FuzzApply merges changes made of fuzzed bytes, and replays what came out.
func FuzzApply(f *testing.F) {
	bases := []*world{busy(f, nil), busy(f, testKey)}
	for _, a := range []args{
		pay(1, 2, 5), pay(1, 99, 5), pay(1, 2, 1<<40), transferOf("memo", posting(1, -5), posting(2, 2), posting(3, 3)),
		admit(70, "Seventy", nil), admit(1, "One", &wire.Limits{Lower: -1, Upper: 1}), limitOf(2, -5, 5), suspend(2), resume(2),
		renameTo(2, "Two"), renameTo(5, memberName(2)), rekeyTo(2, identity(71).Public()), rekeyTo(5, identity(72).Public()),
		{kind: wire.KindSweep, b: wire.SweepArgs()}, bases[0].succeed(700, nil, func(s *wire.Succeed) { s.Sig[3] ^= 1 }), {b: []byte("de")},
	} {
		f.Add(uint8(1), a.kind.String(), a.b, a.b, int64(0), uint64(1))
		f.Add(uint8(0), a.kind.String(), a.b, a.b, int64(created*2), uint64(0))
	}
	f.Fuzz(func(t *testing.T, signer uint8, kind string, one, other []byte, until int64, seen uint64) {
		base := bases[seen%2]
		w := *base
		w.TB = t
		w.state = base.load(t, base.state.Fixed, base.state.Accounts())
		w.reader = base.load(t, base.state.Fixed, base.state.Accounts())
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
