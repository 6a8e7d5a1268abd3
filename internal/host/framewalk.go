package host

import (
	"bytes"
	"errors"
	"fmt"

	"weir/ledger/wire"
)

// frameWalk is written a stream, and looks at nothing but how it is cut into
// frames.
type frameWalk struct {
	first  []byte // the charter
	rest   []byte // a frame that has not ended yet
	frames uint64
	length uint64 // of whole frames
}

// Write implements io.Writer.
func (w *frameWalk) Write(p []byte) (int, error) {
	b := append(w.rest, p...)
	for {
		f, n, err := wire.ParseFrame(b)
		if errors.Is(err, wire.ErrShort) {
			w.rest = bytes.Clone(b)
			return len(p), nil
		}
		switch {
		case err != nil:
		case w.frames == 0 && !bytes.Equal(f.Entry, w.first):
			err = errors.New("the stream does not begin with the charter")
		case w.frames > 0 && f.ReadKey == 0:
			err = fmt.Errorf("frame %d is not encrypted", w.frames)
		}
		if err != nil {
			return 0, contradicts("at %d: %w", w.length, err)
		}
		w.frames++
		w.length += uint64(n)
		b = b[n:]
	}
}

// end sees that the stream ends with its size-th frame.
func (w *frameWalk) end(size uint64) error {
	switch {
	case len(w.rest) > 0:
		return contradicts("%d bytes are left over behind the last frame", len(w.rest))
	case w.frames != size:
		return contradicts("there are %d frames, the checkpoint says %d", w.frames, size)
	}
	return nil
}
