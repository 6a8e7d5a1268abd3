package member

import (
	"bytes"
	"fmt"
	"slices"
)

// serve seeds what is held: the newest torrent at the checkpoint that the log
// here has reached, made from the log itself, and every full volume. Newest
// torrents that the head no longer names are dropped. Only the manager
// announces torrents; members meet. It is false when something could not be
// served.
func (f *Follower) serve() bool {
	st := f.store.State()
	if f.cfg.Mute || f.closed || f.checkpoint.Size != st.Size {
		return true
	}
	for ; f.volumes < st.Volumes; f.volumes++ {
		t, err := f.store.VolumeTorrent(f.volumes)
		if err == nil {
			f.ports.Swarm.Stop(t.Infohash) // as it was fetched
			err = f.ports.Swarm.Serve(t.Info, t.Content, false)
		}
		if err != nil {
			f.problem = fmt.Sprintf("serve volume %d: %v", f.volumes, err)
			return false
		}
	}
	t, err := f.store.NewestTorrent(f.checkpoint)
	if err == nil && !f.serving[t.Infohash] {
		f.ports.Swarm.Stop(t.Infohash) // as it was fetched
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

// served is the newest torrents that are served, in a fixed order.
func (f *Follower) served() [][20]byte {
	all := make([][20]byte, 0, len(f.serving))
	for ih := range f.serving {
		all = append(all, ih)
	}
	slices.SortFunc(all, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// stopServing ends every read of the store by others.
func (f *Follower) stopServing() {
	for _, ih := range f.served() {
		f.ports.Swarm.Stop(ih)
	}
	clear(f.serving)
	for ; f.volumes > 0; f.volumes-- {
		if t, err := f.store.VolumeTorrent(f.volumes - 1); err == nil {
			f.ports.Swarm.Stop(t.Infohash)
		}
	}
}
