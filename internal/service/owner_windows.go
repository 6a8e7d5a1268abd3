package service

import "os/user"

// Owner is who installs: on Windows that is whose the data is.
func Owner(string) string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// Privileged leaves it to the task scheduler to say who may do what.
func Privileged() bool { return true }
