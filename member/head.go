package member

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// healInterval is the least time between two puts of one found item by one
// follower.
const healInterval = 5 * time.Minute

// polledLooks is how many looks in a row ask remembered holders only. The next
// one is a traversal: it meets nodes that are new or were passed over, and
// compares the bytes of all, so that two heads with one seq are seen.
const polledLooks = 9

// lookHead asks for the newest head: two of the nodes that held it before or,
// now and then and where they fall short, whoever is closest.
func (f *Follower) lookHead() {
	manager, salt := f.manager(), f.id.Salt()
	seq := int64(-1)
	if f.head != nil {
		seq = f.head.record.Seq
	}
	if f.ports.Poller == nil {
		f.ports.DHT.Get(mutableGet(manager, salt), guard(f, func(found lookup.Found) {
			f.foundHead(found.Polled(seq), found.Err)
			f.looked()
		}))
		return
	}
	walk := f.polls == 0 || f.head == nil
	if f.polls--; walk {
		f.polls = polledLooks
	}
	var last lookup.Polled
	f.ports.Poller.Poll(lookup.Poll{Salt: salt, Keys: []lookup.PollKey{{Key: manager, Seq: seq}}, Traverse: walk},
		func(_ int, r lookup.Polled) {
			if !f.closed {
				last = r
				f.foundHead(r, nil)
			}
		},
		guard(f, func(r lookup.PollReport) { f.polled(last, walk, r.Err) }))
}

// polled ends a look at remembered holders. Fewer than two fresh answers are no
// answer: a traversal follows at once, or at the next look if this was one.
func (f *Follower) polled(last lookup.Polled, walked bool, err error) {
	if last.Answered == 0 {
		f.foundHead(last, err)
	}
	if last.Fresh < freshWanted {
		f.polls, f.again = 0, f.again || !walked
	}
	f.looked()
}

// freshWanted is how many nodes must hold a head or know nothing older, before
// it counts as the newest.
const freshWanted = 2

// foundHead weighs every signed head that was found and goes after the newest.
func (f *Follower) foundHead(r lookup.Polled, err error) {
	if f.stopped != "" || !f.answers(r.Answered, err) {
		return
	}
	f.round()
	known := f.head
	for _, it := range items(lookup.Found{Item: r.Item, Conflicts: r.Conflicts}) {
		f.weigh(&it)
		if f.stopped != "" {
			return
		}
	}
	switch {
	case len(r.Conflicts) > 0:
		f.forked = true
	case r.Walked, f.head != known:
		f.forked = false
	}
	if f.forked {
		f.problem = "there are two heads with one seq: two machines run this manager"
	}
	if r.Walked {
		f.holding = r.Holding
	}
	if f.head == nil {
		if f.problem == "" {
			f.problem = "no head of this database has been found yet"
		}
		return
	}
	f.heal(r, known)
	f.pass()
	f.advance()
}

// weigh takes a signed head when it is newer than the one known, and looks for
// contradictions.
func (f *Follower) weigh(it *lookup.Item) {
	if f.head != nil && f.head.record.is(it) {
		return
	}
	h, err := wire.ParseHead(it.Value)
	if err != nil {
		f.problem = fmt.Sprintf("the head that was signed at %s: %v", wire.SeqDate(it.Seq), err)
		return
	}
	if !f.signed(h.Checkpoint) {
		f.problem = fmt.Sprintf("the head that was signed at %s: its checkpoint is not signed by the database's log key", wire.SeqDate(it.Seq))
		return
	}
	if !f.agrees(h.Checkpoint) {
		return
	}
	signed := f.checkpoint.Size
	if f.head != nil {
		if it.Seq <= f.head.record.Seq {
			return // an old copy, or a fork without a contradiction: the first one met stays
		}
		signed = max(signed, f.head.Checkpoint.Size)
	}
	if h.Checkpoint.Size < signed {
		f.problem = fmt.Sprintf("the manager's newest head has %d entries, and it had signed %d before: it may run from an old copy", entriesOf(h.Checkpoint.Size), entriesOf(signed))
		return
	}
	f.head = &head{Head: *h, record: itemRecord{Value: it.Value, Seq: it.Seq, Sig: it.Sig}}
	f.missed.met(f.ports.Clock.Now(), f.announced())
}

// signed checks a checkpoint's signature.
func (f *Follower) signed(c wire.Checkpoint) bool {
	text := wire.CheckpointText(f.id, c.Size, c.Root)
	return f.ports.Standard(keys.Public(f.terms().LogKey(c.Size)), text, c.Sig)
}

// agrees compares a signed checkpoint with the log held here and with what the
// newest head promises. When it contradicts them, both are kept as evidence
// and following ends. Whether a larger log continues the one here shows when
// its entries come.
func (f *Follower) agrees(c wire.Checkpoint) bool {
	if f.head != nil && c.Size == f.head.Checkpoint.Size && c.Root != f.head.Checkpoint.Root {
		f.end(TwoLogs(c.Size), twoRoots(f.head.Checkpoint, c))
		return false
	}
	st := f.store.State()
	if c.Size > st.Size {
		return true
	}
	root := st.Root
	if c.Size < st.Size {
		var err error
		if root, err = f.store.RootAt(c.Size); err != nil {
			f.problem = err.Error()
			return true // not known to be wrong
		}
	}
	if c.Root != root {
		f.end(fmt.Sprintf("the manager signed a log of %d entries that is not the beginning of the one held here: history was rewritten", entriesOf(c.Size)), f.against(c))
		return false
	}
	return true
}

// against is what shows that a checkpoint contradicts the newest one that the
// log here has reached, of its size or a larger one; nil: there is none.
func (f *Follower) against(c wire.Checkpoint) *wire.Evidence {
	if c.Size == f.checkpoint.Size {
		return twoRoots(f.checkpoint, c)
	}
	if c.Size > f.checkpoint.Size {
		return nil // this process ended before it had all that a newer one is over
	}
	e, err := ledger.Outgrown(c, f.checkpoint, f.store)
	if err != nil {
		f.problem = err.Error()
		return nil
	}
	return e
}

func twoRoots(ours, theirs wire.Checkpoint) *wire.Evidence {
	return &wire.Evidence{Kind: wire.EvidenceCheckpoints, Checkpoints: [2]wire.Checkpoint{ours, theirs}}
}

// end stops following for good and keeps the evidence, if there is any, at most
// one pair a key and kind, so that nobody can fill a disk.
func (f *Follower) end(why string, e *wire.Evidence) {
	f.stopped, f.failed, f.failedBefore = why, nil, nil
	kv := []store.KV{record(keyStopped, why)}
	if e != nil {
		key := fmt.Sprintf("%s%d/%s", keyEvidence, e.Kind, f.manager())
		if _, have, err := f.store.Get(key); err == nil && !have {
			if b, err := e.Encode(); err == nil {
				kv = append(kv, store.KV{Key: key, Value: b})
			}
		}
	}
	if err := f.store.Commit(nil, kv...); err != nil {
		f.stopped += " (This could not be written down: " + err.Error() + ")"
	}
	if f.run != nil {
		f.ended(f.run)
		f.run = nil
	}
	// Nothing but a succession can say that this is void.
	if f.alarmed = false; f.started && !f.closed {
		f.lookIn(0)
	}
}

// heal puts the newest head back where it is missing, old or thinly held:
// anybody may re-put a signed item. A head that was only met now is left to the
// manager, who is still putting it.
func (f *Follower) heal(r lookup.Polled, known *head) {
	if f.head != known || len(r.Behind) == 0 || r.Walked && r.Holding >= len(r.Behind) {
		return
	}
	f.reput(f.head.record.item(f.manager(), f.id.Salt()), r.Behind)
}

// reput puts an item that somebody else made, not too often.
func (f *Follower) reput(it lookup.Item, holders []lookup.Holder) {
	now := f.ports.Clock.Now()
	if last, ok := f.healed[it.Target]; ok && now.Sub(last) < healInterval && now.After(last) {
		return
	}
	for t, last := range f.healed {
		if now.Sub(last) >= healInterval {
			delete(f.healed, t)
		}
	}
	f.healed[it.Target] = now
	f.ports.DHT.Put(lookup.Put{Item: it, Holders: holders}, func(lookup.Stored) {})
}

// charterPuts is how many members put the charter again in each Reput, if all of
// them are there: nodes drop it after two hours, all at once.
const charterPuts = 4

// checkCharter puts the charter back when no node has it, and now and then before
// that.
func (f *Follower) checkCharter() {
	if f.closed {
		return
	}
	f.charterTimer = f.ports.Clock.After(f.jitter(f.cfg.Reput), f.checkCharter)
	f.ports.DHT.Get(lookup.Get{Target: wire.Target(f.id), First: true}, guard(f, func(found lookup.Found) {
		holders := found.Closest
		if found.Item != nil {
			holders = nil // the look ended at the first that has it
		}
		if found.Answered == 0 || found.Item != nil && !f.drawn(charterPuts) {
			return
		}
		if it, err := lookup.Immutable(f.store.Charter()); err == nil {
			f.reput(it, holders)
		}
	}))
}

// drawn is true for about n of all members.
func (f *Follower) drawn(n int) bool {
	var b [8]byte
	if _, err := io.ReadFull(f.ports.Random, b[:]); err != nil {
		return false
	}
	members := uint64(f.store.State().Members())
	return binary.BigEndian.Uint64(b[:])%max(members, 1) < uint64(n)
}
