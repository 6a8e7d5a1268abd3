//go:build unix

package service

import "os"

// Privileged says whether services of the whole system can be installed.
func Privileged() bool { return os.Geteuid() == 0 }
