package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger/wire"
)

// Candidate is a change whose chain and signature have been verified, and
// which follows the one before it in its Queue.
type Candidate struct {
	Number uint64
	Change []byte
	Chain  wire.Hash
	Sig    wire.Signature
}

// Queue is what one account has waiting, in number order from Account.Last+1.
// Of account 0's changes only Change counts: Merge numbers and signs them, so
// that a sweep can come between.
type Queue struct {
	Account uint64
	Changes []Candidate
}

// Manager signs the manager's own acts and sweeps: wire.ChangeSigned of number
// and chain, by the publish key of account 0, or of the successor whose succession
// is the first act. The chain continues account 0's.
type Manager interface {
	Sign(number uint64, chain wire.Hash) wire.Signature
}

// MergeInput is everything a merge depends on.
type MergeInput struct {
	Now     int64           // Unix ms by the manager's clock
	Queues  []Queue         // any order, one an account; account 0's acts among them
	Hashes  tlog.HashReader // of the log so far
	Manager Manager         // may be nil as long as there are no acts and no sweep is due
	Salts   io.Reader       // 16 random bytes a body, and 24 a box of an encrypted database
	Max     int             // entries at most, sweeps not counted; 0: 16384
}

const mergeMaxDefault = 16384

// errFull stops a merge's rounds; it does not leave the package.
var errFull = errors.New("the batch is full")

// Merge decides what it is given (order.go) and changes nothing. A nil batch
// means that nothing was taken: there was nothing, or all of it is over quota.
// An error is the caller's mistake (a change that does not continue its
// account's chain or does not decode) or of Hashes or Salts.
func (s *State) Merge(in MergeInput) (*Batch, error) {
	b, err := s.merge(in)
	if err != nil {
		return nil, fmt.Errorf("merge at entry %d: %w", s.Size, err)
	}
	return b, nil
}

func (s *State) merge(in MergeInput) (*Batch, error) {
	acts, members, err := s.order(in.Queues)
	if err != nil || len(acts)+len(members) == 0 {
		return nil, err
	}
	d, err := newDraft(s, in.Hashes)
	if err != nil {
		return nil, err
	}
	if d.sweepDue() {
		return nil, errors.New("the log ends in the middle of a batch, before a sweep")
	}
	d.Time = s.batchTime(in.Now)
	if d.Time > wire.IntMax {
		return nil, fmt.Errorf("the time %d is out of range", d.Time)
	}
	m := &merger{
		draft: d,
		in:    in,
		room:  in.Max,
		seen:  wire.Checkpoint{Size: s.Size, Root: s.Root}.Seen(),
	}
	if m.room <= 0 {
		m.room = mergeMaxDefault
	}
	if err := m.run(acts, members); err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	if len(d.entries) == 0 {
		return nil, nil
	}
	return d.finish(m.frames)
}

// batchTime is the time of a batch that is made now: log time stands still,
// plus 1 ms a batch, while the clock is behind it.
func (s *State) batchTime(now int64) int64 { return max(s.Time+1, now) }

// merger is one merge under way.
type merger struct {
	*draft
	in     MergeInput
	room   int       // entries that may still be made
	seen   wire.Seen // the log before the batch
	frames []byte
}

func (m *merger) run(acts []Candidate, members []*waiting) error {
	for _, c := range acts {
		if err := m.own(c.Change); err != nil {
			return err
		}
	}
	members = slices.DeleteFunc(members, func(w *waiting) bool { return m.rekeyed(w.account) })
	rest, err := rounds(members, func(w *waiting) (outcome, error) { return m.next(w, false) })
	if err != nil {
		return err
	}
	_, err = rounds(rest, func(w *waiting) (outcome, error) { return m.next(w, true) })
	return err
}

// rekeyed says whether an account's key was replaced in this batch: what waits was
// signed with the old one.
func (m *merger) rekeyed(account uint64) bool {
	before, ok := m.base.Account(account)
	return ok && m.account(account).Key != before.Key
}

// next takes a member's next change, if it may be taken.
func (m *merger) next(w *waiting, final bool) (outcome, error) {
	if m.room == 0 {
		return 0, errFull
	}
	c := w.changes[0]
	a := m.account(w.account)
	if c.Number != a.Last+1 || c.Chain != wire.ChainNext(a.Chain, c.Change) {
		return 0, fmt.Errorf("change %d of account %d does not follow number %d", c.Number, a.Number, a.Last)
	}
	if a.NotBefore(m.Time, m.base.Charter.Quota) > m.Time {
		return held, nil
	}
	change, err := wire.ParseChange(c.Change)
	if err != nil {
		return 0, fmt.Errorf("change %d of account %d: %w", c.Number, a.Number, err)
	}
	act, verdict, err := m.decide(a, change, m.Time)
	if err != nil {
		return 0, err
	}
	if !final && isLimit(verdict) {
		return deferred, nil
	}
	m.room--
	if err := m.enter(a.Number, c, change.Kind(), verdict, act); err != nil {
		return 0, err
	}
	return entered, m.sweepIfDue()
}

// own takes an act of account 0.
func (m *merger) own(change []byte) error {
	if m.room == 0 {
		return errFull
	}
	m.room--
	if err := m.sign(change); err != nil {
		return err
	}
	return m.sweepIfDue()
}

func (m *merger) sweepIfDue() error {
	if !m.sweepDue() {
		return nil
	}
	c := wire.Change{Name: wire.KindSweep.String(), Args: wire.SweepArgs(), Seen: m.seen}
	b, err := c.Encode()
	if err != nil {
		return err
	}
	return m.sign(b)
}

// sign numbers and signs a change of account 0 and enters it.
func (m *merger) sign(b []byte) error {
	if m.in.Manager == nil {
		return errors.New("account 0 acts, and nobody signs for it")
	}
	change, err := wire.ParseChange(b)
	if err != nil {
		return fmt.Errorf("an act of account 0: %w", err)
	}
	a := m.account(managerAccount)
	c := Candidate{Number: a.Last + 1, Change: b, Chain: wire.ChainNext(a.Chain, b)}
	c.Sig = m.in.Manager.Sign(c.Number, c.Chain)
	act, verdict, err := m.decide(a, change, m.Time)
	if err != nil {
		return err
	}
	return m.enter(managerAccount, c, change.Kind(), verdict, act)
}

// enter makes the entry of a decided change, and its frame: with the body
// when it is applied, blanked from the start when it is refused.
func (m *merger) enter(account uint64, c Candidate, kind wire.Kind, verdict wire.Verdict, a act) error {
	body := &wire.Body{Change: c.Change}
	e := wire.Entry{
		Time:    m.Time,
		Account: account,
		Number:  c.Number,
		Chain:   c.Chain,
		Sig:     c.Sig,
		Kind:    kind,
		Verdict: verdict,
	}
	f := wire.Frame{State: wire.BodyBlanked}
	if verdict == wire.Applied {
		if _, err := io.ReadFull(m.in.Salts, body.Salt[:]); err != nil {
			return fmt.Errorf("make a salt: %w", err)
		}
		f.State, f.Body = wire.BodyPlain, body.Encode()
		e.Effect = a.effect()
		e.Body = sha256.Sum256(f.Body)
	} else {
		e.Body = sha256.Sum256(body.Encode())
		body = nil
	}
	leaf, err := e.Encode()
	if err != nil {
		return err
	}
	f.Entry = leaf
	if key := m.base.ReadKey; key != nil {
		if f, err = wire.SealFrame(f, m.base.ID, m.Length, *key, m.in.Salts); err != nil {
			return err
		}
	}
	before := len(m.frames)
	m.frames = wire.AppendFrame(m.frames, f)
	return m.append(e, leaf, body, a, len(m.frames)-before)
}
