package host

import (
	"fmt"
	"path/filepath"
	"strings"

	"weir/keys"
	"weir/keys/keyfile"
)

// writtenBytesMax is far more than a public key has.
const writtenBytesMax = 256

func (d Directory) written() string { return d.Key().Path + ".written" }

// Written says whether somebody showed, by giving words of it back, that the
// directory's key stands on paper.
func (d Directory) Written() bool {
	b, err := readSmall(d.written(), writtenBytesMax)
	if err != nil {
		return false
	}
	k, err := d.Key().Public()
	return err == nil && strings.TrimSpace(string(b)) == k.String()
}

// SetWritten remembers that a key stands on paper.
func (d Directory) SetWritten(k keys.Public) error {
	if err := keyfile.WriteAtomic(d.written(), []byte(k.String()+"\n")); err != nil {
		return fmt.Errorf("remember that the words were written down: %w", err)
	}
	return nil
}

// Holds says whether a file would lie in the directory, by whichever names.
func (d Directory) Holds(file string) bool {
	real := func(path string) string {
		abs, err := filepath.Abs(path)
		if err != nil {
			return path
		}
		rest := ""
		for at := abs; ; at = filepath.Dir(at) {
			if seen, err := filepath.EvalSymlinks(at); err == nil {
				return filepath.Join(seen, rest)
			}
			if at == filepath.Dir(at) {
				return abs
			}
			rest = filepath.Join(filepath.Base(at), rest)
		}
	}
	in, err := filepath.Rel(real(string(d)), real(file))
	return err == nil && in != ".." && !strings.HasPrefix(in, ".."+string(filepath.Separator))
}
