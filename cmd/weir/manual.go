package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// manual prints the manual page, for whoever makes a package.
func (p *program) manual() *cli.Command {
	return &cli.Command{
		Name:   "manual",
		Usage:  "print the manual page",
		Hidden: true,
		Action: func(*cli.Context) error {
			return p.out.raw(manualPage(completions(p.app())))
		},
	}
}

// manualPage is weir(1) in the macros of man(7).
func manualPage(all []completing) string {
	var b strings.Builder
	b.WriteString(".TH WEIR 1 \"\" \"\" \"\"\n.SH NAME\nweir \\- a database without a server\n.SH SYNOPSIS\n.B weir\n.RI [ command ]\n.RI [ flags ]\n.SH DESCRIPTION\n" +
		"Members sign their own changes and leave them on the public BitTorrent network, a\nmanager puts them together, and everybody can read the result and check all of it.\n" +
		"Without a command, weir says how things stand and what is next.\n.SH COMMANDS\n")
	usage := map[string]string{}
	for _, c := range all {
		for _, w := range c.words {
			usage[c.path+" "+w.word] = w.why
		}
	}
	for _, c := range all[1:] {
		fmt.Fprintf(&b, ".SS %s\n%s.\n", roff(c.path), roff(usage[c.path]))
		for _, f := range c.flags {
			if f.word == "--help" {
				continue
			}
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(f.word+" "+f.value)), roff(f.why))
		}
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, e := range exitCodes() {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", e.code, roff(e.meaning))
	}
	b.WriteString(".SH FILES\n.B weir paths\nprints where data lies.\n")
	return b.String()
}

// roff is a text in which nothing is a request or a macro.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "'", `\(aq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
