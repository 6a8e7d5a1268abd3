//go:build !windows

package control

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// own says whether a file belongs to whoever runs this process.
func own(i fs.FileInfo) bool {
	s, ok := i.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}

// fileID is what a file is to every process of this machine, by whatever path.
func fileID(i fs.FileInfo) string {
	s, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}
