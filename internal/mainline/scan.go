package mainline

import "math"

// depthMax bounds how deep lists and dictionaries of a datagram may nest. The
// server's decoder makes a new Go type for each level of some fields and keeps
// it for ever.
const depthMax = 32

// scanner walks over bencode (BEP 3) without copying or allocating. Its first
// error stands in bad; after it every method gives zero values.
type scanner struct {
	b   []byte
	i   int
	bad verdict
}

func (s *scanner) fail(v verdict) {
	if s.bad == pass {
		s.bad = v
		s.i = len(s.b)
	}
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.i >= len(s.b) {
		return 0
	}
	return s.b[s.i]
}

// open steps into a list or dictionary; c is 'l' or 'd'.
func (s *scanner) open(c byte) {
	if s.peek() != c {
		s.fail(malformed)
		return
	}
	s.i++
}

// end steps out of a list or dictionary if it is over, or if the scan failed.
func (s *scanner) end() bool {
	if s.bad != pass {
		return true
	}
	if s.peek() != 'e' {
		return false
	}
	s.i++
	return true
}

// str is a byte string, which must lie wholly in the datagram.
func (s *scanner) str() []byte {
	n, start := 0, s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		n = n*10 + int(s.b[s.i]-'0')
		if n > math.MaxInt32 {
			s.fail(crashing) // the decoder makes room for it before it looks
			return nil
		}
		s.i++
	}
	digits := s.i - start
	if digits == 0 || digits > 1 && s.b[start] == '0' || s.peek() != ':' {
		s.fail(malformed)
		return nil
	}
	s.i++
	if n > len(s.b)-s.i {
		if n > packetBytesMax {
			s.fail(crashing)
		} else {
			s.fail(malformed)
		}
		return nil
	}
	v := s.b[s.i : s.i+n]
	s.i += n
	return v
}

// integer is an integer in its one form that fits 64 bits.
func (s *scanner) integer() {
	start, end := s.digits()
	if s.bad != pass {
		return
	}
	limit := uint64(math.MaxInt64)
	if s.b[start] == '-' {
		start++
		limit++
	}
	if end-start > 19 {
		s.fail(malformed)
		return
	}
	var n uint64 // 19 digits always fit
	for _, c := range s.b[start:end] {
		n = n*10 + uint64(c-'0')
	}
	if n > limit {
		s.fail(malformed)
	}
}

// digits is where an integer of any size stands, its sign included.
func (s *scanner) digits() (start, end int) {
	s.open('i')
	start = s.i
	if s.peek() == '-' {
		s.i++
	}
	first := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	end = s.i
	zero := end > first && s.b[first] == '0'
	if end == first || zero && (end-first > 1 || first > start) || s.peek() != 'e' {
		s.fail(malformed)
		return 0, 0
	}
	s.i++
	return start, end
}

// any steps over one value of any type in its one form: dictionary keys sorted and
// each once, integers and lengths without leading zeros.
func (s *scanner) any(depth int) {
	if depth > depthMax {
		s.fail(crashing)
		return
	}
	switch s.peek() {
	case 'i':
		s.digits()
	case 'l':
		for s.open('l'); !s.end(); {
			s.any(depth + 1)
		}
	case 'd':
		var last []byte
		first := true
		for s.open('d'); !s.end(); first = false {
			key := s.str()
			if !first && string(key) <= string(last) {
				s.fail(malformed)
			}
			last = key
			s.any(depth + 1)
		}
	default:
		s.str()
	}
}
