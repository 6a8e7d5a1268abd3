package host

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"weir/ledger/store"
)

// DiskView is what databases take of a disk.
type DiskView struct {
	Used  int64  `json:"used_bytes"` // by the data directory
	Free  uint64 `json:"free_bytes"` // on its disk
	Limit int64  `json:"limit_bytes,omitempty"`
}

// reached says whether a disk's limit is.
func (v *DiskView) reached() bool { return v != nil && v.Limit > 0 && v.Used >= v.Limit }

// backedUp is when the newest backup was made, for views.
func (d Directory) backedUp() string {
	r, ok, err := d.Backup()
	if err != nil || !ok {
		return ""
	}
	return viewTime(r.Made)
}

// Full says that the disk of a directory, made or not, has too little room for anything
// to be written down; "": it has enough. was: it had too little before, and a little
// more room than that ends it.
func (d Directory) Full(was bool) string {
	wanted := uint64(store.SpaceKept)
	if was {
		wanted += wanted / 16
	}
	for dir := string(d); ; dir = filepath.Dir(dir) {
		free, err := store.Free(dir)
		switch {
		case err == nil && free < wanted:
			return fmt.Sprintf("the disk is full: %s are left of the %s that weir needs", Bytes(free), Bytes(store.SpaceKept))
		case err == nil || dir == filepath.Dir(dir):
			return ""
		}
	}
}

// ofDisk says whether a text tells of a disk that is full.
func ofDisk(text string) bool {
	return strings.Contains(text, store.ErrNoSpace.Error()) || strings.Contains(text, syscall.ENOSPC.Error())
}

// fullDisk is what an error says of a disk that is full, without what was being done.
func fullDisk(err error) string {
	text := err.Error()
	if at := strings.Index(text, store.ErrNoSpace.Error()); at >= 0 {
		text = text[at:]
	}
	return text
}

// Disk looks how much a directory takes and how much room there is. What cannot be
// looked at is left out: it is found out by what matters more.
func (d Directory) Disk(limit int64) *DiskView {
	v := &DiskView{Limit: limit}
	err := filepath.WalkDir(string(d), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // a file that went away meanwhile, or a socket
		}
		if i, err := e.Info(); err == nil {
			v.Used += i.Size()
		}
		return nil
	})
	if err != nil {
		return nil
	}
	if v.Free, err = store.Free(string(d)); err != nil {
		return nil
	}
	return v
}
