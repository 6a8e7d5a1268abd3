package lookup

import (
	"cmp"
	"slices"
	"time"

	"weir/ledger/wire"
)

// poller is the polling part of a Client: what it remembers of keys and nodes
// from poll to poll, and the poll under way.
//
// A poll reserves two packets a key at its start, each in the line of a holder.
// Packets leave the line when their node's courtesy and the window allow it. An
// answer that is no good, or none within hedge(), is made up for by another
// holder, up to PollConfig.Waves; then the key falls short, and a walk is begun
// for it behind the poll. There are no timers a key: packets grow late in the
// order in which they were sent.
type poller struct {
	client *Client
	config PollConfig
	base   time.Time
	now    int64 // nanoseconds since base

	targets map[wire.Target]uint32 // place in keys; only for look-up, never walked
	keys    []pollKey
	nodes   pollNodes
	line    line
	serial  uint32
	asks    asks
	walks   walks

	number  uint32 // of polls begun
	poll    *polling
	waiting []*polling
	held    []told // by walks that ended between two polls
	told    []told // for callbacks, by the next Handle or Tick
	behind  background
}

// polling is a poll under way.
type polling struct {
	Poll
	each func(int, Polled)
	done func(PollReport)

	start   int64
	left    int   // keys not decided
	waited  int   // of them, those whose first walk is waited for
	giveUp  int64 // when these are no longer waited for; 0: not yet set
	answers int   // packets
	times   []uint32
	report  PollReport
}

// told is what one key is to be called back with.
type told struct {
	key uint32
	Polled
}

// background is what walks cost since the last report.
type background struct {
	walked, packets int
	out, in         int64
}

// polling gives the poller, and makes it when it is first needed.
func (c *Client) polling(now time.Time) *poller {
	if c.poller == nil {
		config := c.config.Poll.withDefaults()
		c.poller = &poller{client: c, config: config, base: now,
			targets: make(map[wire.Target]uint32), nodes: newPollNodes(config, c.random.Uint64())}
	}
	c.poller.clock(now)
	return c.poller
}

// clock sets the time, which does not go backwards.
func (p *poller) clock(now time.Time) { p.now = max(p.now, int64(now.Sub(p.base))) }

func (p *poller) time() time.Time { return p.base.Add(time.Duration(p.now)) }

// key finds or makes what is kept of a target; nil: there are too many. It may
// move all others.
func (p *poller) key(t wire.Target) *pollKey {
	i, ok := p.targets[t]
	if !ok {
		if len(p.keys) >= pollKeysMax {
			return nil
		}
		i = uint32(len(p.keys))
		p.targets[t] = i
		p.keys = append(p.keys, pollKey{target: t, seq: -1})
	}
	return &p.keys[i]
}

// add takes a poll.
func (p *poller) add(q *polling) {
	p.waiting = append(p.waiting, q)
	if p.poll == nil {
		p.begin()
		p.send()
	}
}

// begin starts the next poll.
func (p *poller) begin() {
	q := p.waiting[0]
	p.waiting = slices.Delete(p.waiting, 0, 1)
	p.poll = q
	p.number++
	q.start = p.now
	q.report.Keys = len(q.Keys)
	p.prune(q)
	for i := range q.Keys {
		p.include(q, i)
	}
	for _, t := range p.held {
		if p.keys[t.key].poll == p.number {
			p.told = append(p.told, t)
		}
	}
	p.held = nil
}

// include takes one key into the poll that begins.
func (p *poller) include(q *polling, i int) {
	k := p.key(wire.MutableTarget(q.Keys[i].Key, q.Salt))
	if k == nil || k.poll == p.number { // too many, or named twice
		q.report.Answers[0]++
		return
	}
	place := p.targets[k.target]
	k.key, k.seq, k.news = q.Keys[i].Key, q.Keys[i].Seq, nil
	k.poll, k.index = p.number, uint32(i)
	k.asking, k.waited, k.newer, k.fresh, k.open = false, false, false, 0, 0
	k.asked, k.pending, k.answered, k.current = 0, 0, 0, 0
	q.left++
	if q.Traverse || k.count == 0 {
		k.waited = true
		q.waited++
		p.queueWalk(place, q.Salt, true)
		return
	}
	if (uint32(i)+p.number)%uint32(p.config.Refresh) == 0 {
		p.queueWalk(place, q.Salt, false)
	}
	if (uint32(i)+p.number)%fadePolls == 0 {
		k.fade()
	}
	k.asking = true
	for range freshWanted {
		p.reserve(place, 1)
	}
}

// prune forgets the keys that are no longer polled once they are most, and
// makes room for those that are new.
func (p *poller) prune(q *polling) {
	if len(p.keys) <= 2*len(q.Keys)+pollKeysSpare {
		p.keys = slices.Grow(p.keys, max(0, len(q.Keys)-len(p.keys)))
		return
	}
	p.walks.forget(p)
	p.forgetAsks()
	p.held = nil
	keep := make(map[wire.Target]bool, len(q.Keys))
	for _, k := range q.Keys {
		keep[wire.MutableTarget(k.Key, q.Salt)] = true
	}
	before := p.keys
	p.keys = make([]pollKey, 0, len(q.Keys))
	clear(p.targets)
	for i := range before {
		k := &before[i]
		if keep[k.target] {
			p.targets[k.target] = uint32(len(p.keys))
			p.keys = append(p.keys, *k)
			continue
		}
		for _, h := range k.holders[:k.count] {
			p.nodes.drop(h.node)
		}
	}
}

// pollKeysSpare is how many keys that nobody polls any more are kept in any
// case.
const pollKeysSpare = 1024

// run does what is due and calls back. Handle and Tick end with it.
func (p *poller) run() {
	p.late()
	p.startWalks()
	p.send()
	p.patience()
	p.call()
}

// patience ends the waiting for first walks.
func (p *poller) patience() {
	q := p.poll
	if q == nil || q.Traverse || q.waited == 0 || q.waited < q.left {
		return
	}
	if q.giveUp == 0 {
		q.giveUp = p.now + int64(p.config.Patience)
	}
	if p.now < q.giveUp {
		return
	}
	for i := range p.keys {
		if k := &p.keys[i]; k.poll == p.number && k.waited {
			p.unwait(k, 0)
		}
	}
}

// unwait decides a key whose walk was waited for.
func (p *poller) unwait(k *pollKey, fresh int) {
	k.waited = false
	p.poll.waited--
	p.decided(fresh)
}

// decided counts a key that was decided with so many fresh answers.
func (p *poller) decided(fresh int) {
	q := p.poll
	q.left--
	q.report.Answers[min(fresh, freshWanted)]++
	if fresh >= freshWanted {
		q.times = append(q.times, uint32(min((p.now-q.start)/int64(time.Microsecond), 1<<32-1)))
	}
}

// call calls back, and ends the poll when nothing of it is left.
func (p *poller) call() {
	all := p.told
	p.told = nil
	q := p.poll
	for _, t := range all {
		k := &p.keys[t.key]
		if t.Item != nil && t.Item.Seq > k.seq && !k.newer {
			k.newer = true
			q.report.Newer++
		}
		q.each(int(k.index), t.Polled)
	}
	if p.told == nil {
		clear(all)
		p.told = all[:0]
	}
	if q == nil || q.left > 0 || len(p.told) > 0 {
		return
	}
	p.poll = nil
	p.clearLine()
	report := p.report(q)
	if len(p.waiting) > 0 {
		p.begin()
		p.send()
	}
	q.done(report)
}

// report sums up a poll.
func (p *poller) report(q *polling) PollReport {
	r := q.report
	b := p.behind
	p.behind = background{}
	r.Walked, r.Background = b.walked, b.packets
	r.BytesOut += b.out
	r.BytesIn += b.in
	r.Took = time.Duration(p.now - q.start)
	slices.SortFunc(q.times, cmp.Compare)
	share := func(percent int) time.Duration {
		if len(q.times) == 0 {
			return 0
		}
		return time.Duration(q.times[(len(q.times)*percent+99)/100-1]) * time.Microsecond
	}
	r.P50, r.P90, r.P99 = share(50), share(90), share(99)
	return r
}

// next is when the poller wants to run; false: nothing is under way.
func (p *poller) next() (time.Time, bool) {
	at, some := int64(0), false
	want := func(t int64) {
		if !some || t < at {
			at, some = t, true
		}
	}
	if len(p.told) > 0 || p.poll != nil && p.poll.left == 0 {
		want(p.now)
	}
	if len(p.line) > 0 && p.asks.open < p.window() {
		want(p.line[0].due)
	}
	if p.asks.open > 0 {
		want(p.nextLate())
	}
	if t, ok := p.nextWalk(); ok {
		want(t)
	}
	if p.poll != nil && p.poll.giveUp > 0 {
		want(p.poll.giveUp)
	}
	return p.base.Add(time.Duration(at)), some
}
