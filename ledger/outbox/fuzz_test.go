package outbox

import (
	"bytes"
	"errors"
	"testing"

	"weir/ledger/wire"
)

func seedSnapshots(f *testing.F) {
	for _, sizes := range [][]int{nil, {100}, {900, 900, 900}, {100, 2000, 3000}} {
		s := NewSender(3, wire.Hash{1})
		for _, size := range sizes {
			n, _ := s.Next()
			if err := s.Add(message(n, size)); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(s.Snapshot().Encode())
		if _, _, _, err := s.Build(testKeys, wire.Checkpoint{}, newRandom(1)); err != nil {
			f.Fatal(err)
		}
		f.Add(s.Snapshot().Encode())
		if len(sizes) > 1 {
			if err := s.Acknowledge(4, s.chainAt(4)); err != nil {
				f.Fatal(err)
			}
			f.Add(s.Snapshot().Encode())
		}
	}
}

func FuzzParseSnapshot(f *testing.F) {
	seedSnapshots(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		snapshot, err := ParseSnapshot(b)
		if err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(snapshot.Encode(), b) {
			t.Fatal("it is written otherwise than it was read")
		}
		s, err := RestoreSender(snapshot)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.Build(testKeys, wire.Checkpoint{}, newRandom(1)); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzReceiver feeds a receiver windows and chunks that only their sender can
// have sealed: the plain bytes are the fuzzer's.
func FuzzReceiver(f *testing.F) {
	one := wire.AppendMessage(nil, message(1, 50))
	f.Add(uint64(1), uint16(1), uint16(0), one, []byte{}, []byte{}, uint64(0))
	f.Add(uint64(1), uint16(1), uint16(0), []byte{}, one, []byte{}, uint64(0))
	big := wire.AppendMessage(nil, message(1, 1500))
	f.Add(uint64(1), uint16(1), uint16(0), big[1500:], big[:900], big[900:1500], uint64(0))
	f.Add(uint64(5), uint16(2), uint16(9), []byte{}, big[:900], []byte("x"), uint64(5))
	f.Fuzz(func(t *testing.T, first uint64, count, skip uint16, inline, one, two []byte, last uint64) {
		w := wire.Window{First: first, Count: count, Skip: skip, Inline: inline}
		r := NewReceiver(testKeys)
		chunks := map[wire.Target][]byte{}
		for _, stream := range [][]byte{one, two} {
			v, err := wire.SealChunk(testKeys, [24]byte{}, stream)
			if err != nil {
				v = wire.String(stream)
			}
			w.Targets = append(w.Targets, wire.ImmutableTarget(v))
			chunks[w.Targets[len(w.Targets)-1]] = v
		}
		v, err := wire.SealWindow(testKeys, [24]byte{}, &w)
		if err != nil {
			v = inline
		}
		if r.Accept(v) != nil {
			return
		}
		for _, target := range r.Wanted(last, 2) {
			r.Chunk(target, chunks[target])
		}
		m, err := r.Messages(last, wire.Hash{})
		if err == nil && len(m) > int(count) {
			t.Fatalf("%d messages of a window of %d", len(m), count)
		}
		if len(r.Signed()) > int(count) {
			t.Fatal("more signed than counted")
		}
	})
}
