package member

import (
	"crypto/sha256"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/outbox"
	"weir/ledger/wire"
)

// seal builds the outbox item, signs it under a seq beyond every other, and
// stores it before anybody can put it. out is an item that is known to be out
// under this key and is to be replaced; the zero item when none is.
func (d *Desk) seal(newest wire.Checkpoint, out itemRecord) (outboxRecord, []outbox.Chunk, error) {
	s, err := d.ready()
	if err != nil {
		return outboxRecord{}, nil, err
	}
	old, _, err := readRecord[outboxRecord](d.Store, keyItem)
	if err != nil {
		return outboxRecord{}, nil, err
	}
	manager, k, err := d.outboxKeys()
	if err != nil {
		return outboxRecord{}, nil, err
	}
	if d.sealedFor(old) != manager {
		s.Reseal()
	}
	value, chunks, _, err := s.Build(k, newest, d.Random)
	if err != nil {
		return outboxRecord{}, nil, err
	}
	first, last := span(s)
	rec := outboxRecord{Before: old.Seq, BeforeHash: sha256.Sum256(old.Value), First: first, Last: last, Newest: newest.Size, Manager: manager}
	if out.Seq > old.Seq {
		rec.Before, rec.BeforeHash = out.Seq, sha256.Sum256(out.Value)
	}
	seq := max(rec.Before+1, d.Now().UnixMilli())
	it, err := lookup.Sign(d.Identity.Publish, d.Store.State().ID.Salt(), seq, value)
	if err != nil {
		return outboxRecord{}, nil, err
	}
	rec.itemRecord = itemRecord{Value: it.Value, Seq: it.Seq, Sig: it.Sig}
	if err := d.keep(record(keyItem, rec)); err != nil {
		return outboxRecord{}, nil, err
	}
	return rec, chunks, nil
}

// span is the numbers that wait; last is first - 1 when there are none.
func span(s *outbox.Sender) (first, last uint64) {
	next, _ := s.Next()
	return next - uint64(len(s.Waiting())), next - 1
}

// sealed gives the stored outbox item when it still carries exactly what
// waits.
func (d *Desk) sealed() (rec outboxRecord, chunks []outbox.Chunk, ok bool, err error) {
	s, err := d.ready()
	if err != nil {
		return rec, nil, false, err
	}
	if rec, ok, err = readRecord[outboxRecord](d.Store, keyItem); err != nil || !ok || rec.Seq == 0 || rec.TakeOver {
		return rec, nil, false, err
	}
	terms, err := Terms(d.Store)
	if err != nil {
		return rec, nil, false, err
	}
	first, last := span(s)
	current := rec.First == first && rec.Last == last && d.sealedFor(rec) == terms.Newest().Manager
	return rec, s.Snapshot().Chunks, current, nil
}

// sealedFor is the manager's key that an outbox item was sealed for.
func (d *Desk) sealedFor(rec outboxRecord) keys.Public {
	if rec.Manager == (keys.Public{}) {
		return d.Store.State().Charter.Manager // of before there was another
	}
	return rec.Manager
}

// outboxKeys seals for the manager's newest keys.
func (d *Desk) outboxKeys() (keys.Public, wire.OutboxKeys, error) {
	terms, err := Terms(d.Store)
	if err != nil {
		return keys.Public{}, wire.OutboxKeys{}, err
	}
	k, err := d.sealedTo(terms.Newest())
	return terms.Newest().Manager, k, err
}

// sealedTo seals and opens what is for one of the manager's keys.
func (d *Desk) sealedTo(manager wire.Succeed) (wire.OutboxKeys, error) {
	shared, err := d.Identity.Shared(manager.Seal)
	if err != nil {
		return wire.OutboxKeys{}, err
	}
	return wire.DeriveOutboxKeys(shared, d.Store.State().Digest, d.Identity.Public(), manager.Manager), nil
}
