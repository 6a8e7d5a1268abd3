package member

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// serve seeds what is held: the newest torrent at the checkpoint that the log
// here has reached, made from the log itself, every full volume and every whole
// shelf. Newest torrents that the head no longer names are dropped. Only the
// manager announces torrents; members meet. It is false when something could
// not be served.
func (f *Follower) serve() bool {
	st := f.store.State()
	if f.cfg.Mute || f.closed || f.checkpoint.Size != st.Size {
		return true
	}
	for ; f.volumes < st.Volumes; f.volumes++ {
		if !f.serveWhole("volume", f.volumes, f.store.VolumeTorrent) {
			return false
		}
	}
	for ; f.shelved < st.Volumes/wire.ShelfVolumes; f.shelved++ {
		if !f.serveWhole("shelf", f.shelved, f.store.ShelfTorrent) {
			return false
		}
	}
	t, err := f.store.NewestTorrent(f.checkpoint)
	if err == nil && !f.serving[t.Infohash] {
		err = f.ports.Swarm.Serve(t.Info, t.Content, false)
	}
	if err != nil {
		f.problem = fmt.Sprintf("serve the newest torrent: %v", err)
		return false
	}
	f.serving[t.Infohash] = true
	for _, ih := range f.served() {
		named := f.head != nil && (ih == f.head.Newest || slices.Contains(f.head.Older, ih))
		if ih != t.Infohash && !named {
			f.ports.Swarm.Stop(ih)
			delete(f.serving, ih)
		}
	}
	return true
}

// serveWhole seeds a full volume or a whole shelf.
func (f *Follower) serveWhole(what string, number int, make func(number int) (store.Torrent, error)) bool {
	t, err := make(number)
	if err == nil {
		err = f.ports.Swarm.Serve(t.Info, t.Content, false)
	}
	if err != nil {
		f.problem = fmt.Sprintf("serve %s %d: %v", what, number, err)
	}
	return err == nil
}

// served is the newest torrents that are served, in a fixed order.
func (f *Follower) served() [][20]byte {
	return slices.SortedFunc(maps.Keys(f.serving), func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
}

// stopServing ends every read of the store by others.
func (f *Follower) stopServing() {
	for _, ih := range f.served() {
		f.ports.Swarm.Stop(ih)
	}
	clear(f.serving)
	if f.store == nil {
		return
	}
	// By their rows, which are there however broken the store is.
	for _, row := range f.store.VolumeRows(0)[:f.volumes] {
		f.ports.Swarm.Stop(row.Infohash)
	}
	for _, row := range f.store.ShelfRows()[:f.shelved] {
		f.ports.Swarm.Stop(row.Infohash)
	}
	f.volumes, f.shelved = 0, 0
}
