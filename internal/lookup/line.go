package lookup

// turn is a packet that waits for its node to be due.
type turn struct {
	due    int64 // nanoseconds
	serial uint32
	key    uint32
	node   uint32
	wave   uint8
}

// before orders turns by time, and those of one time as they were made. Serials
// may wrap round.
func (a *turn) before(b *turn) bool {
	return a.due < b.due || a.due == b.due && int32(a.serial-b.serial) < 0
}

// line is the turns to come, a heap.
type line []turn

func (l *line) push(t turn) {
	h := append(*l, t)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !t.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = t
	*l = h
}

func (l *line) pop() turn {
	h := *l
	first, last := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*l = h
	if len(h) == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(&h[child]) {
			child++
		}
		if !h[child].before(&last) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = last
	return first
}
