package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
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
		place := filepath.Join(dir, "control")
		s, err := Serve(place, echo)
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ Name, In string }
		if err := Call(t.Context(), place, "hello", "world", &out); err != nil || out.Name != "hello" || out.In != "world" {
			t.Fatalf("%+v, %v", out, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := Call(t.Context(), place, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
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
	s, err := Serve(filepath.Join(other, "control"), echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{dir, other} {
		if err := Call(t.Context(), filepath.Join(name, "control"), "hello", nil, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFailureKeepsItsExitCode(t *testing.T) {
	place := filepath.Join(t.TempDir(), "control")
	s, err := Serve(place, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, code := range map[string]int{"refuse": 14, "fail": 1} {
		var e *Error
		if err := Call(t.Context(), place, name, nil, nil); !errors.As(err, &e) || e.Code != code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASocketLeftByACrashIsReplaced(t *testing.T) {
	place := filepath.Join(t.TempDir(), "control")
	if err := os.WriteFile(place+socketSuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place, []byte(place+socketSuffix), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Call(t.Context(), place, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
		t.Fatalf("a dead socket: %v", err)
	}
	s, err := Serve(place, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := Call(t.Context(), place, "hello", nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestARequestThatIsTooLargeIsRefused(t *testing.T) {
	place := filepath.Join(t.TempDir(), "control")
	s, err := Serve(place, echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := Call(t.Context(), place, "hello", strings.Repeat("x", bodyBytesMax+1), nil); err == nil {
		t.Fatal("taken")
	}
}

func TestASocketOfSomebodyElseIsNotCalled(t *testing.T) {
	place, elsewhere := filepath.Join(t.TempDir(), "control"), t.TempDir()
	s, err := Serve(filepath.Join(elsewhere, "control"), echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// A crash left the name of a socket in a directory that is gone, and somebody made it again.
	if err := os.WriteFile(place, []byte(filepath.Join(elsewhere, "control.sock")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, called := range map[os.FileMode]bool{0o700: true, 0o711: false, 0o777: false} {
		if err := os.Chmod(elsewhere, mode); err != nil {
			t.Fatal(err)
		}
		var answered *CopyError // by itself, for its own directory
		if err := Call(t.Context(), place, "hello", nil, nil); errors.As(err, &answered) != called || !called && !errors.Is(err, ErrNotRunning) {
			t.Errorf("in a directory with mode %o: %v", mode, err)
		}
	}
	if os.Geteuid() != 0 {
		return // only root can give a directory away
	}
	if err := errors.Join(os.Chmod(elsewhere, 0o700), os.Chown(elsewhere, 12345, -1)); err != nil {
		t.Fatal(err)
	}
	if err := Call(t.Context(), place, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("in another user's directory: %v", err)
	}
}

// A copy has the file that names the socket, of a long path too; it is another directory by whatever name.
func TestACopyOfADirectoryIsNotServed(t *testing.T) {
	for _, name := range []string{"one", strings.Repeat("long", 30) + " ä?&"} {
		parent := t.TempDir()
		dir, copied, moved := filepath.Join(parent, name), filepath.Join(parent, name+"2"), filepath.Join(parent, "moved")
		if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(copied, 0o700)); err != nil {
			t.Fatal(err)
		}
		s, err := Serve(filepath.Join(dir, "control"), func(context.Context, string, json.RawMessage) (any, error) {
			t.Error("called")
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		b, err := os.ReadFile(filepath.Join(dir, "control"))
		if err := errors.Join(err, os.WriteFile(filepath.Join(copied, "control"), b, 0o600)); err != nil {
			t.Fatal(err)
		}
		var is *CopyError
		if err := Call(t.Context(), filepath.Join(copied, "control"), "hello", nil, nil); !errors.As(err, &is) || is.Here != copied || is.Served != dir {
			t.Errorf("%v", err)
		}
		if err := errors.Join(os.Rename(copied, moved), os.Symlink(moved, copied)); err != nil {
			t.Fatal(err)
		}
		if err := Call(t.Context(), filepath.Join(copied, "control"), "hello", nil, nil); !errors.As(err, &is) {
			t.Errorf("by another name: %v", err)
		}
	}
}

// A service may have temporary files of its own, where a path of the caller's means nothing, or something else.
func TestADirectoryIsToldFromACopyWhereItsPathIsNotSeen(t *testing.T) {
	parent := t.TempDir()
	dir, copied := filepath.Join(parent, "dir"), filepath.Join(parent, "copied")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(copied, 0o700)); err != nil {
		t.Fatal(err)
	}
	s, err := Serve(filepath.Join(dir, "control"), echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	unseen := filepath.Join(parent, "unseen")
	for _, test := range []struct {
		of, seenAs string
		served     bool
	}{
		{dir, dir, true}, {dir, unseen, true}, {dir, copied, true},
		{copied, copied, false}, {copied, unseen, false}, {copied, dir, false},
	} {
		q := meant(test.of)
		if q.Get(fileParameter) == "" && test.seenAs != test.of {
			continue // such services are on Unix
		}
		q.Set(directoryParameter, test.seenAs)
		r, w := httptest.NewRequest(http.MethodPost, "/hello?"+q.Encode(), strings.NewReader("{}")), httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		if served := w.Code == http.StatusOK; served != test.served {
			t.Errorf("%s, where it is seen as %s: answered with %d", test.of, test.seenAs, w.Code)
		}
	}
	// A link that the service does not see leads where it does.
	if err := os.Symlink(dir, unseen); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(dir)
	if q := meant(unseen); err != nil || q.Get(directoryParameter) != real {
		t.Errorf("through a link: %v, %v", q, err)
	}
}

func TestTwoPlacesInADirectoryAreTwo(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"control-1", "control-2"} {
		s, err := Serve(filepath.Join(dir, name), func(context.Context, string, json.RawMessage) (any, error) { return name, nil })
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
	}
	for _, name := range []string{"control-1", "control-2"} {
		var who string
		if err := Call(t.Context(), filepath.Join(dir, name), "who", nil, &who); err != nil || who != name {
			t.Errorf("%s: %q, %v", name, who, err)
		}
	}
}

// Who interrupts, or sets a limit, hears of that and of nothing else.
func TestACallThatIsCutOffGivesTheContextsError(t *testing.T) {
	place := filepath.Join(t.TempDir(), "control")
	asked := make(chan struct{})
	s, err := Serve(place, func(ctx context.Context, _ string, _ json.RawMessage) (any, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	go func() { <-asked; interrupt() }()
	if err := Call(ctx, place, "wait", nil, nil); err != context.Canceled {
		t.Fatalf("got %v", err)
	}
}

func TestAPlaceThatIsNoFileOfOursIsNotRead(t *testing.T) {
	place := filepath.Join(t.TempDir(), "control")
	for _, put := range []func() error{
		func() error { return os.WriteFile(place, make([]byte, placeBytesMax+1), 0o600) },
		func() error { return os.Mkdir(place, 0o700) },
		func() error { return os.Symlink(os.DevNull, place) },
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if err := Call(t.Context(), place, "hello", nil, nil); !errors.Is(err, ErrNotRunning) {
			t.Errorf("got %v", err)
		}
		if err := os.Remove(place); err != nil {
			t.Fatal(err)
		}
	}
}
