package simnet

import (
	"encoding/binary"
	"testing"
	"time"
)

func TestEventsHappenInOrderOfTimeAndThenOfTheirMaking(t *testing.T) {
	w := NewWorld(1)
	draw := w.Stream("test")
	type made struct {
		at  time.Duration
		seq int
	}
	var got []made
	for i := range 5000 {
		at := time.Duration(draw.IntN(50)) * time.Millisecond
		w.After(at, func() {
			if w.Elapsed() != at {
				t.Fatalf("due at %v, happened at %v", at, w.Elapsed())
			}
			got = append(got, made{at, i})
		})
	}
	w.Run(time.Second)
	if len(got) != 5000 {
		t.Fatalf("%d of 5000 events happened", len(got))
	}
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		if a.at > b.at || a.at == b.at && a.seq > b.seq {
			t.Fatalf("%v came before %v", a, b)
		}
	}
}

func TestAStoppedTimerDoesNotFireAndStopsNoOther(t *testing.T) {
	w := NewWorld(1)
	fired := 0
	first := w.After(time.Second, func() { fired++ })
	first.Stop()
	w.Run(2 * time.Second)
	if fired != 0 {
		t.Fatal("a stopped timer fired")
	}
	w.After(time.Second, func() { fired++ }) // takes the slot of the first
	first.Stop()
	Timer{}.Stop()
	w.Run(2 * time.Second)
	if fired != 1 {
		t.Fatal("an old timer stopped a new one")
	}
}

func TestRunEndsWhenItShouldAndRunUntilLooksAfterEveryEvent(t *testing.T) {
	w := NewWorld(1)
	n := 0
	var again func()
	again = func() { n++; w.After(time.Second, again) }
	w.After(0, again)
	w.Run(10 * time.Second)
	if n != 11 || w.Elapsed() != 10*time.Second {
		t.Fatalf("%d events in %v", n, w.Elapsed())
	}
	if !w.RunUntil(time.Minute, func() bool { return n == 20 }) || n != 20 {
		t.Fatalf("stopped at %d", n)
	}
	if w.RunUntil(5*time.Second, func() bool { return n == 100 }) {
		t.Fatal("100 events in 5 s")
	}
	if w.Elapsed() != 24*time.Second {
		t.Fatalf("the clock stands at %v", w.Elapsed())
	}
}

func TestStreamsOfDifferentPurposesDoNotShiftEachOther(t *testing.T) {
	a, b := NewWorld(7), NewWorld(7)
	b.Stream("another").Uint64()
	if a.Stream("one").Uint64() != b.Stream("one").Uint64() {
		t.Fatal("a new consumer shifted another's numbers")
	}
	if a.Stream("one").Uint64() == a.Stream("one").Uint64() {
		t.Fatal("a stream asked for again repeats itself")
	}
	if NewWorld(8).Stream("one").Uint64() == NewWorld(7).Stream("one").Uint64() {
		t.Fatal("two seeds give one stream")
	}
}

func TestTheTraceTellsRunsApart(t *testing.T) {
	seen := map[trace]string{}
	add := func(name string, f func(h *trace)) {
		var h trace
		f(&h)
		if other, dup := seen[h]; dup {
			t.Fatalf("%s and %s have one hash", name, other)
		}
		seen[h] = name
	}
	add("nothing", func(*trace) {})
	add("no bytes", func(h *trace) { h.bytes(nil) })
	add("no bytes twice", func(h *trace) { h.bytes(nil); h.bytes(nil) })
	add("a, b", func(h *trace) { h.bytes([]byte("a")); h.bytes([]byte("b")) })
	add("b, a", func(h *trace) { h.bytes([]byte("b")); h.bytes([]byte("a")) })
	add("ab", func(h *trace) { h.bytes([]byte("ab")) })
	for i := range uint64(64) {
		add("bit", func(h *trace) { h.word(1 << i) })
		add("bit of a later word", func(h *trace) { h.word(1); h.word(1 << i) })
		add("bit of bytes", func(h *trace) { h.bytes(binary.LittleEndian.AppendUint64(nil, 1<<i)) })
		add("bit of later bytes", func(h *trace) { h.bytes(binary.LittleEndian.AppendUint64(make([]byte, 8), 1<<i)) })
	}
}
