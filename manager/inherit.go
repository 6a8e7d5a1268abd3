package manager

import (
	"errors"
	"fmt"

	"weir/ledger/store"
	"weir/ledger/wire"
	reader "weir/member"
)

// errUnheaded: a store whose log is not that of a head it knows.
var errUnheaded = errors.New("the log here is not that of a published head")

// inherit makes the store of a follower, which has the log of the newest head, that
// of the manager who signed it: the head as it was signed, whose seq and cycle are
// never gone behind, and its newest torrent. Older torrents are not known: of each
// its state file would be needed.
func (d *Desk) inherit() error {
	it, ok, err := reader.SignedHead(d.Store)
	if err != nil {
		return err
	}
	if !ok {
		return errUnheaded
	}
	h, err := wire.ParseHead(it.Value)
	if err != nil {
		return err
	}
	st := d.Store.State()
	if h.Checkpoint.Size > st.Size || !h.Checkpoint.Verify(st.ID, st.LogKey(h.Checkpoint.Size)) {
		return errUnheaded
	}
	if root, err := d.Store.RootAt(h.Checkpoint.Size); err != nil || root != h.Checkpoint.Root {
		return errors.Join(errUnheaded, err)
	}
	old, _, err := readRecord[headRecord](d.Store, keyHead)
	if err != nil {
		return err
	}
	if old.Seq > it.Seq {
		return fmt.Errorf("this directory has signed a head at %s, and the newest that was found is of %s, before that", wire.SeqDate(old.Seq), wire.SeqDate(it.Seq))
	}
	kv := []store.KV{record(keyHead, headRecord{Value: it.Value, Seq: it.Seq, Sig: it.Sig, Cycle: h.Cycle})}
	if h.Checkpoint.Size == st.Size { // an old copy may have entries that nobody was shown yet
		mine, err := d.torrentOf(h)
		if err != nil {
			return err
		}
		if mine.Infohash == h.Newest {
			kv = append(kv, record(mine.key(), mine))
		}
	}
	return d.Store.Commit(nil, kv...)
}

// torrentOf is the newest torrent of the log here, which a head is of.
func (d *Desk) torrentOf(h *wire.Head) (torrentRecord, error) {
	torrent, err := d.Store.NewestTorrent(h.Checkpoint)
	if err != nil {
		return torrentRecord{}, err
	}
	n := d.Store.State().Volumes
	volume, err := d.Store.VolumeInfo(n)
	return torrentRecord{Infohash: torrent.Infohash, Volume: n, Length: volume.Length, State: torrent.State, Time: h.Time, Held: h.Time}, err
}

// inherited ends what inherit began: the store is no follower's any more, and
// nothing keeps its manager from starting.
func (d *Desk) inherited() error {
	return d.Store.Commit(nil, append(reader.Unfollow(), store.KV{Key: keyRefused})...)
}
