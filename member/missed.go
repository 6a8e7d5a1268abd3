package member

import "time"

// A manager whose key was replaced publishes nothing more under the old one, and
// does not open what is sealed for it. Whoever follows the old key only sees that
// the manager is silent. So a follower that misses it looks for a succession
// sooner than the hourly look: when a change of its own stays untaken for longer
// than is usual, or when no newer head comes for much longer than is usual. A
// manager that is only away costs little: the pause between two such looks doubles,
// and never are there more than one for each look that is made anyway, and eight.

const (
	missedWaits = 8                // of the latest waits the longest but one is the usual one
	missedMost  = 10 * time.Minute // and no change of the own counts for more: managers poll far oftener
	missedLooks = 3                // looks at the head, beyond the usual wait
	missedMax   = 5 * time.Minute  // and no more than that
	missedGaps  = 4                // times the usual gap between two heads
	missedQuiet = 10               // looks at least, before a head is missed
	missedSpare = 8                // looks for a succession that are saved up
	missedKept  = time.Hour        // that DHT nodes surely keep an outbox after a put: most keep it for two
)

// waits is the latest waits of one sort.
type waits struct {
	last [missedWaits]time.Duration
	n    int
}

func (w *waits) add(d time.Duration) {
	w.last[w.n%missedWaits] = max(d, 0)
	w.n++
}

// usual is the longest of them but one, since one may have been a night with the
// manager's computer off, or with this one asleep; 0: there was none.
func (w *waits) usual() time.Duration {
	var longest, next time.Duration
	for _, d := range w.last {
		longest, next = max(longest, d), max(next, min(longest, d))
	}
	if w.n < 2 {
		return longest
	}
	return next
}

// missed is what a follower knows of how long it usually waits for its manager.
type missed struct {
	heads   waits     // from one head that was met to the next
	newest  time.Time // when the newest was met; zero: not in this life
	changes waits     // of own changes, from the DHT to the log
	first   uint64    // the oldest own change that waits at DHT nodes; 0: none does
	since   time.Time // since when without a break, or since the one before it was taken
	put     time.Time // when DHT nodes last acknowledged the outbox

	spare int           // looks that may still be made
	pause time.Duration // from the last look to the next one; 0: nothing is missed
	extra bool          // the look under way is one of them

	owed bool // an own change was taken since the last look: perhaps by a thief
}

// met notes a newer head. A gap of more than a manager that is there can leave says
// nothing about how long its gaps are.
func (m *missed) met(now time.Time, most time.Duration) {
	if gap := now.Sub(m.newest); !m.newest.IsZero() && gap <= most {
		m.heads.add(gap)
	}
	m.newest = now
}

// handed notes that DHT nodes have acknowledged the own changes up to a number.
// Those that may have forgotten them in between have them from now on.
func (m *missed) handed(first, last uint64, now time.Time) {
	if m.lapsed(now) {
		m.since = now
	}
	m.put = now
	m.await(first, last, now)
}

// lapsed says whether DHT nodes may have forgotten the outbox by now: this computer
// slept, or was off the network.
func (m *missed) lapsed(now time.Time) bool { return now.Sub(m.put) > missedKept }

// await waits for the oldest of the own changes that DHT nodes have.
func (m *missed) await(first, last uint64, now time.Time) {
	if m.first == 0 && first <= last {
		m.first, m.since = first, now
	}
}

// taken notes the number of the own newest entry; handed is the newest change that
// DHT nodes have.
func (m *missed) taken(last, handed uint64, now time.Time) {
	if m.first == 0 || last < m.first {
		return
	}
	if !m.lapsed(now) {
		m.changes.add(min(now.Sub(m.since), missedMost))
	}
	m.first, m.owed = 0, true
	m.await(last+1, handed, now)
}

// succeeded forgets what there was of the manager of before, but for how often one
// may still look.
func (m *missed) succeeded() { *m = missed{spare: m.spare} }

// looked notes that a look for a succession had an answer.
func (m *missed) looked() {
	m.owed = false
	if !m.extra {
		m.spare = min(m.spare+1, missedSpare)
		return
	}
	m.extra = false
	m.spare = max(0, m.spare-1)
	m.pause *= 2
}

// grace is how much longer than usual a change may wait.
func (f *Follower) grace() time.Duration { return min(missedLooks*f.cfg.Follow, missedMax) }

// untaken is for how long an own change has waited at DHT nodes beyond the usual.
func (f *Follower) untaken(now time.Time) time.Duration {
	if f.missed.first == 0 || f.missed.lapsed(now) {
		return 0
	}
	usual := f.missed.changes.usual()
	if usual == 0 {
		usual = f.cfg.Follow
	}
	return now.Sub(f.missed.since) - usual
}

// announced is how long, by the charter, a manager that is there can be quiet: twice
// its interval, since a head may be late.
func (f *Follower) announced() time.Duration {
	return 2 * time.Duration(f.store.State().Charter.Heartbeat) * time.Second
}

// quiet is for how long no newer head has come beyond what is usual: what the
// charter announces, or what was seen where that is less.
func (f *Follower) quiet(now time.Time) time.Duration {
	if f.missed.newest.IsZero() {
		return 0
	}
	most := f.announced()
	if gap := f.missed.heads.usual(); gap > 0 {
		most = min(most, max(missedGaps*gap, missedQuiet*f.cfg.Follow))
	}
	return now.Sub(f.missed.newest) - most
}

// misses says whether to look for a succession because the manager is missed, when
// the last look was so long ago.
func (f *Follower) misses(now time.Time, since time.Duration) bool {
	m := &f.missed
	if f.untaken(now) <= f.grace() && f.quiet(now) <= 0 {
		m.pause = 0
		return false
	}
	if m.pause == 0 {
		m.pause = f.grace()
	}
	m.extra = m.spare > 0 && since >= m.pause
	return m.extra
}

// Untaken is a change of the own that DHT nodes have and that the manager has not
// taken for much longer than is usual.
type Untaken struct {
	Number uint64
	Since  time.Time // DHT nodes have had it without a break since then
	Heard  bool      // a newer head was met since then
}

// longUntaken says which, once looks for a succession have found nothing.
func (f *Follower) longUntaken(now time.Time) (Untaken, bool) {
	m := &f.missed
	if f.untaken(now) <= 3*f.grace() {
		return Untaken{}, false
	}
	return Untaken{m.first, m.since, m.newest.After(m.since)}, true
}
