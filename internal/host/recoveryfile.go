package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"weir/keys/keyfile"
)

// TakesRecovery says whether the words of a recovery key can go to a file: before
// anything is asked or made, and without leaving anything there.
func (d Directory) TakesRecovery(file string) error {
	if d.Holds(file) {
		return fmt.Errorf("%s lies in the data directory, where whoever takes this computer finds both keys; nothing was written: name a file on another medium", file)
	}
	folder := filepath.Dir(file)
	switch i, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s is not there: if it is on a USB stick, plug that in, or look at its name", folder)
	case err != nil:
		return fmt.Errorf("nothing can be written into %s: %w", folder, bare(err))
	case !i.IsDir():
		return fmt.Errorf("%s is a file, and no folder that the words could go into", folder)
	}
	switch i, err := os.Lstat(file); {
	case err == nil && i.IsDir():
		return fmt.Errorf("%s is a folder; name a file in it that is not there yet", file)
	case err == nil:
		return fmt.Errorf("%s is there already and may hold another recovery key; nothing was written: name another file", file)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s cannot be a file there: %w", file, bare(err))
	}
	trial, err := os.CreateTemp(folder, ".weir-*")
	if err != nil {
		return fmt.Errorf("nothing can be written into %s: %w", folder, bare(err))
	}
	if err := errors.Join(trial.Close(), os.Remove(trial.Name())); err != nil {
		return fmt.Errorf("nothing can be written into %s: %w", folder, bare(err))
	}
	return nil
}

// WriteRecovery writes the words of a recovery key to a file.
func WriteRecovery(file, text string) error {
	if err := keyfile.WriteAtomic(file, []byte(text)); err != nil {
		return fmt.Errorf("the words of the recovery key could not be written to %s: %w; nothing was founded", file, bare(err))
	}
	return nil
}

// bare is what the system says of a file, without the name of a file that only this
// program knows.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// Beside says whether a file would lie on the disk that the directory is or will be
// on; false also where the system does not say.
func (d Directory) Beside(file string) bool {
	at := string(d)
	for {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			return oneDisk(at, filepath.Dir(file))
		}
		at = filepath.Dir(at)
	}
}
