//go:build !windows

package control

import (
	"io/fs"
	"os"
	"syscall"
)

// own says whether a file belongs to whoever runs this process.
func own(i fs.FileInfo) bool {
	s, ok := i.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
