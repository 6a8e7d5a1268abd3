package swarm

import "bytes"

// Bounds on what torrent peers send as bencode; the library's decoder has none
// on depth, and allocates a string before it reads it.
const (
	depthMax  = 4
	fieldsMax = 64
)

// parseDict splits a bencoded dictionary into its values, still encoded, and
// what follows it.
func parseDict(b []byte) (fields map[string][]byte, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != 'd' {
		return nil, nil, false
	}
	fields = make(map[string][]byte)
	for b = b[1:]; len(b) > 0 && b[0] != 'e'; {
		key, after, ok := cutString(b)
		if !ok || len(fields) >= fieldsMax {
			return nil, nil, false
		}
		if b, ok = skip(after, depthMax); !ok {
			return nil, nil, false
		}
		fields[string(key)] = after[:len(after)-len(b)]
	}
	if len(b) == 0 {
		return nil, nil, false
	}
	return fields, b[1:], true
}

// skip passes over one value.
func skip(b []byte, depth int) (rest []byte, ok bool) {
	if len(b) == 0 || depth == 0 {
		return nil, false
	}
	switch b[0] {
	case 'i':
		_, rest, ok = cutInt(b[1:], 'e')
		return rest, ok
	case 'l', 'd':
		for b = b[1:]; len(b) > 0 && b[0] != 'e'; {
			if b, ok = skip(b, depth-1); !ok {
				return nil, false
			}
		}
		if len(b) == 0 {
			return nil, false
		}
		return b[1:], true
	}
	_, rest, ok = cutString(b)
	return rest, ok
}

func cutString(b []byte) (text, rest []byte, ok bool) {
	n, b, ok := cutInt(b, ':')
	if !ok || n < 0 || n > int64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// cutInt reads digits up to an end mark.
func cutInt(b []byte, end byte) (n int64, rest []byte, ok bool) {
	i := bytes.IndexByte(b[:min(len(b), 20)], end)
	if i <= 0 {
		return 0, nil, false
	}
	digits, negative := b[:i], false
	if digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, nil, false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, nil, false
		}
		n = n*10 + int64(d-'0')
	}
	if negative {
		n = -n
	}
	return n, b[i+1:], true
}

// parseString and parseInt decode a whole value.
func parseString(b []byte) ([]byte, bool) {
	text, rest, ok := cutString(b)
	return text, ok && len(rest) == 0
}

func parseInt(b []byte) (int64, bool) {
	if len(b) == 0 || b[0] != 'i' {
		return 0, false
	}
	n, rest, ok := cutInt(b[1:], 'e')
	return n, ok && len(rest) == 0
}
