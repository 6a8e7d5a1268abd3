package member

import (
	"errors"
	"slices"
	"time"
)

// patience is how long a torrent may stand still. The chunks of the head are
// another way where they reach back far enough: nobody should wait long for
// torrent peers that cannot be reached, or have just gone on to a newer torrent.
func (f *Follower) patience() time.Duration {
	if _, ok := f.chunksCover(); ok && f.chunksTried != f.head.record.Seq {
		return f.cfg.Stall / 6
	}
	return f.cfg.Stall
}

// firstPatience is how long a newest torrent may take until something of it
// comes, a fifth of what it may stand still later on: the head names others, and
// whoever holds the log serves one of them. To find torrent peers may take longer
// than that. So it is never less than twice what the last one took, and doubles
// each time that nothing of this one came.
func (f *Follower) firstPatience(infohash [20]byte) time.Duration {
	d := max(f.cfg.Stall/5, 2*f.took)
	for range f.stalls[infohash] {
		if d >= f.cfg.Stall {
			break
		}
		d *= 2
	}
	return min(d, f.cfg.Stall)
}

// unheard notes that a torrent stood still for so long. What was given up early
// deserves another try soon, and not after the next look only: that may be hours
// away.
func (f *Follower) unheard(infohash [20]byte, first time.Duration) {
	f.stalls[infohash]++
	f.hasty = f.hasty || first < f.cfg.Stall
}

// errPassed: heads name newer torrents by now.
var errPassed = errors.New("the heads name it no longer, and nobody sends it")

// pass leaves a torrent of which nothing came since the last look, and which the
// newest head does not name any more: its holders have gone on to newer ones. One
// that it names, and of which nothing came at all, has had patience enough when
// there is a newer one: but once only until something comes of any, or whoever is
// slow would always be too late where heads are many.
func (f *Follower) pass() {
	r := f.run
	if r == nil || !r.fetching {
		return
	}
	switch {
	case r.moved:
	case r.infohash != f.head.Newest && !slices.Contains(f.head.Older, r.infohash):
		f.finished(r, errPassed)
		return
	case !r.heard && !f.tried[f.head.Newest] && !f.overtaken:
		f.overtaken, f.hasty = true, true
		f.finished(r, errPassed)
		return
	}
	r.moved = false
}
