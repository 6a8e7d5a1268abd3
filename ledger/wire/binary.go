package wire

import (
	"encoding/binary"
	"fmt"
)

// cursor reads the fixed, big-endian formats front to back. The first error
// sticks, and after it every method returns zero values.
type cursor struct {
	b   []byte // not yet read
	err error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
		c.b = nil
	}
}

// take reads n bytes, which alias the input; nil when there are fewer.
func (c *cursor) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n > len(c.b) {
		c.fail("%w", ErrShort)
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) fixed(dst []byte) { copy(dst, c.take(len(dst))) }

func (c *cursor) u8() int {
	if b := c.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (c *cursor) u16() int {
	if b := c.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// u64 reads an unsigned integer of at most IntMax.
func (c *cursor) u64() uint64 {
	b := c.take(8)
	if b == nil {
		return 0
	}
	n := binary.BigEndian.Uint64(b)
	if n > IntMax {
		c.fail("an integer of 2^53 or more: %d", n)
		return 0
	}
	return n
}

// i64 reads a two's complement integer of magnitude at most IntMax.
func (c *cursor) i64() int64 {
	b := c.take(8)
	if b == nil {
		return 0
	}
	n := int64(binary.BigEndian.Uint64(b))
	if n > IntMax || n < -IntMax {
		c.fail("an integer of 2^53 or more: %d", n)
		return 0
	}
	return n
}

// version reads the version byte that begins every binary format.
func (c *cursor) version() {
	if v := c.u8(); c.err == nil && v != Version {
		if v == 0 {
			c.fail("version 0")
		} else {
			c.fail("version %d: %w", v, ErrNewer)
		}
	}
}

// end checks that nothing follows and gives the first error.
func (c *cursor) end() error {
	if c.err == nil && len(c.b) != 0 {
		c.fail("%d bytes too many at the end", len(c.b))
	}
	return c.err
}

func appendU16(b []byte, n int) []byte    { return binary.BigEndian.AppendUint16(b, uint16(n)) }
func appendU32(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }
func appendU64(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }
func appendI64(b []byte, n int64) []byte  { return binary.BigEndian.AppendUint64(b, uint64(n)) }
func checkInt(what string, n uint64) error {
	if n > IntMax {
		return fmt.Errorf("%s %d is 2^53 or more", what, n)
	}
	return nil
}

func checkTime(what string, ms int64) error {
	if ms < 0 || ms > IntMax {
		return fmt.Errorf("%s %d is no time in Unix milliseconds", what, ms)
	}
	return nil
}
