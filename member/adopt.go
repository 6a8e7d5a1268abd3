package member

import (
	"errors"
	"fmt"

	"weir/internal/lookup"
	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// errBehind: the own outbox builds on numbers that the log here has not got yet.
var errBehind = errors.New("the outbox that is on the DHT builds on changes that the log here has not got yet")

// foundOutbox is an outbox of the own key as it was found on the DHT.
type foundOutbox struct {
	item     lookup.Item
	holding  int
	older    bool // it is sealed for a key of the manager's that was replaced
	receiver *outbox.Receiver
	unread   error // it does not open
}

// openFound opens what a look at the own outbox found.
func (d *Desk) openFound(f lookup.Found) ([]*foundOutbox, error) {
	terms, err := Terms(d.Store)
	if err != nil {
		return nil, err
	}
	var all []*foundOutbox
	for _, it := range items(f) {
		o := &foundOutbox{item: it, holding: f.Holding}
		for i := len(terms) - 1; i >= 0; i-- { // it may have been sealed for older keys
			k, err := d.sealedTo(terms[i])
			if err != nil {
				return nil, err
			}
			o.receiver, o.older = outbox.NewReceiver(k), i < len(terms)-1
			if o.unread = o.receiver.Accept(it.Value); !errors.Is(o.unread, wire.ErrOpen) {
				break
			}
		}
		all = append(all, o)
	}
	return all, nil
}

// adoption is an adopt under way.
type adoption struct {
	*Desk
	restored restoredRecord
	account  ledger.Account
	verify   sign.Verifier
	out      Adoption
}

// adopt goes on from the log with what is on the DHT, byte for byte, and with what
// waits here as far as it goes together; after it the desk signs again. Where they
// contradict each other it is ErrOtherDevice or, for a device that takes over, given
// up: what waits here before what is on the DHT, and both before the log.
func (d *Desk) adopt(r restoredRecord, found []*foundOutbox, v sign.Verifier) error {
	a, err := d.Account()
	if err != nil {
		return err
	}
	if _, err := d.owned(); err != nil {
		return err
	}
	ad := &adoption{Desk: d, restored: r, account: a, verify: v}
	ad.out = Adoption{Why: r.Why, Time: d.Now().UnixMilli(), After: a.Last, First: a.Last + 1, Last: a.Last, TakeOver: r.TakeOver}
	ours, refused, err := ad.ours()
	if err != nil {
		return err
	}
	var own []wire.Message
	if ours != nil {
		left, err := d.left()
		if err != nil {
			return err
		}
		own = append(ours.Waiting(), left.Messages...)
	}
	theirs, err := ad.theirs(found, own)
	if err != nil {
		return err
	}
	s, left, err := ad.join(ours, own, theirs)
	if err != nil {
		return err
	}
	rec, _, err := readRecord[outboxRecord](d.Store, keyItem)
	if err != nil {
		return err
	}
	for _, o := range found {
		if o.item.Seq >= rec.Seq {
			rec.itemRecord, rec.Nodes = itemRecord{Value: o.item.Value, Seq: o.item.Seq, Sig: o.item.Sig}, o.holding
		}
	}
	rec.First, rec.Last, rec.TakeOver = 0, 0, false // no item carries what waits now: a new one follows
	kv := append(refused, left, store.KV{Key: keyRestored}, store.KV{Key: keyForeign}, record(keyItem, rec), record(keyAdopted, ad.out))
	d.sender = s
	return d.keep(kv...)
}

// contradicts ends an adoption, or goes on without what contradicts.
func (ad *adoption) contradicts(why string) error {
	if ad.restored.TakeOver {
		return nil
	}
	return ad.foreign(why)
}

// theirs is the longest chain of changes after the log that an outbox on the DHT
// has. One that begins later may go on from the own ones.
func (ad *adoption) theirs(found []*foundOutbox, own []wire.Message) ([]wire.Message, error) {
	var longest []wire.Message
	for _, o := range found {
		messages, err := o.messages(ad.account.Last, ad.account.Chain)
		if errors.Is(err, outbox.ErrGap) {
			messages, err = ad.beyond(o, own)
		}
		if errors.Is(err, outbox.ErrGap) && ad.voided(o) {
			err = o.lost()
		}
		if errors.Is(err, outbox.ErrGap) {
			return nil, errBehind
		}
		if err == nil {
			err = ad.signed(messages)
		}
		var parts *outbox.ChainError
		if errors.As(err, &parts) {
			err = fmt.Errorf("it has another change number %d than the log", parts.Number)
		}
		if err != nil {
			ad.out.Unread = fmt.Sprintf("the outbox of this key that is on the network, signed at %s: %v", wire.SeqDate(o.item.Seq), err)
			if err := ad.contradicts(ad.out.Unread); err != nil {
				return nil, err
			}
			continue
		}
		if n := ad.common(longest, messages); n < len(longest) && n < len(messages) {
			if err := ad.contradicts(fmt.Sprintf("there are two changes with number %d under this key on the DHT", ad.account.Last+uint64(n)+1)); err != nil {
				return nil, err
			}
		}
		if len(messages) > len(longest) {
			longest = messages
		}
	}
	return longest, nil
}

func (o *foundOutbox) messages(last uint64, chain wire.Hash) ([]wire.Message, error) {
	if o.unread != nil {
		return nil, o.unread
	}
	return o.receiver.Messages(last, chain)
}

// beyond is the changes after the log of an outbox that begins later, where the own
// ones reach it.
func (ad *adoption) beyond(o *foundOutbox, own []wire.Message) ([]wire.Message, error) {
	n := o.receiver.First() - 1 - ad.account.Last
	if n > uint64(len(own)) {
		return nil, outbox.ErrGap
	}
	chain := ad.account.Chain
	for _, m := range own[:n] {
		chain = wire.ChainNext(chain, m.Change)
	}
	messages, err := o.messages(ad.account.Last+n, chain)
	if err != nil {
		return nil, err
	}
	return append(own[:n:n], messages...), nil
}

// voided says whether what an outbox goes on from can be nowhere but in entries that
// are void: it is sealed for an older key, and the log here has gone on under the
// newest.
func (ad *adoption) voided(o *foundOutbox) bool {
	newest, _, err := readRecord[successionRecord](ad.Store, keySuccession)
	return err == nil && o.older && !newest.After(ad.Store.State().Terms().Newest())
}

// lost says what cannot go on.
func (o *foundOutbox) lost() error {
	first, last := o.receiver.First(), o.receiver.Last()
	text := fmt.Sprintf("it goes on from change number %d, which only entries had taken that are void since the manager's key was replaced, and which is held nowhere here", first-1)
	switch {
	case last == first:
		text += fmt.Sprintf("; so its change number %d cannot be handed over", first)
	case last > first:
		text += fmt.Sprintf("; so its changes number %d to %d cannot be handed over", first, last)
	}
	return errors.New(text)
}

// signed says whether changes after the log are signed with the own key.
func (ad *adoption) signed(messages []wire.Message) error {
	own, digest := ad.Identity.Public(), ad.Store.State().Digest
	h := ad.account.Chain
	var checks []sign.Item
	for i, m := range messages {
		h = wire.ChainNext(h, m.Change)
		checks = append(checks, sign.Item{Key: own, Message: wire.ChangeSigned(digest, ad.account.Last+uint64(i)+1, h), Sig: m.Sig})
	}
	for i, ok := range ad.verify.Verify(checks) {
		if !ok {
			return fmt.Errorf("its change number %d is not signed", ad.account.Last+uint64(i)+1)
		}
	}
	return nil
}

// common is how many changes two chains after the log have in common.
func (ad *adoption) common(a, b []wire.Message) int {
	ha, hb := ad.account.Chain, ad.account.Chain
	for i := range min(len(a), len(b)) {
		ha, hb = wire.ChainNext(ha, a[i].Change), wire.ChainNext(hb, b[i].Change)
		if ha != hb {
			return i
		}
	}
	return min(len(a), len(b))
}

// ours is the sender that is stored here as it stands after the log, nil where it
// knows less than the log, and the changes that the log has refused since.
func (ad *adoption) ours() (*outbox.Sender, []store.KV, error) {
	b, ok, err := ad.Store.Get(keyOutbox)
	if err != nil || !ok {
		return nil, nil, err
	}
	snapshot, err := outbox.ParseSnapshot(b)
	if err != nil {
		return nil, nil, err
	}
	if snapshot.First > ad.account.Last+1 {
		return nil, nil, errBehind
	}
	s, err := outbox.RestoreSender(snapshot)
	if err != nil {
		return nil, nil, err
	}
	kept, err := ad.Kept()
	if err != nil {
		return nil, nil, err
	}
	if len(kept) > 0 && kept[0].Number <= ad.account.Last {
		for i, m := range snapshot.Messages {
			if n := snapshot.First + uint64(i); n >= kept[0].Number {
				ad.out.GivenUp = append(ad.out.GivenUp, Signed{n, m.Change})
			}
		}
		return nil, nil, ad.contradicts(fmt.Sprintf("change number %d in the log is not the one that was signed here", kept[0].Number))
	}
	if next, _ := s.Next(); next <= ad.account.Last {
		return nil, nil, nil // an older copy
	}
	ad.sender = s
	refused, err := ad.refusals(ad.account)
	ad.sender = nil
	if err == nil {
		err = s.Acknowledge(ad.account.Last, ad.account.Chain)
	}
	return s, refused, err
}

// join makes the sender that goes on: with what waits here, or with what is on the
// DHT where that is more; and what it has no room for yet.
func (ad *adoption) join(ours *outbox.Sender, own, theirs []wire.Message) (*outbox.Sender, store.KV, error) {
	left, err := ad.left()
	if err != nil {
		return nil, store.KV{}, err
	}
	last := ad.account.Last
	n := ad.common(own, theirs)
	if n < len(own) && n < len(theirs) {
		for i, m := range own[n:] {
			ad.out.GivenUp = append(ad.out.GivenUp, Signed{last + uint64(n+i) + 1, m.Change})
		}
		if err := ad.contradicts(fmt.Sprintf("the DHT has a change number %d under this key, and another one was signed here", last+uint64(n)+1)); err != nil {
			return nil, store.KV{}, err
		}
		own, ours = own[:n], nil
	}
	if len(own) > 0 {
		ad.out.Own = last + uint64(len(own))
	}
	ad.out.First, ad.out.Last = last+uint64(len(own))+1, last+uint64(max(len(own), len(theirs)))
	if ours == nil || len(theirs) > len(own) {
		// Chunks of its own making carry them, as a window may carry them that begins with the first of them.
		all := append(own[:len(own):len(own)], theirs[min(len(own), len(theirs)):]...)
		left.Handed = max(left.Handed, last+uint64(len(theirs)))
		if ours, left.Messages, err = outbox.Returned(last, ad.account.Chain, all, left.Handed); err != nil {
			return nil, store.KV{}, err
		}
	}
	ours.Out(last + uint64(len(theirs)))
	return ours, owing(left.Messages, left.Handed), nil
}
