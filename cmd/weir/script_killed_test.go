package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"weir/internal/host"
	"weir/ledger/store"
)

// killed DIRECTORY STEP opens the store of the one database of a directory, as
// whatever uses it does first, and kills this process at its STEP-th write step: it
// has no moment left for anything. Where there are not so many it ends well.
func killed(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: killed DIRECTORY STEP")
	}
	left, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	dir := host.Directory(args[0])
	db, err := dir.Choose("", "")
	if err != nil {
		return err
	}
	disk, err := store.OS(filepath.Join(args[0], "db", db.ID))
	if err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	s, err := store.Open(store.Watch(disk, func(store.Step, bool) {
		if left--; left == 0 {
			self.Kill()
			select {}
		}
	}), store.Options{})
	if err != nil {
		return err
	}
	return s.Close()
}
