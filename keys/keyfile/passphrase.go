package keyfile

import (
	"bufio"
	"bytes"
	"cmp"
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
	Label   string   // what a terminal is asked for; "": that of the key, or a new one for it
	Open    string   // what a new one that is empty would do; "": keep the key in the open
	Meant   string   // what to do where that is meant; "": interrupt and say --no-passphrase
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
	emptyTries         = 3
)

// Ask gives the passphrase of a key that exists. Once ctx ends it gives an
// error, whatever is typed: context.Canceled when somebody interrupted.
func (p Passphrase) Ask(ctx context.Context) (string, error) { return p.get(ctx, false) }

// New gives the passphrase of a key that is being made: a terminal is asked
// twice. "" means in the open; that is what None gives, and nothing else.
func (p Passphrase) New(ctx context.Context) (string, error) { return p.get(ctx, true) }

func (p Passphrase) get(ctx context.Context, fresh bool) (string, error) {
	passphrase, err := p.find(ctx, fresh)
	if ctx.Err() != nil { // also when it came at the same moment: nothing is written any more
		return "", ended(ctx)
	}
	return passphrase, err
}

// ended is the error of a ctx that ended before there was a passphrase. Only an
// interrupt is handed on as what it is: a time limit is the caller's own affair.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("read the passphrase: %w", ctx.Err())
	}
	return fmt.Errorf("%w in time", ErrUnread)
}

func (p Passphrase) find(ctx context.Context, fresh bool) (string, error) {
	switch {
	case p.None:
		return "", nil
	case p.File != "":
		return await(ctx, p.readFile) // it may be a pipe or a terminal
	case p.Command != "":
		return p.run(ctx)
	case p.In == nil || p.Out == nil || !term.IsTerminal(int(p.In.Fd())):
		if fresh {
			return "", fmt.Errorf("%w, or --no-passphrase to %s", ErrNoPassphrase, p.open())
		}
		return "", ErrNoPassphrase
	case fresh:
		return p.choose(ctx)
	}
	return p.prompt(ctx, cmp.Or(p.Label, "The key's passphrase")+": ")
}

func (p Passphrase) open() string { return cmp.Or(p.Open, "keep the key in the open") }

// choose asks for a new passphrase until it was typed twice alike. An empty line is a
// slip of the finger: a key is left in the open only where somebody says so.
func (p Passphrase) choose(ctx context.Context) (string, error) {
	for empty := 0; empty < emptyTries; {
		first, err := p.prompt(ctx, cmp.Or(p.Label, "New passphrase for the key")+": ")
		if err != nil {
			return "", err
		}
		if first == "" {
			fmt.Fprintf(p.Out, "An empty passphrase would %s. Type one; or, if that is meant, %s.\n", p.open(), cmp.Or(p.Meant, "interrupt and say --no-passphrase"))
			empty++
			continue
		}
		second, err := p.prompt(ctx, "Once more: ")
		if err != nil {
			return "", err
		}
		if first == second {
			return first, nil
		}
		fmt.Fprintln(p.Out, "Those were two different ones. Again, please.")
	}
	return "", fmt.Errorf("%w: %d empty ones were typed and nothing was written; type one, or say --no-passphrase to %s", ErrUnread, emptyTries, p.open())
}

// prompt asks on the terminal, which shows nothing of what is typed.
func (p Passphrase) prompt(ctx context.Context, text string) (string, error) {
	fd := int(p.In.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnread, err)
	}
	if ctx.Err() != nil {
		return "", ended(ctx)
	}
	fmt.Fprint(p.Out, text)
	defer fmt.Fprintln(p.Out)
	passphrase, err := await(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(fd, before) // the read goes on, and hides what is typed
		return "", ended(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnread, err)
	}
	return passphrase, nil
}

// await gives what read gives, unless ctx ends first. Nothing but input ends
// such a read, so it is then left to itself.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type line struct {
		text string
		err  error
	}
	given := make(chan line, 1)
	go func() {
		text, err := read()
		given <- line{text, err}
	}()
	select {
	case l := <-given:
		return l.text, l.err
	case <-ctx.Done():
		return "", ended(ctx)
	}
}

func (p Passphrase) readFile() (string, error) {
	f, err := os.Open(p.File)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrUnread, err)
	}
	defer f.Close()
	return firstLine(f, p.File)
}

func (p Passphrase) run(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	shell, flag := "/bin/sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/c"
	}
	cmd := exec.CommandContext(ctx, shell, flag, p.Command)
	cmd.Stdin, cmd.Stderr = p.In, p.Out
	cmd.WaitDelay = time.Second // for what the shell has started and is not killed with it
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
