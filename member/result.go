package member

import (
	"fmt"
	"time"

	"weir/ledger"
	"weir/ledger/outbox"
	"weir/ledger/wire"
)

// Outcome is what became of a change.
type Outcome string

const (
	Waiting  Outcome = "waiting"  // signed and stored here; no DHT node has it yet
	Seen     Outcome = "seen"     // DHT nodes acknowledged it; the manager has not answered
	Accepted Outcome = "accepted" // in the log, applied
	Refused  Outcome = "refused"  // in the log, refused by the rules
)

// Result is what became of one change.
type Result struct {
	Number  uint64
	Outcome Outcome
	Verdict wire.Verdict // of an entry
	Reason  string       // of a refused one, for people
	Index   uint64       // Merkle leaf of its entry
	Time    time.Time    // of its batch
	Change  *wire.Change // nil: refused, and no longer held here
	Void    *Void        // what a succession made of it; nil: nothing
	Again   uint64       // the succession after which it was sent again, as it had waited; 0: none
}

// Result says what became of the change with a number; ErrNotFound.
func (d *Desk) Result(number uint64) (Result, error) {
	a, err := d.Account()
	if err != nil {
		return Result{}, err
	}
	if number > a.Last || number == 0 {
		waiting, err := d.Waiting()
		if err != nil {
			return Result{}, err
		}
		for _, r := range waiting {
			if r.Number == number {
				return r, nil
			}
		}
		return Result{}, fmt.Errorf("number %d: %w", number, ErrNotFound)
	}
	e, ok, err := d.Store.Find(a.Number, number)
	if err != nil {
		return Result{}, err
	}
	if !ok {
		return Result{}, fmt.Errorf("number %d: %w", number, ErrNotFound)
	}
	return d.decided(a, e), nil
}

func (d *Desk) decided(a ledger.Account, e ledger.Decided) Result {
	r := Result{
		Number: e.Entry.Number, Outcome: Accepted, Verdict: e.Entry.Verdict,
		Index: e.Index, Time: time.UnixMilli(e.Entry.Time), Void: d.voidOf(e.Entry.Number),
		Again: d.again(e.Entry.Number),
	}
	if e.Body != nil {
		if c, err := wire.ParseChange(e.Body.Change); err == nil {
			r.Change = c
		}
	} else {
		r.Change = d.refused(e)
	}
	if r.Verdict != wire.Applied {
		r.Outcome = Refused
		r.Reason = d.Store.State().Explain(r.Verdict, a.Number, r.Change)
		if r.Verdict == wire.UnknownHistory && r.Void != nil && r.Void.Seen {
			r.Reason = fmt.Sprintf("It was signed in view of entries after entry %d, which are void: the manager's key was replaced, and what the old key signed after that entry does not count. Nothing of it was done; sign it again if it is still meant.", entriesOf(r.Void.Size))
		}
	}
	return r
}

// refused is the change of a refused entry: its body stays with its sender.
func (d *Desk) refused(e ledger.Decided) *wire.Change {
	b, ok, err := d.Store.Get(refusedKey(e.Entry.Number))
	if err != nil || !ok {
		return nil
	}
	c, err := wire.ParseChange(b)
	if err != nil {
		return nil
	}
	return c
}

func refusedKey(number uint64) string { return fmt.Sprintf("%s%016x", keyRefused, number) }

// Waiting is every change that is not in the log, oldest first.
func (d *Desk) Waiting() ([]Result, error) {
	s, err := d.ready()
	if err != nil {
		return nil, err
	}
	rec, _, err := readRecord[outboxRecord](d.Store, keyItem)
	if err != nil {
		return nil, err
	}
	left, err := d.left()
	if err != nil {
		return nil, err
	}
	messages := append(s.Waiting(), left.Messages...)
	next, _ := s.Next()
	next += uint64(len(left.Messages))
	results := make([]Result, len(messages))
	for i, m := range messages {
		r := Result{Number: next - uint64(len(messages)-i), Outcome: Waiting}
		r.Again = d.again(r.Number)
		if rec.Nodes > 0 && r.Number <= rec.Last {
			r.Outcome = Seen
		}
		if c, err := wire.ParseChange(m.Change); err == nil {
			r.Change = c
		}
		r.Void = d.voidOf(r.Number)
		switch {
		case r.Void != nil:
			r.Reason = r.Void.Text()
		case r.Again > 0:
			r.Reason = "The manager's key was replaced while this waited. This device follows the new one, and sends it there again as it was signed."
		}
		results[i] = r
	}
	return results, nil
}

// Raw is the outbox as any BEP-44 client can put it: the value under the own
// key with the database's id as salt, and the chunks that it names, as
// immutable items, before it.
type Raw struct {
	Salt   []byte
	Seq    int64  // it was signed with; another client may choose a higher one
	Value  []byte // bencoded
	Sig    wire.Signature
	Chunks []outbox.Chunk
}

// Raw gives the outbox with every change that waits. It counts as handed over.
func (d *Desk) Raw() (Raw, error) {
	rec, chunks, current, err := d.sealed()
	if err == nil && !current {
		var newest wire.Checkpoint
		if newest, _, err = readRecord[wire.Checkpoint](d.Store, keyCheckpoint); err == nil {
			rec, chunks, err = d.seal(newest, itemRecord{})
		}
	}
	if err != nil {
		return Raw{}, fmt.Errorf("build the outbox: %w", err)
	}
	return Raw{Salt: d.Store.State().ID.Salt(), Seq: rec.Seq, Value: rec.Value, Sig: rec.Sig, Chunks: chunks}, nil
}
