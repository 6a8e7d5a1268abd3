package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"

	"golang.org/x/term"

	"weir/internal/control"
	"weir/internal/host"
)

// guide leads somebody at a terminal through what a command needs to know.
type guide struct {
	p   *program
	ctx context.Context
}

// leads says whether there is somebody who can be led: at a terminal, and not
// reading JSON.
func (p *program) leads(o options) bool {
	return !o.json && p.terminal() && p.in != nil && term.IsTerminal(int(p.in.Fd()))
}

func (g *guide) say(format string, args ...any) {
	fmt.Fprintf(g.p.err, g.p.mineInFormat(format)+"\n", args...)
}

// line reads what is typed, up to the end of the line and not a byte more: the
// rest belongs to the next question, or to a passphrase.
func (g *guide) line(prompt string) (string, error) {
	fmt.Fprint(g.p.err, prompt)
	g.p.asked = true
	text, err := typed(g.ctx, func() (string, error) { return readLine(g.p.in) })
	if g.ctx.Err() != nil {
		fmt.Fprintln(g.p.err)
		return "", g.ctx.Err()
	}
	if errors.Is(err, io.EOF) {
		fmt.Fprintln(g.p.err)
		return "", &control.Error{Code: host.CodeError, Text: "there was no answer; nothing was done"}
	}
	return strings.TrimSpace(text), err
}

// answerBytesMax is more than anybody types in answer to a question.
const answerBytesMax = 4096

func readLine(in *os.File) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < answerBytesMax; {
		n, err := in.Read(b)
		switch {
		case n == 1 && b[0] == '\n':
			return string(line), nil
		case n == 1:
			line = append(line, b[0])
		case err != nil && len(line) > 0:
			return string(line), nil
		case err != nil:
			return "", err
		}
	}
	return string(line), nil
}

// ask asks until there is an answer that check takes. An empty one means def; where
// that is "" too, somebody has to say something.
func (g *guide) ask(question, def string, check func(string) error) (string, error) {
	prompt := question + ": "
	if def != "" {
		prompt = question + " [" + def + "]: "
	}
	for {
		answer, err := g.line(prompt)
		if err != nil {
			return "", err
		}
		if answer == "" {
			answer = def
		}
		if answer == "" {
			g.say("  This needs an answer. Ctrl-C ends it all, and leaves nothing behind.")
			continue
		}
		if err := check(answer); err != nil {
			g.say("  That does not do: %s.", strings.TrimSuffix(err.Error(), "."))
			continue
		}
		return answer, nil
	}
}

// yes asks a question that is answered by yes or no.
func (g *guide) yes(question string, def bool) (bool, error) {
	for {
		answer, err := g.line(question + " yes or no [" + yes(def, "yes", "no") + "]: ")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "":
			return def, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		g.say("  Please type yes or no.")
	}
}

// sure asks whether to do what was shown.
func (g *guide) sure(question string) error {
	if ok, err := g.yes(question, true); err != nil || ok {
		return err
	}
	return &control.Error{Code: host.CodeError, Text: "nothing was done"}
}

// passphrase gives the passphrase of a new key, "" for none: what flags and
// settings say, or what somebody decides.
func (g *guide) passphrase(o options) (string, error) {
	from, err := o.passphrase(g.p)
	if err != nil {
		return "", err
	}
	if from.None || from.File != "" || from.Command != "" {
		return from.New(g.ctx)
	}
	g.say("\nYour key will lie in a file on this computer. A passphrase locks it: who gets at the\n" +
		"computer, or at a copy of its disk, cannot use the key without it. You type it each\n" +
		"time the program starts. Without one, whoever can read the file can act as you.")
	locked, err := g.yes("Lock the key with a passphrase?", true)
	if err != nil || !locked {
		return "", err
	}
	from.Meant = "press Ctrl-C, begin again, and answer no to the question before"
	return from.New(g.ctx)
}

// asked is how many of 24 words are asked back.
const asked = 2

// copied shows the words of a key and asks two of them back, so that they are
// seen to stand on paper. whose names them; postpone says what it means not to
// answer now, and whether that is an answer.
func (g *guide) copied(whose string, words []string, postpone func() (bool, error)) (bool, error) {
	at, err := drawn(asked, len(words))
	if err != nil {
		return false, err
	}
	for {
		g.say("%s", "\n"+wordTable(words))
		if _, err := g.line("Press Enter when all 24 are on paper. Then two of them are asked. "); err != nil {
			return false, err
		}
		g.p.err.raw(clearScreen)
		g.say("The words of %s are off the screen. Look at your paper.\nEnter alone shows them again; \"not now\" puts this off.\n", whose)
		again := false
		for _, n := range at {
			ok, err := g.word(n, words[n])
			if errors.Is(err, errShow) {
				again = true
				break
			}
			if err != nil {
				return false, err
			}
			if ok {
				continue
			}
			if off, err := postpone(); err != nil || off {
				return false, err
			}
			again = true
			break
		}
		if !again {
			g.say("Right: the words of %s are on paper.", whose)
			return true, nil
		}
	}
}

// clearScreen also takes what was scrolled away.
const clearScreen = "\x1b[H\x1b[2J\x1b[3J"

var errShow = errors.New("show the words again")

// word asks for one word until it is right; false: not now.
func (g *guide) word(n int, want string) (bool, error) {
	for {
		answer, err := g.line(fmt.Sprintf("Word %d: ", n+1))
		switch answer := strings.ToLower(answer); {
		case err != nil:
			return false, err
		case answer == want:
			return true, nil
		case answer == "":
			return false, errShow
		case answer == "not now":
			return false, nil
		}
		g.say("  That is not word %d. What does your paper say? Enter alone shows the words again.", n+1)
	}
}

// drawn gives k different places of n, in order.
func drawn(k, n int) ([]int, error) {
	var at []int
	for i := range n {
		left, need := n-i, k-len(at)
		r, err := rand.Int(rand.Reader, big.NewInt(int64(left)))
		if err != nil {
			return nil, fmt.Errorf("choose words to ask for: %w", err)
		}
		if r.Int64() < int64(need) {
			at = append(at, i)
		}
	}
	return at, nil
}
