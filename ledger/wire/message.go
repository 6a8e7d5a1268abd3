package wire

import "fmt"

// Message is one change in the stream that an outbox's window shows. Its
// number and chain follow from its place.
//
//	change length u16 ‖ change ‖ signature (64)
type Message struct {
	Change []byte
	Sig    Signature
}

const messageOverhead = 2 + 64

// AppendMessage appends m to dst. The change came from Change.Encode or
// ParseChange; one longer than ChangeBytesMax is a mistake of the caller's
// and panics.
func AppendMessage(dst []byte, m Message) []byte {
	if len(m.Change) == 0 || len(m.Change) > ChangeBytesMax {
		panic(fmt.Sprintf("wire: a message with a change of %d bytes", len(m.Change)))
	}
	dst = appendU16(dst, len(m.Change))
	dst = append(dst, m.Change...)
	return append(dst, m.Sig[:]...)
}

// ParseMessage reads the message at the start of b and its length; ErrShort
// when b ends before it does. The change is not looked into; it aliases b.
func ParseMessage(b []byte) (m Message, n int, err error) {
	c := cursor{b: b}
	size := c.u16()
	if c.err == nil && (size == 0 || size > ChangeBytesMax) {
		c.fail("a change of %d bytes where 1 to %d are allowed", size, ChangeBytesMax)
	}
	m.Change = c.take(size)
	c.fixed(m.Sig[:])
	if c.err != nil {
		return Message{}, 0, fmt.Errorf("read a message: %w", c.err)
	}
	return m, messageOverhead + size, nil
}
