package member

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Desk is what a member decides by itself: it signs changes and stores them,
// and says what became of them. It needs no network, so commands use it
// directly on the store when no agent runs. It belongs to whoever owns the
// store.
type Desk struct {
	Store    *store.Store
	Identity *keys.Identity
	Public   keys.Public // whose desk it is where Identity is nil: then it only reads
	Random   io.Reader
	Now      func() time.Time

	sender *outbox.Sender // nil: not read yet
}

var (
	// ErrNotAdmitted: the log has no account for this key.
	ErrNotAdmitted = errors.New("this key has no account in this database yet")
	// ErrReplaced: the manager gave this key's account another one.
	ErrReplaced = errors.New("this key signs nothing any more: the manager replaced it by another one")
	// ErrOtherDevice: the log or the DHT holds something under this key that
	// this device did not make. Nothing is handed over until TakeOver.
	ErrOtherDevice = errors.New("another device uses this key")
	// ErrRestored: the directory is a copy, or was made anew from a key's words,
	// and may have forgotten what the key signed. It signs nothing until a Member
	// has looked; see Restored.
	ErrRestored = errors.New("this directory was restored, and may have forgotten what was signed with its key")
	// ErrOtherKey: the store is another key's. That one's numbers and chain are
	// not this one's to go on with.
	ErrOtherKey = errors.New("the key is not the one of this database")
	// ErrNotFound: no change has this number.
	ErrNotFound = errors.New("there is no change with this number")
	// ErrNothing: a payment of nothing, or of less.
	ErrNothing = errors.New("an amount is more than nothing")
)

// Account is the own account. The manager's key has none as a member: an outbox
// under it would lie where the head does.
func (d *Desk) Account() (ledger.Account, error) {
	st, key := d.Store.State(), d.public()
	a, ok := st.ByKey(key)
	if ok && a.Number != 0 {
		return a, nil
	}
	if a, ok := st.ByFormerKey(key); ok {
		return ledger.Account{}, fmt.Errorf("%w. Account %d, %s, goes on with that one, in the directory where it was made. If you did not ask the manager for that, call them at once: somebody else may have your account", ErrReplaced, a.Number, a.Name)
	}
	if why := d.unkeyed(); why != "" {
		return ledger.Account{}, fmt.Errorf("%w: %s", ErrNotAdmitted, why)
	}
	return ledger.Account{}, ErrNotAdmitted
}

// Claim makes the store this key's, for good, or says that it is another's:
// ErrOtherKey. Whoever opens a store with a key does so first. A store that
// names nobody, as older ones do, is taken to be of the key that opens it.
func (d *Desk) Claim() error {
	owned, err := d.owned()
	if err != nil || owned {
		return err
	}
	if err := d.Store.Commit(nil, d.owner()); err != nil {
		return fmt.Errorf("claim the store: %w", err)
	}
	return nil
}

// Owner is the public key, as text, whose store this is; "": nobody's yet.
func Owner(s *store.Store) (string, error) {
	owner, _, err := readRecord[string](s, keyOwner)
	return owner, err
}

// OutboxSeq is the seq of the newest outbox item that was signed here: Unix ms of
// this machine's clock then, unless another was higher; 0: none was.
func OutboxSeq(s *store.Store) (int64, error) {
	rec, _, err := readRecord[outboxRecord](s, keyItem)
	return rec.Seq, err
}

// owned says whether the store is this key's or nobody's; ErrOtherKey when it
// is another's.
func (d *Desk) owned() (bool, error) {
	owner, ok, err := readRecord[string](d.Store, keyOwner)
	if err != nil || !ok {
		return false, err
	}
	if own := d.public().String(); own != owner {
		return false, fmt.Errorf("%w: it was joined with %s, and the key here is %s; put the file of the first one back, or use another --dir", ErrOtherKey, owner, own)
	}
	return true, nil
}

func (d *Desk) owner() store.KV { return record(keyOwner, d.public().String()) }

func (d *Desk) public() keys.Public {
	if d.Identity == nil {
		return d.Public
	}
	return d.Identity.Public()
}

// ready gives the sender as it stands after the newest entry of the log. What
// this device did not make it does not go on from: ErrOtherDevice.
func (d *Desk) ready() (*outbox.Sender, error) {
	a, err := d.Account()
	if err != nil {
		return nil, err
	}
	if why, ok, err := readRecord[string](d.Store, keyForeign); err != nil {
		return nil, err
	} else if ok {
		return nil, fmt.Errorf("%w: %s", ErrOtherDevice, why)
	}
	if why, ok, err := readRecord[restoredRecord](d.Store, keyRestored); err != nil {
		return nil, err
	} else if ok {
		return nil, why.err()
	}
	if d.sender == nil {
		if d.sender, err = d.restore(a); err != nil {
			return nil, err
		}
	}
	refused, err := d.refusals(a)
	if err != nil {
		return nil, err
	}
	before := len(d.sender.Waiting())
	if err := d.sender.Acknowledge(a.Last, a.Chain); err != nil {
		return nil, d.foreign(fmt.Sprintf("the log has change number %d of this account, which was not signed here", a.Last))
	}
	if len(d.sender.Waiting()) < before {
		if err := d.keep(refused...); err != nil {
			return nil, err
		}
	}
	if err := d.repay(); err != nil {
		return nil, err
	}
	return d.sender, nil
}

// refusals keeps the changes that the log refused since the last time: their
// bodies are published nowhere.
func (d *Desk) refusals(a ledger.Account) ([]store.KV, error) {
	waiting := d.sender.Waiting()
	next, _ := d.sender.Next()
	number := next - uint64(len(waiting))
	var kv []store.KV
	for ; number < next && number <= a.Last; number++ {
		e, ok, err := d.Store.Find(a.Number, number)
		if err != nil {
			return nil, err
		}
		if ok && e.Entry.Verdict != wire.Applied {
			change := waiting[len(waiting)-int(next-number)].Change
			kv = append(kv, store.KV{Key: refusedKey(number), Value: change})
		}
	}
	return kv, nil
}

func (d *Desk) restore(a ledger.Account) (*outbox.Sender, error) {
	if _, err := d.owned(); err != nil {
		return nil, err
	}
	b, ok, err := d.Store.Get(keyOutbox)
	if err != nil {
		return nil, err
	}
	if ok {
		if ok, err = d.outlived(a, b); err != nil {
			return nil, err
		}
	}
	if !ok {
		if a.Last == a.Rekeyed {
			return outbox.NewSender(a.Last, a.Chain), nil // it has none of its own, or an earlier key made all
		}
		return nil, d.foreign(fmt.Sprintf("the log has changes of this account, up to number %d, and none was signed here", a.Last))
	}
	s, err := outbox.ParseSnapshot(b)
	if err != nil {
		return nil, err
	}
	return outbox.RestoreSender(s)
}

// foreign writes down why nothing is handed over any more.
func (d *Desk) foreign(why string) error {
	err := fmt.Errorf("%w: %s", ErrOtherDevice, why)
	if werr := d.Store.Commit(nil, record(keyForeign, why)); werr != nil {
		return errors.Join(err, werr)
	}
	return err
}

// TakeOver goes on from the log on this device, whatever another one did with
// the key. What was signed here and is not in the log goes on too, under its numbers:
// it may be with the manager already. What does not go on from the log is given up;
// the caller has asked.
func (d *Desk) TakeOver() error {
	a, err := d.Account()
	if err != nil {
		return err
	}
	if _, err := d.owned(); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	rec, _, err := readRecord[outboxRecord](d.Store, keyItem)
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	keeps, err := d.continues(a)
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	rec.TakeOver = true
	kv := []store.KV{{Key: keyForeign}, {Key: keyRestored}, d.owner()}
	if !keeps {
		rec.First, rec.Last = 0, 0 // no item carries what is signed next
		s := outbox.NewSender(a.Last, a.Chain)
		kv = append(kv, store.KV{Key: keyOwed}, store.KV{Key: keyOutbox, Value: s.Snapshot().Encode()})
	}
	if err := d.Store.Commit(nil, append(kv, record(keyItem, rec))...); err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	d.sender = nil // it is read again, and knows what the log has taken since
	return nil
}

// continues says whether the outbox that is stored here goes on from the log.
func (d *Desk) continues(a ledger.Account) (bool, error) {
	b, ok, err := d.Store.Get(keyOutbox)
	if err != nil || !ok {
		return false, err
	}
	if ok, err = d.outlived(a, b); err != nil || !ok {
		return false, err
	}
	snapshot, err := outbox.ParseSnapshot(b)
	if err != nil || snapshot.First > a.Last+1 { // entries that it goes on from became void
		return false, err
	}
	s, err := outbox.RestoreSender(snapshot)
	if err == nil {
		err = s.Acknowledge(a.Last, a.Chain)
	}
	if errors.Is(err, outbox.ErrForeign) {
		return false, nil
	}
	return err == nil, err
}

// Submit signs a change, which has seen the log as it is here, and stores it.
// It gives the change's number. until is when it expires unless it was taken;
// zero: never. outbox.ErrFull when too many wait.
func (d *Desk) Submit(name string, args []byte, until time.Time) (uint64, error) {
	s, err := d.ready()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if left, err := d.left(); err != nil || len(left.Messages) > 0 {
		return 0, fmt.Errorf("%s: %w", name, errors.Join(err, outbox.ErrFull))
	}
	b, err := d.change(name, args, until).Encode()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	number, before := s.Next()
	signed := wire.ChangeSigned(d.Store.State().Digest, number, wire.ChainNext(before, b))
	sig := ed25519.Sign(d.Identity.Publish, signed)
	if err := s.Add(wire.Message{Change: b, Sig: wire.Signature(sig)}); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if err := d.keep(); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return number, nil
}

func (d *Desk) change(name string, args []byte, until time.Time) *wire.Change {
	st := d.Store.State()
	c := &wire.Change{Name: name, Args: args, Seen: wire.Checkpoint{Size: st.Size, Root: st.Root}.Seen()}
	if !until.IsZero() {
		c.Until = until.UnixMilli()
	}
	return c
}

// keep stores the sender, and whose it is. When that fails nobody may act on
// what it holds: it is read again from the store.
func (d *Desk) keep(kv ...store.KV) error {
	kv = append(kv, store.KV{Key: keyOutbox, Value: d.sender.Snapshot().Encode()}, d.owner())
	if err := d.Store.Commit(nil, kv...); err != nil {
		d.sender = nil
		return err
	}
	return nil
}

// payment is the arguments of a transfer from the own account.
func (d *Desk) payment(to uint64, amount int64, memo string) ([]byte, error) {
	a, err := d.Account()
	if err != nil {
		return nil, err
	}
	if amount <= 0 {
		return nil, ErrNothing
	}
	t := wire.Transfer{Memo: memo, Postings: []wire.Posting{{Account: a.Number, Amount: -amount}, {Account: to, Amount: amount}}}
	return t.Args()
}

// Pay submits a transfer of minor units to an account.
func (d *Desk) Pay(to uint64, amount int64, memo string, until time.Time) (uint64, error) {
	args, err := d.payment(to, amount, memo)
	if err != nil {
		return 0, fmt.Errorf("pay account %d: %w", to, err)
	}
	return d.Submit("transfer", args, until)
}

// PreviewPay says what the rules would make of a payment now, and why, by the
// log as it is here and without the changes that wait.
func (d *Desk) PreviewPay(to uint64, amount int64, memo string) (wire.Verdict, string, error) {
	args, err := d.payment(to, amount, memo)
	if err != nil {
		return 0, "", fmt.Errorf("pay account %d: %w", to, err)
	}
	a, _ := d.Account()
	st, c := d.Store.State(), d.change("transfer", args, time.Time{})
	v := st.Preview(a.Number, c, d.Now().UnixMilli(), d.Store)
	if v == wire.Applied {
		return v, "", nil
	}
	return v, st.Explain(v, a.Number, c), nil
}

// Cancel takes the newest change back, if it was never handed to a put:
// outbox.ErrHanded, outbox.ErrNotNewest.
func (d *Desk) Cancel(number uint64) error {
	s, err := d.ready()
	if err == nil {
		err = s.Cancel(number)
	}
	if err != nil {
		return err
	}
	return d.keep()
}
