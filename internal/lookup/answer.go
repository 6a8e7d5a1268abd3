package lookup

import (
	"bytes"
	"slices"
)

// take verifies the item of an answer and keeps it, if there is one.
func (t *traversal) take(c *candidate, m *Message) {
	if m.Value == nil && m.Sig == nil {
		return
	}
	it := t.item(m)
	if it == nil {
		t.invalid++
		return
	}
	c.seq, c.item = it.Seq, it
	t.ended = t.first
}

// item is the valid item that an answer carries, or nil. The same bytes are
// verified once.
func (t *traversal) item(m *Message) *Item {
	it := Item{Target: t.get.Target, Value: m.Value}
	if t.get.Mutable {
		if len(m.Key) != len(it.Key) || [32]byte(m.Key) != t.get.Key || len(m.Sig) != len(it.Sig) || !m.HasSeq {
			return nil
		}
		it.Mutable, it.Key, it.Salt, it.Seq = true, t.get.Key, t.get.Salt, m.Seq
		copy(it.Sig[:], m.Sig)
	}
	for _, known := range t.accepted {
		if known.same(&it) && known.Sig == it.Sig {
			return known
		}
	}
	if it.VerifyWith(t.client.config.Verify) != nil {
		return nil
	}
	for _, known := range t.accepted {
		if known.same(&it) { // signed twice
			return known
		}
	}
	it.Value, it.Salt = slices.Clone(it.Value), slices.Clone(it.Salt)
	t.accept(&it)
	return &it
}

// accept keeps a valid item; when there are too many, the newest.
func (t *traversal) accept(it *Item) {
	if len(t.accepted) < validItemsMax {
		t.accepted = append(t.accepted, it)
		return
	}
	oldest := 0
	for i, known := range t.accepted {
		if known.Seq < t.accepted[oldest].Seq {
			oldest = i
		}
	}
	if t.accepted[oldest].Seq < it.Seq {
		t.accepted[oldest] = it
	}
}

// found sums up.
func (t *traversal) found(packets int) Found {
	f := Found{Target: t.get.Target, Answered: t.answers, Asked: len(t.tried), Invalid: t.invalid, Packets: packets}
	for _, it := range t.accepted {
		switch {
		case f.Item == nil, it.Seq > f.Item.Seq, it.Seq == f.Item.Seq && bytes.Compare(it.Value, f.Item.Value) < 0:
			f.Item = it
		}
	}
	for _, it := range t.accepted {
		if it != f.Item && it.Seq == f.Item.Seq && len(f.Conflicts) < conflictsMax {
			f.Conflicts = append(f.Conflicts, *it)
		}
	}
	for _, c := range t.list {
		if c.state != holding {
			continue
		}
		f.Closest = append(f.Closest, Holder{Node: c.Node, Token: c.token, Seq: c.seq})
		if c.item != nil && c.item == f.Item {
			f.Holding++
		}
		if len(f.Closest) == t.client.config.Width && !t.first && !t.only && !t.spent() {
			t.client.density.learn(t.get.Target, reach(c.distance), t.client.heard)
		}
		if t.enough(len(f.Closest), c) {
			break
		}
	}
	f.ClosestAnswered, _, f.Exhausted = t.survey()
	if t.crowded() && (t.spent() || len(f.Closest) >= crowdMax) { // by those who crowd it
		f.ClosestAnswered, f.Exhausted = min(f.ClosestAnswered, closestNodes-1), false
	}
	f.Exhausted = f.Exhausted && !t.only // others were not looked for
	if t.answers == 0 {
		f.Err = &NoNodesError{Tried: t.tried}
	}
	return f
}
