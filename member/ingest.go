package member

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// ingestBytes is how much of the stream is looked at in one go; then the loop
// gets its turn.
const ingestBytes = 1 << 20

// extent is the bytes of the stream from start to end; at reads them from 0.
type extent struct {
	start, end uint64
	at         io.ReaderAt
}

// source is a part of the stream: extents that follow each other.
type source []extent

func (s source) end() uint64 { return s[len(s)-1].end }

// read gives the stream's bytes from an offset, as many as p holds or the
// source has.
func (s source) read(p []byte, at uint64) ([]byte, error) {
	n := 0
	for _, e := range s {
		if at < e.start || at >= e.end || n == len(p) {
			continue
		}
		part := p[n:min(uint64(len(p)), uint64(n)+e.end-at)]
		m, err := e.at.ReadAt(part, int64(at-e.start))
		if m < len(part) {
			return nil, fmt.Errorf("read what was fetched: %w", err)
		}
		n, at = n+m, at+uint64(m)
	}
	return p[:n], nil
}

// ingest is one pass over what was fetched. The first pass only computes the
// root and compares it with the signed one; the second replays and commits.
type ingest struct {
	*Follower
	run        *catchUp
	source     source
	checkpoint wire.Checkpoint
	at         uint64
	edge       frontier
	buffer     []byte
}

// take verifies a source that ends with a signed checkpoint, and makes it part
// of the log here.
func (f *Follower) take(r *catchUp, s source, c wire.Checkpoint) {
	st := f.store.State()
	edge, err := newFrontier(st.Size, f.store)
	if err != nil {
		f.finished(r, err)
		return
	}
	in := &ingest{
		Follower: f, run: r, source: s, checkpoint: c, at: st.Length, edge: edge,
		buffer: make([]byte, min(ingestBytes, s.end()-min(s.end(), st.Length))),
	}
	in.verify()
}

// placed is a frame and its offset in the stream.
type placed struct {
	wire.Frame
	at uint64
}

// frames reads the next whole frames, as they lie there.
func (in *ingest) frames() ([]byte, []placed, error) {
	b, err := in.source.read(in.buffer, in.at)
	if err != nil {
		return nil, nil, err
	}
	var frames []placed
	n := 0
	for n < len(b) {
		f, size, err := wire.ParseFrame(b[n:])
		if errors.Is(err, wire.ErrShort) && n > 0 && in.at+uint64(len(b)) < in.source.end() {
			break
		}
		if err != nil {
			return nil, nil, bad("entry %d: %w", in.edge.size, err)
		}
		frames = append(frames, placed{f, in.at + uint64(n)})
		n += size
	}
	return b[:n], frames, nil
}

// verify is the first pass.
func (in *ingest) verify() {
	if !in.hash(in.verify, in.refused) {
		return
	}
	if in.edge.size != in.checkpoint.Size || in.edge.root() != in.checkpoint.Root {
		in.refused(bad("%w: it ends with %d entries and root %s, the checkpoint says %d and %s",
			errOther, entriesOf(in.edge.size), in.edge.root(), entriesOf(in.checkpoint.Size), in.checkpoint.Root))
		return
	}
	in.at = in.store.State().Length
	in.replay()
}

// hash takes the entries of one buffer into the tree. It says whether it has come
// to the end; if not, it goes on with again in the loop's next turn, or has ended
// with failed.
func (in *ingest) hash(again func(), failed func(error)) (whole bool) {
	if in.at < in.source.end() {
		b, err := in.leaves()
		if err != nil {
			failed(err)
			return false
		}
		if in.at += uint64(len(b)); in.at < in.source.end() {
			in.later(in.run, again)
			return false
		}
	}
	return true
}

// refused ends the first pass. Bytes that do not verify may be in order and of
// another log, and were read at an offset that means nothing in it.
func (in *ingest) refused(err error) {
	var never *badSource
	if errors.As(err, &never) {
		in.other(in.run, in.source, in.checkpoint, err)
		return
	}
	in.finished(in.run, err)
}

// leaves takes the entries of the next whole frames, whose bytes it gives.
func (in *ingest) leaves() ([]byte, error) {
	b, frames, err := in.frames()
	if err != nil {
		return nil, err
	}
	for _, f := range frames {
		if err := in.leaf(f); err != nil {
			return nil, bad("entry %d: %w", in.edge.size, err)
		}
	}
	return b, nil
}

// leaf opens a frame, and takes its entry for the next leaf.
func (in *ingest) leaf(p placed) error {
	f, err := in.store.State().OpenFrame(p.Frame, p.at)
	if errors.Is(err, wire.ErrOpen) {
		err = fmt.Errorf("%w: it was damaged, or the link has another database's read key", err)
	}
	if err == nil {
		err = matches(f)
	}
	if err != nil {
		return err
	}
	in.edge.append(f.Entry)
	return nil
}

// matches compares a frame's body with the hash in its entry, so that the root
// over the entries stands for the bodies too.
func matches(f wire.Frame) error {
	e, err := wire.ParseEntry(f.Entry)
	if err != nil {
		return err
	}
	if f.State == wire.BodyPlain && sha256.Sum256(f.Body) != e.Body {
		return errors.New("its body is not the one that the entry names")
	}
	return nil
}

// replay is the second pass. Each commit is a prefix of the signed log; the
// last one says so.
func (in *ingest) replay() {
	for in.at < in.source.end() {
		b, _, err := in.frames()
		if err == nil {
			err = in.commit(b)
		}
		if err != nil {
			in.finished(in.run, err)
			return
		}
		in.at += uint64(len(b))
		if in.at < in.source.end() {
			in.later(in.run, in.replay)
			return
		}
	}
	in.Follower.checkpoint = in.checkpoint
	in.finished(in.run, nil)
}

func (in *ingest) commit(frames []byte) error {
	st := in.store.State()
	batches, err := st.Replay(frames, in.store, in.ports.Verify)
	if err != nil {
		return invalid(err)
	}
	var kv []store.KV
	keptSeq := in.keptSeq
	if in.at+uint64(len(frames)) == in.source.end() {
		kv = append(kv, record(keyCheckpoint, in.checkpoint))
		if in.head.Checkpoint == in.checkpoint {
			kv, keptSeq = in.kept(), in.head.record.Seq
		}
	}
	if err := in.store.Commit(batches, kv...); err != nil {
		return err
	}
	in.keptSeq = keptSeq
	full := in.store.State().Volumes
	maps.DeleteFunc(in.ahead, func(n int, _ [20]byte) bool { return n < full })
	maps.DeleteFunc(in.shelves, func(n int, _ shelfAhead) bool { return (n+1)*wire.ShelfVolumes <= full })
	in.committed(batches)
	return nil
}

// later goes on with an attempt after whatever else waits on the loop.
func (f *Follower) later(r *catchUp, next func()) {
	r.cancel = f.ports.Clock.After(0, func() {
		if !f.closed && !r.over {
			next()
		}
	})
}
