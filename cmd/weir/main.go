// Command weir is a database without a server: members publish signed changes
// on the BitTorrent DHT, a manager merges and publishes them, everybody reads
// and checks the result. See the README.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/keys"
	"weir/keys/keyfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// program is what every command has at hand.
type program struct {
	in       *os.File
	out, err *screen
	errFile  *os.File // the terminal for prompts and progress; nil: none

	given   map[string]bool // flags on the command line
	own     *keys.Identity  // of the directory, once it is opened
	placed  bool            // it was looked whether the directory is a copy
	logFile *host.LogFile   // of what runs; nil: the terminal
	asked   bool            // a line was read from the terminal
	working place           // that the command works on, once it is known
	full    bool            // its disk was found to be
}

// run is the whole program: it gives the exit code.
func run(ctx context.Context, args []string, in *os.File, out, errw io.Writer) int {
	p := &program{in: in, out: newScreen(out), err: newScreen(errw)}
	p.errFile, _ = errw.(*os.File)
	app := p.app()
	args, given, err := arrange(app, args)
	p.given = given
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	p.forget()
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(p.err, "weir: interrupted")
		return host.CodeInterrupted
	}
	code := host.Code(err)
	var usage *usageError
	if errors.As(err, &usage) {
		code = host.CodeUsage
	}
	text := host.Text(err)
	if p.logFile != nil && text != "" {
		p.logFile.Printf("%s", text)
	}
	if text != "" {
		fmt.Fprintln(p.err, "weir: "+p.mine(text))
	}
	if errors.Is(err, keyfile.ErrPassphrase) {
		fmt.Fprintln(p.err, forgotten)
	}
	if h := hint(err, code); h != "" && !strings.Contains(text, h) && !strings.Contains(text, "weir restore FILE") { // which says itself how to begin
		fmt.Fprintln(p.err, p.mine(h))
	}
	return code
}

// forgotten is what people do about a passphrase that they do not know any more.
const forgotten = "If it is forgotten: with the 24 words, weir keys recover --replace gives the key a new one. Without them nothing opens it: " +
	"a member makes a new key in a new directory (weir member code) and the manager gives the account to it (weir manager rekey); " +
	"a manager is succeeded by the recovery key's words (weir manager succeed)."

// hint is what people do about an exit code; errors themselves say what happened.
func hint(err error, code int) string {
	var copied *control.CopyError
	switch {
	case errors.As(err, &copied), strings.Contains(host.Text(err), host.Unfound):
		return "" // it says what to do
	}
	switch code {
	case host.CodeNotInitialised:
		return "Begin with weir manager init (to found a database) or weir member join LINK (to join one); weir paths shows the directories."
	case host.CodeLocked:
		return "Stop the other one first, or use another --dir."
	case host.CodeNoNode:
		return "Check the network connection and --bootstrap."
	}
	return ""
}

// usageError is a command that was called wrongly.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

func (p *program) app() *cli.App {
	app := &cli.App{
		Name:            "weir",
		Usage:           "a database without a server",
		Description:     exitHelp(),
		HideVersion:     true,
		HideHelpCommand: true,
		ExitErrHandler:  func(*cli.Context, error) {}, // run decides
		Commands: []*cli.Command{
			p.demo(), p.dht(), p.bench(), p.keys(), p.manager(), p.member(), p.verify(), p.explain(), p.backup(), p.restore(), p.move(), p.doctor(), p.paths(), p.completion(), p.help(), p.version(), p.manual(),
		},
	}
	if p.out != nil {
		app.Writer, app.ErrWriter = p.out, p.err
	}
	app.Flags = []cli.Flag{common()[0], jsonFlag(), cli.HelpFlag} // which the library leaves out where a command is called help
	app.Action = func(c *cli.Context) error {
		if c.NArg() == 0 {
			return p.standing(c)
		}
		return p.group(app.Commands, "weir")(c)
	}
	app.OnUsageError = onUsage
	var walk func(cs []*cli.Command, path string)
	walk = func(cs []*cli.Command, path string) {
		for _, c := range cs {
			c.OnUsageError, c.HideHelpCommand = onUsage, true
			for _, f := range c.Flags {
				if b, ok := f.(*cli.BoolFlag); ok {
					b.DisableDefaultText = true // nobody asks whether it is off
				}
			}
			name := path + " " + c.Name
			if c.Subcommands != nil {
				c.Action = p.group(c.Subcommands, name)
				walk(c.Subcommands, name)
				continue
			}
			act := c.Action
			c.Action = func(c *cli.Context) error {
				if err := checkArgs(c, name); err != nil {
					return err
				}
				return act(c)
			}
		}
	}
	walk(app.Commands, "weir")
	return app
}

// The library's words for a value of a flag, or of its variable, that does not
// read.
var (
	misreadFlag     = regexp.MustCompile(`^invalid (?:boolean )?value (".*") for (?:flag )?-([a-z-]+): `)
	misreadVariable = regexp.MustCompile(`^could not parse (".*") as .* value from environment variable "(\w+)" for flag ([a-z-]+): `)
)

// onUsage says in our words what the library says of a flag in its own.
func onUsage(c *cli.Context, err error, _ bool) error {
	own := c.App.Flags
	if c.Command != nil && c.Command.Flags != nil {
		own = c.Command.Flags
	}
	var names []string
	kind := map[string]string{}
	for _, f := range own {
		names = append(names, f.Names()[0])
		kind[f.Names()[0]] = kindOf(f)
	}
	if m := misreadFlag.FindStringSubmatch(err.Error()); m != nil && kind[m[2]] != "" {
		return usagef("--%s %s is not %s", m[2], m[1], kind[m[2]])
	}
	if m := misreadVariable.FindStringSubmatch(err.Error()); m != nil && kind[m[3]] != "" {
		return usagef("the environment variable %s is %s, which is not %s", m[2], m[1], kind[m[3]])
	}
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return &usageError{strings.Replace(err.Error(), "for flag -", "for flag --", 1)}
	}
	path := "weir"
	if c.Command != nil && c.Command.HelpName != "" {
		path = c.Command.HelpName
	}
	if like := near(name, names); like != "" {
		return usagef("%s has no flag --%s; did you mean --%s? %s --help lists them", path, name, like, path)
	}
	return usagef("%s has no flag --%s; %s --help lists what it has", path, name, path)
}

// kindOf says what a flag's value is, for people.
func kindOf(f cli.Flag) string {
	switch f.(type) {
	case *cli.DurationFlag:
		return "a length of time like 90s, 30m or 12h"
	case *cli.IntFlag, *cli.Uint64Flag:
		return "a whole number that can be meant here"
	case *cli.Float64Flag:
		return "a number"
	case *cli.BoolFlag:
		return "true or false"
	}
	return ""
}

// group is the action of a command that only has subcommands.
func (p *program) group(subs []*cli.Command, name string) cli.ActionFunc {
	return func(c *cli.Context) error {
		word := c.Args().First()
		if word == "" || word == "help" {
			return cli.ShowSubcommandHelp(c)
		}
		var names []string
		for _, s := range subs {
			names = append(names, s.Name)
		}
		if like := near(word, names); like != "" {
			return usagef("there is no command %s %s; did you mean %s %s?", name, word, name, like)
		}
		return usagef("there is no command %s %s; %s --help lists those there are", name, word, name)
	}
}
