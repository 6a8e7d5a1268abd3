package control

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func echo(_ context.Context, name string, in json.RawMessage) (any, error) {
	switch name {
	case "refuse":
		return nil, &Error{Code: 14, Text: "refused by the rules"}
	case "fail":
		return nil, errors.New("it broke")
	}
	return map[string]any{"name": name, "in": in}, nil
}

func TestACallReachesTheRunningProcessAndComesBack(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long", 30))} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s, err := Serve(dir, echo)
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ Name, In string }
		if err := Call(t.Context(), dir, "hello", "world", &out); err != nil || out.Name != "hello" || out.In != "world" {
			t.Fatalf("%+v, %v", out, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := Call(t.Context(), dir, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
			t.Fatalf("after close: %v", err)
		}
	}
}

func TestADirectoryThatOthersMayReadIsCalledByEachOfItsNames(t *testing.T) {
	parent := t.TempDir()
	dir, other := filepath.Join(parent, "dir"), filepath.Join(parent, "other")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.Symlink(dir, other)); err != nil {
		t.Fatal(err)
	}
	s, err := Serve(other, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{dir, other} {
		if err := Call(t.Context(), name, "hello", nil, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFailureKeepsItsExitCode(t *testing.T) {
	dir := t.TempDir()
	s, err := Serve(dir, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, code := range map[string]int{"refuse": 14, "fail": 1} {
		var e *Error
		if err := Call(t.Context(), dir, name, nil, nil); !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASocketLeftByACrashIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "control.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pathFile), []byte(filepath.Join(dir, "control.sock")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Call(t.Context(), dir, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
		t.Fatalf("a dead socket: %v", err)
	}
	s, err := Serve(dir, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := Call(t.Context(), dir, "hello", nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestARequestThatIsTooLargeIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := Serve(dir, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := Call(t.Context(), dir, "hello", strings.Repeat("x", bodyBytesMax+1), nil); err == nil {
		t.Fatal("taken")
	}
}

func TestASocketOfSomebodyElseIsNotCalled(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	s, err := Serve(elsewhere, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// A crash left the name of a socket in a directory that is gone, and somebody made it again.
	if err := os.WriteFile(filepath.Join(dir, pathFile), []byte(filepath.Join(elsewhere, socketFile)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]error{0o700: nil, 0o711: ErrNotRunning, 0o777: ErrNotRunning} {
		if err := os.Chmod(elsewhere, mode); err != nil {
			t.Fatal(err)
		}
		if err := Call(t.Context(), dir, "hello", nil, nil); !errors.Is(err, want) {
			t.Errorf("in a directory with mode %o: %v", mode, err)
		}
	}
	if os.Geteuid() != 0 {
		return // only root can give a directory away
	}
	if err := errors.Join(os.Chmod(elsewhere, 0o700), os.Chown(elsewhere, 12345, -1)); err != nil {
		t.Fatal(err)
	}
	if err := Call(t.Context(), dir, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("in another user's directory: %v", err)
	}
}
