//go:build !windows

package keyfile

import "os"

// SyncDir makes a rename in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
