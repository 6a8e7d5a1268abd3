//go:build !windows

package host

import (
	"fmt"
	"os"
	"syscall"
)

// placeOf is a directory's place on its disk, which a copy does not share; "" where
// it is not known.
func placeOf(dir string) string {
	i, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprint(s.Ino)
}
