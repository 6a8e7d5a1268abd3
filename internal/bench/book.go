package bench

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// book is a database on a real disk, with the keys of everybody in it, that is
// made to grow without a network.
type book struct {
	id      *keys.Identity // the manager's
	charter []byte
	digest  wire.Digest
	store   *store.Store
	members []*author
	verify  sign.Verifier
	memo    string
	others  int   // postings of a transfer beside its signer's
	time    int64 // of the newest batch, Unix ms
}

// author is a member whose changes the book makes.
type author struct {
	id     *keys.Identity
	number uint64
	chain  wire.Hash
}

// seedOf gives the n-th identity of a run.
func seedOf(run uint64, n int) keys.Seed {
	var s keys.Seed
	copy(s[:], "weir bench")
	binary.BigEndian.PutUint64(s[16:], run)
	binary.BigEndian.PutUint64(s[24:], uint64(n))
	return s
}

// newBook founds a database in a directory and admits members. Its time begins
// in the past, so that a manager that goes on from it has a believable clock.
func newBook(dir string, run uint64, members int) (*book, error) {
	b := &book{id: keys.Derive(seedOf(run, 0)), verify: sign.NewCached(members + 1), others: 1, time: time.Now().Add(-24 * time.Hour).UnixMilli()}
	recovery := keys.Derive(seedOf(run, -1))
	var err error
	b.charter, err = (&wire.Charter{
		Kind: wire.KindLedger, Name: "Bench", Manager: b.id.Public(), Log: b.id.LogPublic(), Seal: b.id.SealPublic(),
		Recovery: recovery.Public(), Created: b.time, Unit: "HRS", Scale: 2, Lower: -wire.IntMax, Upper: wire.IntMax,
		Quota: 1_000_000, Heartbeat: 4 * 3600, Stale: 24 * 3600,
	}).Encode()
	if err != nil {
		return nil, err
	}
	b.digest = wire.CharterDigest(b.charter)
	disk, err := store.OS(filepath.Join(dir, "db"))
	if err != nil {
		return nil, err
	}
	if b.store, err = store.Create(disk, b.charter, store.Options{}); err != nil {
		return nil, err
	}
	var acts []ledger.Candidate
	for i := range members {
		m := &author{id: keys.Derive(seedOf(run, i+1))}
		b.members = append(b.members, m)
		args, err := wire.Admit{Key: m.id.Public(), Seal: m.id.SealPublic(), Name: fmt.Sprint("member ", i+1)}.Args()
		if err != nil {
			return nil, err
		}
		change, err := b.change(wire.KindAdmit, args)
		if err != nil {
			return nil, err
		}
		acts = append(acts, ledger.Candidate{Change: change})
	}
	return b, b.merge([]ledger.Queue{{Changes: acts}})
}

func (b *book) close() error { return b.store.Close() }

// Sign implements ledger.Manager.
func (b *book) Sign(number uint64, chain wire.Hash) wire.Signature {
	return wire.Signature(ed25519.Sign(b.id.Publish, wire.ChangeSigned(b.digest, number, chain)))
}

func (b *book) change(kind wire.Kind, args []byte) ([]byte, error) {
	st := b.store.State()
	c := wire.Change{Name: kind.String(), Args: args, Seen: wire.Checkpoint{Size: st.Size, Root: st.Root}.Seen()}
	return c.Encode()
}

// mail signs n transfers, one of each member in turn.
func (b *book) mail(n int) ([]ledger.Mail, error) {
	all := make([]ledger.Mail, min(n, len(b.members)))
	for i := range n {
		at := i % len(b.members)
		m := b.members[at]
		postings := []wire.Posting{{Account: uint64(at + 1), Amount: -int64(b.others)}}
		for j := range b.others {
			postings = append(postings, wire.Posting{Account: uint64((at+1+j)%len(b.members) + 1), Amount: 1})
		}
		args, err := wire.Transfer{Postings: postings, Memo: b.memo}.Args()
		if err != nil {
			return nil, err
		}
		change, err := b.change(wire.KindTransfer, args)
		if err != nil {
			return nil, err
		}
		if all[at].Messages == nil {
			all[at] = ledger.Mail{Account: uint64(at + 1), Key: m.id.Public(), First: m.number + 1, Before: m.chain}
		}
		m.number, m.chain = m.number+1, wire.ChainNext(m.chain, change)
		sig := wire.Signature(ed25519.Sign(m.id.Publish, wire.ChangeSigned(b.digest, m.number, m.chain)))
		all[at].Messages = append(all[at].Messages, wire.Message{Change: change, Sig: sig})
	}
	return all, nil
}

// take verifies, decides and commits mail, as a manager's cycle does.
func (b *book) take(mail []ledger.Mail) error {
	queues, problems := ledger.VerifyMail(b.digest, mail, b.verify)
	for _, err := range problems {
		if err != nil {
			return err
		}
	}
	return b.merge(queues)
}

func (b *book) merge(queues []ledger.Queue) error {
	b.time++
	batch, err := b.store.State().Merge(ledger.MergeInput{Now: b.time, Queues: queues, Hashes: b.store, Manager: b, Salts: rand.Reader})
	if err != nil {
		return err
	}
	want := 0
	for _, q := range queues {
		want += len(q.Changes)
	}
	if batch == nil || len(batch.Entries) < want || batch.Refused > 0 {
		return fmt.Errorf("not all of %d changes were applied", want)
	}
	return b.store.Commit([]*ledger.Batch{batch})
}

// wide makes transfers as large as they can be, to fill a disk quickly.
func (b *book) wide() {
	b.others = min(63, len(b.members)-1)
	b.memo = fmt.Sprintf("%-256s", "for a large database")
}

// grow commits transfers until the stream has so many bytes.
func (b *book) grow(length uint64, progress func(done uint64)) error {
	for {
		have := b.store.State().Length
		progress(have)
		if have >= length {
			return nil
		}
		n := int(min(max((length-have)/1600, 1), 4096))
		mail, err := b.mail(n)
		if err != nil {
			return err
		}
		if err := b.take(mail); err != nil {
			return err
		}
	}
}
