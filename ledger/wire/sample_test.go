package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/keys"
)

// What the tests and SPEC.md's examples are made of: fixed seeds, and from
// them one value of each format that follows from the one before.
var (
	manager  = keys.Derive(fill(0x01))
	recovery = keys.Derive(fill(0x02))
	alice    = keys.Derive(fill(0x03))
	bob      = keys.Derive(fill(0x04))
	carol    = keys.Derive(fill(0x05)) // the manager's successor
)

// day is the time of the examples, 2026-01-02 03:04:05 UTC in Unix ms.
const day = 1767323045000

func fill(b byte) keys.Seed { return keys.Seed(bytes.Repeat([]byte{b}, 32)) }

func filled24(b byte) [24]byte { return [24]byte(bytes.Repeat([]byte{b}, 24)) }

func sampleCharter() *Charter {
	return &Charter{
		Kind: KindLedger, Name: "Mill Lane", Manager: manager.Public(), Log: manager.LogPublic(),
		Seal: manager.SealPublic(), Recovery: recovery.Public(), Created: day,
		Unit: "HRS", Scale: 2, Lower: -10000, Upper: 100000,
		Quota: 200, Heartbeat: 10800, Stale: 86400,
	}
}

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sample is one value of each format, each built on those before it: a
// database in which the manager admitted alice and bob, alice paid bob, and
// bob tried to pay what he has not got.
type sample struct {
	Charter     []byte
	ID          ID
	Digest      Digest
	Frames      [][]byte // by leaf: charter, two admissions, alice's payment, bob's
	Founded     Checkpoint
	Admitted    Checkpoint // when alice and bob were; what both have seen
	Checkpoint  Checkpoint // of all
	Args        []byte     // of alice's payment, and so on to Body
	Change      []byte
	Chain       Hash
	Message     []byte
	Window      *Window
	Keys        OutboxKeys
	Outbox      []byte
	Chunk       []byte
	Entry       *Entry
	Body        Body
	Refused     *Entry // bob's
	Head        *Head
	Succession  *Succession
	Succeed     Succeed // the item
	Succeeded   []byte  // the frame that says so in the log, which would be the next
	Link        DatabaseLink
	Invitation  Invitation
	Code        MemberCode
	Answer      Answer
	Invite      ed25519.PrivateKey
	Request     JoinRequest
	JoinValue   []byte
	State       *StateFile
	NewestInfo  []byte
	VolumeInfo  []byte
	Evidence    *Evidence
	Contradicts *Evidence
	Outgrows    *Evidence

	// Sealed is the same story in an encrypted database: its log with the frames
	// sealed, and its links. It has a ReadKey, and Plain, the frames opened.
	Sealed  *sample
	ReadKey keys.ReadKey
	Plain   []Frame

	leaves [][]byte
	acts   Hash // chain of account 0
}

// root is the root of the first size leaves (RFC 6962 section 2.1).
func (s *sample) root(size int) Hash { return subtree(s.leaves[:size]) }

func subtree(leaves [][]byte) Hash {
	if len(leaves) == 1 {
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := subtree(leaves[:k]), subtree(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// consistency is the proof that the first size leaves begin the log (RFC 6962
// section 2.1.2).
func (s *sample) consistency(size int) []Hash { return subproof(size, s.leaves, true) }

func subproof(m int, leaves [][]byte, whole bool) []Hash {
	if m == len(leaves) {
		if whole {
			return nil
		}
		return []Hash{subtree(leaves)}
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	if m <= k {
		return append(subproof(m, leaves[:k], whole), subtree(leaves[k:]))
	}
	return append(subproof(m-k, leaves[k:], false), subtree(leaves[:k]))
}

func (s *sample) checkpoint() Checkpoint {
	return SignCheckpoint(s.ID, manager.Log, uint64(len(s.leaves)), s.root(len(s.leaves)))
}

// enter appends the entry and frame of a change that its signer's chain goes
// on with from before.
func (s *sample) enter(t testing.TB, e Entry, signer *keys.Identity, before Hash, change []byte) (*Entry, Body) {
	e.Chain = ChainNext(before, change)
	e.Sig = Signature(ed25519.Sign(signer.Publish, ChangeSigned(s.Digest, e.Number, e.Chain)))
	body := Body{Change: change}
	if e.Verdict == Applied {
		body.Salt = [16]byte(bytes.Repeat([]byte{0x07}, 16))
	}
	e.Body = sha256.Sum256(body.Encode())
	leaf := must[[]byte](t)(e.Encode())
	frame := Frame{Entry: leaf, Body: body.Encode()}
	if e.Verdict != Applied {
		frame.State, frame.Body = BodyBlanked, nil
	}
	s.leaves, s.Frames = append(s.leaves, leaf), append(s.Frames, AppendFrame(nil, frame))
	return &e, body
}

// Stream is all frames.
func (s *sample) Stream() []byte { return bytes.Join(s.Frames, nil) }

func makeSample(t testing.TB) *sample {
	s := sample{Sealed: &sample{}}
	s.makeLog(t, sampleCharter())
	s.makeOutbox(t)
	s.makePublished()
	s.Succeed = must[Succeed](t)(SignSuccession(*s.Succession, s.ID, day+120000, recovery.Publish))
	s.Succeeded = s.succeeded(t)
	s.makeLinks(t)
	encrypted := sampleCharter()
	encrypted.Encrypted = true
	s.Sealed.makeLog(t, encrypted)
	s.Sealed.seal(t)
	s.Sealed.makeLinks(t)
	return &s
}

// counting is the nonces of the examples: what is read first is all of one
// byte, what is read next of the byte after it.
type counting byte

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(*c)
	}
	*c++
	return len(p), nil
}

// seal seals the frames of the log.
func (s *sample) seal(t testing.TB) {
	s.ReadKey = manager.ReadKey(s.Digest)
	nonces := counting(0x0a)
	offset := uint64(0)
	for i, b := range s.Frames {
		f, _, err := ParseFrame(b)
		if err != nil {
			t.Fatal(err)
		}
		s.Plain = append(s.Plain, f)
		if i > 0 {
			f = must[Frame](t)(SealFrame(f, s.ID, offset, s.ReadKey, &nonces))
			s.Frames[i] = AppendFrame(nil, f)
		}
		offset += uint64(len(s.Frames[i]))
	}
}

// offset is where frame number i begins.
func (s *sample) offset(i int) uint64 { return uint64(len(bytes.Join(s.Frames[:i], nil))) }

func (s *sample) makeLog(t testing.TB, charter *Charter) {
	bytesOf := must[[]byte](t)
	s.Charter = bytesOf(charter.Encode())
	s.ID, s.Digest = CharterID(s.Charter), CharterDigest(s.Charter)
	s.leaves = [][]byte{s.Charter}
	s.Frames = [][]byte{AppendFrame(nil, Frame{State: BodyBlanked, Entry: s.Charter})}
	s.Founded = s.checkpoint()

	var h Hash
	for i, who := range []*keys.Identity{alice, bob} {
		a := Admit{Key: who.Public(), Seal: who.SealPublic(), Name: []string{"Alice", "Bob"}[i]}
		n := uint64(i + 1)
		change := bytesOf((&Change{Name: "admit", Args: bytesOf(a.Args()), Seen: s.Founded.Seen()}).Encode())
		e := Entry{Time: day + 30000, Number: n, Kind: KindAdmit, Effect: AdmitEffect{n, a.Key, a.Seal, a.Name, Limits{-10000, 100000}}.Encode()}
		s.enter(t, e, manager, h, change)
		h = ChainNext(h, change)
	}
	s.acts = h
	s.Admitted = s.checkpoint()

	pay := []Posting{{1, -250}, {2, 250}}
	s.Args = bytesOf(Transfer{Postings: pay, Memo: "bread"}.Args())
	s.Change = bytesOf((&Change{Name: "transfer", Args: s.Args, Seen: s.Admitted.Seen(), Until: day + 86400000}).Encode())
	s.Entry, s.Body = s.enter(t, Entry{Time: day + 60000, Account: 1, Number: 1, Kind: KindTransfer, Effect: TransferEffect{pay}.Encode()}, alice, Hash{}, s.Change)
	s.Chain = s.Entry.Chain
	tooMuch := bytesOf(Transfer{Postings: []Posting{{2, -20000}, {1, 20000}}}.Args())
	change := bytesOf((&Change{Name: "transfer", Args: tooMuch, Seen: s.Admitted.Seen()}).Encode())
	s.Refused, _ = s.enter(t, Entry{Time: day + 60000, Account: 2, Number: 1, Kind: KindTransfer, Verdict: BelowLowerLimit}, bob, Hash{}, change)
	s.Checkpoint = s.checkpoint()
}

// makeOutbox is how alice's payment travelled, its first 100 bytes in a chunk.
func (s *sample) makeOutbox(t testing.TB) {
	bytesOf := must[[]byte](t)
	s.Message = AppendMessage(nil, Message{s.Change, s.Entry.Sig})
	shared := must[[32]byte](t)(alice.Shared(manager.SealPublic()))
	s.Keys = DeriveOutboxKeys(shared, s.Digest, alice.Public(), manager.Public())
	s.Chunk = bytesOf(SealChunk(s.Keys, filled24(0x06), s.Message[:100]))
	s.Window = &Window{First: 1, Count: 1, Newest: s.Admitted, Targets: []Target{ImmutableTarget(s.Chunk)}, Inline: s.Message[100:]}
	s.Outbox = bytesOf(SealWindow(s.Keys, filled24(0x05), s.Window))
}

// makePublished is what the manager puts and serves.
func (s *sample) makePublished() {
	row := VolumeRow{Length: 8389000, Infohash: [20]byte(bytes.Repeat([]byte{0x11}, 20)), SHA256: [32]byte(bytes.Repeat([]byte{0x12}, 32))}
	s.State = &StateFile{Start: 8389000, Checkpoint: s.Checkpoint, Volumes: []VolumeRow{row}}
	stream := s.Stream()
	s.NewestInfo = NewestInfo(s.ID, uint64(len(stream)), 117, bytes.Repeat([]byte{0x13}, 20))
	s.VolumeInfo = VolumeInfo(s.ID, 7, 40000, bytes.Repeat([]byte{0x14}, 60))
	s.Head = &Head{
		Newest: Infohash(s.NewestInfo), Older: [][20]byte{Infohash(s.VolumeInfo)}, Cycle: 9,
		Length: uint64(len(stream)), Checkpoint: s.Checkpoint, Time: day + 61000,
	}
	for rest := stream; len(rest) > 0; rest = rest[min(len(rest), ChunkBytes):] {
		s.Head.Chunks = append(s.Head.Chunks, ImmutableTarget(ChunkValue(rest[:min(len(rest), ChunkBytes)])))
	}
	s.Succession = &Succession{Number: 1, Manager: carol.Public(), Log: carol.LogPublic(), Seal: carol.SealPublic(), Size: s.Checkpoint.Size, Root: s.Checkpoint.Root}

	s.Evidence = &Evidence{Kind: EvidenceCheckpoints, Checkpoints: [2]Checkpoint{s.Checkpoint, SignCheckpoint(s.ID, manager.Log, s.Checkpoint.Size, s.Founded.Root)}}
	s.Outgrows = &Evidence{
		Kind:        EvidenceGrowth,
		Checkpoints: [2]Checkpoint{SignCheckpoint(s.ID, manager.Log, s.Admitted.Size, s.Founded.Root), s.Checkpoint},
		Root:        s.Admitted.Root,
		Proof:       s.consistency(int(s.Admitted.Size)),
	}
	other := ChainNext(Hash{}, []byte("another"))
	s.Contradicts = &Evidence{Kind: EvidenceChanges, Changes: [2]SignedNumber{
		{alice.Public(), 1, s.Chain, s.Entry.Sig},
		{alice.Public(), 1, other, Signature(ed25519.Sign(alice.Publish, ChangeSigned(s.Digest, 1, other)))},
	}}
}

func (s *sample) makeLinks(t testing.TB) {
	s.Link = DatabaseLink{ID: s.ID, Digest: s.Digest.Prefix(), Bootstrap: []netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("[2001:db8::1]:6881"),
	}}
	if s.ReadKey != (keys.ReadKey{}) {
		s.Link.ReadKey = &s.ReadKey
	}
	s.Invitation = Invitation{s.Link, [16]byte(bytes.Repeat([]byte{0x08}, 16)), time.UnixMilli(day).UTC()}
	s.Code = NewMemberCode(bob, "Bob")
	s.Answer = Answer{s.Link, 2}
	s.Invite = InviteKey(s.Invitation.Secret, s.Digest)
	s.Request = NewJoinRequest(bob, "Bob", s.Digest, keys.Public(s.Invite.Public().(ed25519.PublicKey)))
	s.JoinValue = must[[]byte](t)(SealJoinRequest(s.Request, manager.SealPublic(), [32]byte(fill(0x09))))
}

// succeeded is the frame of the succession as the log's next entry.
func (s *sample) succeeded(t testing.TB) []byte {
	bytesOf := must[[]byte](t)
	change := bytesOf((&Change{Name: "succeed", Args: bytesOf(s.Succeed.Args()), Seen: s.Checkpoint.Seen()}).Encode())
	next := &sample{Digest: s.Digest, leaves: slices.Clone(s.leaves)}
	next.enter(t, Entry{Time: day + 121000, Number: 3, Kind: KindSucceed, Effect: s.Succeed.Effect().Encode()}, carol, s.acts, change)
	return next.Frames[0]
}
