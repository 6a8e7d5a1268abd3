package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// systemWords says in plain words what the operating system and the language's
// library say in theirs; the first that fits counts.
var systemWords = []struct {
	err   error
	words string
}{
	{fs.ErrPermission, "this user may not do that"},
	{fs.ErrNotExist, "it is not there"},
	{fs.ErrExist, "it is there already"},
	{syscall.ENOSPC, "the disk is full"},
	{syscall.EDQUOT, "this user's share of the disk is used up"},
	{syscall.EROFS, "this disk can only be read"},
	{syscall.EIO, "the disk does not work as it should"},
	{syscall.ENOTDIR, "a file stands where a directory should"},
	{syscall.EISDIR, "a directory stands where a file should"},
	{syscall.ENAMETOOLONG, "the name is too long for this disk"},
	{syscall.EMFILE, "too many files are open"},
	{syscall.EADDRINUSE, "another program has this port"},
	{syscall.EADDRNOTAVAIL, "this machine does not have that address"},
	{syscall.ECONNREFUSED, "nobody answers there"},
	{syscall.ECONNRESET, "the other side hung up"},
	{syscall.EPIPE, "nobody reads what is written there"},
	{syscall.ENETUNREACH, "there is no network"},
	{syscall.EHOSTUNREACH, "there is no way to that computer"},
	{syscall.ETIMEDOUT, "no answer came in time"},
	{os.ErrDeadlineExceeded, "no answer came in time"},
	{context.DeadlineExceeded, "it was not done in time"},
	{io.ErrUnexpectedEOF, "it ends too early"},
	{io.EOF, "it ends too early"},
	{net.ErrClosed, "it was closed meanwhile"},
}

// plainly is what an error says, with plain words before those of the system,
// which stay in brackets: somebody may search for them.
func plainly(err error) string {
	text := err.Error()
	for _, leaf := range leaves(err, 0) {
		raw := leaf.Error()
		for _, s := range systemWords {
			if !errors.Is(leaf, s.err) {
				continue
			}
			if said := s.words + " (" + raw + ")"; raw != "" && !strings.Contains(text, said) {
				text = strings.ReplaceAll(text, raw, said)
			}
			break
		}
	}
	var name *net.DNSError
	if errors.As(err, &name) && name.IsNotFound {
		text = strings.Replace(text, name.Error(), "no computer is known by that name ("+name.Error()+")", 1)
	}
	return text
}

// leavesMax bounds how deep errors are looked into.
const leavesMax = 32

// leaves are the errors that an error was made from at first.
func leaves(err error, depth int) []error {
	switch e := err.(type) {
	case nil:
		return nil
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil && depth < leavesMax {
			return leaves(inner, depth+1)
		}
	case interface{ Unwrap() []error }:
		var all []error
		for _, inner := range e.Unwrap() {
			if depth < leavesMax {
				all = append(all, leaves(inner, depth+1)...)
			}
		}
		return all
	}
	return []error{err}
}
