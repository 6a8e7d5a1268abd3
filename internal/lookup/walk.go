package lookup

import "time"

// walkState says whether a key is walked to, or will be.
type walkState uint8

const (
	walkNone   walkState = iota
	walkQueued           // when there is time
	walkWanted           // as soon as there is room
	walkUnder            // way
)

// walks are the traversals that polls begin.
type walks struct {
	wanted []walk // the poll waits for them
	queued []walk // nobody does
	under  int    // way
	due    int64  // when the next of queued may begin
}

type walk struct {
	key  uint32
	salt []byte
}

// queueWalk sees to it that a key is walked to.
func (p *poller) queueWalk(key uint32, salt []byte, wanted bool) {
	k := &p.keys[key]
	switch {
	case wanted && (k.walk == walkNone || k.walk == walkQueued):
		k.walk = walkWanted // if it is in the other queue too, it is passed over there
		p.walks.wanted = append(p.walks.wanted, walk{key, salt})
	case k.walk == walkNone:
		k.walk = walkQueued
		p.walks.queued = append(p.walks.queued, walk{key, salt})
	}
}

// startWalks starts those for which there is room.
func (p *poller) startWalks() {
	w := &p.walks
	for w.under < p.config.Walks && len(w.wanted) > 0 {
		next := w.wanted[0]
		w.wanted = w.wanted[1:]
		p.startWalk(next)
	}
	for w.under < p.walksMost() && len(w.queued) > 0 && w.due <= p.now {
		next := w.queued[0]
		w.queued = w.queued[1:]
		if p.keys[next.key].walk == walkQueued {
			w.due = p.now + int64(time.Second)/int64(p.config.WalkRate)
			p.startWalk(next)
		}
	}
}

// nextWalk is when the next walk may begin; false: none waits, or all wait for
// others.
func (p *poller) nextWalk() (int64, bool) {
	w := &p.walks
	if len(w.wanted) > 0 && w.under < p.config.Walks {
		return p.now, true
	}
	return w.due, len(w.queued) > 0 && w.under < p.walksMost()
}

// walksMost is how many walks that nobody waits for may be under way. While nobody
// answers one is enough to find whoever does.
func (p *poller) walksMost() int {
	if p.client.deaf() {
		return 1
	}
	return p.config.Walks
}

// startWalk walks to a key. It begins at the holders remembered, which are
// close, and goes by what the nodes say themselves.
func (p *poller) startWalk(w walk) {
	k := &p.keys[w.key]
	k.walk = walkUnder
	p.walks.under++
	g := newGetting(p.client, p.time(), Get{Mutable: true, Key: k.key, Salt: w.salt}, nil)
	for _, h := range k.holders[:k.count] {
		if n := p.nodes.node(h.node); n.ID != ([20]byte{}) {
			g.near = append(g.near, n)
		}
	}
	g.done = func(f Found) { p.walked(f, &g.run) }
	p.client.start(p.time(), g)
}

// walked takes what a walk found.
func (p *poller) walked(f Found, r *running) {
	p.walks.under--
	p.behind.walked++
	p.behind.packets += f.Packets
	p.behind.out += r.out
	p.behind.in += r.in
	key, ok := p.targets[f.Target]
	if !ok {
		return // nobody polls it any more
	}
	k := &p.keys[key]
	k.walk = walkNone
	result := f.Polled(k.seq)
	p.learn(k, f)
	if p.poll == nil || k.poll != p.number {
		p.held = append(p.held, told{key, result})
		return
	}
	p.told = append(p.told, told{key, result})
	if k.waited {
		p.unwait(k, result.Fresh)
	}
}

// forget gives up the walks that have not begun; the poll that waits for one is
// over.
func (w *walks) forget(p *poller) {
	for _, all := range [][]walk{w.wanted, w.queued} {
		for _, next := range all {
			p.keys[next.key].walk = walkNone
		}
	}
	w.wanted, w.queued = nil, nil
}
