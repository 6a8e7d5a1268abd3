package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"weir/configs"
)

var update = flag.Bool("update", false, "write the README's tables anew from the code")

const readme = "../../README.md"

// leaf is a command that does something.
type leaf struct {
	name string // "weir member pay"
	*cli.Command
}

// leaves are the program's commands, in the order of its help. Hidden ones are
// for the program itself, and nobody needs to know them.
func leaves() []leaf {
	var all []leaf
	var walk func(cs []*cli.Command, path string)
	walk = func(cs []*cli.Command, path string) {
		for _, c := range cs {
			if c.Hidden {
				continue
			}
			if len(c.Subcommands) > 0 {
				walk(c.Subcommands, path+" "+c.Name)
				continue
			}
			all = append(all, leaf{path + " " + c.Name, c})
		}
	}
	walk((&program{}).app().Commands, "weir")
	return all
}

// groups are the flags that many commands share, by the name that README's
// tables give them.
func groups() []struct {
	name  string
	flags []cli.Flag
} {
	return []struct {
		name  string
		flags []cli.Flag
	}{{"data", common()}, {"key", passphraseFlags()}, {"network", networkFlags()}}
}

// whole says which groups a command takes as they are, and gives the flags that
// are its own.
func (l leaf) whole() (names []string, own []cli.Flag) {
	own = slices.Clone(l.Flags)
	for _, g := range groups() {
		var in []cli.Flag
		for _, f := range g.flags {
			for _, have := range own {
				if row(have) == row(f) {
					in = append(in, have)
				}
			}
		}
		if len(in) == len(g.flags) {
			names = append(names, g.name)
			own = slices.DeleteFunc(own, func(f cli.Flag) bool { return slices.Contains(in, f) })
		}
	}
	return names, own
}

var placeholder = regexp.MustCompile("`([^`]+)`")

// row is a flag's row in README: its name and value, what it does, its default
// and its variable.
func row(f cli.Flag) string {
	doc := f.(cli.DocGenerationFlag)
	value, usage := "", doc.GetUsage()
	if m := placeholder.FindStringSubmatch(usage); m != nil {
		value, usage = " "+m[1], placeholder.ReplaceAllString(usage, "$1")
	}
	variable := ""
	if vs := doc.GetEnvVars(); len(vs) > 0 {
		variable = "`" + vs[0] + "`"
	}
	def := ""
	if doc.TakesValue() {
		def = strings.Trim(doc.GetDefaultText(), `"`)
	}
	if def == "0s" {
		def = ""
	}
	if _, isCount := f.(*cli.IntFlag); isCount && def == "0" {
		def = ""
	}
	if _, isCount := f.(*cli.Uint64Flag); isCount && def == "0" {
		def = ""
	}
	return fmt.Sprintf("| `--%s%s` | %s | %s | %s |", f.Names()[0], value, usage, def, variable)
}

// commandTable lists every command.
func commandTable() string {
	var b strings.Builder
	b.WriteString("| command | what it does | flags |\n|---|---|---|\n")
	for _, l := range leaves() {
		name := l.name
		if l.ArgsUsage != "" {
			name += " " + l.ArgsUsage
		}
		words, own := l.whole()
		for _, f := range own {
			words = append(words, "`--"+f.Names()[0]+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, l.Usage, strings.Join(words, ", "))
	}
	return b.String()
}

// flagTable lists every flag: the groups' first, then those of single
// commands.
func flagTable() string {
	var b strings.Builder
	for _, g := range groups() {
		fmt.Fprintf(&b, "| *%s* | what it says | default | environment |\n|---|---|---|---|\n", g.name)
		for _, f := range g.flags {
			b.WriteString(row(f) + "\n")
		}
		b.WriteString("\n")
	}
	b.WriteString("| *single commands* | what it says | default | environment | of |\n|---|---|---|---|---|\n")
	var rows []string
	of := map[string][]string{}
	for _, l := range leaves() {
		_, own := l.whole()
		for _, f := range own {
			r := row(f)
			if of[r] == nil {
				rows = append(rows, r)
			}
			of[r] = append(of[r], strings.TrimPrefix(l.name, "weir "))
		}
	}
	slices.Sort(rows)
	for _, r := range rows {
		fmt.Fprintf(&b, "%s %s |\n", r, strings.Join(of[r], ", "))
	}
	return b.String()
}

// exitTable lists the exit codes.
func exitTable() string {
	var b strings.Builder
	b.WriteString("| code | meaning |\n|---|---|\n")
	for _, e := range exitCodes() {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, e.meaning)
	}
	return b.String()
}

func TestReadmesTablesAreTheCodes(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for name, want := range map[string]string{
		"commands": commandTable(),
		"flags":    flagTable(),
		"exits":    exitTable(),
		"settings": "```toml\n" + configs.Default + "```\n",
	} {
		begin, end := "<!-- "+name+": written by go test ./cmd/weir -run Readme -update -->\n", "<!-- end of "+name+" -->\n"
		before, rest, ok := strings.Cut(text, begin)
		have, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Errorf("README.md has no place for %s between %q and %q", name, begin, end)
			continue
		}
		if have != want && !*update {
			t.Errorf("README.md's %s are not the code's; go test ./cmd/weir -run Readme -update writes:\n%s", name, want)
		}
		text = before + begin + want + end + after
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(readme, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryExitCodeIsListed(t *testing.T) {
	tree, err := parser.ParseFile(token.NewFileSet(), "../../internal/host/directory.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(tree, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(v.Names[0].Name, "Code") {
			return true
		}
		found++
		code, err := strconv.Atoi(v.Values[0].(*ast.BasicLit).Value)
		if err != nil || !slices.ContainsFunc(exitCodes(), func(e exit) bool { return e.code == code }) {
			t.Errorf("host.%s is not in the list of exit codes", v.Names[0].Name)
		}
		return true
	})
	if found != len(exitCodes())-1 {
		t.Errorf("internal/host has %d codes, the list %d and 0", found, len(exitCodes())-1)
	}
}

func TestEveryCommandIsScripted(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(b)
	}
	for _, l := range leaves() {
		called := strings.ReplaceAll(regexp.QuoteMeta(l.name), " ", " +")
		if l.name == "weir dht" {
			called = `dht` // the scripts' own command, which runs it
		}
		if !regexp.MustCompile(`(?m)^[^#\n]*\b` + called + `\b`).MatchString(scripts.String()) {
			t.Errorf("no script of testdata/script runs %s", l.name)
		}
	}
}

func TestReadmesCommandsExist(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	app := (&program{}).app()
	for _, m := range regexp.MustCompile("(?:`|\\$ )(weir(?: [^`\n]*)?)").FindAllStringSubmatch(string(b), -1) {
		words := strings.Fields(m[1])
		commands, at := app.Commands, "weir"
		for _, w := range words[1:] {
			c := find(commands, w)
			if c == nil {
				if len(commands) > 0 && regexp.MustCompile(`^[a-z]+$`).MatchString(w) {
					t.Errorf("README.md says %q; there is no command %s %s", m[1], at, w)
				}
				break
			}
			commands, at = c.Subcommands, at+" "+w
		}
	}
}
