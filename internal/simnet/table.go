package simnet

import (
	"math/bits"
	"slices"

	"weir/internal/lookup"
)

const (
	bucketContacts = 8 // BEP 5: K
	failuresMax    = 2 // unanswered queries in a row, after which a contact is not named to others
)

// table is a routing table (BEP 5): bucket i holds nodes whose ids share
// exactly i leading bits with our own.
type table struct {
	own     [20]byte
	buckets [][]contact
}

type contact struct {
	lookup.Node
	seen     int64 // when it last sent something, ns; 0: it is known by hearsay alone
	asked    int64 // when we last asked it
	failures int   // to answer, in a row
}

// good contacts are named to others, bad ones make room for new ones.
func (c *contact) good() bool { return c.seen > 0 && c.failures <= failuresMax }
func (c *contact) bad() bool  { return c.failures > failuresMax }

// bucket is where an id belongs; -1: it is our own.
func (t *table) bucket(id [20]byte) int {
	for i := range id {
		if x := id[i] ^ t.own[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return -1
}

// find is the contact with an id; nil: none.
func (t *table) find(id [20]byte) *contact {
	b := t.bucket(id)
	if b < 0 || b >= len(t.buckets) {
		return nil
	}
	for i := range t.buckets[b] {
		if c := &t.buckets[b][i]; c.ID == id {
			return c
		}
	}
	return nil
}

// saw notes that a node at that address sent something at a time, or, at 0,
// that others say so. It is taken up when its bucket has room, or a contact that
// no longer answers.
func (t *table) saw(n lookup.Node, now int64) {
	if c := t.find(n.ID); c != nil {
		if c.Addr == n.Addr && now > 0 {
			c.seen, c.failures = now, 0
		}
		return
	}
	b := t.bucket(n.ID)
	if b < 0 {
		return
	}
	for len(t.buckets) <= b {
		t.buckets = append(t.buckets, nil)
	}
	fresh := contact{Node: n, seen: now}
	if len(t.buckets[b]) < bucketContacts {
		t.buckets[b] = append(t.buckets[b], fresh)
		return
	}
	for i := range t.buckets[b] {
		if t.buckets[b][i].bad() {
			t.buckets[b][i] = fresh
			return
		}
	}
}

// ranked is contacts by their distance to a target, the closest first.
type ranked struct {
	target [20]byte
	best   [bucketContacts]*contact
	n      int
}

func (r *ranked) add(c *contact) {
	i := r.n
	if i == len(r.best) {
		if !closer(&r.target, &c.ID, &r.best[i-1].ID) {
			return
		}
		i--
	} else {
		r.n++
	}
	for ; i > 0 && closer(&r.target, &c.ID, &r.best[i-1].ID); i-- {
		r.best[i] = r.best[i-1]
	}
	r.best[i] = c
}

// closer says whether a is closer to target than b. Most ids differ in the
// first bytes.
func closer(target, a, b *[20]byte) bool {
	for i := range target {
		if x, y := a[i]^target[i], b[i]^target[i]; x != y {
			return x < y
		}
	}
	return false
}

// appendClosest appends the 8 contacts closest to target in compact form.
// Contacts of the target's own bucket are closest, then those of all deeper
// buckets, then each shallower bucket in turn.
func (t *table) appendClosest(dst []byte, target [20]byte) []byte {
	r := ranked{target: target}
	b := t.bucket(target)
	if b < 0 || b >= len(t.buckets) {
		b = len(t.buckets)
	}
	for i := b; i < len(t.buckets); i++ {
		t.rank(&r, i)
	}
	for i := b - 1; i >= 0 && r.n < len(r.best); i-- {
		t.rank(&r, i)
	}
	for _, c := range r.best[:r.n] {
		dst = lookup.AppendNode(dst, c.Node)
	}
	return dst
}

func (t *table) rank(r *ranked, bucket int) {
	contacts := t.buckets[bucket]
	for i := range contacts {
		if contacts[i].good() {
			r.add(&contacts[i])
		}
	}
}

// wire fills the table of a node whose id is ids[self] with 8 nodes of every
// bucket, drawn by pick from those there are. ids are sorted.
func (t *table) wire(nodes []lookup.Node, self int, pick func(n int) int) {
	low, high := 0, len(nodes) // the nodes that share the bits before this one
	for bit := 0; high-low > 1 && bit < 160; bit++ {
		middle := low + firstWith(nodes[low:high], bit)
		from, to := low, middle
		if self < middle {
			from, to = middle, high
			high = middle
		} else {
			low = middle
		}
		t.fill(nodes[from:to], pick)
	}
}

// firstWith is the index of the first node whose bit is set.
func firstWith(nodes []lookup.Node, bit int) int {
	i, _ := slices.BinarySearchFunc(nodes, byte(1), func(n lookup.Node, one byte) int {
		return int(n.ID[bit/8]>>(7-bit%8)&1) - int(one)
	})
	return i
}

// fill takes up to 8 of nodes, beginning anywhere and evenly spread.
func (t *table) fill(nodes []lookup.Node, pick func(n int) int) {
	if len(nodes) == 0 {
		return
	}
	take := min(bucketContacts, len(nodes))
	start := pick(len(nodes))
	for i := range take {
		t.saw(nodes[(start+i*len(nodes)/take)%len(nodes)], 1)
	}
}
