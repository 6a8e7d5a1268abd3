package wire

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
)

// fuzz feeds one decoder: nothing panics, and what decodes encodes to the
// same bytes.
func fuzz(f *testing.F, name string) {
	d := named(f, name)
	for _, b := range d.valid(f, makeSample(f)) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { d.check(t, b) })
}

func FuzzBencode(f *testing.F)        { fuzz(f, "bencode") }
func FuzzString(f *testing.F)         { fuzz(f, "string") }
func FuzzCharter(f *testing.F)        { fuzz(f, "charter") }
func FuzzChange(f *testing.F)         { fuzz(f, "change") }
func FuzzTransfer(f *testing.F)       { fuzz(f, "transfer") }
func FuzzAdmit(f *testing.F)          { fuzz(f, "admit") }
func FuzzLimit(f *testing.F)          { fuzz(f, "limit") }
func FuzzSuspend(f *testing.F)        { fuzz(f, "suspend") }
func FuzzResume(f *testing.F)         { fuzz(f, "resume") }
func FuzzSweep(f *testing.F)          { fuzz(f, "sweep") }
func FuzzRename(f *testing.F)         { fuzz(f, "rename") }
func FuzzRekey(f *testing.F)          { fuzz(f, "rekey") }
func FuzzSucceed(f *testing.F)        { fuzz(f, "succeed") }
func FuzzMessage(f *testing.F)        { fuzz(f, "message") }
func FuzzWindow(f *testing.F)         { fuzz(f, "window") }
func FuzzOutbox(f *testing.F)         { fuzz(f, "outbox") }
func FuzzChunk(f *testing.F)          { fuzz(f, "chunk") }
func FuzzEntry(f *testing.F)          { fuzz(f, "entry") }
func FuzzTransferEffect(f *testing.F) { fuzz(f, "transfer effect") }
func FuzzAdmitEffect(f *testing.F)    { fuzz(f, "admit effect") }
func FuzzLimitEffect(f *testing.F)    { fuzz(f, "limit effect") }
func FuzzAccountEffect(f *testing.F)  { fuzz(f, "account effect") }
func FuzzRenameEffect(f *testing.F)   { fuzz(f, "rename effect") }
func FuzzRekeyEffect(f *testing.F)    { fuzz(f, "rekey effect") }
func FuzzSucceedEffect(f *testing.F)  { fuzz(f, "succeed effect") }
func FuzzBody(f *testing.F)           { fuzz(f, "body") }
func FuzzFrame(f *testing.F)          { fuzz(f, "frame") }
func FuzzSealedFrame(f *testing.F)    { fuzz(f, "sealed frame") }
func FuzzNote(f *testing.F)           { fuzz(f, "note") }
func FuzzHead(f *testing.F)           { fuzz(f, "head") }
func FuzzHeadChunk(f *testing.F)      { fuzz(f, "head chunk") }
func FuzzSuccession(f *testing.F)     { fuzz(f, "succession") }
func FuzzLink(f *testing.F)           { fuzz(f, "link") }
func FuzzJoinRequest(f *testing.F)    { fuzz(f, "join request") }
func FuzzState(f *testing.F)          { fuzz(f, "state") }
func FuzzInfo(f *testing.F)           { fuzz(f, "info") }
func FuzzEvidence(f *testing.F)       { fuzz(f, "evidence") }

// FuzzSealed feeds what is inside the box of an outbox, which the fuzzer cannot
// seal.
func FuzzSealed(f *testing.F) {
	for _, b := range named(f, "window").valid(f, makeSample(f)) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > WindowBytesMax {
			return
		}
		value := seal(&[32]byte{}, [24]byte{}, b)
		w, err := OpenWindow(OutboxKeys{}, value)
		if _, want := ParseWindow(b); (err == nil) != (want == nil) {
			t.Fatalf("sealed %v, plain %v", err, want)
		}
		if w != nil && len(w.Inline) > InlineRoom(len(w.Targets)) {
			t.Fatalf("%d inline bytes", len(w.Inline))
		}
	})
}

// FuzzOpenFrame feeds what is inside the boxes of a frame, which the fuzzer
// cannot seal, and then boxes with a bit turned.
func FuzzOpenFrame(f *testing.F) {
	s := makeSample(f)
	for i, p := range s.Sealed.Plain[1:] {
		f.Add(p.Entry, p.Body, s.Sealed.offset(i+1), uint16(i*100))
	}
	f.Fuzz(func(t *testing.T, entry, body []byte, offset uint64, flip uint16) {
		plain := Frame{Entry: entry, Body: body}
		if len(body) == 0 {
			plain.State = BodyBlanked
		}
		nonces := counting(7)
		sealed, err := SealFrame(plain, s.ID, offset, s.Sealed.ReadKey, &nonces)
		if want := plain.check(len(entry), len(body)); (err == nil) != (want == nil) {
			t.Fatalf("sealed: %v, and the frame: %v", err, want)
		}
		if err != nil {
			return
		}
		b := AppendFrame(nil, sealed)
		read, n, err := ParseFrame(b)
		if err != nil || n != len(b) || n > FrameBytesMax {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
		opened, err := OpenFrame(read, s.ID, offset, s.Sealed.ReadKey)
		if err != nil || opened.State != plain.State || !bytes.Equal(opened.Entry, entry) || !bytes.Equal(opened.Body, body) {
			t.Fatalf("opened %+v, %v", opened, err)
		}
		at := frameHeaderBytes + int(flip)%(n-frameHeaderBytes)
		b[at] ^= 1 << (flip % 8)
		if read, _, err = ParseFrame(b); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFrame(read, s.ID, offset, s.Sealed.ReadKey); !errors.Is(err, ErrOpen) {
			t.Fatalf("with byte %d changed: %v", at, err)
		}
	})
}

// FuzzOpenJoinRequest feeds what a stranger may put under an invitation: any
// value, any string, any box, and anything in a box that opens.
func FuzzOpenJoinRequest(f *testing.F) {
	d := named(f, "sealed join request")
	s := makeSample(f)
	f.Add(s.JoinValue)
	f.Add(s.JoinValue[len("182:"):])
	f.Add(s.Request.bytes())
	for _, v := range append(reservedVectors(f, s, "join request"), lowOrderVectors(f, s, "join request")...) {
		f.Add(v.hex(f, "hex"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d.check(t, b)
		d.check(t, String(b))
		d.check(t, String(append([]byte{Version}, b...)))
		got, err := OpenJoinRequest(sealedBy(bob.SealPublic(), b), manager)
		want, wantErr := parseJoinRequest(b)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("sealed %v, plain %v", err, wantErr)
		}
		if err == nil && (got != want || len(b) > joinBytesMax) {
			t.Fatalf("sealed %+v, plain %+v, of %d bytes", got, want, len(b))
		}
	})
}

func TestEveryDecoderHasAFuzzTarget(t *testing.T) {
	b, err := os.ReadFile("fuzz_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range decoders {
		if !strings.Contains(string(b), "(f, "+strconv.Quote(d.name)+")") {
			t.Errorf("nothing feeds %q", d.name)
		}
	}
}
