package host

import (
	"os/user"
	"path/filepath"
	"strings"
)

// placeOf is a directory's place on its disk: Windows has its path alone.
func placeOf(dir string) string { return dir }

// oneDisk says whether two directories lie on one drive.
func oneDisk(a, b string) bool {
	abs, err := filepath.Abs(a)
	other, also := filepath.Abs(b)
	return err == nil && also == nil && strings.EqualFold(filepath.VolumeName(abs), filepath.VolumeName(other))
}

// Owner is who asks: on Windows that is whose the data is.
func (d Directory) Owner() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
