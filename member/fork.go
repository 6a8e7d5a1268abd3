package member

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// fork looks for the reason why a source does not verify: that it is another
// log than the one held here. When all of that log can be read, from the source
// and from what both have in common, and its entries hash to the root that the
// manager signed, then it is proved: the root that it has where the log here
// ends is not the one that the manager signed for that. Whatever a torrent peer
// or a DHT node sends, nothing less is evidence.
type fork struct {
	ingest
	why error // of the source, when there is no proof
	own []byte
}

// other ends an attempt whose source does not verify, for the reason why, or
// because its log is another.
func (f *Follower) other(r *catchUp, s source, c wire.Checkpoint, why error) {
	k := &fork{
		ingest: ingest{Follower: f, run: r, source: s, checkpoint: c, at: s[0].start},
		why:    why,
	}
	length := min(s.end(), f.store.State().Length)
	k.buffer = make([]byte, min(ingestBytes, length-min(length, k.at)))
	k.own = make([]byte, len(k.buffer))
	k.compare(length)
}

// compare goes over what lies before the end of the log here.
func (k *fork) compare(length uint64) {
	for k.at < length {
		n := min(uint64(len(k.buffer)), length-k.at)
		b, err := k.source.read(k.buffer[:n], k.at)
		if err == nil {
			_, err = k.store.ReadStream(k.own[:n], k.at)
		}
		if err != nil {
			k.finished(k.run, err)
			return
		}
		for i := range b {
			if b[i] != k.own[i] {
				k.parted(k.at + uint64(i))
				return
			}
		}
		if k.at += n; k.at < length {
			k.later(k.run, func() { k.compare(length) })
			return
		}
	}
	k.finished(k.run, k.why)
}

// parted goes on where the two logs part: at the frame in which a byte lies
// that they do not have in common.
func (k *fork) parted(off uint64) {
	k.why = bad("%w", errOther)
	leaf, start, err := k.store.LeafAt(off)
	if err != nil {
		k.finished(k.run, err)
		return
	}
	ours, theirs := k.Follower.checkpoint, k.checkpoint
	if leaf >= ours.Size || ours.Size >= theirs.Size {
		k.finished(k.run, k.why) // what is signed of the log here has no part in it
		return
	}
	if k.edge, err = newFrontier(leaf, k.store); err == nil {
		k.edge.kept, err = proofHashes(ours.Size, theirs.Size, leaf, k.store)
	}
	if err != nil {
		k.finished(k.run, err)
		return
	}
	if first := k.source[0].start; start < first {
		k.source = append(source{{start: start, end: first, at: streamAt{k.store, start}}}, k.source...)
	}
	k.at, k.own = start, nil
	k.buffer = make([]byte, min(ingestBytes, k.source.end()-start))
	k.walk()
}

// walk computes the other log's root.
func (k *fork) walk() {
	if !k.hash(k.walk, k.disproved) {
		return
	}
	ours, theirs := k.Follower.checkpoint, k.checkpoint
	if k.edge.size != theirs.Size || k.edge.root() != theirs.Root {
		k.finished(k.run, k.why)
		return
	}
	e, err := ledger.Outgrown(ours, theirs, k.edge.kept)
	if err != nil {
		k.finished(k.run, k.why)
		return
	}
	k.end(fmt.Sprintf("the manager signed two histories: its log of %d entries does not begin with the %d held here", entriesOf(theirs.Size), entriesOf(ours.Size)), e)
	k.cfg.Changed()
}

// disproved ends an attempt whose bytes are no log.
func (k *fork) disproved(err error) {
	var never *badSource
	if errors.As(err, &never) {
		err = k.why
	}
	k.finished(k.run, err)
}

// kept is some of a tree's stored hashes, by their index.
type kept map[int64]tlog.Hash

// ReadHashes implements tlog.HashReader.
func (k kept) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		h, ok := k[x]
		if !ok {
			return nil, fmt.Errorf("read Merkle hash %d: it was not kept", x)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// proofHashes is room for what ledger.Outgrown asks of a larger tree, with what
// of it is in the first leaves leaves, which stored has.
func proofHashes(small, large, leaves uint64, stored tlog.HashReader) (kept, error) {
	k := kept{}
	ask := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		for _, x := range indexes {
			k[x] = tlog.Hash{}
		}
		return make([]tlog.Hash, len(indexes)), nil
	})
	if _, err := ledger.RootAt(small, ask); err != nil {
		return nil, err
	}
	if _, err := ledger.ConsistencyProof(small, large, ask); err != nil {
		return nil, err
	}
	for x := range k {
		if x >= tlog.StoredHashCount(int64(leaves)) {
			continue
		}
		h, err := stored.ReadHashes([]int64{x})
		if err != nil {
			return nil, err
		}
		k[x] = h[0]
	}
	return k, nil
}

// streamAt reads the stream here from an offset on.
type streamAt struct {
	store *store.Store
	start uint64
}

// ReadAt implements io.ReaderAt.
func (s streamAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.store.ReadStream(p, s.start+uint64(off))
	if n == len(p) && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
