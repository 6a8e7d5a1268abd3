package host

import "os/user"

// placeOf is a directory's place on its disk: Windows has its path alone.
func placeOf(dir string) string { return dir }

// Owner is who asks: on Windows that is whose the data is.
func (d Directory) Owner() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
