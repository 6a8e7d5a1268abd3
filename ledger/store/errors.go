package store

import "errors"

// What callers branch on. The errors returned wrap these and say where.
var (
	// ErrNotFound: there is no store on this disk, or one whose making was
	// interrupted and can be begun again.
	ErrNotFound = errors.New("no store here")
	// ErrExists: Create on a disk that has a store.
	ErrExists = errors.New("there is a store here already")
	// ErrLocked: another process, or another Disk of this one, holds the store.
	ErrLocked = errors.New("another weir is running on this directory")
	// ErrVersion: the store is of a later version of weir.
	ErrVersion = errors.New("the store was made by a newer weir")
	// ErrDamaged: the bytes on the disk are not what was written.
	ErrDamaged = errors.New("the store is damaged")
	// ErrBroken: the store must be opened again. If a write failed, nobody knows
	// before that whether the commit happened.
	ErrBroken = errors.New("the store must be opened again")
	// ErrNoSpace: the disk is full. Nothing happened; the same commit may be
	// tried again. A store that was opened on a full disk can be read; once there
	// is space its next commit is ErrBroken, since it must be opened again.
	ErrNoSpace = errors.New("the disk is full")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrRewound: what was being read was taken back meanwhile.
	ErrRewound = errors.New("the log was taken back meanwhile, since the manager's key was replaced; do it again")
	// ErrCrashed: the simulated machine has lost its power.
	ErrCrashed = errors.New("the simulated machine has crashed")
)
