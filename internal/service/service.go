package service

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
)

// Kind is what starts services on a system.
type Kind string

// The kinds there are.
const (
	Systemd Kind = "systemd"
	Launchd Kind = "launchd"
	Windows Kind = "windows"
)

// Native is the kind of the system that this runs on.
func Native() Kind {
	switch runtime.GOOS {
	case "darwin":
		return Launchd
	case "windows":
		return Windows
	}
	return Systemd
}

// ParseKind reads a kind as people say it.
func ParseKind(text string) (Kind, error) {
	switch k := Kind(text); k {
	case Systemd, Launchd, Windows:
		return k, nil
	}
	return "", fmt.Errorf("%q starts no services; systemd, launchd and windows do", text)
}

// Service is a manager or an agent that the system starts.
type Service struct {
	Role    string // manager or member
	Program string // the program's path
	Dir     string // its data directory
	Plain   bool   // the directory is the role's default, and there is but one database: no more is in the name
	DB      string // the database that is meant; "": the only one
	System  bool   // started with the machine, for User, instead of when somebody logs in
	User    string // whose the data is; needed with System
	Home    string // of whoever it is installed for: where systemd and launchd look

	PassphraseFile string // holds the key's passphrase; "": none is needed, or the settings say
	Credential     string // systemd: a credential with it, encrypted by systemd-creds
}

// Name is what the system knows the service by.
func (s Service) Name() string {
	name := "weir-" + s.Role
	if !s.Plain {
		sum := sha256.Sum256([]byte(s.Dir + "\x00" + s.DB))
		name += "-" + hex.EncodeToString(sum[:4])
	}
	return name
}

// arguments are what the program is called with; passphrase is where it finds the
// passphrase then.
func (s Service) arguments(passphrase string) []string {
	args := []string{s.Role, "run", "--dir", s.Dir}
	if s.DB != "" {
		args = append(args, "--db", s.DB)
	}
	if passphrase != "" {
		args = append(args, "--passphrase-file", passphrase)
	}
	return args
}

// Check says what cannot be started by a kind of system. A file of any of them is
// made of lines, and a path with a line break would be another line of it.
func (s Service) Check(k Kind) error {
	for _, path := range []string{s.Program, s.Dir, s.PassphraseFile, s.Credential} {
		if strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f || c == '�' }) {
			return fmt.Errorf("the path %q has characters that no service's file can carry", path)
		}
	}
	if k == Systemd && strings.ContainsAny(s.Program, unsafe) {
		return fmt.Errorf("systemd starts no program whose path has quotes or backslashes in it, as %s has: put it elsewhere", s.Program)
	}
	if s.Credential != "" && k != Systemd {
		return fmt.Errorf("only systemd has encrypted credentials; name a file that holds the passphrase")
	}
	if s.System && s.User == "" {
		return fmt.Errorf("it is not known whose %s is, and a service of the whole system runs as its owner", s.Dir)
	}
	return nil
}

// Text is the file that describes the service to a kind of system.
func (s Service) Text(k Kind) string {
	switch k {
	case Launchd:
		return s.plist()
	case Windows:
		return s.task("UTF-8")
	}
	return s.unit()
}
