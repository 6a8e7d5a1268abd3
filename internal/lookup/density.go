package lookup

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"weir/ledger/wire"
)

// density is how close to a target its closest nodes usually are, from the look-ups
// of late. Whoever wants to hide one key settles closer to it than any honest node
// (an eclipse): there the 8 closest lie many times closer together than at any
// other target, since ids of honest nodes are spread evenly. Such a place is
// crowded: a traversal then goes on as far as the 8 closest usually reach, where
// honest ones are, and puts and polls take them too. As those around the target
// name each other, it looks for the others from beside it. (Sridhar and others, Content
// censorship in the InterPlanetary File System, NDSS 2024.)
type density struct {
	list  []sample  // the newest densitySamples, one a target
	next  int       // is replaced
	walks bool      // something walks
	again time.Time // before which no more targets are drawn
}

type sample struct {
	target wire.Target
	reach  uint64
	at     time.Time
}

const (
	densitySamples = 32
	densityMin     = 5                // other targets without which nothing is called crowded
	densityFor     = 6 * time.Hour    // that a sample counts: networks grow and shrink
	densityDelay   = 20 * time.Second // of the first drawn targets: whoever is only a little behind has caught up by then
	densityPause   = 10 * time.Minute
	crowdedBy      = 3  // times closer than usual; by chance one target in 160 is
	crowdMax       = 32 // nodes that hold a place at a crowded target
)

// reach is the distance of an id from a target, its first 64 bits.
func reach(distance [20]byte) uint64 { return binary.BigEndian.Uint64(distance[:]) }

// learn notes how far the closest nodes to a target reached.
func (d *density) learn(t wire.Target, reach uint64, now time.Time) {
	s := sample{t, reach, now}
	if i := slices.IndexFunc(d.list, func(s sample) bool { return s.target == t }); i >= 0 {
		d.list[i] = s
		return
	}
	if len(d.list) < densitySamples {
		d.list = append(d.list, s)
		return
	}
	d.list[d.next] = s
	d.next = (d.next + 1) % densitySamples
}

// usual is how far the closest nodes to targets other than one reach, the median;
// 0: not known.
func (d *density) usual(t wire.Target, now time.Time) uint64 {
	var room [densitySamples]uint64
	all := room[:0]
	for _, s := range d.list {
		if s.target != t && now.Sub(s.at) < densityFor {
			all = append(all, s.reach)
		}
	}
	if len(all) < densityMin {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// survey looks at some drawn targets when too few are known to tell what is usual: a
// reader may have only one of its own, the one that somebody hides.
func (c *Client) survey(now time.Time) {
	d := &c.density
	if d.again.IsZero() {
		d.again = now.Add(densityDelay)
	}
	fresh := 0
	for _, s := range d.list {
		if now.Sub(s.at) < densityFor {
			fresh++
		}
	}
	if !d.walks || fresh > densityMin || now.Before(d.again) || c.deaf() {
		return
	}
	d.again = now.Add(densityPause)
	for range densityMin {
		g := Get{Mutable: true}
		for i := range g.Key {
			g.Key[i] = byte(c.random.Uint64())
		}
		c.advance(now, newGetting(c, now, g, func(Found) {}))
	}
}

// enough says whether n nodes, of which c is the farthest, are the closest that
// a traversal wants: Width of them, and at a crowded target all that are as close
// as Width usually are.
func (t *traversal) enough(n int, c *candidate) bool {
	switch width := t.client.config.Width; {
	case n < width:
		return false
	case n == width:
		return reach(c.distance) >= t.usual/crowdedBy
	}
	return n >= crowdMax || bits.LeadingZeros64(reach(c.distance)) < bits.LeadingZeros64(t.usual)
}

// lookAside starts walks to two points beside a crowded target, at as many bits
// from it as its closest nodes usually are and at one more: whoever else comes here
// and finds it half or twice as far has one of them in common. The nodes found are
// asked for the target then.
func (t *traversal) lookAside() {
	t.aside = asideWalks
	for i := range asideWalks {
		point := t.get.Target
		bit := bits.LeadingZeros64(t.usual) + i
		point[bit/8] ^= 0x80 >> (bit % 8)
		g := newGetting(t.client, time.Time{}, Get{Target: point}, nil)
		g.plain = true
		g.done = func(f Found) {
			o := t.owner.running()
			o.packets += f.Packets
			o.out += g.run.out
			o.in += g.run.in
			for _, h := range f.Closest {
				t.addKnown(h.Node, nil)
			}
			t.aside--
			t.client.queue(t.owner)
		}
		t.client.queue(g)
	}
}

const asideWalks = 2

// crowded says whether the closest nodes lie closer together than anywhere else.
func (t *traversal) crowded() bool {
	n := 0
	for _, c := range t.list {
		if c.state != holding {
			continue
		}
		if n++; n == t.client.config.Width {
			return !t.enough(n, c)
		}
	}
	return false
}

// spread is up to n of the holders of a crowded target, near ones and far ones.
func spread(all []Holder, n int) []Holder {
	if len(all) <= n {
		return all
	}
	some := make([]Holder, n)
	for i := range some {
		some[i] = all[i*(len(all)-1)/(n-1)]
	}
	return some
}
