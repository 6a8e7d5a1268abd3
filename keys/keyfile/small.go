package keyfile

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrNotSmall: what is there is larger than it may be, or no file: a device without
// an end, or a pipe that nobody writes to.
var ErrNotSmall = errors.New("it is not a small file")

// ReadSmall reads a file of at most so many bytes: ErrNotSmall, or the system's
// error.
func ReadSmall(path string, most int64) ([]byte, error) {
	i, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !i.Mode().IsRegular() {
		return nil, ErrNotSmall
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%w: over %d bytes", ErrNotSmall, most)
	}
	return b, nil
}
