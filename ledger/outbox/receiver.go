package outbox

import (
	"bytes"
	"errors"
	"fmt"

	"weir/ledger/wire"
)

var (
	// ErrChain: the window does not continue the log: two histories under one
	// key. Errors that wrap it are *ChainError.
	ErrChain = errors.New("the outbox does not continue the log")
	// ErrGap: the window begins after numbers that the log does not have.
	ErrGap = errors.New("the outbox begins after numbers that are not in the log")
	// ErrStream: the window or a chunk it names breaks the format. Only its
	// sender can have made it so.
	ErrStream = errors.New("the outbox is malformed")
)

// ChainError says where a window parts from the log.
type ChainError struct {
	Number uint64    // the newest number both have
	Window wire.Hash // h of it in the window
	Log    wire.Hash // h of it in the log
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("%v at number %d: it has %s, the log %s", ErrChain, e.Number, e.Window, e.Log)
}

func (e *ChainError) Unwrap() error { return ErrChain }

// Receiver is the manager's side of one member's window. It keeps the chunks
// that the window names, at most wire.WindowTargetsMax.
type Receiver struct {
	keys   wire.OutboxKeys
	value  []byte
	window wire.Window
	chunks map[wire.Target]chunk
}

// chunk is what a target's value was found to hold.
type chunk struct {
	value  []byte // bencoded, as it was found
	stream []byte
	bad    error // it does not open; asking again would give the same bytes
}

// NewReceiver has no window yet.
func NewReceiver(k wire.OutboxKeys) *Receiver {
	return &Receiver{keys: k, window: wire.Window{First: 1}, chunks: make(map[wire.Target]chunk)}
}

// Accept opens a new outbox value. The error is fit for status, and then the
// window that was held stays. A value that is already held changes nothing.
func (r *Receiver) Accept(value []byte) error {
	if bytes.Equal(value, r.value) {
		return nil
	}
	w, err := wire.OpenWindow(r.keys, value)
	if err != nil {
		return fmt.Errorf("open the outbox: %w", err)
	}
	if w.First < 1 || w.First > wire.IntMax {
		return fmt.Errorf("%w: it begins with number %d", ErrStream, w.First)
	}
	kept := make(map[wire.Target]chunk, len(w.Targets))
	for _, t := range w.Targets {
		if c, ok := r.chunks[t]; ok {
			kept[t] = c
		}
	}
	r.value, r.window, r.chunks = bytes.Clone(value), *w, kept
	return nil
}

// Newest is the newest checkpoint the sender says it verified. Its signature
// is not checked here.
func (r *Receiver) Newest() wire.Checkpoint { return r.window.Newest }

// First is the number of the oldest message of the window.
func (r *Receiver) First() uint64 { return r.window.First }

// Last is the number of the newest message of the window, 0 for none.
func (r *Receiver) Last() uint64 { return r.window.First + uint64(r.window.Count) - 1 }

// Wanted is the chunks still missing for messages after last, the first max of
// them.
func (r *Receiver) Wanted(last uint64, max int) []wire.Target {
	if r.Last() <= last {
		return nil
	}
	var wanted []wire.Target
	for _, t := range r.window.Targets {
		c, ok := r.chunks[t]
		if c.bad != nil {
			break // nothing behind it can be read
		}
		if !ok && len(wanted) < max {
			wanted = append(wanted, t)
		}
	}
	return wanted
}

// Chunk hands in a chunk item's value. One that the window does not name is
// ignored. The error wraps ErrStream when the value is the target's and yet no
// chunk.
func (r *Receiver) Chunk(t wire.Target, value []byte) error {
	at := -1
	for i, named := range r.window.Targets {
		if named == t {
			at = i
			break
		}
	}
	if _, ok := r.chunks[t]; ok || at < 0 {
		return nil
	}
	if len(value) > wire.ItemBytesMax || wire.ImmutableTarget(value) != t {
		return fmt.Errorf("chunk %s: not what the target names", t)
	}
	stream, err := wire.OpenChunk(r.keys, value)
	if err != nil {
		err = fmt.Errorf("%w: chunk %d: %w", ErrStream, at, err)
	}
	r.chunks[t] = chunk{value: bytes.Clone(value), stream: stream, bad: err}
	return err
}

// Held is the values of the chunks that are here, in the window's order, as
// long as it has messages after last: what is to be kept alive on the DHT.
// Once all are in the log the chunks are of no use, and are forgotten.
func (r *Receiver) Held(last uint64) [][]byte {
	if r.Last() <= last {
		clear(r.chunks)
		return nil
	}
	var held [][]byte
	for _, t := range r.window.Targets {
		if c, ok := r.chunks[t]; ok && c.bad == nil {
			held = append(held, c.value)
		}
	}
	return held
}

// Messages is the longest whole prefix of the messages after last that is
// here. before is the chain at last, as the log has it: a *ChainError when the
// window does not continue it, ErrGap when it begins later. An error that wraps
// ErrStream says why nothing after the messages given will ever be read.
func (r *Receiver) Messages(last uint64, before wire.Hash) ([]wire.Message, error) {
	if r.window.First > last+1 {
		return nil, fmt.Errorf("%w: it begins with %d, the log ends with %d", ErrGap, r.window.First, last)
	}
	messages, broken := r.prefix()
	h, number := r.window.Before, r.window.First-1
	for number < last && len(messages) > 0 {
		h, number = wire.ChainNext(h, messages[0].Change), number+1
		messages = messages[1:]
	}
	if number < last {
		return nil, broken // an old window, or its beginning is not here yet
	}
	if h != before {
		return nil, &ChainError{Number: last, Window: h, Log: before}
	}
	return messages, broken
}

// Signed is a number of the window with the chain and signature its sender
// gave it.
type Signed struct {
	Number uint64
	Chain  wire.Hash
	Sig    wire.Signature
}

// Signed is every message of the window that is here, from First on. Two
// different ones of one number, if both signatures are valid, are evidence.
func (r *Receiver) Signed() []Signed {
	messages, _ := r.prefix()
	signed := make([]Signed, 0, len(messages))
	h := r.window.Before
	for i, m := range messages {
		h = wire.ChainNext(h, m.Change)
		signed = append(signed, Signed{Number: r.window.First + uint64(i), Chain: h, Sig: m.Sig})
	}
	return signed
}

// prefix is the messages of the window that are whole, from First on, and what
// is wrong behind them.
func (r *Receiver) prefix() ([]wire.Message, error) {
	stream, whole, broken := r.stream()
	if len(stream) < int(r.window.Skip) {
		if whole && broken == nil {
			broken = fmt.Errorf("%w: %d bytes to skip of %d", ErrStream, r.window.Skip, len(stream))
		}
		return nil, broken
	}
	stream = stream[r.window.Skip:]
	var messages []wire.Message
	for len(messages) < int(r.window.Count) {
		m, n, err := wire.ParseMessage(stream)
		if errors.Is(err, wire.ErrShort) && !whole {
			return messages, broken
		}
		if err != nil {
			return messages, fmt.Errorf("%w: message %d: %w", ErrStream, r.window.First+uint64(len(messages)), err)
		}
		messages, stream = append(messages, m), stream[n:]
	}
	if len(stream) > 0 {
		broken = fmt.Errorf("%w: bytes after its last message", ErrStream)
	}
	return messages, broken
}

// stream is the stream's bytes up to the first missing or bad chunk; whole when
// nothing is missing.
func (r *Receiver) stream() (stream []byte, whole bool, broken error) {
	for i, t := range r.window.Targets {
		c, ok := r.chunks[t]
		if !ok {
			return stream, false, nil
		}
		if c.bad != nil {
			return stream, false, c.bad
		}
		if n := len(c.stream); n != wire.ChunkBytes && (n == 0 || n > wire.ChunkBytes || i < len(r.window.Targets)-1) {
			return stream, false, fmt.Errorf("%w: chunk %d has %d bytes", ErrStream, i, n)
		}
		stream = append(stream, c.stream...)
	}
	return append(stream, r.window.Inline...), true, nil
}
