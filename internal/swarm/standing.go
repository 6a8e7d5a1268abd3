package swarm

import (
	"maps"
	"net/netip"
	"time"

	"github.com/anacrolix/torrent"

	"weir/internal/lookup"
)

// standing is the part of a conn that says whether it stays when room is needed.
type standing struct {
	from     netip.Prefix // zero: not from one public address
	incoming bool
	active   time.Time // it asked for something, or sent something that was asked for
	infoSum  int64     // bytes of info dictionaries it got or sent
	recent   recent
}

func standingOf(pc *torrent.PeerConn, now time.Time) standing {
	s := standing{incoming: pc.Discovery == torrent.PeerSourceIncoming, active: now, recent: recent{turned: now}}
	// Many members may share a home's network or one machine.
	if p := origin(pc.RemoteAddr); p.IsValid() && lookup.Public(p.Addr()) {
		s.from = p
	}
	return s
}

// recent is how many bytes were moved in the last one to two halfWindows.
type recent struct {
	total     int64 // ever
	prev, cur int64
	turned    time.Time // cur begins
}

func (r *recent) note(total int64, now time.Time) {
	moved := max(total-r.total, 0)
	r.total = total
	switch age := now.Sub(r.turned); {
	case age < halfWindow:
		r.cur += moved
	case age < 2*halfWindow:
		r.prev, r.cur, r.turned = r.cur, moved, now
	default:
		r.prev, r.cur, r.turned = 0, moved, now
	}
}

// rate is bytes a second. mu is held.
func (k *conn) rate(now time.Time) int64 {
	over := min(now.Sub(k.begun), halfWindow+now.Sub(k.recent.turned))
	return (k.recent.prev + k.recent.cur) * int64(time.Second) / int64(max(over, time.Second))
}

// promises is 1 of one that says it holds something while we lack some.
func (k *conn) promises() int {
	if k.share.fetch != nil && (k.all || k.have.count > 0) {
		return 1
	}
	return 0
}

// slow is how many bytes a second are few. When we are slow ourselves, less is:
// then it says nothing of the others.
func (c *Client) slow() int64 {
	slow := int64(slowBelow)
	for _, limit := range []int64{c.config.UploadRate, c.config.DownloadRate} {
		if limit > 0 {
			slow = min(slow, limit/(2*connectionsOfOne))
		}
	}
	return max(slow, 1)
}

// What one public address had is remembered for a while, so that it does not
// have a new grace with each new connection.
const (
	spentFor = time.Minute
	spentMax = 256 // addresses of a torrent
)

func (s *share) spend(from netip.Prefix, now time.Time) {
	if !from.IsValid() {
		return
	}
	if len(s.spent) >= spentMax {
		maps.DeleteFunc(s.spent, func(_ netip.Prefix, until time.Time) bool { return !now.Before(until) })
	}
	if s.spent == nil {
		s.spent = make(map[netip.Prefix]time.Time)
	}
	if len(s.spent) < spentMax {
		s.spent[from] = now.Add(spentFor)
	}
}

// patience is 0 with an address whose connection was cut not long ago, else 1.
func (s *share) patience(from netip.Prefix, now time.Time) int {
	if now.Before(s.spent[from]) {
		return 0
	}
	return 1
}
