package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"weir/internal/control"
	"weir/internal/host"
	"weir/keys"
)

// wordsBytesMax is far more than 24 words have.
const wordsBytesMax = 4096

// wordsOf reads 24 words from a file or, where none is named, from the terminal or
// standard input. At a terminal they are asked for until they are a key's. whose
// says which key.
func (p *program) wordsOf(c *cli.Context, file, whose string) (keys.Seed, error) {
	in, asks := p.in, false
	if file != "" {
		var f *os.File
		if _, err := typed(c.Context, func() (_ string, err error) { // somebody may have to write into a pipe first
			f, err = os.Open(file)
			return "", err
		}); err != nil {
			return keys.Seed{}, fmt.Errorf("read the words: %w", err)
		}
		defer f.Close()
		in = f
	} else if p.terminal() {
		fmt.Fprintf(p.err, "Type the 24 words of %s, in one line or several (Ctrl-C ends it):\n", whose)
		asks = term.IsTerminal(int(in.Fd()))
		p.asked = true
	}
	far := func(int) {}
	if asks {
		far = func(n int) { fmt.Fprintf(p.err, "%d of 24; the next, or Enter alone to begin again: ", n) }
	}
	for {
		text, err := typed(c.Context, func() (string, error) { return readWords(in, asks, far) })
		if c.Context.Err() != nil && asks {
			fmt.Fprintln(p.err)
		}
		if err != nil {
			return keys.Seed{}, err
		}
		seed, err := keys.FromWords(text)
		if err == nil || !asks {
			return seed, err
		}
		fmt.Fprintf(p.err, "  That does not do: %v.\n  Once more, please: all 24.\n", err)
	}
}

// readWords reads lines until all the words are there, or the text ends; where
// somebody is asked also to an empty line. far is told how many there are after each
// line that brought some.
func readWords(in io.Reader, asks bool, far func(int)) (string, error) {
	r := bufio.NewScanner(io.LimitReader(in, wordsBytesMax))
	var t typedWords
	for !t.whole() {
		if !r.Scan() {
			if asks && r.Err() == nil {
				return "", &control.Error{Code: host.CodeError, Text: "there was no answer; nothing was done"}
			}
			break
		}
		if t.line(r.Text()); asks && r.Text() == "" && len(t.words) > 0 {
			break
		}
		if len(t.words) > 0 && !t.whole() {
			far(len(t.words))
		}
	}
	if err := r.Err(); err != nil {
		return "", fmt.Errorf("read the words: %w", err)
	}
	return strings.Join(t.words, " "), nil
}

// typedWords are words as people give them: plain, or as wordTable prints them,
// with its heading.
type typedWords struct {
	words  []string
	known  int  // so many of them are in the list
	number bool // a numbered line was met: what came before was its heading
}

// line takes a line. Several words of which none is in the list are a heading; a
// single one is a slip that somebody has to be told of.
func (t *typedWords) line(text string) {
	fields := strings.Fields(text)
	if len(fields) > 0 && isOrdinal(fields[0]) && !t.number {
		*t = typedWords{number: true}
	}
	words := slices.DeleteFunc(fields, isOrdinal)
	known := 0
	for _, w := range words {
		if inList(w) {
			known++
		}
	}
	if known > 0 || len(words) == 1 {
		t.words, t.known = append(t.words, words...), t.known+known
	}
}

// whole says whether all words are there, right or wrong. A long heading has as
// many, but few of the list.
func (t *typedWords) whole() bool { return len(t.words) >= 24 && t.known > len(t.words)/2 }

func isOrdinal(s string) bool { return strings.Trim(s, "0123456789") == "" }

// inList says whether a word is one of BIP-39: an error names the first that is not.
func inList(word string) bool {
	word = strings.ToLower(word)
	_, err := keys.FromWords(strings.Repeat(word+" ", 24))
	return err == nil || !strings.Contains(err.Error(), strconv.Quote(word))
}

// stillOn is the error when somebody says that the device whose work goes on here
// is not off yet; what says what it was asked of.
func stillOn(err error, what string) error {
	var own *control.Error
	if errors.As(err, &own) && own.Code == host.CodeError {
		return &control.Error{Code: host.CodeError, Text: "nothing was done. Switch the old " + what + " off, or end weir on it for good, and then give this command again"}
	}
	return err
}

// isOff asks whether an old device is off.
func (p *program) isOff(ctx context.Context, why, what string) error {
	fmt.Fprintln(p.err, why)
	return stillOn(p.confirm(ctx, "It is off?"), what)
}
