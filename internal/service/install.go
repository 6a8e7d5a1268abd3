package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"weir/keys/keyfile"
)

// Report is what was done, or how a service stands.
type Report struct {
	Name      string   `json:"name"`
	File      string   `json:"file"`
	Installed bool     `json:"installed"`
	Running   bool     `json:"running"`
	Did       []string `json:"did,omitempty"` // the system's programs that were run
	Log       string   `json:"log"`           // a command that shows what the service says
	Also      string   `json:"also,omitempty"`
}

// ErrNotStarted: the file is written, and the system did not take it.
var ErrNotStarted = errors.New("the service was written and not started")

// ErrNotInstalled: there is no such service.
var ErrNotInstalled = errors.New("there is no such service")

const (
	commandTimeout = time.Minute
	saidBytesMax   = 4096
)

// File is where the file of a service lies.
func (s Service) File(k Kind) string {
	switch {
	case k == Launchd && s.System:
		return filepath.Join("/Library/LaunchDaemons", s.Name()+".plist")
	case k == Launchd:
		return filepath.Join(s.Home, "Library", "LaunchAgents", s.Name()+".plist")
	case k == Windows:
		return filepath.Join(s.Dir, s.Name()+".xml")
	case s.System:
		return filepath.Join("/etc/systemd/system", s.Name()+".service")
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(s.Home, ".config")
	}
	return filepath.Join(config, "systemd", "user", s.Name()+".service")
}

// Install writes the file of a service and has the system start it, now and from
// now on. Once more it starts what is described then.
func Install(ctx context.Context, s Service, k Kind) (Report, error) {
	r := s.report(k)
	if err := s.Check(k); err != nil {
		return r, err
	}
	b := []byte(s.Text(k))
	if k == Windows {
		b = wide(s.task("UTF-16"))
	}
	if err := os.MkdirAll(filepath.Dir(r.File), 0o755); err != nil {
		return r, fmt.Errorf("write the service: %w", err)
	}
	if err := keyfile.WriteAtomic(r.File, b); err != nil {
		return r, fmt.Errorf("write the service: %w", err)
	}
	r.Installed = true
	if k == Launchd { // which takes no service that it has already
		before, _ := s.stopping(k)
		for _, command := range before {
			_ = run(ctx, command)
		}
	}
	for _, command := range s.starting(k) {
		if err := run(ctx, command); err != nil {
			return r, fmt.Errorf("%w: %w", ErrNotStarted, err)
		}
		r.Did = append(r.Did, strings.Join(command, " "))
	}
	r.Running = true
	return r, nil
}

// Remove has the system stop a service, and removes its file. The data stays.
func Remove(ctx context.Context, s Service, k Kind) (Report, error) {
	r := s.report(k)
	if _, err := os.Lstat(r.File); errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("%w: %s is not there", ErrNotInstalled, r.File)
	}
	stop, after := s.stopping(k)
	// A system that has forgotten the service does not stop it: the file goes all the same.
	for _, command := range stop {
		if err := run(ctx, command); err != nil {
			r.Also = err.Error()
			continue
		}
		r.Did = append(r.Did, strings.Join(command, " "))
	}
	if err := os.Remove(r.File); err != nil {
		return r, fmt.Errorf("remove the service: %w", err)
	}
	for _, command := range after {
		if err := run(ctx, command); err == nil {
			r.Did = append(r.Did, strings.Join(command, " "))
		}
	}
	return r, nil
}

// Status says whether a service is there and runs.
func Status(ctx context.Context, s Service, k Kind) Report {
	r := s.report(k)
	_, err := os.Lstat(r.File)
	r.Installed = err == nil
	if r.Installed {
		r.Running = run(ctx, s.asking(k)) == nil
	}
	return r
}

func (s Service) report(k Kind) Report {
	return Report{Name: s.Name(), File: s.File(k), Log: s.Logs(k)}
}

// Logs is the command that shows what a service says.
func (s Service) Logs(k Kind) string {
	switch {
	case k == Launchd:
		return "tail -f " + s.log()
	case k == Windows:
		return "weir " + s.Role + " status"
	case s.System:
		return "journalctl -u " + s.Name() + " -f"
	}
	return "journalctl --user -u " + s.Name() + " -f"
}

// systemctl is the command that speaks to the systemd of a service.
func (s Service) systemctl(args ...string) []string {
	if s.System {
		return append([]string{"systemctl"}, args...)
	}
	return append([]string{"systemctl", "--user"}, args...)
}

// domain is where launchd keeps a service.
func (s Service) domain() string {
	if s.System {
		return "system"
	}
	return "gui/" + strconv.Itoa(os.Getuid())
}

func (s Service) starting(k Kind) [][]string {
	switch k {
	case Launchd:
		return [][]string{{"launchctl", "bootstrap", s.domain(), s.File(k)}}
	case Windows:
		return [][]string{{"schtasks", "/Create", "/TN", s.Name(), "/XML", s.File(k), "/F"}, {"schtasks", "/Run", "/TN", s.Name()}}
	}
	return [][]string{s.systemctl("daemon-reload"), s.systemctl("enable", s.Name()+".service"), s.systemctl("restart", s.Name()+".service")}
}

func (s Service) stopping(k Kind) (stop, after [][]string) {
	switch k {
	case Launchd:
		return [][]string{{"launchctl", "bootout", s.domain() + "/" + s.Name()}}, nil
	case Windows:
		return [][]string{{"schtasks", "/End", "/TN", s.Name()}, {"schtasks", "/Delete", "/TN", s.Name(), "/F"}}, nil
	}
	return [][]string{s.systemctl("disable", "--now", s.Name()+".service")}, [][]string{s.systemctl("daemon-reload")}
}

func (s Service) asking(k Kind) []string {
	switch k {
	case Launchd:
		return []string{"launchctl", "print", s.domain() + "/" + s.Name()}
	case Windows:
		return []string{"schtasks", "/Query", "/TN", s.Name()}
	}
	return s.systemctl("is-active", "--quiet", s.Name()+".service")
}

// run runs one of the system's programs, and gives what it says where it fails.
func run(ctx context.Context, command []string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = time.Second
	said, err := c.CombinedOutput()
	if err == nil {
		return nil
	}
	said = bytes.TrimSpace(said[:min(len(said), saidBytesMax)])
	if len(said) > 0 {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, said)
	}
	return fmt.Errorf("%s: %w", strings.Join(command, " "), err)
}
