package wire

import (
	"crypto/sha1"
	"fmt"
	"strconv"
	"time"

	"weir/keys"
)

// String is b as a bencoded byte string, the one kind of value that every
// BEP-44 client can put: <length>:<bytes>. Up to 996 bytes fit one item.
func String(b []byte) []byte {
	w := writer{make([]byte, 0, len(b)+4)}
	w.bytes(b)
	return w.b
}

// ParseString reads a value that is one byte string. The result aliases v.
func ParseString(v []byte) ([]byte, error) {
	if len(v) > ItemBytesMax {
		return nil, fmt.Errorf("read a byte string: %d bytes where an item has %d at most", len(v), ItemBytesMax)
	}
	r := reader{b: v}
	b := r.bytes(0, ItemBytesMax)
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("read a byte string: %w", err)
	}
	return b, nil
}

// ImmutableTarget is where an immutable item lies: SHA-1 of the bencoded
// value (BEP 44).
func ImmutableTarget(v []byte) Target { return sha1.Sum(v) }

// MutableTarget is where a mutable item lies: SHA-1 of key and salt (BEP 44).
func MutableTarget(key keys.Public, salt []byte) Target {
	return sha1.Sum(append(key[:], salt...))
}

// ItemSigned is the buffer that a mutable item's signature is over (BEP 44);
// v is the bencoded value:
//
//	[4:salt<length>:<salt>]3:seqi<seq>e1:v<v>
func ItemSigned(salt []byte, seq int64, v []byte) []byte {
	b := make([]byte, 0, len(salt)+len(v)+48)
	if len(salt) > 0 {
		b = append(b, "4:salt"...)
		b = strconv.AppendInt(b, int64(len(salt)), 10)
		b = append(b, ':')
		b = append(b, salt...)
	}
	b = append(b, "3:seqi"...)
	b = strconv.AppendInt(b, seq, 10)
	b = append(b, "e1:v"...)
	return append(b, v...)
}

// SeqDate is the seq of a head or an outbox for people: Unix ms of its signer's clock,
// unless an earlier one was higher.
func SeqDate(seq int64) string {
	return time.UnixMilli(seq).UTC().Format("2006-01-02 15:04:05") + " (UTC)"
}
