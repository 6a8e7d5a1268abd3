package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
	"weir/member"
)

// opaque checks what can be checked of an encrypted database by somebody
// without its read key (SPEC.md, 9.2): the signatures of head and checkpoint, the
// torrents' bytes by their hashes, and the frames' headers. No entry can be opened,
// so no root, and no rule, is checked.
type opaque struct {
	dht interface {
		Get(lookup.Get, func(lookup.Found))
	}
	swarm seed.Swarm
	dir   string // for what is fetched, which is not kept

	id       wire.ID
	encoded  []byte // the charter
	charter  *wire.Charter
	terms    ledger.Terms // the manager's keys: the charter's, and a successor's
	received int64
	reached  string // what was found so far and what not, for people
}

// opaqueStream is what was found.
type opaqueStream struct {
	head   *wire.Head
	state  *wire.StateFile
	frames uint64
	length uint64
}

// errOpaque: what was published contradicts what was signed.
var errOpaque = fmt.Errorf("%w", ErrNotVerified)

func contradicts(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errOpaque, fmt.Errorf(format, args...))
}

// run fetches the newest head and all that it names. Of its torrents the newest
// that can be had is taken.
func (o *opaque) run(ctx context.Context) (*opaqueStream, error) {
	s := &opaqueStream{}
	var err error
	if s.head, err = o.newest(ctx); err != nil {
		return nil, err
	}
	named := append([][20]byte{s.head.Newest}, s.head.Older...)
	o.reached = fmt.Sprintf("the charter of %q was found, and its head of %s with %d entries, but none of the %d torrents that it names has come whole",
		o.charter.Name, viewMillis(s.head.Time), EntriesOf(s.head.Checkpoint.Size), len(named))
	var errs []error
	for _, first := range opaqueFirsts {
		var quiet [][20]byte
		for _, ih := range named {
			err := o.torrent(ctx, s, ih, first)
			switch {
			case err == nil:
				return s, nil
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case errors.Is(err, errUnheard):
				quiet = append(quiet, ih)
			default:
				errs = append(errs, fmt.Errorf("torrent %x: %w", ih, err))
			}
		}
		named = quiet
	}
	for _, ih := range named {
		errs = append(errs, fmt.Errorf("torrent %x: %w", ih, errUnheard))
	}
	return nil, fmt.Errorf("%s: %w", o.reached, errors.Join(errs...))
}

// opaqueFirsts is how long a newest torrent may take until something of it comes:
// in a first round, and for those of which nothing came in a second one. Most
// databases have a torrent that comes at once, and to find torrent peers may take
// longer.
var opaqueFirsts = []time.Duration{6 * time.Second, 30 * time.Second}

// errUnheard: nothing came of a torrent.
var errUnheard = errors.New("nobody who has it can be reached")

// late says what was reached when the time is over.
func (o *opaque) late(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("not done in time: %s; %d bytes were received", o.reached, o.received)
}

// get looks for the newest mutable item of a key.
func (o *opaque) get(ctx context.Context, k keys.Public) (lookup.Found, error) {
	salt := o.id.Salt()
	found := make(chan lookup.Found, 1)
	o.dht.Get(lookup.Get{Target: wire.MutableTarget(k, salt), Mutable: true, Key: k, Salt: salt}, func(f lookup.Found) { found <- f })
	select {
	case <-ctx.Done():
		return lookup.Found{}, ctx.Err()
	case f := <-found:
		return f, nil
	}
}

// newest is the newest head, under the keys of the newest succession.
func (o *opaque) newest(ctx context.Context) (*wire.Head, error) {
	f, err := o.get(ctx, o.charter.Recovery)
	if err != nil {
		return nil, err
	}
	succession, err := member.ReadSuccession(f)
	if err != nil {
		return nil, err
	}
	o.terms = ledger.CharterTerms(o.charter).With(succession)
	if f, err = o.get(ctx, o.terms.Newest().Manager); err != nil {
		return nil, err
	}
	switch {
	case f.Err != nil:
		return nil, f.Err
	case f.Item == nil:
		return nil, fmt.Errorf("%w: no head of this database", ErrNotFound)
	}
	h, err := wire.ParseHead(f.Item.Value)
	if err == nil && !h.Checkpoint.Verify(o.id, o.terms.LogKey(h.Checkpoint.Size)) {
		err = errors.New("the checkpoint in the newest head is not signed by the database's log key")
	}
	if err != nil {
		return nil, contradicts("%w", err)
	}
	return h, nil
}

// torrent checks a newest torrent and everything before it.
func (o *opaque) torrent(ctx context.Context, s *opaqueStream, infohash [20]byte, first time.Duration) error {
	var info *wire.Info
	file, err := o.fetch(ctx, infohash, first, func(i *wire.Info) error {
		if info = i; !i.Newest || i.Tail > s.head.Length {
			return contradicts("%w", member.ErrNotNewest)
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer file.drop()
	b := make([]byte, info.State)
	if _, err := file.ReadAt(b, int64(info.Tail)); err != nil {
		return err
	}
	if s.state, err = wire.ParseStateFile(b); err != nil {
		return contradicts("%w", err)
	}
	switch c := s.state.Checkpoint; {
	case !c.Verify(o.id, o.terms.LogKey(c.Size)):
		return contradicts("%w", member.ErrStateUnsigned)
	case c.Size > s.head.Checkpoint.Size, s.state.Start+info.Tail > s.head.Length:
		return contradicts("it holds more than the newest head says")
	case c.Size == s.head.Checkpoint.Size && c.Root != s.head.Checkpoint.Root:
		return contradicts("%s", member.TwoLogs(c.Size))
	}
	w := &frameWalk{first: o.encoded}
	for n, row := range s.state.Shelves {
		if err := o.part(ctx, w, row, true, n); err != nil {
			return fmt.Errorf("shelf %d: %w", n, err)
		}
	}
	for i, row := range s.state.Volumes {
		n := len(s.state.Shelves)*wire.ShelfVolumes + i
		if err := o.part(ctx, w, row, false, n); err != nil {
			return fmt.Errorf("volume %d: %w", n, err)
		}
	}
	if _, err := io.Copy(w, io.NewSectionReader(file, 0, int64(info.Tail))); err != nil {
		return err
	}
	s.frames, s.length = w.frames, w.length
	return w.end(s.state.Checkpoint.Size)
}

// part fetches a shelf or a volume and walks over it.
func (o *opaque) part(ctx context.Context, w *frameWalk, row wire.VolumeRow, shelf bool, number int) error {
	file, err := o.fetch(ctx, row.Infohash, 0, func(i *wire.Info) error {
		if i.Newest || i.Shelf != shelf || i.Number != number || i.Length() != int64(row.Length) {
			return contradicts("its torrent is another one")
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer file.drop()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), io.NewSectionReader(file, 0, int64(row.Length))); err != nil {
		return err
	}
	if !shelf && [32]byte(sum.Sum(nil)) != row.SHA256 { // a shelf's is over rows that only its publisher has
		return contradicts("%w", member.ErrVolumeHash)
	}
	return nil
}

// looseFile is what was fetched of one torrent, until it is dropped.
type looseFile struct{ *os.File }

func (f looseFile) drop() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// fetch fetches one torrent whole. Its bytes are those of its infohash. It is
// errUnheard when nothing comes for first; 0: as long as it may stand still.
func (o *opaque) fetch(ctx context.Context, infohash [20]byte, first time.Duration, check func(*wire.Info) error) (_ looseFile, err error) {
	f, err := os.CreateTemp(o.dir, "fetched-")
	if err != nil {
		return looseFile{}, err
	}
	file := looseFile{f}
	defer func() {
		if err != nil {
			file.drop()
		}
	}()
	heard := first == 0
	plan := func(b []byte) (seed.Content, int64, error) {
		heard = true
		info, err := wire.ParseInfo(b)
		if err == nil && info.ID != o.id {
			err = errors.New("it is another database's")
		}
		if err == nil {
			err = check(info)
		}
		return file, 0, err
	}
	done := make(chan seed.Result, 1)
	cancel := o.swarm.Fetch(seed.Fetch{Infohash: infohash, First: first, Plan: plan, Done: func(r seed.Result) { done <- r }})
	defer o.swarm.Stop(infohash)
	select {
	case <-ctx.Done():
		cancel()
		return file, ctx.Err()
	case r := <-done:
		o.received += r.Received
		if !heard && errors.Is(r.Err, seed.ErrStalled) {
			return file, errUnheard
		}
		return file, r.Err
	}
}

// verifyOpaque is Verify of an encrypted database without its read key.
func verifyOpaque(ctx context.Context, charter []byte, e *Edges, dir string) (VerifyView, error) {
	c, err := wire.ParseCharter(charter)
	if err != nil {
		return VerifyView{}, err
	}
	o := &opaque{dht: e.Node, swarm: e.Swarm, dir: dir, id: wire.CharterID(charter), encoded: charter, charter: c}
	return o.verify(ctx)
}

func (o *opaque) verify(ctx context.Context) (VerifyView, error) {
	o.reached = fmt.Sprintf("the charter of %q was found, and no head of it yet", o.charter.Name)
	s, err := o.run(ctx)
	if err != nil {
		return VerifyView{}, o.late(err)
	}
	c := s.state.Checkpoint
	v := VerifyView{
		ID: o.id.String(), Name: o.charter.Name, Opaque: true, LogSize: c.Size, Root: c.Root.String(), Length: s.length,
		Entries: EntriesOf(s.frames), Unit: o.charter.Unit, HeadTime: viewMillis(s.head.Time), Received: o.received,
		Stale: time.Since(time.UnixMilli(s.head.Time)) > time.Duration(o.charter.Stale)*time.Second,
		Note:  string(c.Note(o.id, o.terms.LogKey(c.Size))), VerifierKey: wire.VerifierKey(o.id, o.terms.LogKey(c.Size)),
	}
	if c.Size < s.head.Checkpoint.Size {
		v.Warnings = append(v.Warnings, fmt.Sprintf("only an older torrent could be had, with %d of %d entries", EntriesOf(c.Size), EntriesOf(s.head.Checkpoint.Size)))
	}
	return v, nil
}
