package keyfile

import (
	"os"

	"golang.org/x/sys/windows"
)

// ForgetTyped throws away what was typed on a terminal and not read yet.
func ForgetTyped(in *os.File) error {
	return windows.FlushConsoleInputBuffer(windows.Handle(in.Fd()))
}
