package host

import (
	"io/fs"
	"path/filepath"

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
