//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package keyfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// ForgetTyped throws away what was typed on a terminal and not read yet.
func ForgetTyped(in *os.File) error {
	const input = 1 // FREAD of sys/fcntl.h
	return unix.IoctlSetPointerInt(int(in.Fd()), unix.TIOCFLUSH, input)
}
