package ledger

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// failing is hashes that cannot be read.
type failing struct{}

var errDisk = errors.New("disk")

func (failing) ReadHashes([]int64) ([]tlog.Hash, error) { return nil, errDisk }

func wantInvalid(t testing.TB, s *State, frames []byte, h tlog.HashReader) error {
	t.Helper()
	b, err := s.Replay(frames, h, sign.ZIP215{})
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("%d batches, %v", len(b), err)
	}
	return err
}

func newBusyWorld(t testing.TB, key *keys.ReadKey) *world { return newWorldCut(t, key, 6, 4000) }

// busy is a world with entries of every kind, applied and refused, in several
// batches, and the stream and hashes at founding to replay from.
func busy(t testing.TB, key *keys.ReadKey) *world {
	w := newBusyWorld(t, key)
	w.merge(w.queue(0, w.change(limitOf(1, -5000, 5000)), w.change(suspend(99)), w.change(suspend(6))))
	for i := range 6 {
		w.now += refusalDelayMax
		w.merge(
			w.queue(0, w.change(suspend(5)), w.change(resume(5)), w.change(resume(99))),
			w.queue(1, w.change(pay(1, 2, 100)), w.change(transferOf("rent", posting(3, 5), posting(1, -10), posting(4, 5)))),
			w.queue(2, w.change(pay(2, 3, int64(i)*90))),
			w.queue(3, w.change(pay(3, 1, 7)), w.change(args{b: []byte("de")})),
			w.queue(4, w.changeWith(pay(4, 1, 7), func(c *wire.Change) { c.Until = 1 })),
			w.queue(6, w.change(pay(6, 1, 7))),
		)
	}
	return w
}

func founded(t testing.TB, w *world) (*State, hashes) {
	t.Helper()
	s, b, err := Found(w.charter, w.key)
	if err != nil {
		t.Fatal(err)
	}
	s.cut = w.state.cut
	return s, b.Hashes
}

func TestTheWholeStreamReplaysAtOnceToTheSameState(t *testing.T) {
	both(t, func(t *testing.T, key *keys.ReadKey) {
		w := busy(t, key)
		s, h := founded(t, w)
		batches, err := s.Replay(w.stream[s.Length:], h, sign.ZIP215{})
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) != 8 || w.state.Volumes < 2 {
			t.Errorf("%d batches, %d volumes", len(batches), w.state.Volumes)
		}
		for _, b := range batches {
			s.Adopt(b)
		}
		sameState(t, s, w.state)
	})
}

// frameEnds is the offsets at which the frames end.
func frameEnds(t testing.TB, frames []byte) []int {
	t.Helper()
	var ends []int
	for at := 0; at < len(frames); {
		_, n, err := wire.ParseFrame(frames[at:])
		if err != nil {
			t.Fatal(err)
		}
		at += n
		ends = append(ends, at)
	}
	return ends
}

func TestFramesMayBeSplitInsideABatchWherever(t *testing.T) {
	both(t, framesMayBeSplit)
}

func framesMayBeSplit(t *testing.T, key *keys.ReadKey) {
	w := busy(t, key)
	start := newBusyWorld(t, key)
	frames := w.stream[start.state.Length:]
	for _, step := range []int{1, 2, 3, 5, 7, 1000} {
		s := w.load(t, start.state.Fixed, start.state.Accounts())
		h := slices.Clone(start.hashes)
		from := 0
		for i, end := range frameEnds(t, frames) {
			if (i+1)%step != 0 && end != len(frames) {
				continue
			}
			batches, err := s.Replay(frames[from:end], h, sign.ZIP215{})
			if err != nil {
				t.Fatalf("step %d at %d: %v", step, from, err)
			}
			for _, b := range batches {
				s.Adopt(b)
				h = append(h, b.Hashes...)
			}
			from = end
		}
		sameState(t, s, w.state)
		if !slices.Equal(h, w.hashes) {
			t.Errorf("step %d: other hashes", step)
		}
	}
}

func TestNothingToReplayGivesNothing(t *testing.T) {
	w := newWorld(t, 2)
	if b, err := w.state.Replay(nil, w.hashes, sign.ZIP215{}); err != nil || len(b) != 0 {
		t.Errorf("%d batches, %v", len(b), err)
	}
}

// last replays only the last batch of a world: before is the state before it.
type last struct {
	before *State
	hashes hashes
	batch  *Batch
	frames []wire.Frame // as they are in a readable database
	*world
}

// lastBatch makes a batch of an applied transfer, a refused one, and one by a
// suspended member.
func lastBatch(t testing.TB, key *keys.ReadKey) *last {
	w := newWorldCut(t, key, 4, wire.VolumeBytes)
	w.merge(w.queue(0, w.change(suspend(3))))
	b, err := w.try(
		w.queue(0, w.change(limitOf(4, -50, 50))),
		w.queue(1, w.change(pay(1, 2, 10))),
		w.queue(2, w.change(pay(2, 1, 5000))),
		w.queue(3, w.change(pay(3, 1, 10))),
	)
	if err != nil {
		t.Fatal(err)
	}
	l := &last{before: w.state, hashes: w.hashes, batch: b, world: w}
	l.frames = w.plain(b.Frames, b.Start)
	return l
}

// plain reads frames that begin at a stream offset, and opens them.
func (w *world) plain(frames []byte, offset uint64) (list []wire.Frame) {
	w.Helper()
	for at := 0; at < len(frames); {
		f, n, err := wire.ParseFrame(frames[at:])
		if err != nil {
			w.Fatal(err)
		}
		if f, err = w.state.OpenFrame(f, offset+uint64(at)); err != nil {
			w.Fatal(err)
		}
		list = append(list, f)
		at += n
	}
	return list
}

// seal appends a frame to those that begin at a stream offset, sealed if the
// database is encrypted.
func (w *world) seal(frames []byte, offset uint64, f wire.Frame) []byte {
	w.Helper()
	if w.key != nil {
		var err error
		if f, err = wire.SealFrame(f, w.state.ID, offset+uint64(len(frames)), *w.key, &w.salts); err != nil {
			w.Fatal(err)
		}
	}
	return wire.AppendFrame(frames, f)
}

// spoilt is the batch with one frame's entry and body changed, and signed
// again when sign says so.
func (l *last) spoilt(i int, again bool, f func(*wire.Entry, *wire.Frame)) []byte {
	l.Helper()
	var out []byte
	for j, fr := range l.frames {
		if j == i {
			e, err := wire.ParseEntry(fr.Entry)
			if err != nil {
				l.Fatal(err)
			}
			f(e, &fr)
			if again {
				e.Sig = l.sign(e.Account, e.Number, e.Chain)
			}
			b, err := e.Encode()
			if err != nil {
				l.Fatal(err)
			}
			fr.Entry = b
		}
		out = l.seal(out, l.before.Length, fr)
	}
	return out
}

// of is the frame of an account's entry.
func (l *last) of(account uint64) int {
	return slices.IndexFunc(l.batch.Entries, func(d Decided) bool { return d.Entry.Account == account })
}

func TestATamperedFrameIsRejectedInEveryField(t *testing.T) { both(t, tamperedFrames) }

func tamperedFrames(t *testing.T, key *keys.ReadKey) {
	l := lastBatch(t, key)
	if _, err := l.before.Replay(l.batch.Frames, l.hashes, sign.ZIP215{}); err != nil {
		t.Fatal(err)
	}
	rebody := func(e *wire.Entry, f *wire.Frame, change []byte) {
		body := wire.Body{Change: change}.Encode()
		e.Body, f.Body = wire.Hash(sha256.Sum256(body)), body
	}
	effect := wire.TransferEffect{Postings: []wire.Posting{posting(1, -500), posting(2, 500)}}.Encode()
	cases := []struct {
		name    string
		account uint64
		again   bool // with a signature that fits
		f       func(*wire.Entry, *wire.Frame)
		says    string
	}{
		{"its time is before the log's", 0, false, func(e *wire.Entry, _ *wire.Frame) { e.Time = created }, "time"},
		{"its time is before the entry's before it", 1, false, func(e *wire.Entry, _ *wire.Frame) { e.Time-- }, "time"},
		{"another account", 1, false, func(e *wire.Entry, _ *wire.Frame) { e.Account = 4 }, ""},
		{"an account that does not exist", 1, false, func(e *wire.Entry, _ *wire.Frame) { e.Account = 99 }, "it is of account 99"},
		{"the next number", 1, true, func(e *wire.Entry, _ *wire.Frame) { e.Number++ }, "number 2"},
		{"another chain", 1, true, func(e *wire.Entry, _ *wire.Frame) { e.Chain[3]++ }, "chain"},
		{"another chain of a refused one", 2, false, func(e *wire.Entry, _ *wire.Frame) { e.Chain[3]++ }, "signature"},
		{"another signature", 1, false, func(e *wire.Entry, _ *wire.Frame) { e.Sig[40]++ }, "signature"},
		{"another signature of a refused one", 2, false, func(e *wire.Entry, _ *wire.Frame) { e.Sig[0]++ }, "signature"},
		{"another kind", 0, false, func(e *wire.Entry, _ *wire.Frame) {
			e.Kind, e.Effect = wire.KindSuspend, wire.AccountEffect{Account: 4}.Encode()
		}, "suspend where"},
		{"another effect", 1, false, func(e *wire.Entry, _ *wire.Frame) { e.Effect = effect }, "effect"},
		{"another body hash", 1, false, func(e *wire.Entry, _ *wire.Frame) { e.Body[0]++ }, "body"},
		{"another salt", 1, false, func(_ *wire.Entry, f *wire.Frame) { f.Body = flip(f.Body, 0) }, "body"},
		{"another change", 1, false, func(e *wire.Entry, f *wire.Frame) {
			rebody(e, f, l.change(pay(1, 2, 500)))
			e.Effect = effect
		}, "chain"},
		{"bytes that are no change", 1, false, func(e *wire.Entry, f *wire.Frame) { rebody(e, f, []byte("x")) }, "read a change"},
		{"no body", 1, false, func(_ *wire.Entry, f *wire.Frame) { f.State, f.Body = wire.BodyBlanked, nil }, "not there"},
		{"a body of zeros", 1, false, func(_ *wire.Entry, f *wire.Frame) {
			f.State, f.Body = wire.BodyBlanked, make([]byte, len(f.Body))
		}, "not there"},
		{"refused where it had to be applied, with a body", 1, false, func(e *wire.Entry, _ *wire.Frame) {
			e.Verdict, e.Effect = wire.BelowLowerLimit, nil
		}, "has a body"},
		{"a refused one with a blank body", 2, false, func(_ *wire.Entry, f *wire.Frame) { f.Body = make([]byte, 40) }, "has a body"},
		{"suspended, and it is not", 2, false, func(e *wire.Entry, _ *wire.Frame) { e.Verdict = wire.Suspended }, "is not"},
		{"refused for another reason, and it is suspended", 3, false, func(e *wire.Entry, _ *wire.Frame) { e.Verdict = wire.Unbalanced }, "is suspended"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := wantInvalid(t, l.before, l.spoilt(l.of(c.account), c.again, c.f), l.hashes)
			if !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "entry ") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A change that breaks a rule, signed by its member and applied all the same,
// by a manager that hopes nobody looks.
func TestAnAppliedChangeThatHadToBeRefusedIsRejected(t *testing.T) {
	l := lastBatch(t, nil)
	entry := func(account uint64, change []byte, effect []byte, kind wire.Kind) []byte {
		c := l.queue(account, change).Changes[0]
		body := wire.Body{Change: change}.Encode()
		e := wire.Entry{
			Time: l.before.Time + 1, Account: account, Number: c.Number, Chain: c.Chain, Sig: c.Sig,
			Kind: kind, Effect: effect, Body: wire.Hash(sha256.Sum256(body)),
		}
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return wire.AppendFrame(nil, wire.Frame{Entry: b, Body: body})
	}
	transferEffect := func(p ...wire.Posting) []byte { return wire.TransferEffect{Postings: p}.Encode() }
	account := func(n uint64) []byte { return wire.AccountEffect{Account: n}.Encode() }
	for verdict, frame := range map[wire.Verdict][]byte{
		wire.Expired: entry(1, l.changeWith(pay(1, 2, 1), func(c *wire.Change) { c.Until = 1 }),
			transferEffect(posting(1, -1), posting(2, 1)), wire.KindTransfer),
		wire.UnknownHistory: entry(1, l.changeWith(pay(1, 2, 1), func(c *wire.Change) { c.Seen.Root[0]++ }),
			transferEffect(posting(1, -1), posting(2, 1)), wire.KindTransfer),
		wire.Suspended:       entry(3, l.change(pay(3, 2, 1)), transferEffect(posting(3, -1), posting(2, 1)), wire.KindTransfer),
		wire.NotPermitted:    entry(1, l.change(suspend(2)), account(2), wire.KindSuspend),
		wire.Unbalanced:      entry(1, l.change(pay(1, 1, 1)), transferEffect(posting(1, -1), posting(1, 1)), wire.KindTransfer),
		wire.UnknownAccount:  entry(0, l.change(suspend(99)), account(99), wire.KindSuspend),
		wire.BelowLowerLimit: entry(1, l.change(pay(1, 2, 101)), transferEffect(posting(1, -101), posting(2, 101)), wire.KindTransfer),
	} {
		err := wantInvalid(t, l.before, frame, l.hashes)
		if !strings.Contains(err.Error(), verdict.String()) {
			t.Errorf("%s: %v", verdict, err)
		}
	}
}

func TestFramesLeftOutRepeatedOrExchangedAreRejected(t *testing.T) { both(t, movedFrames) }

func movedFrames(t *testing.T, key *keys.ReadKey) {
	w := busy(t, key)
	start := newBusyWorld(t, key)
	all := w.stream[start.state.Length:]
	ends := append([]int{0}, frameEnds(t, all)...)
	frame := func(i int) []byte { return all[ends[i]:ends[i+1]] }
	const n = 12
	for i := range n {
		left := slices.Concat(all[:ends[i]], all[ends[i+1]:])
		twice := slices.Concat(all[:ends[i+1]], frame(i), all[ends[i+1]:])
		wantInvalid(t, start.state, twice, start.hashes)
		// To leave out an account's last entry would be another valid log;
		// every account here goes on.
		wantInvalid(t, start.state, left, start.hashes)
		if i+1 < n {
			exchanged := slices.Concat(all[:ends[i]], frame(i+1), frame(i), all[ends[i+2]:])
			batches, err := start.state.Replay(exchanged, start.hashes, sign.ZIP215{})
			if err == nil && batches[len(batches)-1].Root == w.state.Root {
				t.Fatalf("frames %d and %d exchanged give the same root", i, i+1)
			}
		}
	}
	for _, cut := range []int{1, 11, 12, 13, len(frame(0)) - 1} {
		if err := wantInvalid(t, start.state, all[:cut], start.hashes); !errors.Is(err, wire.ErrShort) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func TestTheFirstBatchIsLaterThanTheCharter(t *testing.T) {
	w := newWorld(t, 1)
	s, h := founded(t, w)
	f, _, err := wire.ParseFrame(w.stream[s.Length:])
	if err != nil {
		t.Fatal(err)
	}
	e, err := wire.ParseEntry(f.Entry)
	if err != nil {
		t.Fatal(err)
	}
	at := func(time int64) []byte {
		e.Time = time
		if f.Entry, err = e.Encode(); err != nil {
			t.Fatal(err)
		}
		return wire.AppendFrame(nil, f)
	}
	for _, time := range []int64{0, created - 1, created} {
		wantInvalid(t, s, at(time), h)
	}
	if _, err := s.Replay(at(created+1), h, sign.ZIP215{}); err != nil {
		t.Error(err)
	}
}

// Of a refused change only its sender has the body, but whether its account is
// suspended everybody knows.
func TestARefusalFitsWhetherItsAccountIsSuspended(t *testing.T) {
	l := lastBatch(t, nil)
	for v := wire.Expired; v <= wire.AboveUpperLimit; v++ {
		as := func(account uint64) []byte {
			return l.spoilt(l.of(account), false, func(e *wire.Entry, _ *wire.Frame) {
				if e.Verdict = v; v == wire.UnknownKind {
					e.Kind = wire.KindUnknown
				}
			})
		}
		for account, fits := range map[uint64]bool{2: v != wire.Suspended, 3: v <= wire.Suspended} {
			_, err := l.before.Replay(as(account), l.hashes, sign.ZIP215{})
			if fits != (err == nil) || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("account %d, refused as %s: %v", account, v, err)
			}
		}
	}
}

func TestHashesThatCannotBeReadAreNotTheFramesFault(t *testing.T) {
	l := lastBatch(t, nil)
	_, err := l.before.Replay(l.batch.Frames, failing{}, sign.ZIP215{})
	if !errors.Is(err, errDisk) || errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestABadSignatureIsFoundAmongThousands(t *testing.T) {
	w := newWorld(t, 40)
	start := newWorld(t, 40)
	var queues []Queue
	for n := uint64(1); n <= 40; n++ {
		queues = append(queues, w.queue(n, slices.Repeat([][]byte{w.change(pay(n, n%40+1, 1))}, quota)...))
	}
	b, err := w.try(queues...)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Entries) != 40*quota {
		t.Fatalf("%d entries", len(b.Entries))
	}
	for _, i := range []int{0, verifyBatch - 1, verifyBatch, len(b.Entries) - 1} {
		d := b.Entries[i]
		at := int(d.Offset-b.Start) + d.Frame - len(d.Body.Encode()) - len(leafOf(t, d))
		frames := flip(b.Frames, at+1+8+8+8+32+5)
		err := wantInvalid(t, start.state, frames, start.hashes)
		if !strings.Contains(err.Error(), "signature") {
			t.Errorf("entry %d: %v", d.Index, err)
		}
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}
