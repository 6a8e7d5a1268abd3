package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Write writes a backup: open gives the bytes of each file of the list, of which
// exactly as many are taken as the list says.
func Write(w io.Writer, l List, open func(File) (io.ReadCloser, error)) error {
	l.Format = format
	if err := l.check(); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	head, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	t := &writer{tar: tar.NewWriter(w), made: l.Made}
	if err = t.add(listName, int64(len(head)), strings.NewReader(string(head))); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	for _, f := range l.Files {
		r, err := open(f)
		if err != nil {
			return fmt.Errorf("write a backup: %w", err)
		}
		err = t.add(f.Name, f.Size, r)
		r.Close()
		if err != nil {
			return fmt.Errorf("write a backup: %s: %w", f.Name, err)
		}
	}
	sums := t.sums.String()
	if err := t.add(sumsName, int64(len(sums)), strings.NewReader(sums)); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	if err := t.tar.Close(); err != nil {
		return fmt.Errorf("write a backup: %w", err)
	}
	return nil
}

type writer struct {
	tar  *tar.Writer
	made time.Time
	sums strings.Builder
}

func (t *writer) add(name string, size int64, r io.Reader) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: t.made.Truncate(time.Second)}
	if err := t.tar.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.CopyN(io.MultiWriter(t.tar, sum), r, size)
	if err != nil {
		return fmt.Errorf("it ended after %d of %d bytes: %w", n, size, err)
	}
	fmt.Fprintf(&t.sums, "%x  %s\n", sum.Sum(nil), name)
	return nil
}
