//go:build unix

package service

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Owner is whose a directory is; "": that is not known.
func Owner(dir string) string {
	i, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	s, ok := i.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(s.Uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}

// Privileged says whether services of the whole system can be installed.
func Privileged() bool { return os.Geteuid() == 0 }
