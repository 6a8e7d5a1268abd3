package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestAChangeIsRefusedWhenAFieldIsOutsideItsLimits(t *testing.T) {
	good := Change{Name: "transfer", Args: []byte("de"), Seen: Seen{Size: 1}}
	for name, spoil := range map[string]func(c *Change){
		"no kind":             func(c *Change) { c.Name = "" },
		"kind too long":       func(c *Change) { c.Name = strings.Repeat("k", KindNameBytesMax+1) },
		"kind in upper case":  func(c *Change) { c.Name = "Transfer" },
		"kind with a digit":   func(c *Change) { c.Name = "v2" },
		"no arguments":        func(c *Change) { c.Args = nil },
		"arguments a list":    func(c *Change) { c.Args = []byte("le") },
		"arguments too deep":  func(c *Change) { c.Args = []byte("d1:allllleeeee") },
		"arguments unsorted":  func(c *Change) { c.Args = []byte("d1:bi1e1:ai1ee") },
		"arguments and more":  func(c *Change) { c.Args = []byte("dei1e") },
		"arguments too long":  func(c *Change) { c.Args = dictOf([]field{{"m", String(make([]byte, ArgsBytesMax))}}) },
		"seen too large":      func(c *Change) { c.Seen.Size = IntMax + 1 },
		"seen without a size": func(c *Change) { c.Seen = Seen{Root: [16]byte{1}} },
		"until negative":      func(c *Change) { c.Until = -1 },
		"until too large":     func(c *Change) { c.Until = IntMax + 1 },
	} {
		c := good
		spoil(&c)
		if _, err := c.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
		if _, err := ParseChange(c.bytes()); err == nil {
			t.Errorf("%s: it decodes", name)
		}
	}
}

func TestAChangeOfAnUnknownKindDecodesForItsVerdict(t *testing.T) {
	for name, want := range map[string]Kind{"reverse": KindUnknown, "unknown": KindUnknown, "transfer": KindTransfer, "sweep": KindSweep} {
		c := &Change{Name: name, Args: []byte("d1:zi1ee"), Seen: Seen{Size: 1}}
		back, err := ParseChange(must[[]byte](t)(c.Encode()))
		if err != nil || back.Kind() != want {
			t.Errorf("%s: %v, %v", name, back, err)
		}
	}
}

func TestArgumentsAreRefusedWhenAFieldIsOutsideItsLimits(t *testing.T) {
	admit := Admit{Key: bob.Public(), Seal: bob.SealPublic(), Name: "Bob"}
	for name, a := range map[string]arguments{
		"one posting":        Transfer{Postings: make([]Posting, 1)},
		"65 postings":        Transfer{Postings: make([]Posting, 65)},
		"account too large":  Transfer{Postings: []Posting{{IntMax + 1, 1}, {2, -1}}},
		"amount too large":   Transfer{Postings: []Posting{{1, IntMax + 1}, {2, -1}}},
		"amount too low":     Transfer{Postings: []Posting{{1, 1}, {2, -IntMax - 1}}},
		"memo too long":      Transfer{Postings: make([]Posting, 2), Memo: strings.Repeat("m", 257)},
		"memo of two lines":  Transfer{Postings: make([]Posting, 2), Memo: "a\nb"},
		"no key":             Admit{Seal: admit.Seal, Name: "Bob"},
		"no seal key":        Admit{Key: admit.Key, Name: "Bob"},
		"no name":            Admit{Key: admit.Key, Seal: admit.Seal},
		"name too long":      Admit{Key: admit.Key, Seal: admit.Seal, Name: strings.Repeat("n", 33)},
		"limit too low":      Admit{admit.Key, admit.Seal, "Bob", &Limits{-IntMax - 1, 0}},
		"limit too high":     Limit{1, Limits{0, IntMax + 1}},
		"limit of account":   Limit{IntMax + 1, Limits{}},
		"reason too long":    Suspend{1, strings.Repeat("r", 257)},
		"suspended account":  Suspend{IntMax + 1, ""},
		"reason not in UTF8": Suspend{1, "\xff"},
	} {
		if a.check() == nil {
			t.Errorf("%s: it is allowed", name)
		}
		var err error
		switch a.(type) {
		case Transfer:
			_, err = ParseTransfer(a.bytes())
		case Admit:
			_, err = ParseAdmit(a.bytes())
		case Limit:
			_, err = ParseLimit(a.bytes())
		case Suspend:
			_, err = ParseSuspend(a.bytes())
		}
		if err == nil {
			t.Errorf("%s: it decodes", name)
		}
	}
	list := fields(t, Admit{admit.Key, admit.Seal, "Bob", &Limits{-5, 5}}.bytes())
	for _, i := range []int{1, 4} {
		if _, err := ParseAdmit(with(list, i)); err == nil {
			t.Errorf("an admission without its limit %q decodes", list[i].key)
		}
	}
	if _, err := ParseTransfer([]byte("d1:m0:1:plli1ei1eeli2ei-1eeee")); err == nil {
		t.Error("an empty memo decodes")
	}
}

func TestAWindowIsRefusedWhenItContradictsItself(t *testing.T) {
	s := makeSample(t)
	for name, spoil := range map[string]func(w *Window){
		"number 0":                  func(w *Window) { w.First = 0 },
		"numbers beyond 2^53":       func(w *Window) { w.First = IntMax },
		"chain before number 1":     func(w *Window) { w.Before = s.Chain },
		"root without a size":       func(w *Window) { w.Newest = Checkpoint{Root: s.Chain} },
		"signature without a size":  func(w *Window) { w.Newest = Checkpoint{Sig: Signature{1}} },
		"checkpoint too large":      func(w *Window) { w.Newest.Size = IntMax + 1 },
		"too many targets":          func(w *Window) { w.Targets, w.Inline = make([]Target, 33), nil },
		"skip over a whole chunk":   func(w *Window) { w.Skip = ChunkBytes },
		"more messages than bytes":  func(w *Window) { w.Count = 1000 },
		"skip without chunk":        func(w *Window) { w.Targets, w.Skip = nil, 60000 },
		"empty, with a target":      func(w *Window) { w.Count, w.Inline = 0, nil },
		"empty, with a skip":        func(w *Window) { w.Count, w.Inline, w.Targets, w.Skip = 0, nil, nil, 1 },
		"empty, with inline bytes":  func(w *Window) { w.Count, w.Targets = 0, nil },
		"a message of no bytes":     func(w *Window) { w.Targets, w.Inline = nil, nil },
		"too much inline":           func(w *Window) { w.Inline = make([]byte, InlineRoom(1)+1) },
		"inline too long for a u16": func(w *Window) { w.Inline = make([]byte, 1<<16) },
	} {
		w := *s.Window
		spoil(&w)
		if _, err := w.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
	}
}

func TestAPaddedWindowIsOneOfALaterWeir(t *testing.T) {
	s := makeSample(t)
	b := must[[]byte](t)(s.Window.Encode())
	padded := append(bytes.Clone(b), make([]byte, WindowBytesMax-len(b))...)
	for n := len(b) + 1; n <= len(padded); n++ {
		if _, err := ParseWindow(padded[:n]); !errors.Is(err, ErrNewer) {
			t.Errorf("%d bytes of padding: %v", n-len(b), err)
		}
	}
	if _, err := ParseWindow(append(padded, 0)); err == nil || errors.Is(err, ErrNewer) {
		t.Errorf("a window beyond its limit: %v", err)
	}
	padded[len(padded)-1] = 1
	if _, err := ParseWindow(padded); err == nil || errors.Is(err, ErrNewer) {
		t.Errorf("padding that is not zero: %v", err)
	}
}

func TestABoxOpensUnderItsOwnKeyOnly(t *testing.T) {
	s := makeSample(t)
	shared := must[[32]byte](t)(manager.Shared(alice.SealPublic()))
	k := DeriveOutboxKeys(shared, s.Digest, alice.Public(), manager.Public())
	if k != s.Keys {
		t.Fatal("the two sides derive different keys")
	}
	back := DeriveOutboxKeys(shared, s.Digest, manager.Public(), alice.Public())
	other := DeriveOutboxKeys(shared, Digest{}, alice.Public(), manager.Public())
	for _, wrong := range []OutboxKeys{back, other, {Window: k.Chunk, Chunk: k.Window}} {
		if _, err := OpenWindow(wrong, s.Outbox); !errors.Is(err, ErrOpen) {
			t.Errorf("outbox: %v", err)
		}
		if _, err := OpenChunk(wrong, s.Chunk); !errors.Is(err, ErrOpen) {
			t.Errorf("chunk: %v", err)
		}
	}
	for i := range s.Outbox {
		b := bytes.Clone(s.Outbox)
		b[i] ^= 1
		if _, err := OpenWindow(k, b); err == nil {
			t.Fatalf("an outbox with another byte %d opens", i)
		}
	}
	newer := bytes.Clone(s.Chunk)
	newer[bytes.IndexByte(newer, ':')+1] = 2
	if _, err := OpenChunk(k, newer); !errors.Is(err, ErrNewer) {
		t.Errorf("a chunk of version 2: %v", err)
	}
	for _, n := range []int{0, ChunkBytes + 1} {
		if _, err := SealChunk(k, [24]byte{}, make([]byte, n)); err == nil {
			t.Errorf("a chunk of %d bytes is sealed", n)
		}
		if _, err := OpenChunk(k, seal(&k.Chunk, [24]byte{}, make([]byte, n))); err == nil {
			t.Errorf("a chunk of %d bytes opens", n)
		}
	}
}
