package bench

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/wire"
)

// outboxes are items of many keys under one salt, as a database's members put
// them.
type outboxes struct {
	salt    []byte
	authors []ed25519.PrivateKey
	items   []lookup.Item
}

// valueBytes is the value of an outbox item: nearly as large as can be.
const valueBytes = 900

func newOutboxes(run uint64, n int) *outboxes {
	o := &outboxes{salt: []byte("the salt of a bench."), items: make([]lookup.Item, n)}
	for i := range n {
		s := seedOf(run, i+1)
		o.authors = append(o.authors, ed25519.NewKeyFromSeed(s[:]))
	}
	return o
}

// sign makes key i's item anew.
func (o *outboxes) sign(i int, seq int64) (lookup.Item, error) {
	value := make([]byte, valueBytes)
	copy(value, fmt.Sprint("value ", i, " of seq ", seq))
	it, err := lookup.Sign(o.authors[i], o.salt, seq, wire.String(value))
	o.items[i] = it
	return it, err
}

// poll asks for all keys, of each of which the item here is known; with
// nothing known it walks to each.
func (o *outboxes) poll(first bool) lookup.Poll {
	p := lookup.Poll{Salt: o.salt, Traverse: first}
	for i, it := range o.items {
		k := lookup.PollKey{Key: keys.Public(o.authors[i].Public().(ed25519.PublicKey)), Seq: it.Seq}
		if first {
			k.Seq = -1
		}
		p.Keys = append(p.Keys, k)
	}
	return p
}

// changes says which keys have a new value before each measured poll: a share
// of them, spread evenly.
func (o *outboxes) changes(share float64) []int {
	var all []int
	due := 0.0
	for i := range o.items {
		if due += share; due >= 1-1e-9 {
			due--
			all = append(all, i)
		}
	}
	return all
}

// cycle is what one measured poll came to.
type cycle struct {
	report lookup.PollReport
	took   time.Duration
	sure   []time.Duration // when two fresh answers had come for each key, from the start
	newer  []time.Duration // when its newest value was seen
}

// never is the time of what did not happen. It is in the percentiles.
const never = time.Hour

func newCycle(keys int) cycle {
	return cycle{sure: slices.Repeat([]time.Duration{never}, keys), newer: slices.Repeat([]time.Duration{never}, keys)}
}

// take notes what a poll learnt of key i, of which an item of seq known was there.
func (c *cycle) take(i int, r lookup.Polled, known int64, at time.Duration) {
	if r.Fresh >= 2 {
		c.sure[i] = min(c.sure[i], at)
	}
	if r.Item != nil && r.Item.Seq > known {
		c.newer[i] = min(c.newer[i], at)
	}
}

// times are those of some keys: when the new value was seen, or when it was sure
// that there is none.
func (c *cycle) times(of []int, changed bool) []time.Duration {
	var all []time.Duration
	for _, i := range of {
		if changed {
			all = append(all, c.newer[i])
		} else {
			all = append(all, c.sure[i])
		}
	}
	return all
}

// everyone are all indexes.
func everyone(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// percentiles notes when a poll had decided some keys.
func (c Case) percentiles(all []time.Duration) Case {
	c.P50, c.P90, c.P99 = ptr(ms(share(all, 50))), ptr(ms(share(all, 90))), ptr(ms(share(all, 99)))
	return c
}

// traffic notes what polls cost in packets.
func (c Case) traffic(cycles []cycle, keys int) Case {
	var fast, back []float64
	for _, y := range cycles {
		fast = append(fast, float64(y.report.Packets)/float64(keys))
		back = append(back, float64(y.report.Background)/float64(keys))
	}
	slices.Sort(fast)
	slices.Sort(back)
	c.Packets, c.Background = ptr(fast[len(fast)/2]), ptr(back[len(back)/2])
	return c
}
