package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"weir/keys"
)

// example is one worked example of SPEC.md: lines of "name  value", a value
// being hex when it is bytes.
type example []string

func (e *example) bytes(name string, b []byte) { e.text(name, hex.EncodeToString(b)) }

// text adds a value, in lines of at most 96 characters.
func (e *example) text(name, value string) {
	const width = 96
	for first := true; first || value != ""; first = false {
		n := min(len(value), width)
		*e = append(*e, strings.TrimRight(fmt.Sprintf("%-14s %s", name, value[:n]), " "))
		name, value = "", value[n:]
	}
}

// lines adds text as it is.
func (e *example) lines(text string) {
	*e = append(*e, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
}

// makeExamples is every example of SPEC.md by the name that its comment there
// has.
func makeExamples(t testing.TB) map[string]example {
	s := makeSample(t)
	bytesOf := must[[]byte](t)
	textOf := must[string](t)
	all := make(map[string]example)
	add := func(name string, fill func(e *example)) {
		var e example
		fill(&e)
		all[name] = e
	}
	add("alice's keys", func(e *example) {
		seed, seal := fill(3), alice.SealPrivate()
		p, l, x := alice.Public(), alice.LogPublic(), alice.SealPublic()
		e.bytes("seed", seed[:])
		e.bytes("publish seed", alice.Publish.Seed())
		e.bytes("publish key", p[:])
		e.bytes("log key", l[:])
		e.bytes("seal private", seal[:])
		e.bytes("seal key", x[:])
	})
	add("seal keys of low order", func(e *example) {
		for i, of := range []string{"0", "1", "order 8", "order 8", "p - 1", "p = 0", "p + 1 = 1"} {
			e.text(of, lowOrderKeys[i])
		}
	})
	add("signing keys of small order", func(e *example) {
		for i, of := range []string{"0", "1", "order 8", "order 8", "p - 1", "p = 0", "p + 1 = 1"} {
			e.text(of, smallOrderKeys[i])
		}
	})
	add("keys as text", func(e *example) {
		e.text("seed", fill(3).Text())
		e.text("publish key", alice.Public().String())
		words := keys.Words(fill(3))
		e.text("words", strings.Join(words[:12], " "))
		e.text("", strings.Join(words[12:], " "))
	})
	add("charter", func(e *example) {
		e.bytes("charter", s.Charter)
		e.text("id", s.ID.String())
		e.text("digest", s.Digest.String())
	})
	add("change", func(e *example) {
		e.bytes("arguments", s.Args)
		e.bytes("change", s.Change)
	})
	add("signature of a change", func(e *example) {
		e.text("h_1", s.Chain.String())
		e.bytes("signed", ChangeSigned(s.Digest, 1, s.Chain))
		e.bytes("signature", s.Entry.Sig[:])
	})
	add("message", func(e *example) { e.bytes("message", s.Message) })
	plain := Window{First: 1, Count: 1, Newest: s.Admitted, Inline: s.Message}
	add("window", func(e *example) { e.bytes("window", bytesOf(plain.Encode())) })
	add("outbox", func(e *example) {
		shared := must[[32]byte](t)(alice.Shared(manager.SealPublic()))
		e.bytes("X25519", shared[:])
		e.bytes("outbox key", s.Keys.Window[:])
		e.bytes("chunk key", s.Keys.Chunk[:])
		e.bytes("nonce", bytes.Repeat([]byte{5}, 24))
		e.bytes("value", bytesOf(SealWindow(s.Keys, filled24(5), &plain)))
	})
	add("chunk", func(e *example) {
		e.bytes("nonce", bytes.Repeat([]byte{6}, 24))
		e.bytes("chunk", s.Chunk)
		e.text("target", ImmutableTarget(s.Chunk).String())
		e.bytes("window", bytesOf(s.Window.Encode()))
		e.bytes("nonce", bytes.Repeat([]byte{5}, 24))
		e.bytes("value", s.Outbox)
	})
	add("entry", func(e *example) {
		e.bytes("applied", bytesOf(s.Entry.Encode()))
		e.bytes("refused", bytesOf(s.Refused.Encode()))
	})
	add("body", func(e *example) {
		e.bytes("salt", s.Body.Salt[:])
		e.bytes("body", s.Body.Encode())
		e.text("SHA-256", s.Entry.Body.String())
	})
	add("frames", func(e *example) {
		for i, name := range []string{"charter's", "entry 1's", "entry 2's", "entry 3's", "entry 4's"} {
			e.bytes(name, s.Frames[i])
		}
	})
	add("sealed frames", func(e *example) {
		read := s.Sealed.ReadKey
		e.bytes("read key", read[:])
		e.text("id", s.Sealed.ID.String())
		for i, name := range []string{"charter's", "entry 1's", "entry 2's", "entry 3's", "entry 4's"} {
			e.bytes(name, s.Sealed.Frames[i])
		}
		e.bytes("3's data", frameData(s.Sealed.ID, s.Sealed.offset(3), partEntry))
		e.bytes("3's entry", s.Sealed.Plain[3].Entry)
		e.bytes("3's data, body", frameData(s.Sealed.ID, s.Sealed.offset(3), partBody))
		e.bytes("3's body", s.Sealed.Plain[3].Body)
		e.text("root", s.Sealed.Checkpoint.Root.String())
	})
	add("checkpoint", func(e *example) {
		e.lines(string(CheckpointText(s.ID, s.Checkpoint.Size, s.Checkpoint.Root)))
	})
	add("note", func(e *example) {
		e.lines(VerifierKey(s.ID, manager.LogPublic()))
		e.lines("")
		e.lines(string(s.Checkpoint.Note(s.ID, manager.LogPublic())))
	})
	head := bytesOf(s.Head.Encode())
	add("head", func(e *example) {
		e.bytes("chunk 1", ChunkValue(s.Stream()[ChunkBytes:]))
		e.bytes("head", head)
	})
	add("head item", func(e *example) {
		signed := ItemSigned(s.ID.Salt(), s.Head.Time, head)
		e.text("seq", fmt.Sprint(s.Head.Time))
		e.bytes("signed", signed)
		e.bytes("signature", ed25519.Sign(manager.Publish, signed))
		e.text("target", MutableTarget(manager.Public(), s.ID.Salt()).String())
	})
	add("succession", func(e *example) { e.bytes("succession", bytesOf(s.Succession.Encode())) })
	add("succession in the log", func(e *example) {
		e.text("seq", fmt.Sprint(s.Succeed.Seq))
		e.bytes("signed", ItemSigned(s.ID.Salt(), s.Succeed.Seq, s.Succeed.Value()))
		e.bytes("signature", s.Succeed.Sig[:])
		e.text("target", MutableTarget(recovery.Public(), s.ID.Salt()).String())
		e.bytes("arguments", bytesOf(s.Succeed.Args()))
		e.bytes("effect", s.Succeed.Effect().Encode())
		e.bytes("entry 5's", s.Succeeded)
	})
	add("infohashes", func(e *example) {
		newest, volume := Infohash(s.NewestInfo), Infohash(s.VolumeInfo)
		e.bytes("newest", s.NewestInfo)
		e.bytes("infohash", newest[:])
		e.bytes("volume 7", s.VolumeInfo)
		e.bytes("infohash", volume[:])
	})
	add("shelf", func(e *example) { sampleShelf(s.ID).example(e) })
	add("state", func(e *example) { e.bytes("state", bytesOf(s.State.Encode())) })
	add("meeting", func(e *example) {
		meet := MeetInfohash(s.ID)
		e.bytes("meet", meet[:])
	})
	add("meeting of an encrypted database", func(e *example) {
		at := time.UnixMilli(day).Add(-24 * time.Hour)
		for i, meet := range MeetInfohashes(s.Sealed.ID, s.Sealed.ReadKey, at) {
			e.text("week", fmt.Sprint(at.Unix()/weekSeconds-int64(i)))
			e.bytes("meet", meet[:])
		}
	})
	add("links", func(e *example) {
		e.text("database", textOf(s.Link.Link()))
		e.text("invitation", textOf(s.Invitation.Link()))
		e.text("bob's code", textOf(s.Code.Link()))
		e.text("answer", textOf(s.Answer.Link()))
		e.text("encrypted", textOf(s.Sealed.Link.Link()))
	})
	add("join request", func(e *example) {
		e.bytes("secret", s.Invitation.Secret[:])
		e.bytes("invite seed", s.Invite.Seed())
		e.bytes("invite key", s.Invite.Public().(ed25519.PublicKey))
		e.bytes("request", s.Request.bytes())
		e.bytes("ephemeral", bytes.Repeat([]byte{9}, 32))
		e.bytes("value", s.JoinValue)
	})
	add("evidence", func(e *example) {
		e.bytes("kind 1", bytesOf(s.Evidence.Encode()))
		e.bytes("kind 2", bytesOf(s.Contradicts.Encode()))
		e.bytes("kind 3", bytesOf(s.Outgrows.Encode()))
	})
	return all
}

const (
	exampleMark  = "<!-- example: "
	exampleFence = "```"
)

// withExamples is a page with the block after each mark made anew, and the
// names of the marks.
func withExamples(t *testing.T, page string, all map[string]example) (string, []string) {
	var out, marks []string
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		out = append(out, lines[i])
		rest, ok := strings.CutPrefix(lines[i], exampleMark)
		if !ok {
			continue
		}
		name := strings.TrimSuffix(rest, " -->")
		e, ok := all[name]
		if !ok {
			t.Errorf("SPEC.md has an example %q that nothing makes", name)
			continue
		}
		marks = append(marks, name)
		out = append(out, exampleFence)
		out = append(out, e...)
		out = append(out, exampleFence)
		if i+1 < len(lines) && lines[i+1] == exampleFence {
			for i += 2; i < len(lines) && lines[i] != exampleFence; i++ {
			}
		}
	}
	return strings.Join(out, "\n"), marks
}

func TestTheExamplesOfTheSpecificationAreWhatTheCodeMakes(t *testing.T) {
	all := makeExamples(t)
	b, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	want, marks := withExamples(t, string(b), all)
	if len(marks) != len(all) {
		t.Errorf("SPEC.md has %d examples, the test makes %d", len(marks), len(all))
	}
	if *update {
		if err := os.WriteFile("SPEC.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(b) {
		t.Error("SPEC.md's examples are not what the code makes; see what changed, then go test -update")
	}
}

// The tables of SPEC.md, held to the code where a number or word could drift.
func TestTheSpecificationNamesEveryVerdictKindAndLimit(t *testing.T) {
	b, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for v := range verdicts {
		if want := fmt.Sprintf("| %d | `%v` |", v, v); !strings.Contains(page, want) {
			t.Errorf("no row %s", want)
		}
	}
	for k := KindTransfer; k < kinds; k++ {
		if want := fmt.Sprintf("| `%v` | %d |", k, k); !strings.Contains(page, want) {
			t.Errorf("no row %s", want)
		}
	}
	for _, key := range charterReserved {
		if !strings.Contains(page, "`"+key+"`") {
			t.Errorf("reserved key %s is not named", key)
		}
	}
	thousands := func(n int) string {
		if n < 10000 {
			return fmt.Sprint(n)
		}
		if n >= 1e6 {
			return fmt.Sprintf("%d,%03d,%03d", n/1e6, n/1000%1000, n%1000)
		}
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	for _, row := range []string{
		fmt.Sprintf("| BEP-44 value | %d bytes |", ItemBytesMax),
		fmt.Sprintf("| nested bencode | %d deep |", DepthMax),
		fmt.Sprintf("| change · arguments | %d · %d bytes |", ChangeBytesMax, ArgsBytesMax),
		fmt.Sprintf("| kind's name · database's name · member's name | %d · %d · %d bytes |", KindNameBytesMax, NameBytesMax, MemberNameBytesMax),
		fmt.Sprintf("| unit · memo · reason | %d · %d · %d bytes |", UnitBytesMax, MemoBytesMax, ReasonBytesMax),
		fmt.Sprintf("%d bytes |\n| change", SuccessionBytesMax),
		fmt.Sprintf("| postings | %d to %d |", PostingsMin, PostingsMax),
		fmt.Sprintf("| window · its targets · inline with 0 and with 32 targets | %d bytes · %d · %d and %d bytes |", WindowBytesMax, WindowTargetsMax, InlineRoom(0), InlineRoom(WindowTargetsMax)),
		fmt.Sprintf("| entry · body · frame | %s · %s · %s bytes |", thousands(EntryBytesMax), thousands(BodyBytesMax), thousands(FrameBytesMax)),
		fmt.Sprintf("| entry · body in their boxes | %s · %s bytes |", thousands(EntryBytesMax+frameBoxBytes), thousands(BodyBytesMax+frameBoxBytes)),
		fmt.Sprintf("1 .. %s; with the read key %d .. %s", thousands(EntryBytesMax), 1+frameBoxBytes, thousands(EntryBytesMax+frameBoxBytes)),
		fmt.Sprintf("%d .. %s; with the read key %d .. %s;", bodySaltBytes+1, thousands(BodyBytesMax), bodySaltBytes+1+frameBoxBytes, thousands(BodyBytesMax+frameBoxBytes)),
		fmt.Sprintf("week = Unix time in seconds / %s", thousands(weekSeconds)),
		fmt.Sprintf("| chunks, older infohashes, cosignatures in a head | %d, %d, %d |", HeadChunksMax, HeadOlderMax, WitnessesMax),
		fmt.Sprintf("| note | %d bytes |", noteBytesMax),
		fmt.Sprintf("| volume: cut past · longest | %d MiB · %d MiB |", VolumeBytes>>20, VolumeBytesMax>>20),
		fmt.Sprintf("| volumes in a shelf | %d |", ShelfVolumes),
		fmt.Sprintf("| state file · its rows | %s bytes · %d |", thousands(StateBytesMax), stateRowsMax),
		fmt.Sprintf("| link | %d characters, %d addresses |", LinkCharsMax, BootstrapMax),
		fmt.Sprintf("%d .. %s |", HeartbeatMin, thousands(HeartbeatMax)),
		fmt.Sprintf("heartbeat .. %s |", thousands(StaleMax)),
		fmt.Sprintf("1 .. %s |", thousands(QuotaMax)),
	} {
		if !strings.Contains(page, row) {
			t.Errorf("no %q", row)
		}
	}
	spans := func(list []span) (all []string) {
		for _, s := range list {
			if s.from == s.to {
				all = append(all, fmt.Sprintf("%04X", s.from))
			} else {
				all = append(all, fmt.Sprintf("%04X-%04X", s.from, s.to))
			}
		}
		return all
	}
	flat := strings.Join(strings.Fields(page), " ")
	for name, list := range map[string][]span{"controls": controls, "unseen": unseen} {
		if want := name + " " + strings.Join(spans(list), " "); !strings.Contains(flat, want) {
			t.Errorf("no %q", want)
		}
	}
}
