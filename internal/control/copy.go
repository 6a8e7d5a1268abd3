package control

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

const (
	directoryParameter = "directory" // of a call: which directory it means
	fileParameter      = "file"      // and what the system calls that by
)

// CopyError: what answers at the place serves another directory, of which the
// caller's is a copy. Nothing was called.
type CopyError struct{ Here, Served string }

func (e *CopyError) Error() string {
	return fmt.Sprintf("%s is a copy of %s, which is in use: a weir runs there. Nothing was done here, since two with one key stop each other. "+
		"Use the other one; or, if this one is to go on in its place, end the other one for good, and then say so here once with weir doctor --fix", e.Here, e.Served)
}

// only lets calls through that mean the directory that is served: its files name
// this socket in a copy of it, too.
func (s *Server) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if meant := q.Get(directoryParameter); meant != "" && !s.serves(meant, q.Get(fileParameter)) {
			served, err := filepath.Abs(filepath.Dir(s.place))
			if err != nil {
				served = filepath.Dir(s.place)
			}
			http.Error(w, served, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serves says whether a directory is the one that is served. A path may mean nothing
// here, or something else, as a service may have temporary files of its own: so it is
// told by what the system calls it for everybody. Where the system has no such name,
// what cannot be seen is not taken for a copy.
func (s *Server) serves(path, file string) bool {
	if served := fileID(s.dir); file != "" && served != "" {
		return file == served
	}
	i, err := os.Stat(path)
	return err != nil || os.SameFile(i, s.dir)
}

// meant is what a call says of the directory that it means.
func meant(dir string) url.Values {
	v := url.Values{directoryParameter: {dir}}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		v.Set(directoryParameter, real)
	}
	if i, err := os.Stat(dir); err == nil && fileID(i) != "" {
		v.Set(fileParameter, fileID(i))
	}
	return v
}
