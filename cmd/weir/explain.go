package main

import (
	"io"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"weir/configs"
	"weir/internal/control"
	"weir/internal/host"
)

// explainBytesMax is how much of a text is looked at.
const explainBytesMax = 16 << 10

func (p *program) explain() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say why weir gives a message, and what to do; without TEXT it is read from standard input",
		ArgsUsage: "[TEXT…]",
		Flags:     []cli.Flag{jsonFlag()},
		Action:    p.runExplain,
	}
}

// explainView is a message that was found, with --json.
type explainView struct {
	Message string `json:"message"` // "…" for what changes
	Exact   bool   `json:"exact"`   // false: nothing is just so, and this is the nearest
	Cause   string `json:"cause"`
	Remedy  string `json:"remedy"`
}

// namedHere is the directory behind a command in a message (program.mine), up to
// the end of its sentence.
var namedHere = regexp.MustCompile(` --dir (?:'(?:[^']|'\\'')*'|(?:/|[A-Za-z]:)\S*?)([.,;:)]*(?:\s|$))`)

func (p *program) runExplain(c *cli.Context) error {
	text := strings.Join(c.Args().Slice(), " ")
	if text == "" {
		if term.IsTerminal(int(p.in.Fd())) {
			return usagef("what is to be explained? weir explain 'the message', in quotes")
		}
		b, err := io.ReadAll(io.LimitReader(p.in, explainBytesMax))
		if err != nil {
			return err
		}
		text = string(b)
	}
	all, err := configs.Messages()
	if err != nil {
		return err
	}
	hits := configs.Explain(all, namedHere.ReplaceAllString(text[:min(len(text), explainBytesMax)], "$1"))
	if len(hits) == 0 {
		return &control.Error{Code: host.CodeNotFound, Text: "no message of weir is like this; give its words as they were printed, in quotes"}
	}
	v := []explainView{}
	for _, h := range hits {
		v = append(v, explainView{h.Text, h.Exact, h.Cause, h.Remedy})
	}
	return p.show(c.Bool("json"), v, func() {
		for i, e := range v {
			p.printf("%s%s%s\n", yes(i > 0, "\n", ""), yes(e.Exact, "", "No message is just so. The nearest:\n\n"), e.Message)
			p.printf("  why   %s\n  do    %s\n", wrapped(e.Cause, 8), wrapped(e.Remedy, 8))
		}
	})
}

// wrapped breaks a text into lines of a terminal, those after the first indented.
func wrapped(text string, indent int) string {
	const width = 80
	var b strings.Builder
	at := indent
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}
