package lookup

import (
	"bytes"
	"math/bits"
	"slices"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

const (
	holdersMax     = closestNodes
	holdersNear    = 6
	failsMax       = 15
	fadePolls      = 16 // every so many polls of a key, failures count half
	tokenKeptBytes = 20 // the longest in wide use; who gives a longer one is asked for it before a put
	tokenAge       = 10 * time.Minute
	pollKeysMax    = 1 << 20
)

// rememberedHolder is a node that held a key's item, or should.
type rememberedHolder struct {
	node       uint32 // in pollNodes
	tokenAt    uint32 // seconds; see poller.now
	fails      uint8  // recent ones
	missed     uint8  // walks in a row that did not find it
	tokenBytes uint8
	token      [tokenKeptBytes]byte
}

// places is a set of holders of one key, by their places.
type places uint8

func (s places) has(i int) bool { return s&(1<<i) != 0 }
func (s *places) add(i int)     { *s |= 1 << i }
func (s *places) remove(i int)  { *s &^= 1 << i }
func (s places) count() int     { return bits.OnesCount8(uint8(s)) }

// pollKey is everything that is kept of one key, and how it stands in the
// newest poll.
type pollKey struct {
	key    keys.Public // zero: from AddHolders, and not polled yet
	target wire.Target

	holders [holdersMax]rememberedHolder // closest first
	count   uint8                        // of holders

	walk   walkState
	waited bool // the poll waits for the walk
	newer  bool // the poll has told of a newer item

	asking   bool   // the poll asks holders
	poll     uint32 // number of the newest poll the key is in
	index    uint32 // in its keys
	seq      int64  // that the caller has
	news     *news  // found by this poll; nil: nothing newer
	fresh    uint8  // answers
	open     uint8  // packets in line or sent and neither answered nor late
	asked    places
	pending  places // asked, and not answered or late
	answered places
	current  places // answered with the newest seq
}

// news is a newer item.
type news struct {
	item  *Item
	forks []Item
}

// newest is the highest seq known of the key.
func (k *pollKey) newest() int64 {
	if k.news != nil {
		return k.news.item.Seq
	}
	return k.seq
}

// place is where a node stands among the holders; -1: it is none.
func (k *pollKey) place(node uint32) int {
	for i := range k.holders[:k.count] {
		if k.holders[i].node == node {
			return i
		}
	}
	return -1
}

// rank orders holders for asking: by recent failures. The farthest two count
// as having failed once more, since they are the first that nearer nodes replace
// when puts look for the 8 closest.
func (k *pollKey) rank(i int) uint8 {
	if i >= holdersNear {
		return k.holders[i].fails + 1
	}
	return k.holders[i].fails
}

// choose picks the holder to ask next: of those of the lowest rank the one whose
// node is due first, and of equal ones any, so that no two stale ones hide what
// is new for long. When all were asked, silent ones have another turn. -1: nobody.
func (p *poller) choose(k *pollKey) int {
	passed := k.asked
	if passed.count() == int(k.count) {
		passed = k.answered | k.pending
	}
	if passed.count() == int(k.count) {
		return -1
	}
	best, first := -1, int64(0)
	start := int(p.client.random.Uint64() % uint64(k.count))
	for i := range int(k.count) {
		i = (i + start) % int(k.count)
		if passed.has(i) {
			continue
		}
		due := p.nodes.due(k.holders[i].node, p.now)
		if best < 0 || k.rank(i) < k.rank(best) || k.rank(i) == k.rank(best) && due < first {
			best, first = i, due
		}
	}
	return best
}

// fade halves what is remembered of failures. Holders that were cut off for a
// while are asked again by and by: items may lie there that the others never
// had.
func (k *pollKey) fade() {
	for i := range k.holders[:k.count] {
		k.holders[i].fails /= 2
	}
}

// learn takes the holders that a walk found. Of those remembered before the best
// fill the places left; and up to strayMax that are nearer than found ones take
// the places of the farthest. Those may only be cut off, with this half of the
// network or the other, and whoever puts from there puts to them.
func (p *poller) learn(k *pollKey, f Found) {
	before := *k
	newest := k.newest()
	if f.Item != nil {
		newest = max(newest, f.Item.Seq)
	}
	found := make([]rememberedHolder, 0, holdersMax)
	for _, c := range spread(f.Closest, holdersMax) {
		at, ok := packAddr(c.Addr)
		if !ok {
			continue
		}
		h := rememberedHolder{node: p.nodes.hold(at, c.ID)}
		if c.Seq < newest {
			h.fails = 1
		}
		h.keep(c.Token, p.now)
		found = append(found, h)
	}
	k.count = uint8(copy(k.holders[:], p.merge(k, found, before.holders[:before.count])))
	k.asked, k.pending, k.answered, k.current = 0, 0, 0, 0
	for old, h := range before.holders[:before.count] { // the poll under way goes on
		if i := k.place(h.node); i >= 0 {
			move(before.asked, old, &k.asked, i)
			move(before.pending, old, &k.pending, i)
			move(before.answered, old, &k.answered, i)
			move(before.current, old, &k.current, i)
		}
	}
	for _, h := range before.holders[:before.count] {
		p.nodes.drop(h.node)
	}
}

const (
	strayMax = 2 // remembered holders that stay beside 8 found ones
	strayFor = 4 // walks in a row that did not find them
)

// merge chooses the holders of a key, and holds those of them that were remembered
// once more. Those whose id is known come in the order of their distance.
func (p *poller) merge(k *pollKey, found, before []rememberedHolder) []rememberedHolder {
	all := slices.Clone(found)
	distance := func(h rememberedHolder) [20]byte { return Distance(k.target, p.nodes.list[h.node].id) }
	known := func(h rememberedHolder) bool { return p.nodes.list[h.node].id != [20]byte{} }
	nearer := func(a, b rememberedHolder) int {
		switch {
		case known(a) && !known(b):
			return -1
		case known(b) && !known(a):
			return 1
		}
		da, db := distance(a), distance(b)
		return bytes.Compare(da[:], db[:])
	}
	rest := slices.DeleteFunc(slices.Clone(before), func(h rememberedHolder) bool {
		return slices.ContainsFunc(found, func(f rememberedHolder) bool { return f.node == h.node })
	})
	slices.SortStableFunc(rest, func(a, b rememberedHolder) int { return int(a.fails) - int(b.fails) })
	stray := 0
	for _, h := range rest {
		h.fails, h.missed = min(h.fails+1, failsMax), min(h.missed+1, failsMax)
		if len(all) == holdersMax {
			last := len(found) - 1 - stray
			if stray == strayMax || last < 0 || h.missed > strayFor || !known(h) || nearer(h, found[last]) >= 0 {
				continue
			}
			p.nodes.drop(found[last].node)
			all = slices.Delete(all, last, last+1)
			stray++
		}
		p.nodes.hold(p.nodes.list[h.node].at, [20]byte{})
		all = append(all, h)
	}
	slices.SortStableFunc(all, nearer)
	return all
}

func move(from places, old int, to *places, i int) {
	if from.has(old) {
		to.add(i)
	}
}

// keep keeps a token.
func (h *rememberedHolder) keep(token []byte, now int64) {
	h.tokenBytes = 0
	if len(token) <= len(h.token) {
		h.tokenBytes = uint8(copy(h.token[:], token))
		h.tokenAt = uint32(now / int64(time.Second))
	}
}

// holder is a remembered holder for a put, with its token while that is good.
func (p *poller) holder(h *rememberedHolder) Holder {
	out := Holder{Node: p.nodes.node(h.node), Seq: -1}
	if age := p.now/int64(time.Second) - int64(h.tokenAt); h.tokenBytes > 0 && age < int64(tokenAge/time.Second) {
		out.Token = slices.Clone(h.token[:h.tokenBytes])
	}
	return out
}

// remember keeps the holders that a traversal found for the next put.
func (c *Client) remember(f Found) {
	if f.Answered == 0 {
		return
	}
	p := c.polling(c.heard) // the time of their last answer
	if k := p.key(f.Target); k != nil {
		p.learn(k, f)
	}
}

// remembered is the holders of a target, those that fail least first; nil: none
// are known.
func (c *Client) remembered(now time.Time, t wire.Target) []Holder {
	p := c.poller
	if p == nil {
		return nil
	}
	p.clock(now)
	i, ok := p.targets[t]
	if !ok {
		return nil
	}
	k := &p.keys[i]
	sorted := slices.Clone(k.holders[:k.count])
	slices.SortStableFunc(sorted, func(a, b rememberedHolder) int { return int(a.fails) - int(b.fails) })
	var all []Holder
	for i := range sorted {
		all = append(all, p.holder(&sorted[i]))
	}
	return all
}
