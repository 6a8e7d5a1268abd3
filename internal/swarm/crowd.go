package swarm

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// A connection costs a stranger nothing, and a torrent has room for few. So
// there is always room for newcomers, a few more than may stay: as soon as there
// are too many, whoever moved the least bytes lately goes. It hurts nobody who
// has what he came for, for he can come again, and whoever wants to keep others
// out has to pay for it, slowBelow or more on every one of his connections.
const (
	connectionsOfOne = 30 // torrent, that stay
	newcomersMax     = 10 // more, until others have gone for them
	establishedMax   = connectionsOfOne + newcomersMax
	newcomersWait    = newcomersMax / 2         // of them, for as long as graceFirst; the rest is for those who come
	watchedFrom      = connectionsOfOne * 2 / 3 // connections of a torrent; whoever is there is measured

	// One public IP address has so many connections to a torrent. A household
	// of several members has one each for what they fetch at a time, and ten
	// addresses are needed to take all there are. It is the more reason not to make
	// it fewer that a mobile network puts strangers behind one address.
	connectionsOfEach = 3
	incomingStay      = incomingMax - 32 // all torrents together; the rest is for newcomers

	graceFirst = 3 * time.Second // to say what one wants and get the first of it, info dictionary included
	slowBelow  = 4 << 10         // bytes a second; whoever moves more is not disturbed
	trifle     = 1 << 10         // bytes a second are nothing: one can have them for a few requests
	halfWindow = 5 * time.Second // what was moved is forgotten after one to two of them
	partAfter  = 15 * time.Second
)

// usher makes room until the client is closed. It looks often only while
// there is little of it.
func (c *Client) usher() { c.whenever(c.came, c.makeRoom) }

// makeRoom cuts who has to go and says when to look again; 0: not before somebody comes.
func (c *Client) makeRoom(now time.Time) time.Duration {
	measured := c.watched()
	if len(measured) == 0 {
		return 0
	}
	// The library's lock, without mu.
	totals := make([]int64, len(measured))
	for i, k := range measured {
		stats := k.pc.Stats()
		totals[i] = stats.BytesWrittenData.Int64() + stats.BytesReadUsefulData.Int64()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, k := range measured {
		k.recent.note(totals[i]+k.infoSum, now)
	}
	for _, k := range c.leaving(now) {
		k.share.spend(k.from, now)
		c.cut(k)
	}
	return c.grace / 3
}

// watched is all connections, if anywhere there is so little room that it has
// to be known what each is worth.
func (c *Client) watched() (all []*conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	type place struct {
		share *share
		from  netip.Prefix
	}
	of := make(map[place]int)
	incoming, little := 0, false
	for _, k := range c.conns {
		if k.dead || k.share == nil {
			continue
		}
		all = append(all, k)
		if k.incoming {
			incoming++
		}
		of[place{share: k.share}]++
		little = little || of[place{share: k.share}] >= watchedFrom || incoming >= incomingStay/2
		if k.from.IsValid() {
			of[place{k.share, k.from}]++
			little = little || of[place{k.share, k.from}] >= connectionsOfEach
		}
	}
	if !little {
		return nil
	}
	return all
}

// leaving is who has to go. mu is held.
func (c *Client) leaving(now time.Time) (gone []*conn) {
	shares := make(map[*share][]*conn)
	for _, k := range c.conns {
		if !k.dead && k.share != nil {
			shares[k.share] = append(shares[k.share], k)
		}
	}
	var incoming []*conn
	for _, all := range shares {
		each := make(map[netip.Prefix][]*conn)
		for _, k := range all {
			each[k.from] = append(each[k.from], k)
		}
		staying := each[netip.Prefix{}]
		delete(each, netip.Prefix{})
		for _, one := range each {
			spared := c.worst(one, len(one)-connectionsOfEach, now)
			one = without(one, spared)
			// Of those who cannot be spared the last to come goes.
			slices.SortFunc(one, func(a, b *conn) int { return a.begun.Compare(b.begun) })
			few := min(connectionsOfEach, len(one))
			gone = slices.Concat(gone, spared, one[few:])
			staying = append(staying, one[:few]...)
		}
		spared := c.worst(staying, len(staying)-connectionsOfOne, now)
		staying = without(staying, spared)
		// When they come faster than the grace ends, it ends for the first of them, or whoever
		// comes again at once would keep all others at the door.
		hurried := c.least(staying, len(staying)-connectionsOfOne-newcomersWait, now, 0)
		gone = slices.Concat(gone, spared, hurried)
		for _, k := range without(staying, hurried) {
			if k.incoming {
				incoming = append(incoming, k)
			}
		}
	}
	return append(gone, c.worst(incoming, len(incoming)-incomingStay, now)...)
}

func without(all, some []*conn) []*conn {
	return slices.DeleteFunc(all, func(k *conn) bool { return slices.Contains(some, k) })
}

// worst is up to n of those who have had their time and moved little.
func (c *Client) worst(of []*conn, n int, now time.Time) []*conn {
	return c.least(of, n, now, c.grace)
}

// least is up to n of those of an age who can be spared, the least of them first.
func (c *Client) least(of []*conn, n int, now time.Time, age time.Duration) []*conn {
	if n <= 0 {
		return nil
	}
	slow := c.slow()
	spared := slices.DeleteFunc(slices.Clone(of), func(k *conn) bool {
		return now.Sub(k.begun) < age || k.rate(now) >= slow || k.share.metadata.from == k
	})
	slices.SortFunc(spared, func(a, b *conn) int {
		return cmp.Or(
			cmp.Compare(a.share.patience(a.from, now), b.share.patience(b.from, now)),
			cmp.Compare(a.rate(now)/trifle, b.rate(now)/trifle),
			cmp.Compare(a.promises(), b.promises()),
			a.active.Compare(b.active),
		)
	})
	return spared[:min(n, len(spared))]
}

// part closes connections between those that have nothing to give each other,
// once the other end has had time to see that we are complete too.
func (c *Client) part(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.conns {
		if s := k.share; s != nil && s.fetch == nil && !k.since.IsZero() && now.Sub(k.since) >= partAfter {
			c.cut(k)
		}
	}
}
