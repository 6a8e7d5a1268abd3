package outbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"weir/ledger/wire"
)

// testKeys are keys of one direction; nothing here depends on how they came to be.
var testKeys = wire.OutboxKeys{Window: [32]byte{1}, Chunk: [32]byte{2}}

func newRandom(seed uint64) *rand.ChaCha8 {
	var b [32]byte
	binary.BigEndian.PutUint64(b[:], seed)
	return rand.NewChaCha8(b)
}

// message is one of a change of so many bytes, different for every number.
func message(number uint64, size int) wire.Message {
	b := bytes.Repeat([]byte{byte(number)}, size)
	binary.BigEndian.PutUint64(b[size-8:], number)
	return wire.Message{Change: b, Sig: wire.Signature{byte(number), byte(number >> 8)}}
}

func add(t testing.TB, s *Sender, sizes ...int) {
	t.Helper()
	for _, size := range sizes {
		n, _ := s.Next()
		if err := s.Add(message(n, size)); err != nil {
			t.Fatalf("number %d of %d bytes: %v", n, size, err)
		}
	}
}

func build(t testing.TB, s *Sender, random *rand.ChaCha8) ([]byte, []Chunk) {
	t.Helper()
	value, chunks, _, err := s.Build(testKeys, wire.Checkpoint{}, random)
	if err != nil {
		t.Fatal(err)
	}
	return value, chunks
}

// receive gives the messages after last as a receiver with all chunks reads them.
func receive(t testing.TB, value []byte, chunks []Chunk, last uint64, before wire.Hash) []wire.Message {
	t.Helper()
	r := NewReceiver(testKeys)
	if err := r.Accept(value); err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		if err := r.Chunk(c.Target, c.Value); err != nil {
			t.Fatal(err)
		}
	}
	m, err := r.Messages(last, before)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func equal(a, b []wire.Message) bool {
	return slices.EqualFunc(a, b, func(x, y wire.Message) bool { return bytes.Equal(x.Change, y.Change) && x.Sig == y.Sig })
}

func TestEveryFillLevelFitsItsItems(t *testing.T) {
	for _, size := range []int{8, 120, 333, 900, 2000, wire.ChangeBytesMax} {
		t.Run(fmt.Sprintf("changes of %d bytes", size), func(t *testing.T) {
			s, random := NewSender(0, wire.Hash{}), newRandom(1)
			for {
				n, _ := s.Next()
				err := s.Add(message(n, size))
				if errors.Is(err, ErrFull) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				value, chunks := build(t, s, random)
				if len(value) > wire.ItemBytesMax {
					t.Fatalf("%d changes make an item of %d bytes", n, len(value))
				}
				for i, c := range chunks {
					if len(c.Value) > wire.ItemBytesMax || c.Length > wire.ChunkBytes || i < len(chunks)-1 && c.Length != wire.ChunkBytes {
						t.Fatalf("chunk %d of %d has %d bytes, sealed %d", i, len(chunks), c.Length, len(c.Value))
					}
				}
				if got := receive(t, value, chunks, 0, wire.Hash{}); !equal(got, s.Waiting()) {
					t.Fatalf("%d messages came of %d", len(got), n)
				}
			}
			if waiting := s.waiting; waiting < wire.WindowTargetsMax*wire.ChunkBytes-wire.ChangeBytesMax {
				t.Fatalf("it was full with %d bytes", waiting)
			}
		})
	}
}

func TestWhatFitsInlineHasNoChunks(t *testing.T) {
	s := NewSender(0, wire.Hash{})
	add(t, s, wire.InlineRoom(0)-66)
	if _, chunks := build(t, s, newRandom(1)); len(chunks) != 0 {
		t.Fatalf("%d chunks", len(chunks))
	}
	add(t, s, 8)
	if _, chunks := build(t, s, newRandom(2)); len(chunks) != 1 {
		t.Fatalf("%d chunks", len(chunks))
	}
}

func TestAFullChunkKeepsItsTargetUntilItsLastMessageIsAcknowledged(t *testing.T) {
	s, random := NewSender(0, wire.Hash{}), newRandom(1)
	add(t, s, 500, 500, 500)
	_, first := build(t, s, random)
	add(t, s, 500, 500)
	_, second := build(t, s, random)
	if first[0].Target != second[0].Target {
		t.Fatal("the first chunk was sealed again")
	}
	if err := s.Acknowledge(1, s.chainAt(1)); err != nil {
		t.Fatal(err)
	}
	if _, third := build(t, s, random); third[0].Target != first[0].Target {
		t.Fatal("the chunk was dropped though its second message waits")
	}
	if err := s.Acknowledge(2, s.chainAt(2)); err != nil {
		t.Fatal(err)
	}
	if _, fourth := build(t, s, random); fourth[0].Target == first[0].Target {
		t.Fatal("the chunk was kept though nothing in it waits")
	}
}

func TestAFullChunkIsKeptWhenWhatWaitsWouldFitInline(t *testing.T) {
	s, random := NewSender(0, wire.Hash{}), newRandom(1)
	add(t, s, 500, 500)
	old, first := build(t, s, random)
	if err := s.Acknowledge(1, s.chainAt(1)); err != nil {
		t.Fatal(err)
	}
	value, kept := build(t, s, random)
	if len(kept) == 0 || kept[0].Target != first[0].Target {
		t.Fatal("the chunk was dropped though a message in it waits: who has the old window cannot read it any more")
	}
	for _, v := range [][]byte{old, value} {
		if got := receive(t, v, kept, 1, s.chainAt(1)); len(got) != 1 {
			t.Fatalf("%d messages", len(got))
		}
	}
	restored, err := RestoreSender(s.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := restored.Acknowledge(2, s.chainAt(2)); err != nil {
		t.Fatal(err)
	}
	if _, chunks := build(t, restored, random); len(chunks) != 0 {
		t.Fatal("the chunk was kept though nothing in it waits")
	}
}

func TestAReceiverHoldsTheChunksOfWhatIsNotInTheLogYet(t *testing.T) {
	s, random := NewSender(0, wire.Hash{}), newRandom(1)
	add(t, s, 700, 700, 700)
	value, chunks := build(t, s, random)
	r := NewReceiver(testKeys)
	if err := r.Accept(value); err != nil {
		t.Fatal(err)
	}
	for i := range chunks {
		if got := r.Held(0); len(got) != i {
			t.Fatalf("%d chunks are held of %d", len(got), i)
		}
		if err := r.Chunk(chunks[i].Target, chunks[i].Value); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range r.Held(2) {
		if !bytes.Equal(v, chunks[i].Value) {
			t.Errorf("chunk %d is held as other bytes", i)
		}
	}
	if got := r.Held(3); len(got) != 0 || len(r.chunks) != 0 {
		t.Fatalf("%d chunks are held of messages that are in the log", len(r.chunks))
	}
}

func TestBuildingAgainChangesNothingButTheNonce(t *testing.T) {
	s, random := NewSender(0, wire.Hash{}), newRandom(1)
	add(t, s, 700, 700, 700)
	_, one, dirty, _ := s.Build(testKeys, wire.Checkpoint{}, random)
	if !dirty {
		t.Fatal("sealing chunks is a change")
	}
	_, two, dirty, _ := s.Build(testKeys, wire.Checkpoint{}, random)
	if dirty || !slices.EqualFunc(one, two, func(a, b Chunk) bool { return a.Target == b.Target }) {
		t.Fatal("nothing was added, and it changed")
	}
}

func TestOnlyTheNewestNumberNeverHandedOverIsCancelled(t *testing.T) {
	s := NewSender(0, wire.Hash{})
	add(t, s, 50)
	build(t, s, newRandom(1))
	_, chain := s.Next()
	add(t, s, 50, 50)
	if err := s.Cancel(1); !errors.Is(err, ErrHanded) {
		t.Fatalf("cancel what was handed over: %v", err)
	}
	if err := s.Cancel(2); !errors.Is(err, ErrNotNewest) {
		t.Fatalf("cancel what another builds on: %v", err)
	}
	for _, n := range []uint64{0, 4} {
		if err := s.Cancel(n); err == nil {
			t.Fatalf("number %d was cancelled", n)
		}
	}
	for _, n := range []uint64{3, 2} {
		if err := s.Cancel(n); err != nil {
			t.Fatal(err)
		}
	}
	if n, h := s.Next(); n != 2 || h != chain {
		t.Fatalf("next is %d with %s", n, h)
	}
}

func TestAForeignAcknowledgementIsAnErrorAndDropsNothing(t *testing.T) {
	s := NewSender(4, wire.Hash{4})
	add(t, s, 50, 50)
	for name, ack := range map[string]struct {
		number uint64
		h      wire.Hash
	}{
		"a number that was not made": {7, wire.Hash{}},
		"another change":             {5, wire.Hash{9}},
		"another history":            {4, wire.Hash{9}},
	} {
		if err := s.Acknowledge(ack.number, ack.h); !errors.Is(err, ErrForeign) || len(s.Waiting()) != 2 {
			t.Errorf("%s: %v, %d wait", name, err, len(s.Waiting()))
		}
	}
	if err := s.Acknowledge(3, wire.Hash{9}); err != nil {
		t.Errorf("an old acknowledgement: %v", err)
	}
}

func TestABrokenSourceOfRandomChangesNothing(t *testing.T) {
	s := NewSender(0, wire.Hash{})
	add(t, s, 700, 700, 700)
	before := s.Snapshot().Encode()
	for n := range 3 * 24 {
		if _, _, _, err := s.Build(testKeys, wire.Checkpoint{}, bytes.NewReader(make([]byte, n))); err == nil {
			t.Fatalf("%d random bytes were enough", n)
		}
		if !bytes.Equal(before, s.Snapshot().Encode()) {
			t.Fatalf("after %d random bytes it changed", n)
		}
	}
}

func TestAWindowThatDoesNotContinueTheLogSaysBothChains(t *testing.T) {
	s := NewSender(2, wire.Hash{2})
	add(t, s, 50, 50)
	value, _ := build(t, s, newRandom(1))
	r := NewReceiver(testKeys)
	if err := r.Accept(value); err != nil {
		t.Fatal(err)
	}
	var chain *ChainError
	if _, err := r.Messages(2, wire.Hash{3}); !errors.As(err, &chain) || *chain != (ChainError{2, wire.Hash{2}, wire.Hash{3}}) || !errors.Is(err, ErrChain) {
		t.Errorf("at its beginning: %v", err)
	}
	if _, err := r.Messages(3, wire.Hash{3}); !errors.As(err, &chain) || chain.Number != 3 || chain.Window != s.chainAt(3) {
		t.Errorf("within it: %v", err)
	}
	if _, err := r.Messages(1, wire.Hash{}); !errors.Is(err, ErrGap) {
		t.Errorf("before it: %v", err)
	}
	if m, err := r.Messages(9, wire.Hash{}); err != nil || m != nil {
		t.Errorf("behind it: %v, %v", m, err)
	}
	if m, err := r.Messages(3, s.chainAt(3)); err != nil || len(m) != 1 {
		t.Errorf("continued: %v, %v", m, err)
	}
	signed := r.Signed()
	if len(signed) != 2 || signed[1].Number != 4 || signed[1].Chain != s.chainAt(4) || signed[1].Sig[0] != 4 {
		t.Errorf("signed: %v", signed)
	}
}

// sealed is a window as only a hostile sender makes it.
func sealed(t *testing.T, w wire.Window) []byte {
	t.Helper()
	v, err := wire.SealWindow(testKeys, [24]byte{}, &w)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAMalformedStreamGivesThePrefixAndTheReason(t *testing.T) {
	chunk := func(stream []byte) Chunk {
		c, err := sealChunk(testKeys, stream, newRandom(7))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one := wire.AppendMessage(nil, message(1, 50))
	big := wire.AppendMessage(nil, message(2, 2000))
	whole := append(bytes.Clone(one), big...)
	junk := wire.String(bytes.Repeat([]byte{7}, 300))
	other := Chunk{Target: wire.ImmutableTarget(junk), Value: junk}
	for name, c := range map[string]struct {
		window wire.Window
		chunks []Chunk
		want   int
	}{
		"bytes after the last message":    {wire.Window{First: 1, Count: 1, Inline: append(bytes.Clone(one), 0)}, nil, 1},
		"fewer messages than it says":     {wire.Window{First: 1, Count: 2, Inline: wire.AppendMessage(nil, message(1, 200))}, nil, 1},
		"a message cut off":               {wire.Window{First: 1, Count: 1, Inline: big[:400]}, nil, 0},
		"a short chunk before the last":   {wire.Window{First: 1, Count: 2, Inline: whole[1000:1400]}, []Chunk{chunk(whole[:100]), chunk(whole[100:1000])}, 0},
		"a chunk that does not open":      {wire.Window{First: 1, Count: 2}, []Chunk{chunk(whole[:900]), other}, 1},
		"more to skip than there is":      {wire.Window{First: 1, Count: 1, Skip: 800}, []Chunk{chunk(whole[:700])}, 0},
		"a chunk of acknowledged numbers": {wire.Window{First: 1, Count: 1, Skip: 116}, []Chunk{chunk(one)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, k := range c.chunks {
				c.window.Targets = append(c.window.Targets, k.Target)
			}
			r := NewReceiver(testKeys)
			if err := r.Accept(sealed(t, c.window)); err != nil {
				t.Fatal(err)
			}
			for _, k := range c.chunks {
				r.Chunk(k.Target, k.Value)
			}
			m, err := r.Messages(0, wire.Hash{})
			if !errors.Is(err, ErrStream) || len(m) != c.want {
				t.Errorf("%d messages of %d, %v", len(m), c.want, err)
			}
			if w := r.Wanted(0, 32); len(w) != 0 {
				t.Errorf("it still wants %d chunks", len(w))
			}
		})
	}
}

func TestAReceiverKeepsOnlyChunksThatTheWindowNames(t *testing.T) {
	s, random := NewSender(0, wire.Hash{}), newRandom(1)
	add(t, s, 3000)
	value, chunks := build(t, s, random)
	r := NewReceiver(testKeys)
	if err := r.Accept(value); err != nil {
		t.Fatal(err)
	}
	if got := r.Wanted(0, 2); len(got) != 2 || got[0] != chunks[0].Target || got[1] != chunks[1].Target {
		t.Fatalf("it wants %v", got)
	}
	stranger, err := sealChunk(testKeys, []byte("x"), random)
	if err != nil {
		t.Fatal(err)
	}
	r.Chunk(stranger.Target, stranger.Value)
	if len(r.chunks) != 0 {
		t.Fatal("it kept a chunk that nobody named")
	}
	if err := r.Chunk(chunks[0].Target, chunks[1].Value); err == nil || len(r.chunks) != 0 {
		t.Fatalf("it took one chunk for another: %v", err)
	}
	for _, c := range chunks {
		if err := r.Chunk(c.Target, c.Value); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.Wanted(0, 32); len(got) != 0 {
		t.Fatalf("it still wants %v", got)
	}
	if err := s.Acknowledge(1, s.chainAt(1)); err != nil {
		t.Fatal(err)
	}
	add(t, s, 10)
	if value, _ = build(t, s, random); r.Accept(value) != nil || len(r.chunks) != 0 {
		t.Fatalf("%d chunks are left", len(r.chunks))
	}
	if err := r.Accept([]byte("4:rubb")); err == nil {
		t.Fatal("rubbish was accepted")
	}
	if m, err := r.Messages(1, s.chainAt(1)); err != nil || len(m) != 1 {
		t.Fatalf("after rubbish: %v, %v", m, err)
	}
}

// TestNothingIsLostAndNothingComesTwice runs a sender with restarts and a
// receiver that loses chunks against a model: the list of what was added.
func TestNothingIsLostAndNothingComesTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := newRandom(rapid.Uint64().Draw(t, "seed"))
		var all, taken []wire.Message // model: added, and in the log
		h := wire.Hash{}              // chain of taken
		s, r := NewSender(0, h), NewReceiver(testKeys)
		held := map[wire.Target][]byte{} // chunks that are out
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n, _ := s.Next()
				m := message(n, rapid.IntRange(8, 3000).Draw(t, "size"))
				switch err := s.Add(m); {
				case err == nil:
					all = append(all, m)
				case !errors.Is(err, ErrFull):
					t.Fatal(err)
				}
			},
			"cancel": func(t *rapid.T) {
				if s.Cancel(uint64(len(all))) == nil {
					all = all[:len(all)-1]
				}
			},
			"publish": func(t *rapid.T) {
				value, chunks, _, err := s.Build(testKeys, wire.Checkpoint{}, random)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range chunks {
					if rapid.Float64().Draw(t, "luck") < 0.7 {
						held[c.Target] = c.Value
					}
				}
				if err := r.Accept(value); err != nil {
					t.Fatal(err)
				}
			},
			"merge": func(t *rapid.T) {
				for _, target := range r.Wanted(uint64(len(taken)), 4) {
					if v, ok := held[target]; ok {
						if err := r.Chunk(target, v); err != nil {
							t.Fatal(err)
						}
					}
				}
				got, err := r.Messages(uint64(len(taken)), h)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) > 0 {
					got = got[:rapid.IntRange(0, len(got)).Draw(t, "quota")]
				}
				for _, m := range got {
					taken, h = append(taken, m), wire.ChainNext(h, m.Change)
				}
			},
			"acknowledge": func(t *rapid.T) {
				if err := s.Acknowledge(uint64(len(taken)), h); err != nil {
					t.Fatal(err)
				}
			},
			"restart the sender": func(t *rapid.T) {
				snapshot, err := ParseSnapshot(s.Snapshot().Encode())
				if err != nil {
					t.Fatal(err)
				}
				if s, err = RestoreSender(snapshot); err != nil {
					t.Fatal(err)
				}
			},
			"restart the receiver": func(*rapid.T) { r = NewReceiver(testKeys) },
			"": func(t *rapid.T) {
				if len(taken) > len(all) || !equal(taken, all[:len(taken)]) {
					t.Fatal("the log is not what was added, in order")
				}
				if w := s.Waiting(); !equal(w, all[len(all)-len(w):]) || len(w) < len(all)-len(taken) {
					t.Fatal("the sender lost a message")
				}
			},
		})
		// In the end everything comes through.
		for range 40 {
			value, chunks, _, err := s.Build(testKeys, wire.Checkpoint{}, random)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Accept(value); err != nil {
				t.Fatal(err)
			}
			for _, c := range chunks {
				r.Chunk(c.Target, c.Value)
			}
			got, err := r.Messages(uint64(len(taken)), h)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range got {
				taken, h = append(taken, m), wire.ChainNext(h, m.Change)
			}
			if err := s.Acknowledge(uint64(len(taken)), h); err != nil {
				t.Fatal(err)
			}
		}
		if !equal(taken, all) {
			t.Fatalf("%d of %d came through", len(taken), len(all))
		}
	})
}

func BenchmarkBuild(b *testing.B) {
	s, random := NewSender(0, wire.Hash{}), newRandom(1)
	for n := uint64(1); s.Add(message(n, 200)) == nil; n++ {
	}
	if _, _, _, err := s.Build(testKeys, wire.Checkpoint{}, random); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := s.Build(testKeys, wire.Checkpoint{}, random); err != nil {
			b.Fatal(err)
		}
	}
}
