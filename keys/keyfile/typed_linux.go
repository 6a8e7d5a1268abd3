package keyfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// ForgetTyped throws away what was typed on a terminal and not read yet.
func ForgetTyped(in *os.File) error {
	return unix.IoctlSetInt(int(in.Fd()), unix.TCFLSH, unix.TCIFLUSH)
}
