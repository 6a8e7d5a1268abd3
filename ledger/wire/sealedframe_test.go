package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/chacha20poly1305"

	"weir/keys"
)

// sealedVectors are frames whose boxes do not open where they stand, and frames
// that have no boxes.
func sealedVectors(t testing.TB, s *sample, format string) (list []vector) {
	add := func(name string, b []byte) {
		list = append(list, vector{"name": name, "hex": hex.EncodeToString(b)})
	}
	plain := s.Sealed.Plain
	switch format {
	case "frame":
		keyed := bytes.Clone(s.Frames[3])
		keyed[3] = ReadKeyNumber
		add("plain with a read key", keyed)
		header := func(state BodyState, entry, body uint32) []byte {
			b := []byte{Version, byte(state), 0, ReadKeyNumber}
			return appendU32(appendU32(b, entry), body)
		}
		add("the box of an empty entry, by its header", header(BodySealed, 40, 57))
		add("the box of an entry that is too long, by its header", header(BodySealed, EntryBytesMax+41, 57))
		add("the box of a body that is only a salt, by its header", header(BodySealed, 41, 56))
		add("the box of a body that is too long, by its header", header(BodySealed, 41, BodyBytesMax+41))
		add("sealed, and no body, by its header", header(BodySealed, 41, 0))
		add("blanked in its box to the length of a salt, by its header", header(BodyBlanked, 41, 56))
	case "sealed frame":
		valid := sealedAs(t, plain[3], vectorID, sealedAt)
		parts := must[Frame](t)(parseWhole(valid))
		another := must[Frame](t)(parseWhole(sealedAs(t, plain[2], vectorID, sealedAt)))
		put := func(name string, f Frame) { add(name, AppendFrame(nil, f)) }
		add("of another database", sealedAs(t, plain[3], s.ID, sealedAt))
		add("of another place in the stream", sealedAs(t, plain[3], vectorID, sealedAt+1))
		put("entry and body exchanged", Frame{BodySealed, 1, parts.Body, parts.Entry})
		put("the entry twice", Frame{BodySealed, 1, parts.Entry, parts.Entry})
		put("refused, and with an applied one's body as its entry", Frame{BodyBlanked, 1, parts.Body, nil})
		add("a bit of the entry's nonce", turned(valid, frameHeaderBytes))
		add("a bit of the entry", turned(valid, frameHeaderBytes+24))
		add("a bit of the entry's tag", turned(valid, frameHeaderBytes+len(parts.Entry)-1))
		add("a bit of the body's nonce", turned(valid, frameHeaderBytes+len(parts.Entry)))
		add("a bit of the body's tag", turned(valid, len(valid)-1))
		add("the boxes cut otherwise", AppendFrame(nil, Frame{BodySealed, 1, append(bytes.Clone(parts.Entry), parts.Body[0]), parts.Body[1:]}))
		nonces := counting(5)
		other := must[Frame](t)(SealFrame(plain[3], vectorID, sealedAt, keys.ReadKey{1}, &nonces))
		put("under another read key", other)
		put("the body under another read key", Frame{BodySealed, 1, parts.Entry, other.Body})
		// Both are of one place: that they belong together the body hash says.
		put("another frame's body of the same place, which the body hash tells", Frame{BodySealed, 1, parts.Entry, another.Body})
		add("not sealed", AppendFrame(nil, plain[3]))
	}
	return list
}

func parseWhole(b []byte) (Frame, error) {
	f, n, err := ParseFrame(b)
	if err == nil && n != len(b) {
		err = errors.New("there is more")
	}
	return f, err
}

func turned(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestASealedFrameOpensInItsPlaceOnly(t *testing.T) {
	s := makeSample(t).Sealed
	for i := 1; i < len(s.Frames); i++ {
		f := must[Frame](t)(parseWhole(s.Frames[i]))
		at := s.offset(i)
		opened, err := OpenFrame(f, s.ID, at, s.ReadKey)
		if err != nil || opened.State != s.Plain[i].State || opened.ReadKey != 0 ||
			!bytes.Equal(opened.Entry, s.Plain[i].Entry) || !bytes.Equal(opened.Body, s.Plain[i].Body) {
			t.Fatalf("frame %d: %+v, %v", i, opened, err)
		}
		otherID, otherKey := s.ID, s.ReadKey
		otherID[19] ^= 1
		otherKey[0] ^= 1
		for name, open := range map[string]func() (Frame, error){
			"of another database":  func() (Frame, error) { return OpenFrame(f, otherID, at, s.ReadKey) },
			"a byte further":       func() (Frame, error) { return OpenFrame(f, s.ID, at+1, s.ReadKey) },
			"2^32 further":         func() (Frame, error) { return OpenFrame(f, s.ID, at+1<<32, s.ReadKey) },
			"under another key":    func() (Frame, error) { return OpenFrame(f, s.ID, at, otherKey) },
			"under a key of zeros": func() (Frame, error) { return OpenFrame(f, s.ID, at, keys.ReadKey{}) },
		} {
			if got, err := open(); !errors.Is(err, ErrOpen) || !reflect.DeepEqual(got, Frame{}) {
				t.Errorf("frame %d %s: %+v, %v", i, name, got, err)
			}
		}
	}
}

func TestAChangedBitAnywhereInABoxDoesNotOpen(t *testing.T) {
	s := makeSample(t).Sealed
	for _, i := range []int{3, 4} {
		for at := frameHeaderBytes; at < len(s.Frames[i]); at++ {
			f := must[Frame](t)(parseWhole(turned(s.Frames[i], at)))
			if _, err := OpenFrame(f, s.ID, s.offset(i), s.ReadKey); !errors.Is(err, ErrOpen) {
				t.Fatalf("frame %d, byte %d: %v", i, at, err)
			}
		}
	}
}

// The box is what the specification says, put together without SealFrame.
func TestABoxIsAnyLibrarysXChaCha20Poly1305(t *testing.T) {
	s := makeSample(t).Sealed
	data := append(append(bytes.Clone(s.ID[:]), 0, 0, 0, 0, 0, 0), byte(s.offset(3)>>8), byte(s.offset(3)))
	aead, err := chacha20poly1305.NewX(s.ReadKey[:])
	if err != nil {
		t.Fatal(err)
	}
	f := must[Frame](t)(parseWhole(s.Frames[3]))
	for part, box := range [][]byte{f.Entry, f.Body} {
		plain, err := aead.Open(nil, box[:24], box[24:], append(bytes.Clone(data), byte(part)))
		if want := [][]byte{s.Plain[3].Entry, s.Plain[3].Body}[part]; err != nil || !bytes.Equal(plain, want) {
			t.Errorf("part %d: %x, %v", part, plain, err)
		}
	}
}

func TestEveryBoxHasItsOwnNonce(t *testing.T) {
	s := makeSample(t).Sealed
	seen := map[string]bool{}
	boxes := 0
	for _, b := range s.Frames[1:] {
		f := must[Frame](t)(parseWhole(b))
		for _, box := range [][]byte{f.Entry, f.Body} {
			if len(box) > 0 {
				boxes++
				seen[string(box[:24])] = true
			}
		}
	}
	if boxes != 7 || len(seen) != boxes {
		t.Errorf("%d nonces in %d boxes", len(seen), boxes)
	}
}

func TestWhatCannotBeSealedIsAnError(t *testing.T) {
	s := makeSample(t).Sealed
	nonces := counting(1)
	sealed := must[Frame](t)(parseWhole(s.Frames[3]))
	for name, f := range map[string]Frame{
		"sealed already":  sealed,
		"no entry":        {Body: s.Plain[3].Body},
		"a body too long": {Entry: s.Plain[3].Entry, Body: make([]byte, BodyBytesMax+1)},
	} {
		if _, err := SealFrame(f, s.ID, 0, s.ReadKey, &nonces); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	disk := errors.New("no randomness")
	for _, r := range []io.Reader{iotest.ErrReader(disk), io.MultiReader(bytes.NewReader(make([]byte, 24)), iotest.ErrReader(disk))} {
		if f, err := SealFrame(s.Plain[3], s.ID, 0, s.ReadKey, r); !errors.Is(err, disk) || !reflect.DeepEqual(f, Frame{}) {
			t.Errorf("without nonces: %v", err)
		}
	}
	for name, f := range map[string]Frame{"a plain one": s.Plain[3], "a blanked one": s.Plain[4], "a short box": {State: BodySealed, ReadKey: 1, Entry: make([]byte, 40), Body: sealed.Body}, "nothing": {}} {
		if _, err := OpenFrame(f, s.ID, s.offset(3), s.ReadKey); err == nil || errors.Is(err, ErrOpen) {
			t.Errorf("%s: opened, %v", name, err)
		}
	}
}

func TestTheLargestFrameIsTheLargestSealedOne(t *testing.T) {
	nonces := counting(1)
	f := must[Frame](t)(SealFrame(Frame{Entry: make([]byte, EntryBytesMax), Body: make([]byte, BodyBytesMax)}, ID{}, IntMax, keys.ReadKey{}, &nonces))
	b := AppendFrame(nil, f)
	if _, n, err := ParseFrame(b); err != nil || n != FrameBytesMax {
		t.Errorf("%d bytes, %v", n, err)
	}
	opened, err := OpenFrame(f, ID{}, IntMax, keys.ReadKey{})
	if err != nil || len(opened.Entry) != EntryBytesMax || len(opened.Body) != BodyBytesMax {
		t.Error(err)
	}
}

func TestABodyThatASweepBlankedStaysBlankInItsBox(t *testing.T) {
	s := makeSample(t).Sealed
	nonces := counting(1)
	blank := Frame{State: BodyBlanked, Entry: s.Plain[3].Entry, Body: make([]byte, len(s.Plain[3].Body))}
	f := must[Frame](t)(SealFrame(blank, s.ID, 9, s.ReadKey, &nonces))
	if len(f.Body) != len(blank.Body)+40 || len(bytes.Trim(f.Body, "\x00")) != 0 || f.State != BodyBlanked {
		t.Errorf("%+v", f)
	}
	if opened, err := OpenFrame(must[Frame](t)(parseWhole(AppendFrame(nil, f))), s.ID, 9, s.ReadKey); err != nil || !reflect.DeepEqual(opened, blank) {
		t.Errorf("%+v, %v", opened, err)
	}
	frame := s.Frames[3]
	f = must[Frame](t)(parseWhole(swept(frame)))
	if opened, err := OpenFrame(f, s.ID, s.offset(3), s.ReadKey); err != nil || !reflect.DeepEqual(opened, blank) {
		t.Errorf("swept later: %+v, %v", opened, err)
	}
}
