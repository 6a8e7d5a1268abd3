package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"weir/internal/host"
)

// screen is where the program writes. Whatever command prints it, and whoever
// chose the name or the words: what would confuse a terminal or a line is written
// out on the way (host.Shown), and on a terminal right-to-left text is isolated.
// The program's own colours and pictures go past it, by raw.
type screen struct {
	to       io.Writer
	terminal bool
	rest     []byte // of a character that is cut off so far
}

// newScreen is a screen on a writer.
func newScreen(w io.Writer) *screen {
	f, ok := w.(*os.File)
	return &screen{to: w, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

func (s *screen) Write(b []byte) (int, error) {
	all := append(s.rest, b...)
	whole := len(all) - begun(all)
	s.rest = bytes.Clone(all[whole:])
	if _, err := io.WriteString(s.to, s.safe(string(all[:whole]))); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s *screen) safe(text string) string {
	text = host.ShownLines(text)
	if s.terminal {
		text = host.Isolated(text)
	}
	return text
}

// raw writes what is the program's own to the last byte.
func (s *screen) raw(text string) error {
	_, err := io.WriteString(s.to, text)
	return err
}

// begun is how many bytes at the end are the beginning of something longer.
func begun(b []byte) int {
	if bytes.HasSuffix(b, []byte{'\r'}) { // of a line's end
		return 1
	}
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// jsonLine is a value as JSON in one line, in which nothing stands as it is that
// would confuse a terminal. It reads as the same value.
func jsonLine(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return escapeJSON(b.String()), nil
}

// escapeJSON writes out what host.Shown would, in JSON's way; it only stands in
// strings.
func escapeJSON(line string) string {
	if !strings.ContainsFunc(line, func(c rune) bool { return c != '\n' && host.Unseen(c) }) {
		return line
	}
	var b strings.Builder
	for _, c := range line {
		switch {
		case c == '\n' || !host.Unseen(c):
			b.WriteRune(c)
		case c > 0xffff:
			c -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+c>>10, 0xdc00+c&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.String()
}
