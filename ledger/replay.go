package ledger

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// ErrInvalid is wrapped by Replay's error when the frames break a rule, and
// not when the caller's hashes could not be read.
var ErrInvalid = errors.New("not a valid continuation of the log")

// verifyBatch is how many signatures are checked at once.
const verifyBatch = 1024

// Replay checks frames that follow the state and gives one Batch for each
// batch time in them, in order. Every signature, chain, body hash, verdict and
// effect is checked and recomputed; of a refused change, whose body is with its
// sender, signature and shape. An error names the first entry found wrong;
// signatures are checked 1024 at a time, so it may not be the first one.
//
// Frames of an encrypted database are opened first, each for the offset at
// which it stands; a readable frame in one, or a sealed one in a readable
// database, is invalid.
//
// Frames must be whole, but may end, and begin, inside a batch: then the first
// Batch has the state's own time and is the rest of the newest one. Memory
// grows with the frames that are given: hand in a mebibyte or so at a time.
//
// The checkpoint is not Replay's affair: the caller compares the last batch's
// Size and Root with a signed one before it commits any. What a refused entry
// says of its change is bound by nothing else.
func (s *State) Replay(frames []byte, hashes tlog.HashReader, verify sign.Verifier) ([]*Batch, error) {
	d, err := newDraft(s, hashes)
	if err != nil {
		return nil, fmt.Errorf("replay from entry %d: %w", s.Size, err)
	}
	r := &replayer{draft: d, all: frames, verify: verify}
	for rest := frames; len(rest) > 0; {
		f, n, err := wire.ParseFrame(rest)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w: %w", d.Size, ErrInvalid, err)
		}
		if err := r.frame(f, n); err != nil {
			return nil, fmt.Errorf("entry %d: %w", d.Size, err)
		}
		rest = rest[n:]
	}
	if err := r.checkSignatures(); err != nil {
		return nil, err
	}
	if err := r.finishBatch(); err != nil {
		return nil, fmt.Errorf("entry %d: %w", d.Size, err)
	}
	return r.batches, nil
}

// replayer is one replay under way.
type replayer struct {
	*draft
	all     []byte // the frames; all[0] is at base.Length
	batches []*Batch
	verify  sign.Verifier
	signed  []sign.Item // not checked yet
	first   uint64      // entry of signed[0]
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

func (r *replayer) frame(f wire.Frame, n int) error {
	f, err := r.base.OpenFrame(f, r.Length)
	if err != nil {
		return err
	}
	e, err := wire.ParseEntry(f.Entry)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := r.enterTime(e.Time); err != nil {
		return err
	}
	signer := r.account(e.Account)
	switch {
	case signer == nil:
		return invalid("it is of account %d, and there is none such", e.Account)
	case e.Number != signer.Last+1:
		return invalid("number %d of account %d after %d", e.Number, e.Account, signer.Last)
	case r.sweepDue() && (e.Account != managerAccount || e.Kind != wire.KindSweep || e.Verdict != wire.Applied):
		return invalid("the tail is full, and this is not a sweep")
	}
	key := signer.Key
	if s, err := wire.ParseSucceedEffect(e.Effect); e.Kind == wire.KindSucceed && e.Verdict == wire.Applied && err == nil {
		key = s.Manager // if the recovery key says so, which recompute checks
	}
	if err := r.expect(key, e); err != nil {
		return err
	}
	if e.Verdict != wire.Applied {
		if err := checkRefused(signer, e, f); err != nil {
			return err
		}
		return r.append(*e, f.Entry, nil, nil, n)
	}
	body, a, err := r.recompute(signer, e, f)
	if err != nil {
		return err
	}
	return r.append(*e, f.Entry, body, a, n)
}

// enterTime begins a new batch when an entry's time is not the one before's.
func (r *replayer) enterTime(time int64) error {
	founded := r.Size == 1 // the charter is no batch
	switch {
	case time < r.Time || founded && time == r.Time:
		return invalid("its time %d does not follow %d", time, r.Time)
	case time == r.Time:
		return nil
	case r.sweepDue():
		return invalid("the tail is full, and the batch ended without a sweep")
	}
	if err := r.finishBatch(); err != nil {
		return err
	}
	r.Time = time
	return nil
}

func (r *replayer) finishBatch() error {
	if len(r.entries) == 0 {
		return nil
	}
	from, to := r.start-r.base.Length, r.Length-r.base.Length
	b, err := r.finish(r.all[from:to:to])
	if err != nil {
		return err
	}
	r.batches = append(r.batches, b)
	return nil
}

// expect notes an entry's signature to be checked, by the key that its
// account has at this point, or by the one that takes over with it.
func (r *replayer) expect(key keys.Public, e *wire.Entry) error {
	if len(r.signed) == 0 {
		r.first = r.Size
	}
	r.signed = append(r.signed, sign.Item{
		Key:     key,
		Message: wire.ChangeSigned(r.base.Digest, e.Number, e.Chain),
		Sig:     e.Sig,
	})
	if len(r.signed) < verifyBatch {
		return nil
	}
	return r.checkSignatures()
}

func (r *replayer) checkSignatures() error {
	for i, ok := range r.verify.Verify(r.signed) {
		if !ok {
			return fmt.Errorf("entry %d: %w", r.first+uint64(i), invalid("its signature does not verify"))
		}
	}
	r.signed = r.signed[:0]
	return nil
}

// recompute decides an applied entry's change again and compares everything
// that the entry says of it.
func (r *replayer) recompute(signer *Account, e *wire.Entry, f wire.Frame) (*wire.Body, act, error) {
	if f.State != wire.BodyPlain {
		return nil, nil, invalid("it is applied, and its body is not there")
	}
	body, err := wire.ParseBody(f.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	change, err := wire.ParseChange(body.Change)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch {
	case wire.Hash(sha256.Sum256(f.Body)) != e.Body:
		return nil, nil, invalid("its body is another than it says")
	case wire.ChainNext(signer.Chain, body.Change) != e.Chain:
		return nil, nil, invalid("its change does not continue the chain of account %d", e.Account)
	case change.Kind() != e.Kind:
		return nil, nil, invalid("it says %s where its change says %s", e.Kind, change.Kind())
	}
	a, verdict, err := r.decide(signer, change, e.Time)
	switch {
	case err != nil:
		return nil, nil, err
	case verdict != wire.Applied:
		return nil, nil, invalid("it is applied where it had to be refused as %s", verdict)
	case !bytes.Equal(a.effect(), e.Effect):
		return nil, nil, invalid("its effect is not what its change says")
	}
	return &body, a, nil
}

// checkRefused checks what can be checked of a refused entry without its body,
// beyond what wire.ParseEntry does (no effect, and a kind that fits): its
// verdict is suspended only if its account is, and not one that comes after
// suspended if it is.
func checkRefused(signer *Account, e *wire.Entry, f wire.Frame) error {
	switch {
	case f.State != wire.BodyBlanked || len(f.Body) != 0:
		return invalid("it is refused, and has a body")
	case e.Verdict == wire.Suspended && !signer.Suspended:
		return invalid("it is refused as suspended, and account %d is not", e.Account)
	case e.Verdict > wire.Suspended && signer.Suspended:
		return invalid("it is refused as %s, and account %d is suspended", e.Verdict, e.Account)
	}
	return nil
}
