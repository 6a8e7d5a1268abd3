package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"weir/keys/keyfile"
)

// Limits. A request or an answer over bodyBytesMax is an error.
const (
	bodyBytesMax  = 16 << 20
	pathCharsMax  = 96
	placeBytesMax = 4 << 10 // of the file that names the socket
	socketSuffix  = ".sock"
)

// ErrNotRunning: nobody answers at the place.
var ErrNotRunning = errors.New("no weir runs here")

// Error is a failure of the called command: Code is its exit code.
type Error struct {
	Code int    `json:"code"`
	Text string `json:"error"`
}

func (e *Error) Error() string { return e.Text }

// Handler runs a command. What it returns is encoded as JSON; an *Error keeps
// its code, every other error has code 1.
type Handler func(ctx context.Context, name string, in json.RawMessage) (any, error)

// Server answers at a place until it is closed.
type Server struct {
	http   *http.Server
	socket string
	place  string
	dir    fs.FileInfo // the directory that is served, whatever it is called by now
	temp   string      // the private directory of a socket that lies elsewhere
	done   chan struct{}
}

// Serve listens at a place, a file in a data directory. The caller holds the
// lock of what it answers for, so what is left of an earlier socket is dead and
// is removed.
func Serve(place string, h Handler) (*Server, error) {
	s := &Server{place: place, socket: place + socketSuffix, done: make(chan struct{})}
	var err error
	if s.dir, err = os.Stat(filepath.Dir(place)); err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if len(s.socket) > pathCharsMax {
		temp, err := os.MkdirTemp("", "weir-")
		if err != nil {
			return nil, fmt.Errorf("open the control socket: %w", err)
		}
		s.temp, s.socket = temp, filepath.Join(temp, "control"+socketSuffix)
	}
	if err := os.Remove(s.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	l, err := net.Listen("unix", s.socket)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(s.socket, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := keyfile.WriteAtomic(place, []byte(s.socket+"\n")); err != nil {
		l.Close()
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	s.http = &http.Server{Handler: s.only(handler(h)), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		s.http.Serve(l)
	}()
	return s, nil
}

// Close ends the server and the calls under way, and removes the socket.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	os.Remove(s.place)
	if s.temp != "" {
		os.RemoveAll(s.temp)
	}
	return err
}

func handler(h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			http.Error(w, "POST only", http.StatusMethodNotAllowed)
			return
		}
		in, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
		if err != nil {
			http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
			return
		}
		out, err := h(r.Context(), strings.TrimPrefix(r.URL.Path, "/"), in)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			e := &Error{Code: 1, Text: err.Error()}
			var own *Error
			if errors.As(err, &own) {
				e.Code = own.Code
			}
			w.WriteHeader(http.StatusUnprocessableEntity)
			json.NewEncoder(w).Encode(e)
			return
		}
		json.NewEncoder(w).Encode(out)
	})
}

// trusted says whether a socket is where Serve makes one: in the directory, or in
// one of its own that nobody else can enter. What a crash left behind names a
// place in the system's temporary directory, where by now somebody else may
// listen.
func trusted(dir, socket string) bool {
	there, err := os.Stat(filepath.Dir(socket))
	if err != nil {
		return false
	}
	if here, err := os.Stat(dir); err == nil && os.SameFile(here, there) {
		return true // by whichever of its names
	}
	return own(there) && (runtime.GOOS == "windows" || there.Mode().Perm()&0o077 == 0)
}

// readPlace reads the path of the socket from its file.
func readPlace(place string) (string, error) {
	b, err := keyfile.ReadSmall(place, placeBytesMax)
	return strings.TrimSpace(string(b)), err
}

// Call runs a command in the process that answers at a place. It gives
// ErrNotRunning when there is none, a *CopyError when it is another directory's,
// the context's error when that ends first, and an *Error when the command failed.
func Call(ctx context.Context, place, name string, in, out any) error {
	socket, err := readPlace(place)
	if err != nil {
		return ErrNotRunning
	}
	if !trusted(filepath.Dir(place), socket) {
		return ErrNotRunning
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "unix", socket)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
			}
			return c, nil
		},
	}}
	here, err := filepath.Abs(filepath.Dir(place))
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	to := url.URL{Scheme: "http", Host: "weir", Path: "/" + name, RawQuery: meant(here).Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		if errors.Is(err, ErrNotRunning) {
			return ErrNotRunning
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var post *url.Error
		if errors.As(err, &post) {
			err = post.Err // whoever waits knows nothing of posts
		}
		return fmt.Errorf("the weir that runs here went away before it had answered: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, bodyBytesMax+1))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || len(answer) > bodyBytesMax {
		return errors.New("the weir that runs here went away in the middle of its answer")
	}
	if resp.StatusCode == http.StatusMisdirectedRequest {
		return &CopyError{Here: here, Served: strings.TrimSpace(string(answer))}
	}
	if resp.StatusCode != http.StatusOK {
		e := &Error{Code: 1, Text: strings.TrimSpace(string(answer))}
		json.Unmarshal(answer, e)
		return e
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("the weir that runs here is of another version than this one, and its answer does not read: end it and start it again: %w", err)
	}
	return nil
}
