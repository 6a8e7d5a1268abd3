package keyfile

import (
	"fmt"
	"os"
	"path/filepath"
)

// WriteAtomic writes a file of mode 0600 whole or not at all: a temporary file
// beside it, synced, renamed over it, and the directory synced.
func WriteAtomic(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	t, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			t.Close()
			os.Remove(t.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if _, err = t.Write(b); err != nil {
		return err
	}
	if err = t.Sync(); err != nil {
		return err
	}
	if err = t.Close(); err != nil {
		return err
	}
	if err = os.Rename(t.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}
