package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

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

// readSmall is keyfile.ReadSmall; what is no such file is errUnread.
func readSmall(path string, most int64) ([]byte, error) {
	b, err := keyfile.ReadSmall(path, most)
	if errors.Is(err, keyfile.ErrNotSmall) {
		return nil, fmt.Errorf("read %s: %w: %w", path, errUnread, err)
	}
	return b, err
}
