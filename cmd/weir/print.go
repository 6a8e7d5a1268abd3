package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/term"

	"weir/internal/host"
	"weir/keys/keyfile"
)

// printf prints for people. Commands that the format names are of the directory that
// is meant; what is filled in stays as it is.
func (p *program) printf(format string, args ...any) {
	fmt.Fprintf(p.out, p.mineInFormat(format), args...)
}

func (p *program) mineInFormat(format string) string {
	here := p.working
	defer func() { p.working = here }()
	p.working.dir = host.Directory(strings.ReplaceAll(string(here.dir), "%", "%%"))
	return p.mine(format)
}

// logf writes a line for operators, with the time.
func (p *program) logf(format string, args ...any) {
	if p.logFile != nil {
		p.logFile.Printf(format, args...)
		return
	}
	fmt.Fprintf(p.err, "%s %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// json prints one object or list, in one line: lists of lines are cycles.
func (p *program) json(v any) error {
	line, err := jsonLine(v)
	if err != nil {
		return err
	}
	return p.out.raw(line)
}

// show prints v as JSON or calls text.
func (p *program) show(asJSON bool, v any, text func()) error {
	if asJSON {
		return p.json(v)
	}
	text()
	return nil
}

// terminal says whether progress and prompts have somebody to read them.
func (p *program) terminal() bool {
	return p.errFile != nil && term.IsTerminal(int(p.errFile.Fd()))
}

// screen says whether what the program gives is read on a terminal, which can show
// colours and pictures.
func (p *program) screen() bool { return p.out.terminal }

// typed gives the line or lines that read gets from a person, unless ctx ends
// first: nothing ends such a read but a key, so it is then left to itself.
func typed(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	given := make(chan answer, 1)
	go func() {
		text, err := read()
		given <- answer{text, err}
	}()
	select {
	case a := <-given:
		if ctx.Err() != nil { // both at once: nothing may follow from the answer
			return "", ctx.Err()
		}
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// forget throws away what was typed in answer to questions and not read. The rest
// of a message that was pasted is no command for the shell, whoever wrote it.
func (p *program) forget() {
	if !p.asked || !term.IsTerminal(int(p.in.Fd())) {
		return
	}
	if err := keyfile.ForgetTyped(p.in); err != nil {
		p.remark("what was typed ahead could not be taken back: " + err.Error())
	}
}

// entryCount says how many entries a log of some size has.
func entryCount(size uint64) string { return count(host.EntriesOf(size), "entry", "entries") }

// count says how many there are of something.
func count[N int | int64 | uint64](n N, one, many string) string {
	return fmt.Sprintf("%d %s", n, yes(n == 1, one, many))
}

// note says what a person should know besides; "" is nothing.
func (p *program) note(text string) {
	if text != "" {
		p.printf("note: %s\n", p.mine(text))
	}
}

// remark is a note that is no part of what the program gives.
func (p *program) remark(text string) {
	text = p.mine(text)
	if text != "" && p.logFile != nil {
		p.logFile.Printf("note: %s", text)
		return
	}
	if text != "" {
		p.progress("")
		fmt.Fprintln(p.err, "note: "+text)
	}
}

// news is a text that is said once, until another takes its place.
type news string

// of gives a text when it is new.
func (n *news) of(text string) string {
	if text == string(*n) {
		return ""
	}
	*n = news(text)
	return text
}

// progress overwrites one line of the terminal; "" clears it.
func (p *program) progress(text string) {
	if p.terminal() {
		p.err.raw("\r\x1b[K")
		fmt.Fprint(p.err, text)
	}
}

// ago says how long ago a view's time was.
func ago(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "never"
	}
	switch d := time.Since(t); {
	case d < 2*time.Second:
		return "just now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// clock is a view's time in the reader's zone.
func clock(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// short is the beginning of a hash or id, as lists show it and commands take it.
func short(id string) string { return id[:min(len(id), 8)] }

func yes(b bool, t, f string) string {
	if b {
		return t
	}
	return f
}
