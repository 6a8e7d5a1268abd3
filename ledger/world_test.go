package ledger

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"reflect"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

const (
	created = 1_800_000_000_000 // Unix ms
	lower   = -100
	upper   = 1000
	quota   = 50
)

// hashes is the stored Merkle hashes.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = h[x]
	}
	return out, nil
}

// counter is a source of salts, each another.
type counter uint64

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		*c++
		p[i] = byte(*c * 0x9e3779b97f4a7c15 >> 56)
	}
	return len(p), nil
}

func identity(i int) *keys.Identity {
	var seed keys.Seed
	binary.BigEndian.PutUint64(seed[:], uint64(i)+1)
	return keys.Derive(seed)
}

// testKey is the read key of the tests' encrypted databases.
var testKey = &keys.ReadKey{7}

// both runs a test on a readable database, whose key is nil, and on an
// encrypted one.
func both(t *testing.T, f func(t *testing.T, key *keys.ReadKey)) {
	t.Run("readable", func(t *testing.T) { f(t, nil) })
	t.Run("encrypted", func(t *testing.T) { f(t, testKey) })
}

// world is a database with its manager, its members and a reader that replays
// every batch as soon as it is made.
type world struct {
	testing.TB
	charter []byte
	key     *keys.ReadKey
	ids     []*keys.Identity // by account
	state   *State           // the manager's
	reader  *State
	hashes  hashes
	stream  []byte
	now     int64
	salts   counter
}

func testCharter(t testing.TB) []byte { return testCharterOf(t, nil) }

// testCharterOf is the charter of an encrypted database, if there is a key.
func testCharterOf(t testing.TB, key *keys.ReadKey) []byte {
	t.Helper()
	manager, recovery := identity(0), identity(1_000_000)
	b, err := (&wire.Charter{
		Kind:      wire.KindLedger,
		Encrypted: key != nil,
		Name:      "the weir",
		Manager:   manager.Public(),
		Log:       manager.LogPublic(),
		Seal:      manager.SealPublic(),
		Recovery:  recovery.Public(),
		Created:   created,
		Unit:      "HRS",
		Scale:     2,
		Lower:     lower,
		Upper:     upper,
		Quota:     quota,
		Heartbeat: 3600,
		Stale:     86400,
	}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// newWorld founds a database and admits members, accounts 1 and on.
func newWorld(t testing.TB, members int) *world {
	t.Helper()
	return newWorldCut(t, nil, members, wire.VolumeBytes)
}

// newWorldCut is newWorld with volumes of so many bytes; encrypted, if there is
// a key.
func newWorldCut(t testing.TB, key *keys.ReadKey, members int, cut uint64) *world {
	t.Helper()
	charter := testCharterOf(t, key)
	w := &world{TB: t, charter: charter, key: key, ids: []*keys.Identity{identity(0)}, now: created}
	found := func() (*State, *Batch) {
		s, b, err := Found(charter, key)
		if err != nil {
			t.Fatal(err)
		}
		return s, b
	}
	w.reader, _ = found()
	s, b := found()
	w.state, w.hashes, w.stream = s, b.Hashes, b.Frames
	w.state.cut, w.reader.cut = cut, cut
	var acts [][]byte
	for i := 1; i <= members; i++ {
		w.ids = append(w.ids, identity(i))
		acts = append(acts, w.change(admit(i, memberName(i), nil)))
	}
	if members > 0 {
		w.merge(w.queue(0, acts...))
	}
	return w
}

// load is the state that a store would give back, by another reader's copy of
// the key.
func (w *world) load(t testing.TB, fixed Fixed, accounts []Account) *State {
	t.Helper()
	s, err := Load(w.charter, w.key, fixed, accounts, w.state.terms[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	s.cut = w.state.cut
	return s
}

func memberName(i int) string {
	return "Member " + string([]byte{byte('A' + i/26%26), byte('a' + i%26)})
}

// Sign implements Manager.
func (w *world) Sign(number uint64, chain wire.Hash) wire.Signature {
	return w.sign(0, number, chain)
}

func (w *world) sign(account, number uint64, chain wire.Hash) wire.Signature {
	m := wire.ChangeSigned(w.state.Digest, number, chain)
	return wire.Signature(ed25519.Sign(w.ids[account].Publish, m))
}

func (w *world) seen() wire.Seen {
	return wire.Checkpoint{Size: w.state.Size, Root: w.state.Root}.Seen()
}

// args is the arguments of a kind, encoded.
type args struct {
	kind wire.Kind
	b    []byte
	err  error
}

func transferOf(memo string, postings ...wire.Posting) args {
	b, err := wire.Transfer{Postings: postings, Memo: memo}.Args()
	return args{wire.KindTransfer, b, err}
}

// pay moves amount from one account to another.
func pay(from, to uint64, amount int64) args {
	return transferOf("", wire.Posting{Account: from, Amount: -amount}, wire.Posting{Account: to, Amount: amount})
}

func admit(i int, name string, limits *wire.Limits) args {
	id := identity(i)
	return admitKey(id.Public(), name, limits)
}

func admitKey(k keys.Public, name string, limits *wire.Limits) args {
	b, err := wire.Admit{Key: k, Seal: keys.SealPublic(k), Name: name, Limits: limits}.Args()
	return args{wire.KindAdmit, b, err}
}

// admitSeal is an admission with a seal key that wire.Admit does not write.
func admitSeal(i int, seal keys.SealPublic) args {
	a := admit(i, "Six", nil)
	k := identity(i).Public()
	a.b = bytes.Replace(a.b, append([]byte("1:s32:"), k[:]...), append([]byte("1:s32:"), seal[:]...), 1)
	return a
}

func limitOf(account uint64, lower, upper int64) args {
	b, err := wire.Limit{Account: account, Limits: wire.Limits{Lower: lower, Upper: upper}}.Args()
	return args{wire.KindLimit, b, err}
}

func suspend(account uint64) args {
	b, err := wire.Suspend{Account: account, Reason: "because"}.Args()
	return args{wire.KindSuspend, b, err}
}

func resume(account uint64) args {
	b, err := wire.Resume{Account: account}.Args()
	return args{wire.KindResume, b, err}
}

func renameTo(account uint64, name string) args {
	b, err := wire.Rename{Account: account, Name: name}.Args()
	return args{wire.KindRename, b, err}
}

func rekeyTo(account uint64, k keys.Public) args {
	b, err := wire.Rekey{Account: account, Key: k, Seal: keys.SealPublic(k)}.Args()
	return args{wire.KindRekey, b, err}
}

// change encodes a change that has seen the newest root.
func (w *world) change(a args) []byte { return w.changeWith(a, func(*wire.Change) {}) }

func (w *world) changeWith(a args, f func(*wire.Change)) []byte {
	w.Helper()
	if a.err != nil {
		w.Fatal(a.err)
	}
	c := &wire.Change{Name: a.kind.String(), Args: a.b, Seen: w.seen()}
	f(c)
	b, err := c.Encode()
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// queue signs changes as the next of an account.
func (w *world) queue(account uint64, changes ...[]byte) Queue {
	w.Helper()
	a, ok := w.state.Account(account)
	if !ok {
		w.Fatalf("no account %d", account)
	}
	q := Queue{Account: account}
	number, chain := a.Last, a.Chain
	for _, c := range changes {
		number++
		chain = wire.ChainNext(chain, c)
		q.Changes = append(q.Changes, Candidate{number, c, chain, w.sign(account, number, chain)})
	}
	return q
}

// try merges a second later than before, and checks that this changed
// nothing.
func (w *world) try(queues ...Queue) (*Batch, error) {
	w.now += 1000
	return w.tryMax(0, queues...)
}

func (w *world) tryMax(most int, queues ...Queue) (*Batch, error) {
	w.Helper()
	before := *w.state
	accounts := w.state.Accounts()
	b, err := w.state.Merge(MergeInput{
		Now:     w.now,
		Queues:  queues,
		Hashes:  w.hashes,
		Manager: w,
		Salts:   &w.salts,
		Max:     most,
	})
	if before.Fixed != w.state.Fixed || !reflect.DeepEqual(accounts, w.state.Accounts()) {
		w.Fatal("Merge changed the state")
	}
	return b, err
}

// merge merges, adopts, and has the reader replay it. Nil: nothing was taken.
func (w *world) merge(queues ...Queue) *Batch {
	w.Helper()
	b, err := w.try(queues...)
	if err != nil {
		w.Fatal(err)
	}
	w.adopt(b)
	return b
}

func (w *world) adopt(b *Batch) {
	w.Helper()
	if b == nil {
		return
	}
	replayed, err := w.reader.Replay(b.Frames, w.hashes, sign.ZIP215{})
	if err != nil {
		w.Fatalf("replay what was merged: %v", err)
	}
	if len(replayed) != 1 {
		w.Fatalf("one batch was replayed as %d", len(replayed))
	}
	sameBatch(w.TB, replayed[0], b)
	w.state.Adopt(b)
	w.reader.Adopt(replayed[0])
	w.hashes = append(w.hashes, b.Hashes...)
	w.stream = append(w.stream, b.Frames...)
	w.check()
}

// check is what holds of every world.
func (w *world) check() {
	w.Helper()
	sameState(w.TB, w.reader, w.state)
	var sum int64
	for _, a := range w.state.Accounts() {
		sum += a.Balance
	}
	switch {
	case sum != 0 || w.state.Sum() != 0:
		w.Fatalf("the balances sum to %d, and Sum says %d", sum, w.state.Sum())
	case w.state.Length != uint64(len(w.stream)):
		w.Fatalf("the stream has %d bytes, and Length says %d", len(w.stream), w.state.Length)
	case tlog.StoredHashCount(int64(w.state.Size)) != int64(len(w.hashes)):
		w.Fatalf("%d hashes of %d entries", len(w.hashes), w.state.Size)
	}
	if err := w.state.check(); err != nil {
		w.Fatal(err)
	}
}

func sameState(t testing.TB, got, want *State) {
	t.Helper()
	if got.Fixed != want.Fixed {
		t.Fatalf("states differ:\n%+v\n%+v", got.Fixed, want.Fixed)
	}
	if !reflect.DeepEqual(got.accounts, want.accounts) || !reflect.DeepEqual(got.keyed, want.keyed) ||
		!reflect.DeepEqual(got.byName, want.byName) || !reflect.DeepEqual(got.terms, want.terms) || got.sum != want.sum {
		t.Fatalf("accounts differ:\n%+v\n%+v", got.accounts, want.accounts)
	}
}

func sameBatch(t testing.TB, got, want *Batch) {
	t.Helper()
	if got.Fixed != want.Fixed || got.Start != want.Start || got.FirstHash != want.FirstHash ||
		!bytes.Equal(got.Frames, want.Frames) || !reflect.DeepEqual(got.Hashes, want.Hashes) ||
		!reflect.DeepEqual(got.Accounts, want.Accounts) || !reflect.DeepEqual(got.Successions, want.Successions) || len(got.Entries) != len(want.Entries) {
		t.Fatalf("batches differ:\n%+v\n%+v", got, want)
	}
	for i := range want.Entries {
		g, w := got.Entries[i], want.Entries[i]
		if g.Index != w.Index || g.Offset != w.Offset || g.Frame != w.Frame ||
			!bytes.Equal(leafOf(t, g), leafOf(t, w)) || !reflect.DeepEqual(g.Body, w.Body) {
			t.Fatalf("entry %d differs:\n%+v\n%+v", w.Index, g, w)
		}
	}
}

func leafOf(t testing.TB, d Decided) []byte {
	t.Helper()
	b, err := d.Entry.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verdicts is a batch's verdicts in order.
func verdictsOf(b *Batch) []wire.Verdict {
	if b == nil {
		return nil
	}
	var list []wire.Verdict
	for _, d := range b.Entries {
		list = append(list, d.Entry.Verdict)
	}
	return list
}

// signers is the accounts of a batch's entries in order.
func signersOf(b *Batch) []uint64 {
	if b == nil {
		return nil
	}
	var list []uint64
	for _, d := range b.Entries {
		list = append(list, d.Entry.Account)
	}
	return list
}
