package seed

import "crypto/sha1"

// Held hashes the pieces of unit bytes that content holds behind its first have
// bytes, and says of each whether it is there and right; those within have are
// taken for right. hashes is packed SHA-1; of total bytes the last piece may be
// short. more is asked before each piece: false ends it early. here is how many
// bytes are there.
func Held(c Content, hashes []byte, unit, total, have int64, more func() bool) (done []bool, here int64) {
	done = make([]bool, len(hashes)/sha1.Size)
	var b []byte
	for i := range done {
		off := int64(i) * unit
		size := min(unit, total-off)
		if done[i] = off+size <= have; !done[i] && more() {
			if b == nil {
				b = make([]byte, unit)
			}
			if n, _ := c.ReadAt(b[:size], off); int64(n) == size {
				done[i] = sha1.Sum(b[:size]) == [sha1.Size]byte(hashes[i*sha1.Size:])
			}
		}
		if done[i] {
			here += size
		}
	}
	return done, here
}
