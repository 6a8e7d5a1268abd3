package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"weir/keys/keyfile"
)

// stateBytesMax bounds the small files in which a directory remembers something
// of itself.
const stateBytesMax = 64 << 10

// errUnread: a small file is there and is not what this program writes.
var errUnread = errors.New("it does not read")

// readState reads one of a directory's own small files; false: there is none.
func readState(path string, to any) (bool, error) {
	b, err := readSmall(path, stateBytesMax)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, to); err != nil {
		return false, fmt.Errorf("read %s: %w", path, errUnread)
	}
	return true, nil
}

// writeState writes one whole or not at all.
func writeState(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return keyfile.WriteAtomic(path, append(b, '\n'))
}

// readSmall reads a file of at most so many bytes; more is an error that says so,
// and so is what is no file, a device without an end or a pipe that nobody writes to.
func readSmall(path string, most int64) ([]byte, error) {
	i, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !i.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: %w: it is not a file", path, errUnread)
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
		return nil, fmt.Errorf("read %s: %w: over %d bytes", path, errUnread, most)
	}
	return b, nil
}
