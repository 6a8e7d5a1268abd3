package member

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"slices"

	"weir/ledger/wire"
)

// chunksSource stands for the head's chunks among infohashes.
var chunksSource [20]byte

// sources is what is to be tried, the best first: the head's chunks and its
// newest torrent, the cheaper of the two before the other, and then the older
// torrents.
func (f *Follower) sources() [][20]byte {
	var list [][20]byte
	add := func(ih [20]byte) {
		if ih != chunksSource && !f.sparing && !f.tried[ih] && f.dropped[ih] == "" && !f.old[ih] {
			list = append(list, ih)
		}
	}
	add(f.head.Newest)
	if first, ok := f.chunksCover(); ok && f.chunksTried != f.head.record.Seq {
		at := len(list)
		if f.alone || f.chunksBytes(first) <= f.torrentBytes() {
			at = 0
		}
		list = slices.Insert(list, at, chunksSource)
	}
	for _, ih := range f.head.Older {
		if f.serving[ih] || f.old[ih] {
			break // and those after it are older still
		}
		add(ih)
	}
	return list
}

// errSpared: a torrent costs what may not be spent now.
var errSpared = errors.New("what is missing is only in torrents, and none are fetched while a limit of disk or traffic is reached")

// Spare stops fetching torrents, or begins again: sparing, the log is followed as
// far as the chunks of heads reach.
func (f *Follower) Spare(spare bool) {
	if f.sparing == spare || f.closed {
		return
	}
	f.sparing = spare
	if r := f.run; spare && r != nil && r.name != nameChunks {
		f.finished(r, errSpared)
	}
	if !spare && f.started {
		f.failed, f.failedBefore = nil, nil
		f.lookIn(0)
	}
}

// holds says whether a tail is the beginning of a volume here and no longer. Such
// a torrent has nothing that is not here, and its tail may be 8 MiB. Of full
// volumes it knows the newest.
func (f *Follower) holds(info *wire.Info) (bool, error) {
	volumes := f.store.State().Volumes
	for n := volumes; n >= 0 && n > volumes-wire.ShelfVolumes; n-- {
		own, err := f.store.VolumeInfo(n)
		if err != nil {
			return false, err
		}
		if info.Tail >= wire.PieceBytes && info.Tail <= own.Length && bytes.HasPrefix(own.Pieces, info.Pieces[:sha1.Size]) {
			return true, nil
		}
	}
	return false, nil
}

// What is received beside the bytes of the stream, where a DHT node answers with
// half a kilobyte. The immutable get of a chunk stops at the first node on its
// way that has the item: 4.3 KB in a network of 12 nodes, 4.7 of 200, 5.2 of
// 4000. The look-up of torrent peers goes on to the closest ones, 4.4 KB; their
// handshakes are the rest.
const (
	getBytes   = 5 << 10
	fetchBytes = 6 << 10
)

// chunksBytes estimates what is received for the chunks from first on.
func (f *Follower) chunksBytes(first uint64) uint64 {
	return (chunkCount(f.head.Length) - first) * getBytes
}

// torrentBytes estimates what is received for the newest torrent, if its tail is
// the volume that grows here: what is missing of it, the rest of the piece in
// which that begins and the state file, the info dictionary.
func (f *Follower) torrentBytes() uint64 {
	st := f.store.State()
	pieces := (f.head.Length-st.Volume)/wire.PieceBytes + 1
	return f.head.Length - st.Length + wire.PieceBytes + pieces*sha1.Size + fetchBytes
}
