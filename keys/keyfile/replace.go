package keyfile

import (
	"errors"
	"fmt"
	"os"

	"weir/keys"
)

// ErrOther: the words are another key's than the file's.
var ErrOther = errors.New("these are the words of another key")

// Replace writes the same key anew, under a passphrase of its own: the way back where
// the old one was forgotten, or the file is damaged, and the words are there. That it
// is the same key the public half beside the file says; where there is none, nothing
// does, and nothing is written. The old file stays aside (.old) until the new one was
// read again.
func (f File) Replace(s keys.Seed, passphrase string) error {
	if err := f.replace(s, passphrase); err != nil {
		return fmt.Errorf("replace the key %s: %w", f.Path, err)
	}
	return nil
}

func (f File) replace(s keys.Seed, passphrase string) error {
	switch public, _, err := f.pub(); {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: nothing says whose it was (%s.pub); make the key in a new directory", ErrNotFound, f.Path)
	case err != nil:
		return err
	case public != keys.Derive(s).Public():
		return fmt.Errorf("%w: this directory's is %s, and theirs is %s; nothing was changed", ErrOther, public, keys.Derive(s).Public())
	}
	aside := f.Path + ".old"
	old, err := readSmall(f.Path)
	switch {
	case err == nil:
		err = WriteAtomic(aside, old)
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrDamaged):
		err = nil // there is nothing to keep
	}
	if err != nil {
		return err
	}
	if err := f.write(s, passphrase); err != nil {
		return err
	}
	if got, err := f.read(func() (string, error) { return passphrase, nil }); err != nil || got != s {
		return fmt.Errorf("%w: it does not read again; the old file is %s: %w", ErrDamaged, aside, errors.Join(err))
	}
	if err := os.Remove(aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
