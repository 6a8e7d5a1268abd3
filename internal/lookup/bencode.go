package lookup

import "strconv"

// reader walks bencode (BEP 3) without copying; b is what is left. Numbers
// must be in their one form; the order of keys is judged only by skip.
type reader struct{ b []byte }

// str reads a byte string, which aliases the input.
func (r *reader) str() ([]byte, bool) {
	n, i := 0, 0
	for i < len(r.b) && r.b[i] >= '0' && r.b[i] <= '9' {
		if i == 4 { // no datagram has room for five digits
			return nil, false
		}
		n = n*10 + int(r.b[i]-'0')
		i++
	}
	if i == 0 || i > 1 && r.b[0] == '0' || i == len(r.b) || r.b[i] != ':' || n > len(r.b)-i-1 {
		return nil, false
	}
	s := r.b[i+1 : i+1+n : i+1+n]
	r.b = r.b[i+1+n:]
	return s, true
}

// integer reads an integer that fits an int64.
func (r *reader) integer() (int64, bool) {
	if len(r.b) < 3 || r.b[0] != 'i' {
		return 0, false
	}
	i, negative := 1, false
	if r.b[1] == '-' {
		i, negative = 2, true
	}
	first, v := i, uint64(0)
	for i < len(r.b) && r.b[i] >= '0' && r.b[i] <= '9' {
		if i-first == 19 { // more would overflow v
			return 0, false
		}
		v = v*10 + uint64(r.b[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 || i == len(r.b) || r.b[i] != 'e' {
		return 0, false
	}
	if r.b[first] == '0' && (digits > 1 || negative) {
		return 0, false
	}
	if v > 1<<63 || v == 1<<63 && !negative {
		return 0, false
	}
	r.b = r.b[i+1:]
	if negative {
		return int64(-v), true
	}
	return int64(v), true
}

// enter consumes the 'd' or 'l' that opens a dict or list, leave the 'e' that
// ends it, if it is next.
func (r *reader) enter(open byte) bool { return r.eat(open) }
func (r *reader) leave() bool          { return r.eat('e') }

func (r *reader) eat(c byte) bool {
	if len(r.b) == 0 || r.b[0] != c {
		return false
	}
	r.b = r.b[1:]
	return true
}

// skip passes over one value of any kind, nested at most depth deep. With
// ordered, keys must be sorted and different.
func (r *reader) skip(depth int, ordered bool) bool {
	if len(r.b) == 0 || depth == 0 {
		return false
	}
	switch {
	case r.b[0] == 'i':
		_, ok := r.integer()
		return ok
	case r.enter('l'):
		for !r.leave() {
			if !r.skip(depth-1, ordered) {
				return false
			}
		}
		return true
	case r.enter('d'):
		var last []byte
		for !r.leave() {
			key, ok := r.str()
			if !ok || ordered && last != nil && string(key) <= string(last) || !r.skip(depth-1, ordered) {
				return false
			}
			last = key
		}
		return true
	}
	_, ok := r.str()
	return ok
}

// raw is skip; it gives the bytes that were passed over.
func (r *reader) raw() ([]byte, bool) {
	before := r.b
	if !r.skip(depthMax, false) {
		return nil, false
	}
	n := len(before) - len(r.b)
	return before[:n:n], true
}

// canonical says whether b is exactly one value in its one form.
func canonical(b []byte) bool {
	r := reader{b}
	return r.skip(depthMax, true) && len(r.b) == 0
}

func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	dst = append(dst, ':')
	return append(dst, s...)
}

func appendInt(dst []byte, v int64) []byte {
	dst = append(dst, 'i')
	dst = strconv.AppendInt(dst, v, 10)
	return append(dst, 'e')
}
