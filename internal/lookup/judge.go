package lookup

import (
	"bytes"
	"slices"
)

// answered takes an answer: what it says of the holder, and what it means for
// its key.
func (p *poller) answered(a ask, m *Message) {
	k := &p.keys[a.key]
	mine := k.asking && k.poll == a.poll
	if i := k.place(a.node); i >= 0 { // else a walk has just found better ones
		p.credit(k, i, a, m, mine)
	}
	if !mine {
		return
	}
	if !a.late {
		k.open--
	}
	if k.fresh >= freshWanted {
		p.decide(a.key)
	} else if !a.late {
		p.makeUp(a)
	}
}

// credit judges the holder that answered. Its first answer to a poll counts for
// the key. A late one does not clear it of having been too slow: whoever is slow
// each time is to be asked last, as one who is silent.
func (p *poller) credit(k *pollKey, i int, a ask, m *Message, mine bool) {
	h := &k.holders[i]
	sound := m.Kind == KindResponse && len(m.Token) > 0 && len(m.Token) <= tokenBytesMax
	if sound {
		h.keep(m.Token, p.now)
	}
	if !mine || k.answered.has(i) {
		return
	}
	k.pending.remove(i)
	k.answered.add(i)
	switch {
	case !sound || !p.weigh(k, i, m):
		h.fails = min(h.fails+2, failsMax)
	case max(claimed(m), -1) < k.seq:
		p.stale(a.node)
		h.fails = min(h.fails+1, failsMax)
	default:
		if !a.late {
			h.fails /= 2
		}
		k.fresh++
	}
}

// stale counts a node that lacks what is known, once a poll.
func (p *poller) stale(node uint32) {
	if n := &p.nodes.list[node]; n.stale != p.number {
		n.stale = p.number
		p.poll.report.Stale++
	}
}

// claimed is the seq that an answer says its node holds; -1: no item.
func claimed(m *Message) int64 {
	if m.HasSeq {
		return m.Seq
	}
	return -1
}

// weigh looks at the item of an answer; false: it claims one that it does not
// show, or shows one that is not valid. Only what is newer than what is known is
// verified.
func (p *poller) weigh(k *pollKey, i int, m *Message) bool {
	seq, newest := claimed(m), k.newest()
	switch {
	case seq > newest:
		it := p.shown(k, m)
		if it == nil {
			return false
		}
		k.news, k.current = &news{item: it}, 0
	case seq == newest && k.news != nil && !bytes.Equal(m.Value, k.news.item.Value):
		fork := p.shown(k, m)
		if fork == nil {
			return false
		}
		known := slices.ContainsFunc(k.news.forks, func(f Item) bool { return f.same(fork) })
		if !known && len(k.news.forks) < conflictsMax {
			k.news.forks = append(k.news.forks, *fork)
		}
	}
	if seq >= k.newest() {
		k.current.add(i)
	}
	return true
}

// shown is the valid item in an answer, or nil.
func (p *poller) shown(k *pollKey, m *Message) *Item {
	it := Item{Target: k.target, Value: m.Value, Mutable: true, Key: k.key, Salt: p.poll.Salt, Seq: m.Seq}
	if len(m.Key) == len(it.Key) && [32]byte(m.Key) == k.key && len(m.Sig) == len(it.Sig) {
		copy(it.Sig[:], m.Sig)
		if it.VerifyWith(p.client.config.Verify) == nil {
			it.Value, it.Salt = slices.Clone(it.Value), slices.Clone(it.Salt)
			return &it
		}
	}
	p.poll.report.Invalid++
	return nil
}

// missed notes that a holder did not answer in time.
func (p *poller) missed(a ask) {
	k := &p.keys[a.key]
	i := k.place(a.node)
	if i >= 0 && p.heardSince(a.sent) {
		k.holders[i].fails = min(k.holders[i].fails+1, failsMax)
	}
	if !k.asking || k.poll != a.poll {
		return
	}
	if i >= 0 {
		k.pending.remove(i)
	}
	k.open--
	p.makeUp(a)
}

// makeUp asks somebody else in the place of a packet that brought nothing: twice
// in the last wave, after which nobody is asked. A key that waits for nothing
// more falls short.
func (p *poller) makeUp(a ask) {
	k := &p.keys[a.key]
	wave := int(a.wave) + 1
	if int(k.fresh+k.open) < freshWanted && wave <= p.config.Waves {
		p.reserve(a.key, uint8(wave))
		if wave == p.config.Waves {
			p.reserve(a.key, uint8(wave))
		}
	}
	if k.open == 0 {
		p.decide(a.key)
	}
}

// decide ends the asking for a key.
func (p *poller) decide(key uint32) {
	k := &p.keys[key]
	k.asking = false
	r := Polled{Answered: k.answered.count(), Fresh: int(k.fresh)}
	if k.news != nil {
		r.Item, r.Conflicts = k.news.item, k.news.forks
		k.news = nil
	}
	if k.seq >= 0 || r.Item != nil {
		r.Holding = k.current.count()
		for i := range int(k.count) {
			if k.answered.has(i) && !k.current.has(i) {
				r.Behind = append(r.Behind, p.holder(&k.holders[i]))
			}
		}
	}
	p.told = append(p.told, told{key, r})
	p.decided(r.Fresh)
	if r.Fresh < freshWanted {
		p.queueWalk(key, p.poll.Salt, false)
	}
}
