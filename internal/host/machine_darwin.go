package host

import "syscall"

// systemID is what the system calls this machine; "" where it says nothing.
func systemID() string {
	id, err := syscall.Sysctl("kern.uuid")
	if err != nil {
		return ""
	}
	return id
}
