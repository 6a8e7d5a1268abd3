package store

import (
	"fmt"
	"io"
	"slices"
)

// Span is a torrent's bytes: files one after the other, each as long as the
// torrent says, and then a few bytes in memory. It has the shape of
// seed.Content.
type Span struct {
	files  []spanFile
	length int64 // of all files
	after  []byte
}

// spanFile is a file and where in the torrent it begins.
type spanFile struct {
	readerWriterAt
	start int64
}

type readerWriterAt interface {
	io.ReaderAt
	io.WriterAt
}

// NewSpan joins the first length bytes of f and the bytes after. Fetched bytes
// of the second part are written into after.
func NewSpan(f readerWriterAt, length int64, after []byte) *Span {
	return &Span{files: []spanFile{{f, 0}}, length: length, after: after}
}

// After is the part that is in memory: a state file.
func (s *Span) After() []byte { return s.after }

// at is the file with the byte at off, which is below length, and where it ends.
func (s *Span) at(off int64) (f spanFile, end int64) {
	i, here := slices.BinarySearchFunc(s.files, off, func(f spanFile, off int64) int {
		return int(min(max(f.start-off, -1), 1))
	})
	if !here {
		i--
	}
	if end = s.length; i+1 < len(s.files) {
		end = s.files[i+1].start
	}
	return s.files[i], end
}

// ReadAt implements io.ReaderAt over the whole torrent.
func (s *Span) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) && off+int64(n) < s.length {
		f, end := s.at(off + int64(n))
		part := p[n:min(int64(len(p)), end-off)]
		m, err := f.ReadAt(part, off+int64(n)-f.start)
		n += m
		if m < len(part) {
			return n, err
		}
	}
	if n < len(p) {
		at := off + int64(n) - s.length
		if at > int64(len(s.after)) {
			return n, io.EOF
		}
		m := copy(p[n:], s.after[at:])
		if n += m; n < len(p) {
			return n, io.EOF
		}
	}
	return n, nil
}

// WriteAt implements io.WriterAt; bytes past the end are an error.
func (s *Span) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > s.length+int64(len(s.after)) {
		return 0, fmt.Errorf("write to a torrent at %d: past its end", off)
	}
	n := 0
	for n < len(p) && off+int64(n) < s.length {
		f, end := s.at(off + int64(n))
		m, err := f.WriteAt(p[n:min(int64(len(p)), end-off)], off+int64(n)-f.start)
		n += m
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		n += copy(s.after[off+int64(n)-s.length:], p[n:])
	}
	return n, nil
}
