package member

import (
	"errors"
	"fmt"
)

// What a source has wrong, also for whoever checks one without a log of its own.
var (
	ErrNotNewest     = errors.New("it is not a newest torrent of this database")
	ErrStateUnsigned = errors.New("the checkpoint in its state file is not signed by the database's log key")
	ErrVolumeHash    = errors.New("its SHA-256 is not the one that the state file gives")
)

// TwoLogs says that there are two signed logs of one size, in leaves.
func TwoLogs(size uint64) string {
	return fmt.Sprintf("the manager signed two different logs of %d entries", entriesOf(size))
}
