package member

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"weir/internal/lookup"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

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

func identity(n byte) *keys.Identity {
	return keys.Derive(keys.Seed(bytes.Repeat([]byte{n}, keys.SeedBytes)))
}

// keeper plays the manager: it merges what it is told to and publishes.
type keeper struct {
	*host
	id      *keys.Identity
	db      *store.Store
	boxes   map[uint64]*outbox.Receiver
	newest  wire.Head
	seq     int64
	older   [][20]byte
	noChunk bool // heads name no chunks
	key     *keys.ReadKey
}

func newKeeper(t testing.TB, w *world) *keeper { return newKeeperOf(t, w, false) }

func newKeeperOf(t testing.TB, w *world, encrypted bool) *keeper {
	k := &keeper{host: w.host(1), id: identity(1), boxes: map[uint64]*outbox.Receiver{}}
	charter := must[[]byte](t)((&wire.Charter{
		Kind: wire.KindLedger, Encrypted: encrypted, Name: "Mill Lane", Manager: k.id.Public(), Log: k.id.LogPublic(),
		Seal: k.id.SealPublic(), Recovery: identity(2).Public(), Created: w.now.UnixMilli(),
		Unit: "HRS", Scale: 2, Lower: -1 << 40, Upper: 1 << 40, Quota: 1_000_000, Heartbeat: 3600, Stale: 7200,
	}).Encode())
	if encrypted {
		key := k.id.ReadKey(wire.CharterDigest(charter))
		k.key = &key
	}
	k.db = must[*store.Store](t)(store.Create(store.NewCrashable(1, nil), charter, k.options()))
	t.Cleanup(func() { k.db.Close() })
	it := must[lookup.Item](t)(lookup.Immutable(charter))
	w.items[it.Target] = it
	return k
}

func (k *keeper) link() wire.DatabaseLink {
	st := k.db.State()
	return wire.DatabaseLink{ID: st.ID, Digest: st.Digest.Prefix(), ReadKey: k.key}
}

func (k *keeper) options() store.Options { return store.Options{Small: true, ReadKey: k.key} }

// Sign implements ledger.Manager.
func (k *keeper) Sign(number uint64, chain wire.Hash) wire.Signature {
	return wire.Signature(ed25519.Sign(k.id.Publish, wire.ChangeSigned(k.db.State().Digest, number, chain)))
}

func (k *keeper) merge(queues ...ledger.Queue) {
	k.t.Helper()
	in := ledger.MergeInput{Now: k.now.UnixMilli(), Queues: queues, Hashes: k.db, Manager: k, Salts: k.random, Max: 1 << 20}
	if b := must[*ledger.Batch](k.t)(k.db.State().Merge(in)); b != nil {
		check(k.t, k.db.Commit([]*ledger.Batch{b}))
	}
}

// act is the keeper's own next change.
func (k *keeper) act(name string, args []byte, err error) {
	k.t.Helper()
	check(k.t, err)
	self, _ := k.db.State().Account(0)
	c := k.candidate(k.id, self.Last+1, self.Chain, name, args)
	k.merge(ledger.Queue{Changes: []ledger.Candidate{c}})
}

// candidate is a change as an account's owner would sign it.
func (k *keeper) candidate(id *keys.Identity, number uint64, before wire.Hash, name string, args []byte) ledger.Candidate {
	k.t.Helper()
	st := k.db.State()
	c := wire.Change{Name: name, Args: args, Seen: wire.Checkpoint{Size: st.Size, Root: st.Root}.Seen()}
	b := must[[]byte](k.t)(c.Encode())
	chain := wire.ChainNext(before, b)
	sig := ed25519.Sign(id.Publish, wire.ChangeSigned(st.Digest, number, chain))
	return ledger.Candidate{Number: number, Change: b, Chain: chain, Sig: wire.Signature(sig)}
}

func (k *keeper) admit(id *keys.Identity, name string) {
	k.t.Helper()
	args, err := wire.Admit{Key: id.Public(), Seal: id.SealPublic(), Name: name}.Args()
	k.act("admit", args, err)
}

// grow adds transfers of one unit from a member to each other one, 63 at most.
func (k *keeper) grow(from *keys.Identity, n int) {
	k.t.Helper()
	st := k.db.State()
	a, ok := st.ByKey(from.Public())
	if !ok {
		k.t.Fatal("no such member")
	}
	members := st.Accounts()[1:]
	members = members[:min(len(members), wire.PostingsMax)]
	var postings []wire.Posting
	for _, to := range members {
		amount := int64(1)
		if to.Number == a.Number {
			amount = 1 - int64(len(members))
		}
		postings = append(postings, wire.Posting{Account: to.Number, Amount: amount})
	}
	args := must[[]byte](k.t)(wire.Transfer{Postings: postings}.Args())
	q := ledger.Queue{Account: a.Number}
	for number, chain := a.Last+1, a.Chain; len(q.Changes) < n; number++ {
		c := k.candidate(from, number, chain, "transfer", args)
		q.Changes, chain = append(q.Changes, c), c.Chain
	}
	k.merge(q)
}

// poll takes what the members' outboxes have and merges it.
func (k *keeper) poll() {
	k.t.Helper()
	st := k.db.State()
	var queues []ledger.Queue
	for _, a := range st.Accounts() {
		it, ok := k.items[wire.MutableTarget(a.Key, st.ID.Salt())]
		if a.Number == 0 || !ok {
			continue
		}
		r := k.boxes[a.Number]
		if r == nil {
			shared := must[[32]byte](k.t)(k.id.Shared(a.Seal))
			r = outbox.NewReceiver(wire.DeriveOutboxKeys(shared, st.Digest, a.Key, k.id.Public()))
			k.boxes[a.Number] = r
		}
		err := r.Accept(it.Value)
		if errors.Is(err, wire.ErrOpen) && st.Terms().Newest().Number > 0 {
			continue // it is sealed for the key of before
		}
		check(k.t, err)
		for _, t := range r.Wanted(a.Last, 4) {
			if c, ok := k.items[t]; ok {
				check(k.t, r.Chunk(t, c.Value))
			}
		}
		messages, err := r.Messages(a.Last, a.Chain)
		if err != nil {
			continue
		}
		changes := must[[]ledger.Candidate](k.t)(ledger.VerifyMessages(st.Digest, a.Key, a.Last+1, a.Chain, messages, sign.ZIP215{}))
		if len(changes) > 0 {
			queues = append(queues, ledger.Queue{Account: a.Number, Changes: changes})
		}
	}
	if len(queues) > 0 {
		k.merge(queues...)
	}
}

// publish puts a head of the log as it is, its chunks, and serves its torrent.
func (k *keeper) publish() {
	k.t.Helper()
	st := k.db.State()
	c := wire.SignCheckpoint(st.ID, k.id.Log, st.Size, st.Root)
	torrent := must[store.Torrent](k.t)(k.db.NewestTorrent(c))
	if k.newest.Newest != ([20]byte{}) && k.newest.Newest != torrent.Infohash {
		k.older = append([][20]byte{k.newest.Newest}, k.older...)[:min(4, len(k.older)+1)]
	}
	if _, ok := k.swarm.served[torrent.Infohash]; !ok {
		check(k.t, k.swarm.Serve(torrent.Info, torrent.Content, true))
	}
	for n := range st.Volumes {
		v := must[store.Torrent](k.t)(k.db.VolumeTorrent(n))
		if _, ok := k.swarm.served[v.Infohash]; !ok {
			check(k.t, k.swarm.Serve(v.Info, v.Content, true))
		}
	}
	h := wire.Head{
		Newest: torrent.Infohash, Older: k.older, Cycle: k.newest.Cycle + 1,
		Length: st.Length, Checkpoint: c, Time: k.now.UnixMilli(),
	}
	if !k.noChunk {
		h.Chunks = k.chunks()
	}
	k.put(h)
}

// chunks puts the stream's end.
func (k *keeper) chunks() []wire.Target {
	st := k.db.State()
	n := chunkCount(st.Length)
	var targets []wire.Target
	for i := n - min(n, wire.HeadChunksMax); i < n; i++ {
		b := make([]byte, min(wire.ChunkBytes, st.Length-i*wire.ChunkBytes))
		must[int](k.t)(k.db.ReadStream(b, i*wire.ChunkBytes))
		it := must[lookup.Item](k.t)(lookup.Immutable(wire.ChunkValue(b)))
		k.items[it.Target] = it
		targets = append(targets, it.Target)
	}
	return targets
}

// put signs and puts a head, whatever it says.
func (k *keeper) put(h wire.Head) {
	k.t.Helper()
	k.newest = h
	k.seq = max(k.seq+1, k.now.UnixMilli())
	it := k.signed(h, k.seq)
	k.items[it.Target] = it
}

func (k *keeper) signed(h wire.Head, seq int64) lookup.Item {
	k.t.Helper()
	v := must[[]byte](k.t)(h.Encode())
	return must[lookup.Item](k.t)(lookup.Sign(k.id.Publish, k.db.State().ID.Salt(), seq, v))
}

func (k *keeper) headTarget() wire.Target {
	return wire.MutableTarget(k.id.Public(), k.db.State().ID.Salt())
}
