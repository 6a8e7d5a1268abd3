package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// reader takes canonical bencode apart, front to back: the caller names the
// keys it expects in their order, so that an unknown, repeated or unsorted
// key is one that was not expected. The first error sticks, and after it
// every method returns zero values.
type reader struct {
	b     []byte // not yet read
	at    string // the key whose value is being read, for errors
	depth int
	err   error
}

func (r *reader) fail(format string, args ...any) {
	if r.err != nil {
		return
	}
	r.err = fmt.Errorf(format, args...)
	if r.at != "" {
		r.err = fmt.Errorf("key %q: %w", r.at, r.err)
	}
	r.b = nil
}

// want checks that a dict ('d') or list ('l') is next.
func (r *reader) want(kind byte) {
	switch {
	case r.peek() == kind:
	case len(r.b) == 0:
		r.fail("%w", ErrShort)
	case kind == 'd':
		r.fail("a dict is wanted")
	default:
		r.fail("a list is wanted")
	}
}

// open enters a dict ('d') or list ('l').
func (r *reader) open(kind byte) {
	if r.want(kind); r.err != nil {
		return
	}
	if r.depth == DepthMax {
		r.fail("nested deeper than %d", DepthMax)
		return
	}
	r.depth++
	r.b = r.b[1:]
}

// close leaves what open entered; everything in it must have been read.
func (r *reader) close() {
	r.at = ""
	switch {
	case r.peek() == 'e':
		r.depth--
		r.b = r.b[1:]
	case len(r.b) == 0:
		r.fail("%w", ErrShort)
	default:
		r.fail("more in a dict or list than belongs there: %s", r.ahead())
	}
}

// more says whether the list or dict has another element.
func (r *reader) more() bool { return len(r.b) > 0 && r.peek() != 'e' }

// peek is the next byte, 0 at the end.
func (r *reader) peek() byte {
	if len(r.b) == 0 {
		return 0
	}
	return r.b[0]
}

// ahead is the beginning of what follows, for errors.
func (r *reader) ahead() string { return fmt.Sprintf("%q", r.b[:min(len(r.b), 24)]) }

// key reads the key name, which must be next.
func (r *reader) key(name string) {
	r.at = ""
	if !r.optional(name) {
		if len(r.b) == 0 {
			r.fail("%w", ErrShort)
		} else {
			r.fail("key %q is wanted, not %s", name, r.ahead())
		}
	}
}

// optional reads the key name if it is next.
func (r *reader) optional(name string) bool {
	r.at = ""
	if r.err != nil || !r.next(name) {
		return false
	}
	r.b = r.b[keyBytes(name):]
	r.at = name
	return true
}

// next says whether the key name is next. Bytes that end inside it are short.
func (r *reader) next(name string) bool {
	want := strconv.Itoa(len(name)) + ":" + name
	if n := len(r.b); n < len(want) {
		if n > 0 && string(r.b) == want[:n] {
			r.fail("%w", ErrShort)
		}
		return false
	}
	return string(r.b[:len(want)]) == want
}

func keyBytes(name string) int { return len(strconv.Itoa(len(name))) + 1 + len(name) }

// version reads the key V, which begins every dict format.
func (r *reader) version() {
	r.key("V")
	if v := r.int(1, IntMax); r.err == nil && v != Version {
		r.fail("version %d: %w", v, ErrNewer)
	}
}

// int reads an integer between low and high.
func (r *reader) int(low, high int64) int64 {
	switch {
	case len(r.b) == 0:
		r.fail("integer: %w", ErrShort)
		return 0
	case r.peek() != 'i':
		r.fail("an integer is wanted")
		return 0
	}
	const longest = len("-9007199254740991")
	end := bytes.IndexByte(r.b[:min(len(r.b), longest+2)], 'e')
	if end < 0 {
		if len(r.b) < longest+2 {
			r.fail("integer: %w", ErrShort)
		} else {
			r.fail("integer too long")
		}
		return 0
	}
	text := string(r.b[1:end])
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || strconv.FormatInt(n, 10) != text:
		r.fail("not a canonical integer: %q", text)
	case n > IntMax || n < -IntMax:
		r.fail("an integer of 2^53 or more: %d", n)
	case n < low || n > high:
		r.fail("%d is not between %d and %d", n, low, high)
	default:
		r.b = r.b[end+1:]
		return n
	}
	return 0
}

const (
	stringBytesMax = 9_999_999 // where nothing else limits a string
	lengthDigits   = 7         // of that
)

// bytes reads a string of least to most bytes. It aliases the input.
func (r *reader) bytes(least, most int) []byte {
	colon := bytes.IndexByte(r.b[:min(len(r.b), lengthDigits+1)], ':')
	if colon < 0 {
		if len(r.b) <= lengthDigits && digits(r.b) {
			r.fail("string: %w", ErrShort)
		} else {
			r.fail("a string is wanted")
		}
		return nil
	}
	text := string(r.b[:colon])
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || strconv.Itoa(n) != text || n < 0:
		r.fail("not a canonical length: %q", text)
	case n < least || n > most:
		if least == most {
			r.fail("%d bytes where %d are wanted", n, least)
		} else {
			r.fail("%d bytes where %d to %d are wanted", n, least, most)
		}
	case n > len(r.b)-colon-1:
		r.fail("string: %w", ErrShort)
	default:
		b := r.b[colon+1 : colon+1+n : colon+1+n]
		r.b = r.b[colon+1+n:]
		return b
	}
	return nil
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// fixed reads a string of exactly len(dst) bytes into dst.
func (r *reader) fixed(dst []byte) { copy(dst, r.bytes(len(dst), len(dst))) }

// raw reads any one canonical value and gives its bytes, which alias the
// input.
func (r *reader) raw() []byte {
	from := r.b
	r.skip()
	if r.err != nil {
		return nil
	}
	n := len(from) - len(r.b)
	return from[:n:n]
}

func (r *reader) skip() {
	switch r.peek() {
	case 'i':
		r.int(-IntMax, IntMax)
	case 'l':
		r.open('l')
		for r.more() {
			r.skip()
		}
		r.close()
	case 'd':
		r.open('d')
		var last []byte
		for first := true; r.more(); first = false {
			key := r.bytes(0, stringBytesMax)
			if !first && bytes.Compare(last, key) >= 0 {
				r.fail("keys not sorted, or one twice: %.24q", key)
			}
			last = key
			r.skip()
		}
		r.close()
	default:
		r.bytes(0, stringBytesMax)
	}
}

// end checks that nothing follows and gives the first error.
func (r *reader) end() error {
	r.at = ""
	if r.err == nil && len(r.b) != 0 {
		r.fail("%d bytes too many at the end", len(r.b))
	}
	return r.err
}
