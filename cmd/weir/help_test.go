package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// mentioned finds commands in a topic: lines of their own, and words of a sentence,
// which end where the command does.
var mentioned = regexp.MustCompile(`(?m)^    (weir .*)$|\b(weir (?:manager|member|keys|paths|verify|demo|dht|backup|restore|move|doctor|help|completion)\b(?: [a-z]+)*)`)

func TestTopicsNameCommandsAndFlagsThatExist(t *testing.T) {
	app := (&program{}).app()
	if names := topicNames(); !slices.Equal(names, []string{"backup", "network", "pairing", "recovery"}) {
		t.Errorf("the topics are %q", names)
	}
	for _, name := range topicNames() {
		b, err := topics.ReadFile("topics/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if utf8.RuneCountInString(line) > 80 {
				t.Errorf("%s, line %d is too long for a terminal", name, i+1)
			}
		}
		found := mentioned.FindAllStringSubmatch(string(b), -1)
		if len(found) == 0 {
			t.Errorf("%s names no command", name)
		}
		for _, m := range found {
			whole := m[1] != ""
			words := strings.Fields(m[1] + m[2])
			commands, at := app.Commands, "weir"
			usage, n := "", 0
			for _, w := range words[1:] {
				c := find(commands, w)
				if c == nil {
					break
				}
				commands, usage, at, n = c.Subcommands, c.ArgsUsage, at+" "+w, n+1
			}
			if n == 0 || len(commands) > 0 && whole {
				t.Errorf("%s says %q, and there is no such command", name, m[0])
				continue
			}
			if !whole {
				continue
			}
			// As the program itself takes the line apart.
			arranged, given, err := arrange(app, shellFields(m[1]))
			if err != nil {
				t.Errorf("%s says %q: %v", name, m[1], err)
				continue
			}
			for flag := range given {
				if !slices.ContainsFunc(completions(app), func(c completing) bool {
					return c.path == at && slices.ContainsFunc(c.flags, func(o offer) bool { return o.word == "--"+flag })
				}) {
					t.Errorf("%s says %q, and %s has no flag --%s", name, m[1], at, flag)
				}
			}
			args := 0
			if i := slices.Index(arranged, "--"); i >= 0 {
				args = len(arranged) - i - 1
			}
			if !counted(usage, args) {
				t.Errorf("%s says %q, and %s takes %q", name, m[1], at, usage)
			}
		}
	}
}

// shellFields splits a line as a shell does that knows only double quotes.
func shellFields(line string) []string {
	var out []string
	for _, f := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
		out = append(out, strings.Trim(f, `"`))
	}
	return out
}
