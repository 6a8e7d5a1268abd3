package member

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// When the log is taken back, the changes of this member that only void entries
// had taken go back into the outbox, byte for byte and under their numbers:
// nothing else may ever be signed under them. What had seen a void root will be
// refused, and its owner is told which those are.

// Void is what a succession made of a change that was signed here.
type Void struct {
	Succession uint64       `json:"succession"` // its number
	Size       uint64       `json:"size"`       // up to which the log stands
	Index      uint64       `json:"index"`      // of the void entry; 0: it had none
	Verdict    wire.Verdict `json:"verdict"`    // of the void entry
	Time       int64        `json:"time"`       // of the void entry, Unix ms
	Seen       bool         `json:"seen"`       // the change had seen a void root
}

// Text says it for people.
func (v Void) Text() string {
	var text string
	if v.Index > 0 {
		what := "applied"
		if v.Verdict != wire.Applied {
			what = "refused as " + v.Verdict.String()
		}
		text = fmt.Sprintf("Entry %d had %s it, and is void: the manager's key was replaced, and what the old key signed after entry %d does not count. "+
			"It went back to the manager as it was signed. ", v.Index, what, entriesOf(v.Size))
	}
	if v.Seen {
		text += fmt.Sprintf("It was signed in view of entries after entry %d, which are void, so the manager will refuse it: sign it again if it is still meant. ", entriesOf(v.Size))
	}
	return strings.TrimSpace(text)
}

// owed is what does not fit the outbox's window yet, oldest first.
type owed struct {
	Messages []wire.Message `json:"messages"`
	Handed   uint64         `json:"handed"`
}

func voidKey(number uint64) string { return fmt.Sprintf("%s%016x", keyVoid, number) }

// voiding is the records with which the log is taken back to so many leaves.
// What another device made of this key stays its affair.
func (d *Desk) voiding(size uint64) ([]store.KV, error) {
	a, h, err := d.held(size)
	if err != nil || !h.own {
		return nil, err
	}
	s, err := d.signedAfter(a, h)
	if err != nil || s == nil {
		return nil, err
	}
	left, err := d.left()
	if err != nil {
		return nil, err
	}
	terms, err := Terms(d.Store)
	if err != nil {
		return nil, err
	}
	succession, now := terms.Newest().Number+1, d.Now().UnixMilli()
	later := append(s.Waiting(), left.Messages...)
	if h.after > h.good {
		return d.losing(a, h, later, now), nil
	}
	a.Last = h.last
	last, chain, messages, kv, err := d.returned(a, size, succession)
	if errors.Is(err, errNotHeld) {
		return []store.KV{record(keyForeign, err.Error())}, nil
	}
	if err != nil {
		return nil, err
	}
	for i, m := range later {
		if seenVoid(m.Change, size) {
			number := a.Last + 1 + uint64(i)
			kv = append(kv, record(voidKey(number), Void{Succession: succession, Size: size, Seen: true}))
		}
	}
	handed := max(s.Handed(), left.Handed)
	sender, rest, err := outbox.Returned(last, chain, append(messages, later...), handed)
	if err != nil {
		return nil, err
	}
	if h.given {
		kv = append(kv, record(keyUnkeyed, unkeyed{a.Number, a.Name}))
	}
	kv = append(kv, store.KV{Key: keyOutbox, Value: sender.Snapshot().Encode()}, owing(rest, handed), d.owner())
	return kv, nil
}

// unlooked is what a restored directory holds, before it has looked on the DHT.
func (d *Desk) unlooked(a ledger.Account) (*outbox.Sender, error) {
	b, ok, err := d.Store.Get(keyOutbox)
	if err != nil || !ok {
		return outbox.NewSender(a.Last, a.Chain), err
	}
	snapshot, err := outbox.ParseSnapshot(b)
	if err != nil {
		return nil, err
	}
	s, err := outbox.RestoreSender(snapshot)
	if err != nil {
		return nil, err
	}
	if next, _ := s.Next(); next <= a.Last {
		return outbox.NewSender(a.Last, a.Chain), nil
	}
	return s, s.Acknowledge(a.Last, a.Chain)
}

// errNotHeld: a change that is to go back to the manager is not here.
var errNotHeld = errors.New("a change of this key that only void entries had refused is not held here, so that those after it cannot be handed over either")

// returned is the messages whose entries become void, and the number and chain
// before them.
func (d *Desk) returned(a ledger.Account, size, succession uint64) (last uint64, chain wire.Hash, messages []wire.Message, kv []store.KV, err error) {
	last = a.Last
	var end wire.Hash // the chain at the newest of them
	for ; last > 0; last-- {
		e, ok, err := d.Store.Find(a.Number, last)
		if err == nil && !ok {
			err = fmt.Errorf("number %d: %w", last, ErrNotFound)
		}
		if err != nil {
			return 0, chain, nil, nil, err
		}
		if last == a.Last {
			end = e.Entry.Chain
		}
		if e.Index < size {
			chain = e.Entry.Chain
			break
		}
		m := wire.Message{Sig: e.Entry.Sig}
		if e.Body != nil {
			m.Change = e.Body.Change
		} else if m.Change, ok, err = d.Store.Get(refusedKey(last)); err != nil {
			return 0, chain, nil, nil, err
		} else if !ok {
			return 0, chain, nil, nil, fmt.Errorf("number %d: %w", last, errNotHeld)
		}
		messages = append([]wire.Message{m}, messages...)
		kv = append(kv, store.KV{Key: refusedKey(last)}, record(voidKey(last), Void{
			Succession: succession, Size: size, Index: e.Index, Verdict: e.Entry.Verdict, Time: e.Entry.Time, Seen: seenVoid(m.Change, size),
		}))
	}
	h := chain
	for _, m := range messages {
		h = wire.ChainNext(h, m.Change)
	}
	if h != end {
		return 0, chain, nil, nil, fmt.Errorf("numbers %d to %d: %w", last+1, a.Last, errNotHeld)
	}
	return last, chain, messages, kv, nil
}

// seenVoid says whether a change has seen more than the first size leaves.
func seenVoid(change []byte, size uint64) bool {
	c, err := wire.ParseChange(change)
	return err == nil && c.Seen.Size > size
}

// left is what does not fit the window yet.
func (d *Desk) left() (owed, error) {
	o, _, err := readRecord[owed](d.Store, keyOwed)
	return o, err
}

func owing(rest []wire.Message, handed uint64) store.KV {
	if len(rest) == 0 {
		return store.KV{Key: keyOwed}
	}
	return record(keyOwed, owed{rest, handed})
}

// repay puts what is owed into the window, as far as there is room.
func (d *Desk) repay() error {
	left, err := d.left()
	if err != nil || len(left.Messages) == 0 {
		return err
	}
	rest, err := d.sender.Owe(left.Messages, left.Handed)
	if err != nil || len(rest) == len(left.Messages) {
		return err
	}
	return d.keep(owing(rest, left.Handed))
}

// voidOf is what a succession made of a change; nil: nothing.
func (d *Desk) voidOf(number uint64) *Void {
	v, ok, err := readRecord[Void](d.Store, voidKey(number))
	if err != nil || !ok {
		return nil
	}
	return &v
}

// voidShown is how long after its answer a change that had become void is still
// spoken of in Status.
const voidShown = 7 * 24 * time.Hour

// voids is the numbers of changes that a succession touched and that wait again,
// and of those that were refused since then as of an unknown history, until as many
// later ones were accepted: whoever wanted to has signed them again by then.
func (d *Desk) voids() (waiting, refused []uint64) {
	a, err := d.Account()
	if err != nil {
		return nil, nil
	}
	_ = d.Store.Scan(keyVoid, func(key string, _ []byte) bool {
		b, err := hex.DecodeString(strings.TrimPrefix(key, keyVoid))
		if err != nil || len(b) != 8 {
			return true
		}
		number := binary.BigEndian.Uint64(b)
		if number > a.Last {
			waiting = append(waiting, number)
			return true
		}
		e, ok, err := d.Store.Find(a.Number, number)
		if err == nil && ok && e.Entry.Verdict == wire.UnknownHistory && d.Now().Sub(time.UnixMilli(e.Entry.Time)) < voidShown {
			refused = append(refused, number)
		}
		return true
	})
	if len(refused) > 0 && d.signedAgain(a, refused[len(refused)-1], len(refused)) {
		refused = nil
	}
	return waiting, refused
}

// signedAgain says whether so many changes after a number were accepted.
func (d *Desk) signedAgain(a ledger.Account, number uint64, many int) bool {
	for number++; number <= a.Last && many > 0; number++ {
		if e, ok, err := d.Store.Find(a.Number, number); err == nil && ok && e.Entry.Verdict == wire.Applied {
			many--
		}
	}
	return many == 0
}

// numbersOf writes numbers for people: the first ten of them.
func numbersOf(list []uint64) string {
	var text []string
	for i, n := range list {
		if i == 10 {
			text = append(text, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		text = append(text, fmt.Sprint(n))
	}
	return strings.Join(text, ", ")
}
