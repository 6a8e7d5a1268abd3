package simnet

// queue is a heap of four children a node, ordered by time and then by
// sequence. It holds no pointers, so the collector never looks at it.
type queue []due

// due says when the event in a slot is to happen.
type due struct {
	at   int64  // nanoseconds since Start
	seq  uint64 // in which order events were made
	slot uint32
}

func (a due) before(b due) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

func (q *queue) push(d due) {
	h := append(*q, d)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !d.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = d
	*q = h
}

func (q *queue) pop() due {
	h := *q
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	if len(h) == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= len(h) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(h)); c++ {
			if h[c].before(h[least]) {
				least = c
			}
		}
		if !h[least].before(last) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = last
	return first
}
