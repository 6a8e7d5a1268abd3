package member

import (
	"errors"
	"fmt"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// successionRecord is the newest succession that is known, from the moment it
// was met: the log follows.
type successionRecord struct {
	wire.Succeed
	Void uint64    `json:"void"` // entries here that became void by it
	Met  time.Time `json:"met"`
	// The own changes that waited then, and are sent again to the successor; Last is
	// First - 1: none.
	First uint64 `json:"first,omitempty"`
	Last  uint64 `json:"last,omitempty"`
}

// Succession is the newest succession that a store knows of; false: none.
func Succession(s *store.Store) (SuccessionStatus, bool, error) {
	r, ok, err := readRecord[successionRecord](s, keySuccession)
	newest := s.State().Terms().Newest()
	if err != nil || ok && !newest.After(r.Succeed) {
		return SuccessionStatus{r.Number, r.Size, r.Void}, ok, err
	}
	return SuccessionStatus{Number: newest.Number, Size: newest.Size}, newest.Number > 0, nil
}

// SuccessionStatus is a succession in figures.
type SuccessionStatus struct {
	Number uint64
	Size   uint64 // of the log, up to which the older keys count
	Void   uint64 // entries that were here and became void by it
}

// Terms is the manager's keys as a store knows them: those of its log, and of a
// succession that was met on the DHT and is not in the log yet.
func Terms(s *store.Store) (ledger.Terms, error) {
	r, ok, err := readRecord[successionRecord](s, keySuccession)
	terms := s.State().Terms()
	if err != nil || !ok {
		return terms, err
	}
	return terms.With(&r.Succeed), nil
}

// SuccessionItem is the item that a succession was put as.
func SuccessionItem(s wire.Succeed, recovery keys.Public, salt []byte) lookup.Item {
	return itemRecord{Value: s.Value(), Seq: s.Seq, Sig: s.Sig}.item(recovery, salt)
}

// ReadSuccession gives the newest of the successions that were found; nil: there
// is none that this weir can read, and why.
func ReadSuccession(found lookup.Found) (*wire.Succeed, error) {
	var newest *wire.Succeed
	var errs []error
	for _, it := range items(found) {
		in, err := wire.ParseSuccession(it.Value)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if s := (wire.Succeed{Succession: *in, Seq: it.Seq, Sig: it.Sig}); newest == nil || s.After(*newest) {
			newest = &s
		}
	}
	if newest == nil && len(errs) > 0 {
		return nil, fmt.Errorf("the manager's key was replaced, and this weir cannot read by which: %w", errors.Join(errs...))
	}
	return newest, nil
}

// again says by which succession a change was sent again that had waited when it
// was met; 0: by none.
func (d *Desk) again(number uint64) uint64 {
	r, ok, err := readRecord[successionRecord](d.Store, keySuccession)
	if err != nil || !ok || number < r.First || number > r.Last {
		return 0
	}
	return r.Number
}

// terms is Terms of the follower's store, whose record it holds.
func (f *Follower) terms() ledger.Terms { return f.store.State().Terms().With(f.known) }

// manager is the key whose head is followed.
func (f *Follower) manager() keys.Public { return f.terms().Newest().Manager }

// staleAgain is how often a follower that sees a stale head, or has stopped,
// looks for a succession.
const staleAgain = 10 * time.Minute

// owedAgain is how long at least after a look the next one is that follows an own
// change's being taken, in looks at the head and at most.
const (
	owedLooks = 10
	owedMost  = 5 * time.Minute
)

// kickedAgain is how long after a look for a succession a Kick looks again.
const kickedAgain = time.Minute

// succeedable says whether it is time to look for a succession: at the start,
// every hour, at once when following ended or the head became stale, some times in
// between when the manager is missed, and after an own change was taken: whoever
// stole the manager's key takes what comes, and only this tells.
func (f *Follower) succeedable() bool {
	f.missed.extra = false
	now := f.ports.Clock.Now()
	since := now.Sub(f.soughtAt)
	if f.soughtAt.IsZero() || since < 0 || since >= f.seekEvery {
		return true
	}
	urgent := f.stopped != "" || f.forked
	if h := f.head; h != nil {
		stale := time.Duration(f.store.State().Charter.Stale) * time.Second
		urgent = urgent || now.Sub(time.UnixMilli(h.Time)) > stale
	}
	if !urgent {
		f.alarmed = false
		return f.misses(now, since) || f.missed.owed && since >= min(owedLooks*f.cfg.Follow, owedMost)
	}
	if !f.alarmed {
		f.alarmed = true
		return true
	}
	return since >= staleAgain
}

// lookSuccession looks for a succession, and then goes on as if it had not.
func (f *Follower) lookSuccession(then func()) {
	recovery, salt := f.store.State().Charter.Recovery, f.id.Salt()
	f.ports.DHT.Get(mutableGet(recovery, salt), guard(f, func(found lookup.Found) {
		if found.Answered > 0 {
			f.missed.looked()
			f.soughtAt, f.seekEvery = f.ports.Clock.Now(), f.jitter(f.cfg.Reput)
			f.foundSuccession(found)
		}
		then()
	}))
}

func (f *Follower) foundSuccession(found lookup.Found) {
	s, err := ReadSuccession(found)
	if err != nil {
		f.problem = err.Error()
	}
	newest := f.terms().Newest()
	if s != nil && s.After(newest) {
		if err := f.succeed(*s); err != nil {
			f.problem = fmt.Sprintf("the manager's key was replaced: %v", err)
		}
		return
	}
	// Whoever finds it missing or old puts it again; the manager does so hourly.
	behind := s == nil || newest.After(*s)
	if newest.Number > 0 && (behind || found.Holding < len(found.Closest) && f.drawn(charterPuts)) {
		f.reput(SuccessionItem(newest, f.store.State().Charter.Recovery, f.id.Salt()), found.Closest)
	}
}

// succeed follows a successor from now on: what the older keys signed beyond the
// size that it names is void, and goes.
func (f *Follower) succeed(s wire.Succeed) error {
	st := f.store.State()
	if s.Size <= st.Size {
		root, err := f.store.RootAt(s.Size)
		if err != nil {
			return err
		}
		if root != s.Root {
			f.contradicted(s)
			return nil
		}
	}
	rec := successionRecord{Succeed: s, Met: f.ports.Clock.Now()}
	rec.First, rec.Last = f.waiting()
	var kv []store.KV
	if st.Size > s.Size {
		rec.Void = st.Size - s.Size
		var err error
		if kv, err = f.voiding(s.Size); err != nil {
			return err
		}
	}
	kv = append(kv, record(keySuccession, rec), store.KV{Key: keyHead}, store.KV{Key: keyStopped})
	if f.checkpoint.Size > s.Size {
		kv = append(kv, store.KV{Key: keyCheckpoint})
	}
	if f.run != nil {
		f.ended(f.run)
		f.run = nil
	}
	f.stopServing()
	if err := f.store.Rewind(min(st.Size, s.Size), kv...); err != nil {
		return err
	}
	f.known = &rec.Succeed
	f.anew()
	f.rewound()
	f.serve()
	return nil
}

// contradicted ends following: the log here is not the one that goes on.
func (f *Follower) contradicted(s wire.Succeed) {
	why := fmt.Sprintf("the manager's key was replaced, and its successor goes on from another history of the first %d entries than the one held here, which the old key signed. "+
		"Ask the manager which is right; to go on with the successor's, keep this copy as it is, and join again from an empty directory", entriesOf(s.Size))
	if f.stopped != why {
		f.end(why, nil)
	}
}

// anew forgets what was known of the older keys' head and its sources.
func (f *Follower) anew() {
	f.head, f.stopped, f.forked = nil, "", false
	f.keptSeq, f.servedSeq, f.polls, f.holding = 0, 0, 0, 0
	if f.checkpoint.Size > f.store.State().Size {
		f.checkpoint = wire.Checkpoint{}
	}
	clear(f.tried)
	clear(f.stalls)
	clear(f.old)
	clear(f.dropped)
	clear(f.distrust)
	clear(f.ahead)
	clear(f.shelves)
	clear(f.missing)
	f.newest, f.chunksTried, f.tidy = nil, 0, false
	f.hasty, f.overtaken, f.alone = false, false, false
	f.failed, f.failedBefore, f.problem = nil, nil, ""
	f.missed.succeeded()
}
