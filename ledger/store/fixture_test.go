package store

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// began is when the databases of these tests begin, Unix ms.
const began = 1767323045000

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is somebody with a key: the manager or a member.
type person struct {
	*keys.Identity
	digest wire.Digest
	number uint64 // of the last change
	chain  wire.Hash
}

func newPerson(n byte, d wire.Digest) *person {
	return &person{Identity: keys.Derive(keys.Seed(bytes.Repeat([]byte{n}, 32))), digest: d}
}

// Sign implements ledger.Manager.
func (p *person) Sign(number uint64, chain wire.Hash) wire.Signature {
	return wire.Signature(ed25519.Sign(p.Publish, wire.ChangeSigned(p.digest, number, chain)))
}

// change is the person's next change.
func (p *person) change(kind wire.Kind, args []byte, seen wire.Seen) ledger.Candidate {
	c := wire.Change{Name: kind.String(), Args: args, Seen: seen}
	b, err := c.Encode()
	if err != nil {
		panic(err)
	}
	p.number, p.chain = p.number+1, wire.ChainNext(p.chain, b)
	return ledger.Candidate{Number: p.number, Change: b, Chain: p.chain, Sig: p.Sign(p.number, p.chain)}
}

// story makes one batch after the other, on a store of its own: what a manager
// with two members would commit. The same story is always the same bytes.
type story struct {
	charter []byte
	key     *keys.ReadKey // of an encrypted database
	manager *person
	members []*person
	store   *Store
	batches []*ledger.Batch // after the founding
	salts   io.Reader
	time    int64
	seen    wire.Seen
	memo    string
	posts   int // postings to the other members in one transfer
}

func newStory(t testing.TB, members int) *story { return makeStory(t, members, false) }

// sealedStory is newStory of an encrypted database.
func sealedStory(t testing.TB, members int) *story { return makeStory(t, members, true) }

func makeStory(t testing.TB, members int, encrypted bool) *story {
	manager := newPerson(1, wire.Digest{})
	charter := must[[]byte](t)((&wire.Charter{
		Kind: wire.KindLedger, Encrypted: encrypted, Name: "Mill Lane", Manager: manager.Public(), Log: manager.LogPublic(),
		Seal: manager.SealPublic(), Recovery: newPerson(2, wire.Digest{}).Public(), Created: began,
		Unit: "HRS", Scale: 2, Lower: -1 << 50, Upper: 1 << 50,
		Quota: 1_000_000, Heartbeat: 10800, Stale: 86400,
	}).Encode())
	s := &story{charter: charter, manager: manager, salts: &counter{}, time: began, posts: 1}
	manager.digest = wire.CharterDigest(charter)
	if encrypted {
		key := manager.ReadKey(manager.digest)
		s.key = &key
	}
	s.store = must[*Store](t)(Create(NewCrashable(1, nil), charter, s.options()))
	t.Cleanup(func() { check(t, s.store.Close()) })
	s.sees()
	var acts []ledger.Candidate
	for i := range members {
		p := newPerson(byte(10+i), manager.digest)
		s.members = append(s.members, p)
		args := must[[]byte](t)(wire.Admit{Key: p.Public(), Seal: p.SealPublic(), Name: fmt.Sprintf("member %d", i+1)}.Args())
		acts = append(acts, manager.change(wire.KindAdmit, args, s.seen))
	}
	s.merge(t, ledger.Queue{Changes: acts})
	return s
}

// options open a store of the story's database.
func (s *story) options() Options { return Options{Small: true, ReadKey: s.key} }

func (s *story) sees() {
	st := s.store.State()
	s.seen = wire.Checkpoint{Size: st.Size, Root: st.Root}.Seen()
}

// merge makes the next batch and commits it to the story's own store.
func (s *story) merge(t testing.TB, queues ...ledger.Queue) *ledger.Batch {
	t.Helper()
	s.time += 1000
	b := must[*ledger.Batch](t)(s.store.State().Merge(ledger.MergeInput{
		Now: s.time, Queues: queues, Hashes: s.store, Manager: s.manager, Salts: s.salts, Max: 1 << 20,
	}))
	check(t, s.store.Commit([]*ledger.Batch{b}))
	s.batches = append(s.batches, b)
	s.manager.number, s.manager.chain = s.account(0).Last, s.account(0).Chain
	s.sees()
	return b
}

func (s *story) account(n uint64) ledger.Account {
	a, _ := s.store.State().Account(n)
	return a
}

// pay makes a batch of n transfers, taken in turn from the members.
func (s *story) pay(t testing.TB, n int) *ledger.Batch {
	t.Helper()
	queues := make([]ledger.Queue, len(s.members))
	for i := range n {
		from := i % len(s.members)
		postings := []wire.Posting{{Account: uint64(from + 1), Amount: -int64(s.posts)}}
		for j := range s.posts {
			postings = append(postings, wire.Posting{Account: uint64((from+1+j)%len(s.members) + 1), Amount: 1})
		}
		args := must[[]byte](t)(wire.Transfer{Postings: postings, Memo: s.memo}.Args())
		queues[from].Account = uint64(from + 1)
		queues[from].Changes = append(queues[from].Changes, s.members[from].change(wire.KindTransfer, args, s.seen))
	}
	return s.merge(t, slices.DeleteFunc(queues, func(q ledger.Queue) bool { return len(q.Changes) == 0 })...)
}

// counter is a deterministic source of salts.
type counter struct{ n uint64 }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		if i%8 == 0 {
			c.n++
		}
		p[i] = binary.BigEndian.AppendUint64(nil, c.n)[i%8]
	}
	return len(p), nil
}
