package wire

import (
	"bytes"
	"crypto/ed25519"
	"net/netip"
	"strings"
	"testing"
	"time"

	"weir/keys"
)

// The largest value of each format that is put on the DHT. Bytes of 0xff
// stand for keys and hashes; what they are does not change a length.

func ones32() [32]byte { return [32]byte(bytes.Repeat([]byte{0xff}, 32)) }

func largestCheckpoint() Checkpoint {
	return Checkpoint{Size: IntMax, Root: ones32(), Sig: Signature(bytes.Repeat([]byte{0xff}, 64))}
}

func TestEveryItemAtItsLargestFitsAThousandBytes(t *testing.T) {
	bytesOf := must[[]byte](t)
	charter := &Charter{
		Kind: KindLedger, Encrypted: true, Approval: true, Name: strings.Repeat("n", NameBytesMax), Manager: keys.Public(ones32()), Log: keys.LogPublic{3},
		Seal: keys.SealPublic(ones32()), Recovery: keys.Public{2}, Created: IntMax, Unit: strings.Repeat("U", UnitBytesMax),
		Scale: ScaleMax, Lower: -IntMax, Upper: IntMax, Quota: QuotaMax, Heartbeat: HeartbeatMax, Stale: StaleMax,
	}
	head := &Head{
		Newest: [20]byte{1}, Cycle: IntMax, Length: IntMax, Checkpoint: largestCheckpoint(), Time: IntMax,
		Chunks: make([]Target, HeadChunksMax), Witness: make([]byte, WitnessBytes*WitnessesMax),
	}
	for i := range HeadOlderMax {
		head.Older = append(head.Older, [20]byte{byte(i + 1)})
	}
	succession := largestSuccession()
	sealWindow := func(w *Window) []byte { return bytesOf(SealWindow(OutboxKeys{}, [24]byte{}, w)) }
	for _, c := range []struct {
		name  string
		value []byte
		bytes int // exactly; SPEC.md names it
	}{
		{"charter", bytesOf(charter.Encode()), 378},
		{"head", bytesOf(head.Encode()), 875},
		{"succession", bytesOf(succession.Encode()), 205},
		{"outbox with nothing but inline bytes", sealWindow(&Window{First: 1, Count: 1, Newest: largestCheckpoint(), Inline: make([]byte, InlineRoom(0))}), 1000},
		{"outbox with all targets", sealWindow(&Window{First: 1, Count: 1, Newest: largestCheckpoint(), Targets: make([]Target, WindowTargetsMax), Inline: make([]byte, InlineRoom(WindowTargetsMax))}), 1000},
		{"outbox chunk", bytesOf(SealChunk(OutboxKeys{}, [24]byte{}, make([]byte, ChunkBytes))), 945},
		{"head chunk", ChunkValue(make([]byte, ChunkBytes)), 904},
		{"join request", bytesOf(SealJoinRequest(NewJoinRequest(bob, strings.Repeat("n", MemberNameBytesMax), Digest{}, keys.Public{}), manager.SealPublic(), [32]byte{1})), 215},
	} {
		if len(c.value) > ItemBytesMax {
			t.Errorf("%s: %d bytes do not fit an item", c.name, len(c.value))
		}
		if len(c.value) != c.bytes {
			t.Errorf("%s: %d bytes, not %d", c.name, len(c.value), c.bytes)
		}
	}
}

func TestAWindowWithOneByteTooManyIsRefused(t *testing.T) {
	for _, targets := range []int{0, 1, WindowTargetsMax} {
		w := &Window{First: 1, Count: 1, Targets: make([]Target, targets), Inline: make([]byte, InlineRoom(targets)+1)}
		if _, err := w.Encode(); err == nil {
			t.Errorf("%d targets and %d inline bytes encode", targets, len(w.Inline))
		}
	}
	if InlineRoom(0) != 803 || InlineRoom(WindowTargetsMax) != 163 || InlineRoom(1000) != 0 {
		t.Errorf("room for %d, %d, %d bytes", InlineRoom(0), InlineRoom(WindowTargetsMax), InlineRoom(1000))
	}
}

func TestEveryLinkAtItsLongestIsUnder300Characters(t *testing.T) {
	s := makeSample(t)
	full := s.Link
	for len(full.Bootstrap) < BootstrapMax {
		full.Bootstrap = append(full.Bootstrap, netip.MustParseAddrPort("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535"))
	}
	full.Bootstrap[0] = full.Bootstrap[3]
	full.ReadKey = (*keys.ReadKey)(bytes.Repeat([]byte{0xff}, 32))
	for _, l := range []linker{
		full, Invitation{full, [16]byte{}, time.Unix(1<<32-1, 0)}, Answer{full, IntMax},
		NewMemberCode(bob, strings.Repeat("n", MemberNameBytesMax)),
	} {
		text := must[string](t)(l.Link())
		if len(text) >= 300 {
			t.Errorf("%T: %d characters", l, len(text))
		}
		if _, err := ParseLink(text); err != nil {
			t.Errorf("%T: %v", l, err)
		}
	}
}

func TestThreeToFivePaymentsFitOneOutboxWithoutChunks(t *testing.T) {
	pay := func(memo string) int {
		a := must[[]byte](t)(Transfer{Postings: []Posting{{1, -250}, {2, 250}}, Memo: memo}.Args())
		c := must[[]byte](t)((&Change{Name: "transfer", Args: a, Seen: Seen{Size: 1, Root: [16]byte{1}}}).Encode())
		return len(AppendMessage(nil, Message{Change: c}))
	}
	if n := InlineRoom(0) / pay(""); n < 5 {
		t.Errorf("%d payments without memo fit", n)
	}
	if n := InlineRoom(0) / pay(strings.Repeat("m", 100)); n < 3 {
		t.Errorf("%d payments with a memo fit", n)
	}
}

func TestTheLargestChangeOfEachKindFitsAMessageAndAnEntry(t *testing.T) {
	bytesOf := must[[]byte](t)
	var postings []Posting
	for range PostingsMax {
		postings = append(postings, Posting{IntMax, -IntMax})
	}
	name, reason := strings.Repeat("n", MemberNameBytesMax), strings.Repeat("r", ReasonBytesMax)
	largest := Succeed{Succession: *largestSuccession(), Seq: IntMax}
	admit := Admit{Key: bob.Public(), Seal: bob.SealPublic(), Name: name, Limits: &Limits{-IntMax, IntMax}}
	for _, c := range []struct {
		kind   Kind
		args   []byte
		effect []byte
	}{
		{KindTransfer, bytesOf(Transfer{postings, strings.Repeat("m", MemoBytesMax)}.Args()), TransferEffect{postings}.Encode()},
		{KindAdmit, bytesOf(admit.Args()), AdmitEffect{IntMax, bob.Public(), bob.SealPublic(), name, *admit.Limits}.Encode()},
		{KindLimit, bytesOf(Limit{IntMax, *admit.Limits}.Args()), LimitEffect{IntMax, *admit.Limits}.Encode()},
		{KindSuspend, bytesOf(Suspend{IntMax, reason}.Args()), AccountEffect{IntMax}.Encode()},
		{KindResume, bytesOf(Resume{IntMax, reason}.Args()), AccountEffect{IntMax}.Encode()},
		{KindSweep, SweepArgs(), nil},
		{KindRename, bytesOf(Rename{IntMax, name}.Args()), RenameEffect{IntMax, name}.Encode()},
		{KindRekey, bytesOf(Rekey{IntMax, bob.Public(), bob.SealPublic()}.Args()), RekeyEffect{IntMax, bob.Public(), bob.SealPublic()}.Encode()},
		{KindSucceed, bytesOf(largest.Args()), largest.Effect().Encode()},
	} {
		change := bytesOf((&Change{c.kind.String(), c.args, Seen{IntMax, [16]byte{1}}, IntMax}).Encode())
		back, err := ParseChange(change)
		if err != nil || back.Kind() != c.kind {
			t.Errorf("%v: %v", c.kind, err)
		}
		entry := bytesOf((&Entry{Time: IntMax, Account: IntMax, Number: IntMax, Kind: c.kind, Effect: c.effect}).Encode())
		if _, err := ParseEntry(entry); err != nil {
			t.Errorf("%v: %v", c.kind, err)
		}
		frame := AppendFrame(nil, Frame{Entry: entry, Body: Body{Change: change}.Encode()})
		if _, n, err := ParseFrame(frame); err != nil || n != len(frame) {
			t.Errorf("%v: %d, %v", c.kind, n, err)
		}
	}
}

func TestAFullStateFileFits(t *testing.T) {
	s := &StateFile{Checkpoint: largestCheckpoint()}
	for range ShelfVolumes - 1 {
		s.Volumes = append(s.Volumes, VolumeRow{Length: VolumeBytesMax})
		s.Start += VolumeBytesMax
	}
	for range stateRowsMax - len(s.Volumes) {
		s.Shelves = append(s.Shelves, VolumeRow{Length: ShelfVolumes * VolumeBytesMax})
		s.Start += ShelfVolumes * VolumeBytesMax
	}
	b := must[[]byte](t)(s.Encode())
	if _, err := ParseStateFile(b); err != nil || len(b) > StateBytesMax {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	s.Shelves = append(s.Shelves, s.Shelves[0])
	s.Start += uint64(s.Shelves[0].Length)
	if _, err := s.Encode(); err == nil {
		t.Error("one row too many encodes")
	}
}

func TestTheLongestMessageFitsAnOutboxWithItsChunks(t *testing.T) {
	if room := WindowTargetsMax*ChunkBytes + InlineRoom(WindowTargetsMax); room < 3*(ChangeBytesMax+messageOverhead) {
		t.Errorf("room for %d bytes", room)
	}
}

func TestTheKeyOfAnInvitationIsAnEd25519Key(t *testing.T) {
	key := InviteKey([16]byte{1}, Digest{2})
	sig := ed25519.Sign(key, []byte("x"))
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), []byte("x"), sig) {
		t.Error("it does not verify")
	}
	if bytes.Equal(key, InviteKey([16]byte{1}, Digest{3})) || bytes.Equal(key, InviteKey([16]byte{2}, Digest{2})) {
		t.Error("the key does not depend on secret and digest")
	}
}

func largestSuccession() *Succession {
	return &Succession{Number: IntMax, Manager: keys.Public(ones32()), Log: keys.LogPublic{3}, Seal: keys.SealPublic(ones32()), Size: IntMax, Root: ones32()}
}
