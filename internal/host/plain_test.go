//go:build unix

package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"weir/ledger/store"
)

func TestWhatTheSystemSaysIsSaidInPlainWords(t *testing.T) {
	_, missing := os.ReadFile(filepath.Join(t.TempDir(), "none"))
	_, file := os.ReadFile(filepath.Join(os.Args[0], "below"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{fmt.Errorf("read it: %w", &os.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}), "read it: open /x: this user may not do that (permission denied)"},
		{fmt.Errorf("a: %w", fmt.Errorf("b: %w", io.EOF)), "a: b: it ends too early (EOF)"},
		{fmt.Errorf("%w: %w", store.ErrDamaged, syscall.EIO), "the store is damaged: the disk does not work as it should (input/output error)"},
		{errors.Join(fmt.Errorf("x: %w", syscall.ENOSPC), fmt.Errorf("y: %w", syscall.ENOSPC)), "x: the disk is full (no space left on device)\ny: the disk is full (no space left on device)"},
		{&net.OpError{Op: "listen", Net: "udp", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, "listen udp: bind: another program has this port (address already in use)"},
		{fmt.Errorf("find: %w", &net.DNSError{Err: "no such host", Name: "nowhere", IsNotFound: true}), "find: no computer is known by that name (lookup nowhere: no such host)"},
		{fmt.Errorf("wait: %w", context.DeadlineExceeded), "wait: it was not done in time (context deadline exceeded)"},
		{missing, missing.(*os.PathError).Op + " " + missing.(*os.PathError).Path + ": it is not there (no such file or directory)"},
		{file, file.(*os.PathError).Op + " " + file.(*os.PathError).Path + ": a file stands where a directory should (not a directory)"},
	} {
		if got := Text(c.err); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
