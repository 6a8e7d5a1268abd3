//go:build !linux && !darwin

package host

// systemID is what the system calls this machine: here its name has to do.
func systemID() string { return "" }
