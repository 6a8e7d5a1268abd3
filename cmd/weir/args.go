package main

import (
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange moves flags in front of the positionals of the command they are for,
// wherever they stand, since the library takes what comes after a positional
// for another one. Everything after "--" is a positional. given are the flags
// that stand there, by name.
func arrange(app *cli.App, args []string) (arranged []string, given map[string]bool, err error) {
	given = map[string]bool{}
	if len(args) == 0 {
		return args, given, nil
	}
	path, flags, positionals := []string{args[0]}, []string(nil), []string(nil)
	commands, own := app.Commands, []cli.Flag(nil)
	valued := valueFlags(app.Commands)
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			positionals = append(positionals, args[i+1:]...)
			i = len(args)
		case len(a) > 1 && a[0] == '-' && !isNumber(a):
			flags = append(flags, a)
			name, _, whole := strings.Cut(strings.TrimLeft(a, "-"), "=")
			given[name] = true
			if whole || !takesValue(own, valued, name) {
				continue
			}
			if i+1 == len(args) {
				return nil, nil, usagef("%s needs a value", a)
			}
			i++
			flags = append(flags, args[i])
		default:
			if c := find(commands, a); c != nil && len(positionals) == 0 {
				path, commands, own = append(path, a), c.Subcommands, c.Flags
				continue
			}
			positionals = append(positionals, a)
		}
	}
	out := append(path, flags...)
	if len(positionals) > 0 {
		out = append(append(out, "--"), positionals...)
	}
	return out, given, nil
}

func isNumber(a string) bool { return strings.Trim(a, "-+.,0123456789") == "" }

func find(cs []*cli.Command, name string) *cli.Command {
	for _, c := range cs {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// takesValue says whether a flag is followed by a value: by the command's own
// flags, or, when the command is not known yet, by those of all.
func takesValue(own []cli.Flag, all map[string]bool, name string) bool {
	for _, f := range own {
		for _, n := range f.Names() {
			if n == name {
				_, isBool := f.(*cli.BoolFlag)
				return !isBool
			}
		}
	}
	return all[name]
}

// valueFlags are the names of all flags that take a value.
func valueFlags(cs []*cli.Command) map[string]bool {
	out := map[string]bool{}
	for _, c := range cs {
		for _, f := range c.Flags {
			if _, isBool := f.(*cli.BoolFlag); !isBool {
				for _, n := range f.Names() {
					out[n] = true
				}
			}
		}
		for n := range valueFlags(c.Subcommands) {
			out[n] = true
		}
	}
	return out
}

// counted says whether so many positionals fit what a command's ArgsUsage says:
// a word each, in brackets, at the end, those that come together or not at all,
// and with "…" behind the last as many more as somebody likes.
func counted(usage string, n int) bool {
	words := strings.Fields(usage)
	if strings.HasSuffix(strings.TrimSuffix(usage, "]"), "…") && n > len(words) {
		return true
	}
	must, may, _ := strings.Cut(usage, "[")
	least := len(strings.Fields(must))
	return n == least || n == least+len(strings.Fields(may))
}

// checkArgs refuses a command's positionals when they are too few or too many.
func checkArgs(c *cli.Context, name string) error {
	usage, n := c.Command.ArgsUsage, c.NArg()
	if counted(usage, n) {
		return nil
	}
	got := strconv.Itoa(n) + yes(n == 1, " argument", " arguments")
	if usage == "" {
		return usagef("%s takes no arguments; it got %s. %s --help says what it takes", name, got, name)
	}
	return usagef("%s %s is how it is called; it got %s", name, usage, got)
}
