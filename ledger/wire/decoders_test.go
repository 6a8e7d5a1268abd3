package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/keys"
)

// decoder is one format: decode reads bytes and writes again what it read.
type decoder struct {
	name   string
	decode func(b []byte) ([]byte, error)
	// valid gives valid values: the seeds of the fuzz target, and what the
	// tests of malformed values spoil.
	valid func(t testing.TB, s *sample) [][]byte
	// stream: a value may be followed by others, and ErrShort means wait.
	stream bool
	// loose: valid values have other forms too (case of letters, signatures of
	// others), which again brings to the one that is written.
	loose bool
}

func recode[T any](parse func([]byte) (T, error), encode func(T) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) {
		v, err := parse(b)
		if err != nil {
			return nil, err
		}
		return encode(v)
	}
}

type encoder interface{ Encode() ([]byte, error) }

func encode[T encoder](v T) ([]byte, error)                           { return v.Encode() }
func args[T interface{ Args() ([]byte, error) }](v T) ([]byte, error) { return v.Args() }
func effect[T interface{ Encode() []byte }](v T) ([]byte, error)      { return v.Encode(), nil }

func one(b []byte, err error) func(testing.TB, *sample) [][]byte {
	return func(t testing.TB, _ *sample) [][]byte {
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{b}
	}
}

func of(get func(s *sample) []byte) func(testing.TB, *sample) [][]byte {
	return func(_ testing.TB, s *sample) [][]byte { return [][]byte{get(s)} }
}

func encoded(get func(s *sample) encoder) func(testing.TB, *sample) [][]byte {
	return func(t testing.TB, s *sample) [][]byte { return [][]byte{must[[]byte](t)(get(s).Encode())} }
}

// decoders is every format, by name.
var decoders = []decoder{
	{
		name:   "bencode",
		decode: func(b []byte) ([]byte, error) { return b, CheckBencode(b) },
		valid:  one([]byte("d1:ai-1e1:bl0:d1:cleeee"), nil),
	},
	{
		name:   "string",
		decode: recode(ParseString, func(b []byte) ([]byte, error) { return String(b), nil }),
		valid:  one([]byte("5:hello"), nil),
	},
	{name: "charter", decode: recode(ParseCharter, encode), valid: func(_ testing.TB, s *sample) [][]byte {
		approving := sampleCharter()
		approving.Approval = true
		return [][]byte{s.Charter, s.Sealed.Charter, approving.bytes()}
	}},
	{name: "change", decode: recode(ParseChange, encode), valid: func(t testing.TB, s *sample) [][]byte {
		endless := &Change{Name: "sweep", Args: SweepArgs(), Seen: s.Founded.Seen()}
		return [][]byte{s.Change, must[[]byte](t)(endless.Encode())}
	}},
	{name: "transfer", decode: recode(ParseTransfer, args), valid: func(t testing.TB, s *sample) [][]byte {
		return [][]byte{s.Args, must[[]byte](t)(Transfer{Postings: make([]Posting, 64)}.Args())}
	}},
	{name: "admit", decode: recode(ParseAdmit, args), valid: func(t testing.TB, s *sample) [][]byte {
		a := Admit{Key: bob.Public(), Seal: bob.SealPublic(), Name: "Bob"}
		plain := must[[]byte](t)(a.Args())
		a.Limits = &Limits{-500, 500}
		return [][]byte{must[[]byte](t)(a.Args()), plain}
	}},
	{name: "limit", decode: recode(ParseLimit, args), valid: one(Limit{2, Limits{-500, 500}}.Args())},
	{name: "suspend", decode: recode(ParseSuspend, args), valid: one(Suspend{2, "unpaid"}.Args())},
	{name: "resume", decode: recode(ParseResume, args), valid: one(Resume{2, ""}.Args())},
	{
		name:   "sweep",
		decode: func(b []byte) ([]byte, error) { return SweepArgs(), ParseSweep(b) },
		valid:  one(SweepArgs(), nil),
	},
	{name: "rename", decode: recode(ParseRename, args), valid: one(Rename{2, "Bobby"}.Args())},
	{name: "rekey", decode: recode(ParseRekey, args), valid: one(Rekey{2, bob.Public(), bob.SealPublic()}.Args())},
	{name: "succeed", decode: recode(ParseSucceed, args), valid: func(t testing.TB, s *sample) [][]byte {
		return [][]byte{must[[]byte](t)(s.Succeed.Args())}
	}},
	{
		name: "message", stream: true,
		decode: func(b []byte) ([]byte, error) {
			m, n, err := ParseMessage(b)
			if err != nil {
				return nil, err
			}
			return append(AppendMessage(nil, m), b[n:]...), nil
		},
		valid: of(func(s *sample) []byte { return s.Message }),
	},
	{name: "window", decode: recode(ParseWindow, encode), valid: func(t testing.TB, s *sample) [][]byte {
		empty := &Window{First: 8, Before: s.Chain}
		return [][]byte{must[[]byte](t)(s.Window.Encode()), must[[]byte](t)(empty.Encode())}
	}},
	{name: "outbox", decode: func(b []byte) ([]byte, error) {
		w, err := OpenWindow(OutboxKeys{}, b)
		if err != nil {
			return nil, err
		}
		return SealWindow(OutboxKeys{}, nonceOf(b), w)
	}, valid: func(t testing.TB, s *sample) [][]byte {
		return [][]byte{must[[]byte](t)(SealWindow(OutboxKeys{}, filled24(5), s.Window))}
	}},
	{name: "chunk", decode: func(b []byte) ([]byte, error) {
		stream, err := OpenChunk(OutboxKeys{}, b)
		if err != nil {
			return nil, err
		}
		return SealChunk(OutboxKeys{}, nonceOf(b), stream)
	}, valid: func(t testing.TB, s *sample) [][]byte {
		return [][]byte{must[[]byte](t)(SealChunk(OutboxKeys{}, filled24(5), s.Message))}
	}},
	{name: "entry", decode: recode(ParseEntry, encode), valid: func(t testing.TB, s *sample) [][]byte {
		return [][]byte{must[[]byte](t)(s.Entry.Encode()), must[[]byte](t)(s.Refused.Encode())}
	}},
	{name: "transfer effect", decode: recode(ParseTransferEffect, effect), valid: of(func(s *sample) []byte { return s.Entry.Effect })},
	{name: "admit effect", decode: recode(ParseAdmitEffect, effect), valid: func(testing.TB, *sample) [][]byte {
		return [][]byte{AdmitEffect{2, bob.Public(), bob.SealPublic(), "Bob", Limits{-500, 500}}.Encode()}
	}},
	{name: "limit effect", decode: recode(ParseLimitEffect, effect), valid: one(LimitEffect{2, Limits{-500, 500}}.Encode(), nil)},
	{name: "account effect", decode: recode(ParseAccountEffect, effect), valid: one(AccountEffect{2}.Encode(), nil)},
	{name: "rename effect", decode: recode(ParseRenameEffect, effect), valid: one(RenameEffect{2, "Bobby"}.Encode(), nil)},
	{name: "rekey effect", decode: recode(ParseRekeyEffect, effect), valid: one(RekeyEffect{2, bob.Public(), bob.SealPublic()}.Encode(), nil)},
	{name: "succeed effect", decode: recode(ParseSucceedEffect, effect), valid: of(func(s *sample) []byte { return s.Succeed.Effect().Encode() })},
	{name: "body", decode: recode(ParseBody, effect), valid: of(func(s *sample) []byte { return s.Body.Encode() })},
	{
		name: "frame", stream: true,
		decode: func(b []byte) ([]byte, error) {
			f, n, err := ParseFrame(b)
			if err != nil {
				return nil, err
			}
			return append(AppendFrame(nil, f), b[n:]...), nil
		},
		valid: func(_ testing.TB, s *sample) [][]byte {
			return slices.Concat(s.Frames, [][]byte{swept(s.Frames[3])}, s.Sealed.Frames[2:], [][]byte{swept(s.Sealed.Frames[3])})
		},
	},
	{
		name: "sealed frame", stream: true,
		decode: func(b []byte) ([]byte, error) {
			f, n, err := ParseFrame(b)
			if err != nil {
				return nil, err
			}
			opened, err := OpenFrame(f, vectorID, sealedAt, keys.ReadKey{})
			if err != nil {
				return nil, err
			}
			nonces := bytes.NewReader(append(bytes.Clone(f.Entry[:24]), f.Body[:min(len(f.Body), 24)]...))
			if f, err = SealFrame(opened, vectorID, sealedAt, keys.ReadKey{}, nonces); err != nil {
				return nil, err
			}
			return append(AppendFrame(nil, f), b[n:]...), nil
		},
		valid: func(t testing.TB, s *sample) [][]byte {
			applied := sealedAs(t, s.Sealed.Plain[3], vectorID, sealedAt)
			return [][]byte{applied, sealedAs(t, s.Sealed.Plain[4], vectorID, sealedAt), swept(applied)}
		},
	},
	{name: "note", loose: true, decode: func(b []byte) ([]byte, error) {
		c, err := ParseNote(vectorID, manager.LogPublic(), b)
		return c.Note(vectorID, manager.LogPublic()), err
	}, valid: func(testing.TB, *sample) [][]byte {
		return [][]byte{SignCheckpoint(vectorID, manager.Log, 7, Hash{1}).Note(vectorID, manager.LogPublic())}
	}},
	{name: "head", decode: recode(ParseHead, encode), valid: func(t testing.TB, s *sample) [][]byte {
		first := Head{Length: 300, Checkpoint: s.Founded}
		full := *s.Head
		full.Witness = make([]byte, 152)
		return [][]byte{must[[]byte](t)(s.Head.Encode()), must[[]byte](t)(first.Encode()), must[[]byte](t)(full.Encode())}
	}},
	{
		name:   "head chunk",
		decode: recode(ParseChunkValue, func(b []byte) ([]byte, error) { return ChunkValue(b), nil }),
		valid:  of(func(s *sample) []byte { return ChunkValue(s.Frames[0]) }),
	},
	{name: "succession", decode: recode(ParseSuccession, encode), valid: encoded(func(s *sample) encoder { return s.Succession })},
	{name: "link", loose: true, decode: func(b []byte) ([]byte, error) {
		l, err := ParseLink(string(b))
		if err != nil {
			return nil, err
		}
		text, err := l.(linker).Link()
		return []byte(text), err
	}, valid: func(t testing.TB, s *sample) (links [][]byte) {
		for _, l := range []linker{s.Link, s.Invitation, s.Code, s.Answer, s.Sealed.Link, s.Sealed.Invitation, s.Sealed.Answer} {
			links = append(links, []byte(must[string](t)(l.Link())))
		}
		return links
	}},
	{
		name:   "join request",
		decode: recode(parseJoinRequest, func(r JoinRequest) ([]byte, error) { return r.bytes(), nil }),
		valid:  of(func(s *sample) []byte { return s.Request.bytes() }),
	},
	{name: "sealed join request", decode: func(b []byte) ([]byte, error) {
		r, err := OpenJoinRequest(b, manager)
		if err != nil {
			return nil, err
		}
		sealed, err := ParseString(b)
		return sealedBy(keys.SealPublic(sealed[1:]), r.bytes()), err
	}, valid: of(func(s *sample) []byte { return s.JoinValue })},
	{name: "state", decode: recode(ParseStateFile, encode), valid: encoded(func(s *sample) encoder { return s.State })},
	{
		name:   "info",
		decode: recode(ParseInfo, func(i *Info) ([]byte, error) { return i.bytes(), nil }),
		valid: func(_ testing.TB, s *sample) [][]byte {
			return [][]byte{s.NewestInfo, s.VolumeInfo, sampleShelf(s.ID).info}
		},
	},
	{name: "evidence", decode: recode(ParseEvidence, encode), valid: func(t testing.TB, s *sample) [][]byte {
		return [][]byte{must[[]byte](t)(s.Evidence.Encode()), must[[]byte](t)(s.Contradicts.Encode()), must[[]byte](t)(s.Outgrows.Encode())}
	}},
}

type linker interface{ Link() (string, error) }

// vectorID and sealedAt are the id and stream offset of vectors that do not say
// theirs.
var vectorID = ID(bytes.Repeat([]byte{0xab}, 20))

const sealedAt = 1000

// sealedAs seals a frame under a read key of zeros.
func sealedAs(t testing.TB, f Frame, id ID, offset uint64) []byte {
	t.Helper()
	nonces := counting(5)
	return AppendFrame(nil, must[Frame](t)(SealFrame(f, id, offset, keys.ReadKey{}, &nonces)))
}

// swept is a frame as a sweep leaves it: its body blanked, of its length.
func swept(frame []byte) []byte {
	b := bytes.Clone(frame)
	b[1] = byte(BodyBlanked)
	clear(b[frameHeaderBytes+int(binary.BigEndian.Uint32(b[4:])):])
	return b
}

// nonceOf finds the nonce in a sealed value that was opened.
func nonceOf(value []byte) [24]byte {
	b, err := ParseString(value)
	if err != nil || len(b) < 25 {
		return [24]byte{}
	}
	return [24]byte(b[1:])
}

func named(t testing.TB, name string) decoder {
	t.Helper()
	for _, d := range decoders {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("no decoder is called %q", name)
	return decoder{}
}

// check decodes b and says what is wrong with the decoder, if anything.
func (d decoder) check(t testing.TB, b []byte) {
	t.Helper()
	again, err := d.decode(b)
	if err != nil {
		return
	}
	if !d.loose {
		if !bytes.Equal(again, b) {
			t.Fatalf("%s: read %x, wrote %x", d.name, b, again)
		}
		return
	}
	twice, err := d.decode(again)
	if err != nil || !bytes.Equal(twice, again) {
		t.Fatalf("%s: read %x, wrote %x, then %x (%v)", d.name, b, again, twice, err)
	}
}

func TestEveryDecoderWritesAgainWhatItRead(t *testing.T) {
	s := makeSample(t)
	for _, d := range decoders {
		for _, b := range d.valid(t, s) {
			again, err := d.decode(b)
			if err != nil || !bytes.Equal(again, b) {
				t.Errorf("%s: read %q, wrote %q (%v)", d.name, b, again, err)
			}
		}
	}
}

func TestEveryDecoderRefusesWhatIsCutOffAnywhere(t *testing.T) {
	s := makeSample(t)
	for _, d := range decoders {
		for _, b := range d.valid(t, s) {
			for n := range len(b) {
				if d.name == "body" && n > bodySaltBytes {
					break // a shorter change is for ParseChange to refuse
				}
				_, err := d.decode(b[:n])
				if err == nil {
					t.Errorf("%s: %d of %d bytes decode: %q", d.name, n, len(b), b[:n])
				}
				text := d.name == "link" || d.name == "note"
				if !text && !errors.Is(err, ErrShort) {
					t.Errorf("%s: %d of %d bytes are not short: %v", d.name, n, len(b), err)
				}
			}
		}
	}
}

func TestEveryDecoderRefusesWhatHasMoreAtTheEnd(t *testing.T) {
	s := makeSample(t)
	for _, d := range decoders {
		if d.stream || d.name == "body" {
			continue // more may follow, and a longer change is for ParseChange to refuse
		}
		for _, b := range d.valid(t, s) {
			for _, tail := range []string{"\x01", "e", "0:", strings.Repeat("x", 1<<20)} {
				if _, err := d.decode(append(bytes.Clone(b), tail...)); err == nil {
					t.Errorf("%s: %.8q after a value decodes", d.name, tail)
				}
			}
		}
	}
}
