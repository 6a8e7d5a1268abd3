package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

// place is the directory that a command works on, as others are to be typed for it.
type place struct {
	dir   host.Directory
	role  string // whose commands are meant; "": any role's
	named bool   // it is named by --dir, and so has to be named again
}

// at remembers the directory of a command.
func (p *program) at(c *cli.Context, dir host.Directory, role string) {
	p.working = place{dir, role, p.given["dir"]}
}

var commandWords = regexp.MustCompile(`\bweir(?: [a-z]+)+`)

// nextWord is one that may belong to a command behind it.
var nextWord = regexp.MustCompile(`^ (--[a-z-]+|WEIR:[A-Z2-7]+|[A-Z][A-Z-]+|[0-9]+|[a-z]+)\b`)

// mine completes the commands that a text names so that they are of the directory
// that this one works on: those of its role, and those of any. Commands that
// somebody else is to give are left alone.
func (p *program) mine(text string) string {
	if p.working.dir == "" || !strings.Contains(text, "weir ") {
		return text
	}
	var b strings.Builder
	for {
		at := commandWords.FindStringIndex(text)
		if at == nil {
			b.WriteString(text)
			return b.String()
		}
		command, leaf, end := p.named(text[at[0]:])
		b.WriteString(text[:at[0]+end])
		if text = text[at[0]+end:]; leaf != nil && p.namesDir(command, leaf) && !strings.HasPrefix(text, " --dir") {
			b.WriteString(" --dir " + host.Quoted(string(p.working.dir)))
		}
	}
}

// named reads the command that a text begins with, up to end: its words, and what
// it is with its flags and arguments; nil: it is none.
func (p *program) named(text string) (words []string, leaf *cli.Command, end int) {
	words, end = []string{"weir"}, len("weir")
	takes, all := []string(nil), p.app().Commands
	for {
		m := nextWord.FindStringSubmatch(text[end:])
		if m == nil || m[1] == "--dir" {
			return words, leaf, end
		}
		c := find(all, m[1])
		argument := m[1][0] == '-' || m[1][0] <= 'Z' || slices.Contains(takes, m[1])
		switch {
		case c != nil:
			words, all = append(words, c.Name), c.Subcommands
			if leaf = nil; len(all) == 0 {
				leaf, takes = c, strings.FieldsFunc(c.ArgsUsage, func(r rune) bool { return strings.ContainsRune(" []", r) })
			}
		case leaf == nil || !argument:
			return words, leaf, end
		}
		end += len(m[0])
	}
}

// namesDir says whether a command needs to be told the directory.
func (p *program) namesDir(words []string, leaf *cli.Command) bool {
	if !slices.ContainsFunc(leaf.Flags, func(f cli.Flag) bool { return f.Names()[0] == "dir" }) {
		return false
	}
	switch words[1] {
	case roleManager, roleMember:
		return p.working.named && (p.working.role == "" || p.working.role == words[1])
	case "keys": // whose usual directory is a member's
		return p.working.named || p.working.role == roleManager
	case "restore": // makes a directory of its own
		return false
	}
	return p.working.named
}
