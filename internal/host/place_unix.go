//go:build !windows

package host

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// inode is what the system has of a directory; false: it says nothing.
func inode(dir string) (*syscall.Stat_t, bool) {
	i, err := os.Stat(dir)
	if err != nil {
		return nil, false
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	return s, ok
}

// placeOf is a directory's place on its disk, which a copy does not share; "" where
// it is not known.
func placeOf(dir string) string {
	s, ok := inode(dir)
	if !ok {
		return ""
	}
	return fmt.Sprint(s.Ino)
}

// oneDisk says whether two directories lie on one disk.
func oneDisk(a, b string) bool {
	s, ok := inode(a)
	t, also := inode(b)
	return ok && also && s.Dev == t.Dev
}

// Owner is whose the directory is; "": that is not known.
func (d Directory) Owner() string {
	s, ok := inode(string(d))
	if !ok {
		return ""
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(s.Uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}
