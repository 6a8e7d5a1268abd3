package host

// placeOf is a directory's place on its disk: Windows has its path alone.
func placeOf(dir string) string { return dir }
