package keyfile

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/term"
)

// Passphrase is where a passphrase comes from. The first that is set counts:
// None, File, Command; else the terminal is asked.
type Passphrase struct {
	None    bool     // in the open
	File    string   // its first line
	Command string   // the first line that a shell command prints
	In, Out *os.File // the terminal
}

var (
	// ErrNoPassphrase: none was given and there is no terminal to ask on.
	ErrNoPassphrase = errors.New("a passphrase is needed and there is no terminal to ask on: give --passphrase-file or --passphrase-command")
	// ErrUnread: the file or the command that should give the passphrase did not.
	ErrUnread = errors.New("no passphrase could be read")
)

const (
	passphraseBytesMax = 1024
	commandTimeout     = 2 * time.Minute
)

// Ask gives the passphrase of a key that exists.
func (p Passphrase) Ask() (string, error) { return p.get(false) }

// New gives the passphrase of a key that is being made: a terminal is asked
// twice. An empty one, or None, means in the open.
func (p Passphrase) New() (string, error) { return p.get(true) }

func (p Passphrase) get(twice bool) (string, error) {
	switch {
	case p.None:
		return "", nil
	case p.File != "":
		f, err := os.Open(p.File)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnread, err)
		}
		defer f.Close()
		return firstLine(f, p.File)
	case p.Command != "":
		return p.run()
	case p.In == nil || p.Out == nil || !term.IsTerminal(int(p.In.Fd())):
		if twice {
			return "", fmt.Errorf("%w, or --no-passphrase to keep the key in the open", ErrNoPassphrase)
		}
		return "", ErrNoPassphrase
	}
	first, err := p.prompt("Passphrase: ")
	if err != nil || !twice {
		return first, err
	}
	second, err := p.prompt("Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passphrases differ; nothing was written")
	}
	return first, nil
}

func (p Passphrase) prompt(text string) (string, error) {
	fmt.Fprint(p.Out, text)
	b, err := term.ReadPassword(int(p.In.Fd()))
	fmt.Fprintln(p.Out)
	if err != nil {
		return "", fmt.Errorf("read the passphrase: %w", err)
	}
	return string(b), nil
}

func (p Passphrase) run() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	shell, flag := "/bin/sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/c"
	}
	cmd := exec.CommandContext(ctx, shell, flag, p.Command)
	cmd.Stdin, cmd.Stderr = p.In, p.Out
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: the passphrase command ended with: %w", ErrUnread, err)
	}
	return firstLine(bytes.NewReader(out), "what the passphrase command printed")
}

func firstLine(r io.Reader, what string) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, passphraseBytesMax+1)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("%w: %w", ErrUnread, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("%w: the first line of %s is empty", ErrUnread, what)
	}
	if len(line) > passphraseBytesMax {
		return "", fmt.Errorf("%w: the first line of %s is over %d bytes", ErrUnread, what, passphraseBytesMax)
	}
	return line, nil
}
