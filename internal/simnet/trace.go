package simnet

import (
	"encoding/binary"
	"math/bits"
)

// trace sums up a run in 64 bits. It is fast and not cryptographic: it tells
// runs apart, and nobody attacks it.
type trace uint64

// An odd constant with well-spread bits: 2^64 divided by the golden ratio.
const traceFactor = 0x9e3779b97f4a7c15

func (t *trace) word(v uint64) { t.pair(v, 0) }

func (t *trace) pair(a, b uint64) {
	hi, lo := bits.Mul64(uint64(*t)^a^traceFactor, b^(traceFactor|1<<63))
	*t = trace(bits.RotateLeft64(uint64(*t), 23) + (hi ^ lo))
}

func (t *trace) bytes(b []byte) {
	t.word(uint64(len(b)))
	for len(b) >= 16 {
		t.pair(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
		b = b[16:]
	}
	if len(b) > 0 {
		var rest [16]byte
		copy(rest[:], b)
		t.pair(binary.LittleEndian.Uint64(rest[:]), binary.LittleEndian.Uint64(rest[8:]))
	}
}
