package lookup

import (
	"slices"
	"time"

	"weir/keys"
)

// Poll asks for the newest items of many keys under one salt.
type Poll struct {
	Salt []byte
	Keys []PollKey // each key once
	// Traverse walks to every key, and waits for every walk: for a caller that must know that absence
	// means something. Without it only keys whose holders nobody remembers are walked to, and a walk
	// that outlasts PollConfig.Patience is not waited for.
	Traverse bool
}

// PollKey is one key of a Poll.
type PollKey struct {
	Key keys.Public
	Seq int64 // of the newest item the caller has; -1: it has none
}

// Polled is what a poll learnt of one key.
type Polled struct {
	// Item is valid and newer than PollKey.Seq; nil: nothing newer. After a walk it is the newest
	// item found, whatever its seq, for the caller to compare its bytes; nil: no item at all.
	Item      *Item
	Conflicts []Item // valid, same seq as Item, other bytes: a fork; at most 4
	Walked    bool   // by a traversal and not by direct gets
	Answered  int    // nodes that answered at all
	Fresh     int    // of them, those that held PollKey.Seq or a newer item; nothing known: all
	Holding   int    // and those that held Item or, without one, PollKey.Seq
	// Behind are nodes that answered and hold neither Item nor PollKey.Seq, whichever is newer: a Put
	// to these Holders heals them.
	Behind []Holder
}

// PollReport is one poll in figures.
type PollReport struct {
	Keys       int
	Answers    [3]int // keys that had no, one, and two or more fresh answers
	Newer      int    // keys with a newer item
	Walked     int    // keys walked to since the report before
	Stale      int    // nodes that lacked an item that the caller knows, or had an older one
	Invalid    int    // answers with an item that is not valid
	Packets    int    // sent to remembered holders
	Background int    // sent by walks since the report before
	BytesOut   int64  // of both
	BytesIn    int64
	P50        time.Duration // from the start to the second fresh answer, over the keys that had it
	P90        time.Duration
	P99        time.Duration
	Took       time.Duration
	Err        error // why the poll was broken off; nil: it was not
}

// Short is how many keys had fewer than two fresh answers.
func (r PollReport) Short() int { return r.Answers[0] + r.Answers[1] }

// PollConfig tunes polls; zero fields take the defaults named.
type PollConfig struct {
	NodeRate  int           // packets a second to one node: 20
	NodeBurst int           // and how many at once: 32
	Rate      int           // packets a second in all where round trips are long; short ones limit by themselves: 5000
	Waves     int           // how often one of the two answers is asked for, each time of another holder: 3
	Refresh   int           // one key in so many is walked to behind each poll: 150
	Walks     int           // walks at once: 64
	WalkRate  int           // walks a second of those that nobody waits for: 25
	Patience  time.Duration // how long a poll waits for first walks once all else is answered: 2 s
}

func (c PollConfig) withDefaults() PollConfig {
	c.NodeRate = orDefault(c.NodeRate, 20)
	c.NodeBurst = orDefault(c.NodeBurst, 32)
	c.Rate = orDefault(c.Rate, 5000)
	c.Waves = orDefault(c.Waves, 3)
	c.Refresh = orDefault(c.Refresh, 150)
	c.Walks = orDefault(c.Walks, 64)
	c.WalkRate = orDefault(c.WalkRate, 25)
	if c.Patience <= 0 {
		c.Patience = 2 * time.Second
	}
	return c
}

// Poll starts a poll. each is called once for each key as soon as it is
// decided, with the key's index in p.Keys, and once more when a walk to it that
// nobody waited for ends, in this poll or the next. A key whose first walk
// outlasts the poll has no call before it. done is called once, last. A poll that
// is begun while another is under way waits for its end.
func (c *Client) Poll(now time.Time, p Poll, each func(i int, r Polled), done func(PollReport)) {
	p.Salt, p.Keys = slices.Clone(p.Salt), slices.Clone(p.Keys)
	c.polling(now).add(&polling{Poll: p, each: each, done: done})
}

// Polled is what a traversal found, for a caller who has an item of seq known;
// -1: none.
func (f Found) Polled(known int64) Polled {
	r := Polled{Item: f.Item, Conflicts: f.Conflicts, Walked: true, Answered: f.Answered}
	newest := known
	if f.Item != nil {
		newest = max(newest, f.Item.Seq)
	}
	for _, h := range f.Closest {
		if h.Seq >= known {
			r.Fresh++
		}
		switch {
		case h.Seq < newest:
			r.Behind = append(r.Behind, h)
		case newest >= 0:
			r.Holding++
		}
	}
	return r
}

// Holders is the holders that polls remember, for AddHolders of a later run:
// see holders.go for the bytes. It is empty when there are none.
func (c *Client) Holders() []byte {
	if c.poller == nil {
		return nil
	}
	return c.poller.export()
}

// AddHolders remembers what Holders gave in an earlier run. Keys that have
// holders already keep them. Bytes that it cannot have given are an error, and
// nothing of them is remembered.
func (c *Client) AddHolders(now time.Time, b []byte) error { return c.polling(now).restore(b) }
