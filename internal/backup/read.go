package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Begins is how an archive in the open begins.
func Begins(head []byte) bool { return bytes.HasPrefix(head, []byte(listName+"\x00")) }

// Read reads a backup to its end. begin, if not nil, is given the list before any
// file, and take each file with its bytes, which it need not read to their end. An
// error of theirs ends the reading and comes back as it is. Only after a nil error
// is anything of what was taken known to be whole.
func Read(from io.Reader, begin func(*List) error, take func(File, io.Reader) error) (*List, error) {
	r := &reader{source: &source{r: from}}
	r.tar = tar.NewReader(r.source)
	l, err := r.list()
	if err != nil {
		return nil, err
	}
	if begin != nil {
		if err := begin(l); err != nil {
			return nil, err
		}
	}
	for _, f := range l.Files {
		if err := r.file(f, func(b io.Reader) error {
			if take == nil {
				return nil
			}
			return take(f, b)
		}); err != nil {
			return nil, err
		}
	}
	want := r.sums.String()
	var got strings.Builder
	if err := r.file(File{sumsName, int64(len(want))}, func(b io.Reader) error {
		_, err := io.Copy(&got, b)
		return err
	}); err != nil {
		return nil, err
	}
	if got.String() != want {
		return nil, fmt.Errorf("%w: its sums do not fit what is in it", ErrDamaged)
	}
	switch _, err := r.tar.Next(); {
	case err == nil:
		return nil, fmt.Errorf("%w: it goes on behind its sums", ErrDamaged)
	case err != io.EOF:
		return nil, r.damaged(err)
	}
	return l, r.rest()
}

type reader struct {
	source *source
	tar    *tar.Reader
	sums   strings.Builder
}

// source remembers the error of what is read from, which is not the archive's.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// damaged says that the archive does not read, unless it is its source that failed.
func (r *reader) damaged(err error) error {
	switch {
	case r.source.err != nil:
		return r.source.err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends early; it was probably not copied to its end", ErrDamaged)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

func (r *reader) list() (*List, error) {
	h, err := r.tar.Next()
	if err != nil {
		if r.source.err == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, ErrNot
		}
		return nil, r.damaged(err)
	}
	if h.Name != listName {
		return nil, ErrNot
	}
	if h.Typeflag != tar.TypeReg || h.Size > listBytesMax {
		return nil, fmt.Errorf("%w: its list has %d bytes", ErrDamaged, h.Size)
	}
	b, err := io.ReadAll(r.tar)
	if err != nil {
		return nil, r.damaged(err)
	}
	fmt.Fprintf(&r.sums, "%x  %s\n", sha256.Sum256(b), listName)
	return parseList(b)
}

// file reads the next file, which must be this one.
func (r *reader) file(f File, take func(io.Reader) error) error {
	h, err := r.tar.Next()
	if err != nil {
		return r.damaged(err)
	}
	if h.Typeflag != tar.TypeReg || h.Name != f.Name || h.Size != f.Size {
		return fmt.Errorf("%w: it has %.80q where %s should be", ErrDamaged, h.Name, f.Name)
	}
	sum := sha256.New()
	b := &whole{r: io.TeeReader(r.tar, sum)}
	if err := take(b); err != nil {
		if b.err != nil {
			return r.damaged(b.err)
		}
		return err
	}
	if _, err := io.Copy(io.Discard, b); err != nil {
		return r.damaged(err)
	}
	if f.Name != sumsName {
		fmt.Fprintf(&r.sums, "%x  %s\n", sum.Sum(nil), f.Name)
	}
	return nil
}

// whole remembers why a file's bytes could not be read to their end.
type whole struct {
	r   io.Reader
	err error
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// rest reads to the end of the source, so that what seals it is checked too. An
// archive ends with zeros and nothing else, and not with many.
func (r *reader) rest() error {
	b := make([]byte, 4<<10)
	for total := 0; ; {
		n, err := r.source.Read(b)
		total += n
		if len(bytes.Trim(b[:n], "\x00")) > 0 || total > 64<<10 {
			return fmt.Errorf("%w: it goes on behind its end", ErrDamaged)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
