package member

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// catchUp is one attempt to get what the newest head promises, from one
// source: the head's chunks or one of its torrents.
type catchUp struct {
	name     string
	infohash [20]byte // of the newest torrent that is fetched; zero: chunks
	cancel   func()   // of what is under way; nil: nothing to cancel
	fetched  [][20]byte
	fetching bool // a torrent is being fetched
	moved    bool // and something of it came since the last look at the head
	heard    bool // something came of the newest torrent
	over     bool
}

// ended ends an attempt. What it fetched is not served any more: what of it
// the log here has come to, serve serves from the log itself.
func (f *Follower) ended(r *catchUp) {
	r.over = true
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
	}
	for _, ih := range r.fetched {
		if !f.serving[ih] {
			f.ports.Swarm.Stop(ih)
		}
	}
}

// dropsMax is how many dropped sources Status tells of, the newest.
const dropsMax = 10

// nameChunks is the head's chunks as a source.
const nameChunks = "chunks of the head"

// badSource is a source whose bytes can never verify: it is not tried again.
type badSource struct{ err error }

func (e *badSource) Error() string { return e.err.Error() }
func (e *badSource) Unwrap() error { return e.err }

func bad(format string, args ...any) error { return &badSource{fmt.Errorf(format, args...)} }

// advance goes after the newest head: nothing when the log here is that
// head's, else the next source that has not been tried since the last look.
func (f *Follower) advance() {
	if f.closed || f.run != nil || f.stopped != "" || f.head == nil {
		return
	}
	if f.head.Checkpoint.Size <= f.store.State().Size {
		f.reached()
		return
	}
	list := f.sources()
	if len(list) == 0 {
		if len(f.failed) == 0 {
			f.failed = []string{"the newest log could not be had from any source yet"}
			if f.sparing {
				f.failed = []string{errSpared.Error()}
			}
		}
		if f.hasty {
			f.hasty = false
			f.lookIn(f.jitter(time.Second)) // for another round
		}
		return
	}
	ih := list[0]
	if ih == chunksSource {
		first, _ := f.chunksCover()
		f.chunksTried = f.head.record.Seq
		f.begun(&catchUp{name: nameChunks})
		f.fetchChunks(f.run, *f.head, first)
		return
	}
	f.tried[ih] = true
	f.begun(&catchUp{name: "torrent " + hex.EncodeToString(ih[:]), infohash: ih})
	f.fetchNewest(f.run, ih)
}

// round makes every source that was not dropped worth another try, once all
// have been tried. What is remembered of sources that no head names any more is
// forgotten, so that no number of heads fills the memory.
func (f *Follower) round() {
	if f.run != nil || f.head == nil {
		return
	}
	named := append([][20]byte{f.head.Newest}, f.head.Older...)
	gone := func(ih [20]byte) bool { return !slices.Contains(named, ih) }
	maps.DeleteFunc(f.dropped, func(ih [20]byte, _ string) bool { return gone(ih) })
	maps.DeleteFunc(f.stalls, func(ih [20]byte, _ int) bool { return gone(ih) })
	maps.DeleteFunc(f.old, func(ih [20]byte, _ bool) bool { return gone(ih) })
	maps.DeleteFunc(f.distrust, func(ih [20]byte, _ bool) bool { return gone(ih) })
	maps.DeleteFunc(f.missing, func(t wire.Target, _ int) bool { return !slices.Contains(f.head.Chunks, t) })
	clear(f.tried)
	f.chunksTried, f.hasty = 0, false
	if len(f.failed) > 0 {
		f.failedBefore, f.failed = f.failed, nil
	}
}

func (f *Follower) begun(r *catchUp) { f.run, f.source = r, r.name }

// finished ends an attempt. What failed is noted, for good when its bytes can
// never verify, and the next source is tried.
func (f *Follower) finished(r *catchUp, err error) {
	if r.over || f.closed {
		return
	}
	f.ended(r)
	f.run = nil
	var never *badSource
	switch {
	case err == nil:
		f.old[r.infohash] = r.infohash != chunksSource
		if r.infohash != chunksSource {
			f.torrents++
		}
		f.failed, f.failedBefore = nil, nil
		f.alone = f.alone && r.infohash == chunksSource
		if f.head.Checkpoint.Size > f.store.State().Size {
			f.serve() // an older one, as long as the newest cannot be had
		}
	case errors.Is(err, errOlder): // and the next one may be newer
		f.old[r.infohash] = true
	case errors.Is(err, errPassed): // the same
	case errors.As(err, &never) && r.infohash != chunksSource:
		f.dropAhead()
		f.dropped[r.infohash] = err.Error()
		f.drops = append(f.drops[max(0, len(f.drops)-dropsMax+1):], fmt.Sprintf("%s was dropped: %v", r.name, err))
	default:
		f.alone = f.alone || errors.Is(err, errAlone)
		f.failed = append(f.failed, fmt.Sprintf("%s: %v", r.name, err))
	}
	f.advance()
	f.cfg.Changed()
}

// chunksCover says whether the head's chunks reach back to the end of the log
// here; first is the chunk in which that end lies.
func (f *Follower) chunksCover() (first uint64, ok bool) {
	have, h := f.store.State().Length, &f.head.Head
	if h.Length <= have {
		return 0, false
	}
	first = have / wire.ChunkBytes
	return first, first >= oldestChunk(h)
}

// oldestChunk is the first chunk that a head names.
func oldestChunk(h *wire.Head) uint64 { return chunkCount(h.Length) - uint64(len(h.Chunks)) }

func chunkCount(length uint64) uint64 { return (length + wire.ChunkBytes - 1) / wire.ChunkBytes }

// fetchChunks gets the chunks from first on, all at once.
func (f *Follower) fetchChunks(r *catchUp, h head, first uint64) {
	targets := h.Chunks[uint64(len(h.Chunks))-(chunkCount(h.Length)-first):]
	got := make([][]byte, len(targets))
	waiting := len(targets)
	for i, t := range targets {
		f.ports.DHT.Get(lookup.Get{Target: t, First: true}, guard(f, func(found lookup.Found) {
			if r.over {
				return
			}
			if found.Item == nil {
				f.missing[t] = int(first) + i
			} else {
				got[i] = found.Item.Value
			}
			if waiting--; waiting > 0 {
				return
			}
			stream, err := joinChunks(got, h.Length, first)
			f.got += int64(len(stream))
			if err != nil {
				f.finished(r, err)
				return
			}
			s := source{{start: first * wire.ChunkBytes, end: h.Length, at: bytes.NewReader(stream)}}
			switch err := f.continues(stream, first*wire.ChunkBytes); {
			case errors.Is(err, errOther) && first > oldestChunk(&h.Head):
				f.fetchChunks(r, h, oldestChunk(&h.Head)) // where the two logs part may be in those
			case errors.Is(err, errOther):
				f.other(r, s, h.Checkpoint, err)
			case err != nil:
				f.finished(r, err)
			default:
				f.take(r, s, h.Checkpoint)
			}
		}))
	}
}

// joinChunks gives the stream from chunk first to length.
func joinChunks(values [][]byte, length, first uint64) ([]byte, error) {
	var stream []byte
	for i, v := range values {
		if v == nil {
			return nil, fmt.Errorf("chunk %d is nowhere", first+uint64(i))
		}
		b, err := wire.ParseChunkValue(v)
		if err != nil {
			return nil, fmt.Errorf("chunk %d: %w", first+uint64(i), err)
		}
		if want := min(wire.ChunkBytes, length-(first+uint64(i))*wire.ChunkBytes); uint64(len(b)) != want {
			return nil, fmt.Errorf("chunk %d has %d bytes where %d belong", first+uint64(i), len(b), want)
		}
		stream = append(stream, b...)
	}
	return stream, nil
}

// errOlder: the source ends where the log here does, or before.
var errOlder = errors.New("it holds nothing newer")

// errOther: the bytes that lie before the end of the log here are others.
var errOther = errors.New("it does not continue the log held here")

// continues compares what lies before the end of the log here.
func (f *Follower) continues(stream []byte, at uint64) error {
	own := make([]byte, f.store.State().Length-at)
	if _, err := f.store.ReadStream(own, at); err != nil {
		return err
	}
	if !bytes.HasPrefix(stream, own) {
		return errOther
	}
	return nil
}

// reached is called at every look at which the log here is the newest head's:
// the head is kept, what it promises is served, and missing chunks are put
// back. A head that is not new costs nothing.
func (f *Follower) reached() {
	f.dropAhead()
	seq := f.head.record.Seq
	if f.keptSeq != seq {
		if err := f.store.Commit(nil, f.kept()...); err != nil {
			f.problem = err.Error()
			return
		}
		f.checkpoint, f.keptSeq = f.head.Checkpoint, seq
	}
	if f.servedSeq != seq && f.serve() {
		f.servedSeq = seq
	}
	if len(f.missing) > 0 {
		f.healChunks()
	}
}

// kept is the records of a log that has reached the newest head.
func (f *Follower) kept() []store.KV {
	return []store.KV{record(keyHead, f.head.record), record(keyCheckpoint, f.head.Checkpoint)}
}

// healChunks puts the chunks of the newest head back that no node had and that
// came by torrent.
func (f *Follower) healChunks() {
	st := f.store.State()
	n := chunkCount(st.Length)
	for i, t := range f.head.Chunks {
		number, ok := f.missing[t]
		if !ok || uint64(number) != n-uint64(len(f.head.Chunks))+uint64(i) {
			continue
		}
		at := uint64(number) * wire.ChunkBytes
		b := make([]byte, min(wire.ChunkBytes, st.Length-at))
		if _, err := f.store.ReadStream(b, at); err != nil {
			continue
		}
		if it, err := lookup.Immutable(wire.ChunkValue(b)); err == nil && it.Target == t {
			f.reput(it, nil)
		}
	}
	clear(f.missing)
}

// errAlone: a torrent without torrent peers.
var errAlone = errors.New("nobody who has it can be reached")

// explain names what is known to go wrong with a torrent.
func explain(err error) error {
	if errors.Is(err, seed.ErrStalled) {
		return errAlone
	}
	return err
}

// invalid makes an error final when the signed bytes themselves are wrong.
func invalid(err error) error {
	if errors.Is(err, ledger.ErrInvalid) {
		return bad("the manager signed a log that breaks its own rules: %s", strings.TrimSpace(err.Error()))
	}
	return err
}
