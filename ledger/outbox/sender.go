package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"weir/ledger/wire"
)

var (
	// ErrFull: the window cannot carry another message until the manager has
	// taken some.
	ErrFull = errors.New("the outbox is full: wait until the manager has taken some changes")
	// ErrForeign: the log has a number under this key that this sender did not
	// make. Another device uses the key.
	ErrForeign = errors.New("another device signed with this key")
	// ErrHanded: a message that may already be on the DHT cannot be taken back.
	ErrHanded = errors.New("it was already handed over and may be with the manager")
	// ErrNotNewest: only the newest message can be taken back, since every later
	// one is chained to it.
	ErrNotNewest = errors.New("it is not the newest change, and later ones build on it")
)

// Sender is the member's side of a window. The caller stores Snapshot before
// it puts what Build gave.
type Sender struct {
	first    uint64
	before   wire.Hash // h before first
	chain    wire.Hash // h after the newest message
	messages []wire.Message
	waiting  int // stream bytes of messages
	handed   uint64
	chunks   []Chunk // full ones, then at most one short
	skip     int
}

// NewSender starts after number last with chain h (0 and the zero hash for a
// new account).
func NewSender(last uint64, h wire.Hash) *Sender {
	return &Sender{first: last + 1, before: h, chain: h, handed: last}
}

// RestoreSender goes on from a snapshot. It is an error, wrapping ErrSnapshot,
// when no sender can have made it.
func RestoreSender(s *Snapshot) (*Sender, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	r := &Sender{
		first: s.First, before: s.Before, chain: s.Before, handed: s.Handed,
		messages: slices.Clone(s.Messages), chunks: slices.Clone(s.Chunks), skip: s.Skip,
	}
	for _, m := range r.messages {
		r.chain = wire.ChainNext(r.chain, m.Change)
		r.waiting += messageBytes(m)
	}
	return r, nil
}

// Snapshot is everything RestoreSender needs.
func (s *Sender) Snapshot() *Snapshot {
	return &Snapshot{
		First: s.first, Before: s.before, Handed: s.handed,
		Messages: slices.Clone(s.messages), Chunks: slices.Clone(s.chunks), Skip: s.skip,
	}
}

// Next is the number and the chain before it that the next change must be
// signed with.
func (s *Sender) Next() (number uint64, before wire.Hash) {
	return s.first + uint64(len(s.messages)), s.chain
}

// Handed is the highest number that was ever handed to a put.
func (s *Sender) Handed() uint64 { return s.handed }

// Add appends a signed change; ErrFull when the window cannot carry it.
func (s *Sender) Add(m wire.Message) error {
	if len(m.Change) == 0 || len(m.Change) > wire.ChangeBytesMax {
		return fmt.Errorf("a change of %d bytes where 1 to %d are allowed", len(m.Change), wire.ChangeBytesMax)
	}
	n := messageBytes(m)
	if !fits(s.waiting+n, s.skip, fullChunks(s.chunks)) {
		return ErrFull
	}
	m.Change = bytes.Clone(m.Change)
	s.messages = append(s.messages, m)
	s.waiting += n
	s.chain = wire.ChainNext(s.chain, m.Change)
	return nil
}

// Out notes that the messages up to number are out, whoever put them: they
// cannot be taken back. One that is not there yet changes nothing.
func (s *Sender) Out(number uint64) {
	if number < s.first+uint64(len(s.messages)) {
		s.handed = max(s.handed, number)
	}
}

// Cancel drops the newest message if it was never handed to a put: ErrHanded
// and ErrNotNewest say why not.
func (s *Sender) Cancel(number uint64) error {
	newest := s.first + uint64(len(s.messages)) - 1
	switch {
	case number < s.first || number > newest:
		return fmt.Errorf("cancel number %d: it is not waiting", number)
	case number <= s.handed:
		return fmt.Errorf("cancel number %d: %w", number, ErrHanded)
	case number != newest:
		return fmt.Errorf("cancel number %d: %w", number, ErrNotNewest)
	}
	last := len(s.messages) - 1
	s.waiting -= messageBytes(s.messages[last])
	s.messages = s.messages[:last]
	s.chain = s.chainAt(newest - 1)
	return nil
}

// Acknowledge drops everything up to number, whose chain in the log is h. The
// error wraps ErrForeign when h is not what this device made; then nothing is
// dropped. A number that was acknowledged before changes nothing.
func (s *Sender) Acknowledge(number uint64, h wire.Hash) error {
	newest := s.first + uint64(len(s.messages)) - 1
	if number < s.first-1 {
		return nil
	}
	if number > newest {
		return fmt.Errorf("acknowledge number %d of %d: %w", number, newest, ErrForeign)
	}
	if s.chainAt(number) != h {
		return fmt.Errorf("acknowledge number %d: the log has other changes before it: %w", number, ErrForeign)
	}
	taken := int(number - (s.first - 1))
	for _, m := range s.messages[:taken] {
		s.waiting -= messageBytes(m)
		s.skip += messageBytes(m)
	}
	s.messages = slices.Clone(s.messages[taken:])
	s.first, s.before = number+1, h
	s.handed = max(s.handed, number)
	for len(s.chunks) > 0 && s.skip >= s.chunks[0].Length {
		s.skip -= s.chunks[0].Length
		s.chunks = s.chunks[1:]
	}
	if len(s.chunks) == 0 {
		s.skip = 0
	}
	return nil
}

// Waiting is every unacknowledged message, oldest first.
func (s *Sender) Waiting() []wire.Message { return slices.Clone(s.messages) }

// Build gives the outbox value to put and the chunk items it names. It seals
// new chunks and marks every message as handed over; when that changed
// anything, dirty is true and Snapshot must be stored before the first put. On an
// error nothing has changed.
func (s *Sender) Build(k wire.OutboxKeys, newest wire.Checkpoint, random io.Reader) (value []byte, chunks []Chunk, dirty bool, err error) {
	stream := make([]byte, 0, s.waiting)
	for _, m := range s.messages {
		stream = wire.AppendMessage(stream, m)
	}
	chunks, skip, inline, sealed, err := s.cut(k, stream, random)
	if err != nil {
		return nil, nil, false, err
	}
	w := wire.Window{
		First: s.first, Count: uint16(len(s.messages)), Before: s.before,
		Newest: newest, Skip: uint16(skip), Inline: inline,
	}
	for _, c := range chunks {
		w.Targets = append(w.Targets, c.Target)
	}
	nonce, err := readNonce(random)
	if err != nil {
		return nil, nil, false, err
	}
	if value, err = wire.SealWindow(k, nonce, &w); err != nil {
		return nil, nil, false, fmt.Errorf("build the outbox: %w", err)
	}
	last := s.first + uint64(len(s.messages)) - 1
	dirty = sealed || s.handed != last || len(chunks) != len(s.chunks) || skip != s.skip
	s.chunks, s.skip, s.handed = chunks, skip, last
	return value, slices.Clone(chunks), dirty, nil
}

// cut decides what of the stream goes into chunks and what stays inline. It
// keeps the chunks that are sealed and seals the missing ones.
func (s *Sender) cut(k wire.OutboxKeys, stream []byte, random io.Reader) (chunks []Chunk, skip int, inline []byte, sealed bool, err error) {
	full := fullChunks(s.chunks)
	if full == 0 && len(stream) <= wire.InlineRoom(0) {
		return nil, 0, stream, false, nil
	}
	chunks, skip = slices.Clone(s.chunks[:full]), s.skip
	if len(s.chunks) > full {
		short := s.chunks[full]
		if end := full*wire.ChunkBytes + short.Length - skip; end == len(stream) && !inlineFits(full, short.Length) {
			return slices.Clone(s.chunks), skip, nil, false, nil
		}
	}
	if full == 0 {
		skip = 0 // nothing sealed is kept: cutting starts anew at the first message
	}
	rest := stream[full*wire.ChunkBytes-skip:]
	for !inlineFits(len(chunks), len(rest)) {
		n := min(len(rest), wire.ChunkBytes)
		c, err := sealChunk(k, rest[:n], random)
		if err != nil {
			return nil, 0, nil, false, err
		}
		chunks, rest, sealed = append(chunks, c), rest[n:], true
	}
	return chunks, skip, rest, sealed, nil
}

func sealChunk(k wire.OutboxKeys, stream []byte, random io.Reader) (Chunk, error) {
	nonce, err := readNonce(random)
	if err != nil {
		return Chunk{}, err
	}
	v, err := wire.SealChunk(k, nonce, stream)
	if err != nil {
		return Chunk{}, fmt.Errorf("build the outbox: %w", err)
	}
	return Chunk{Target: wire.ImmutableTarget(v), Value: v, Length: len(stream)}, nil
}

func readNonce(random io.Reader) (nonce [24]byte, err error) {
	if _, err := io.ReadFull(random, nonce[:]); err != nil {
		return nonce, fmt.Errorf("build the outbox: random bytes: %w", err)
	}
	return nonce, nil
}

// chainAt is h of a number from first-1 to the newest.
func (s *Sender) chainAt(number uint64) wire.Hash {
	h := s.before
	for _, m := range s.messages[:number-(s.first-1)] {
		h = wire.ChainNext(h, m.Change)
	}
	return h
}

// fits tells whether cut can carry waiting stream bytes after full sealed
// chunks, the first of which begins skip bytes early.
func fits(waiting, skip, full int) bool {
	if full == 0 {
		if waiting <= wire.InlineRoom(0) {
			return true
		}
		skip = 0
	}
	total := waiting + skip
	chunks := total / wire.ChunkBytes
	if !inlineFits(chunks, total%wire.ChunkBytes) {
		chunks++
	}
	return chunks <= wire.WindowTargetsMax
}

func inlineFits(targets, bytes int) bool {
	return bytes == 0 || targets <= wire.WindowTargetsMax && bytes <= wire.InlineRoom(targets)
}

// fullChunks counts the chunks whose bytes are final: all but a short last one.
func fullChunks(chunks []Chunk) int {
	n := len(chunks)
	if n > 0 && chunks[n-1].Length < wire.ChunkBytes {
		n--
	}
	return n
}

func messageBytes(m wire.Message) int { return len(wire.AppendMessage(nil, m)) }
