package outbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"weir/ledger/wire"
)

// Chunk is one immutable item of an outbox: sealed once, kept as bytes.
type Chunk struct {
	Target wire.Target
	Value  []byte // bencoded
	Length int    // stream bytes sealed in it, 1 to wire.ChunkBytes
}

// Snapshot is a sender's durable state. Chunks follow each other without a
// gap; the first begins Skip bytes before the first message.
type Snapshot struct {
	First    uint64    // number of the oldest unacknowledged message
	Before   wire.Hash // h before it
	Messages []wire.Message
	Handed   uint64  // highest number that was ever handed to a put; above it a message can be cancelled
	Chunks   []Chunk // those of the newest window; only the last may be short
	Skip     int     // bytes of the first chunk that belong to messages before First
}

const (
	snapshotVersion = 1
	// snapshotHeader is version, First, Before, Handed, Skip and the two counts.
	snapshotHeader = 1 + 8 + 32 + 8 + 2 + 2 + 2
	chunkHeader    = 20 + 2 + 2
	// snapshotBytesMax bounds what ParseSnapshot looks at: a full window twice over.
	snapshotBytesMax = 1 << 17
)

// ErrSnapshot is wrapped by every error about a snapshot that does not read.
var ErrSnapshot = errors.New("damaged outbox record")

// Encode makes bytes for a store:
//
//	version (1) ‖ First (8) ‖ Before (32) ‖ Handed (8) ‖ Skip (2)
//	‖ messages (2) ‖ chunks (2)
//	‖ each message as in the stream
//	‖ each chunk: Target (20) ‖ Length (2) ‖ value length (2) ‖ value
//
// Integers are big endian. The record stays on the device that made it.
func (s *Snapshot) Encode() []byte {
	b := make([]byte, 0, snapshotHeader+len(s.Chunks)*(chunkHeader+wire.ItemBytesMax))
	b = append(b, snapshotVersion)
	b = binary.BigEndian.AppendUint64(b, s.First)
	b = append(b, s.Before[:]...)
	b = binary.BigEndian.AppendUint64(b, s.Handed)
	b = binary.BigEndian.AppendUint16(b, uint16(s.Skip))
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Messages)))
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Chunks)))
	for _, m := range s.Messages {
		b = wire.AppendMessage(b, m)
	}
	for _, c := range s.Chunks {
		b = append(b, c.Target[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(c.Length))
		b = binary.BigEndian.AppendUint16(b, uint16(len(c.Value)))
		b = append(b, c.Value...)
	}
	return b
}

// ParseSnapshot reads what Encode wrote and checks that a sender can go on
// from it. Errors wrap ErrSnapshot.
func ParseSnapshot(b []byte) (*Snapshot, error) {
	if len(b) < snapshotHeader || len(b) > snapshotBytesMax {
		return nil, fmt.Errorf("%w: %d bytes", ErrSnapshot, len(b))
	}
	if b[0] != snapshotVersion {
		return nil, fmt.Errorf("%w: version %d, this program knows %d", ErrSnapshot, b[0], snapshotVersion)
	}
	s := &Snapshot{
		First:  binary.BigEndian.Uint64(b[1:]),
		Before: wire.Hash(b[9:41]),
		Handed: binary.BigEndian.Uint64(b[41:]),
		Skip:   int(binary.BigEndian.Uint16(b[49:])),
	}
	messages := int(binary.BigEndian.Uint16(b[51:]))
	chunks := int(binary.BigEndian.Uint16(b[53:]))
	rest := bytes.Clone(b[snapshotHeader:])
	for range messages {
		m, n, err := wire.ParseMessage(rest)
		if err != nil {
			return nil, fmt.Errorf("%w: message %d: %w", ErrSnapshot, s.First+uint64(len(s.Messages)), err)
		}
		s.Messages = append(s.Messages, m)
		rest = rest[n:]
	}
	for range chunks {
		if len(rest) < chunkHeader {
			return nil, fmt.Errorf("%w: it ends in a chunk", ErrSnapshot)
		}
		c := Chunk{Target: wire.Target(rest[:20]), Length: int(binary.BigEndian.Uint16(rest[20:]))}
		n := int(binary.BigEndian.Uint16(rest[22:]))
		if rest = rest[chunkHeader:]; len(rest) < n {
			return nil, fmt.Errorf("%w: it ends in a chunk", ErrSnapshot)
		}
		c.Value, rest = rest[:n:n], rest[n:]
		s.Chunks = append(s.Chunks, c)
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes too many", ErrSnapshot, len(rest))
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}

// check holds a snapshot to what a Sender keeps true.
func (s *Snapshot) check() error {
	waiting := 0
	for _, m := range s.Messages {
		waiting += messageBytes(m)
	}
	last := s.First + uint64(len(s.Messages)) - 1
	switch {
	case s.First < 1 || s.First > wire.IntMax || last >= wire.IntMax: // the next number is one too
		return fmt.Errorf("%w: numbers out of range", ErrSnapshot)
	case s.First == 1 && s.Before != wire.Hash{}:
		return fmt.Errorf("%w: a chain before number 1", ErrSnapshot)
	case s.Handed > last || s.Handed < s.First-1:
		return fmt.Errorf("%w: number %d was handed over, of %d to %d", ErrSnapshot, s.Handed, s.First, last)
	case len(s.Chunks) > wire.WindowTargetsMax:
		return fmt.Errorf("%w: %d chunks", ErrSnapshot, len(s.Chunks))
	case len(s.Chunks) == 0 && s.Skip != 0:
		return fmt.Errorf("%w: %d bytes to skip in no chunk", ErrSnapshot, s.Skip)
	case len(s.Chunks) > 0 && s.Skip >= s.Chunks[0].Length:
		return fmt.Errorf("%w: a chunk of acknowledged messages only", ErrSnapshot)
	}
	covered := -s.Skip
	for i, c := range s.Chunks {
		short := i == len(s.Chunks)-1 && c.Length >= 1 && c.Length < wire.ChunkBytes
		if c.Length != wire.ChunkBytes && !short {
			return fmt.Errorf("%w: chunk %d has %d bytes", ErrSnapshot, i, c.Length)
		}
		if len(c.Value) > wire.ItemBytesMax || wire.ImmutableTarget(c.Value) != c.Target {
			return fmt.Errorf("%w: chunk %d is not what its target names", ErrSnapshot, i)
		}
		covered += c.Length
	}
	if covered > waiting {
		return fmt.Errorf("%w: chunks of %d bytes for messages of %d", ErrSnapshot, covered, waiting)
	}
	if !fits(waiting, s.Skip, fullChunks(s.Chunks)) {
		return fmt.Errorf("%w: more messages than a window carries", ErrSnapshot)
	}
	return nil
}
