package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// shells are those that there is a completion script for.
func shells() []string { return []string{"bash", "zsh", "fish"} }

func (p *program) completion() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script with which bash, zsh or fish completes commands and flags",
		ArgsUsage: "SHELL",
		Action: func(c *cli.Context) error {
			words := completions(p.app())
			switch shell := c.Args().First(); shell {
			case "bash":
				return p.out.raw(bashScript(words))
			case "zsh":
				return p.out.raw(zshScript(words))
			case "fish":
				return p.out.raw(fishScript(words))
			default:
				return usagef("there is a script for %s, not for %q", strings.Join(shells(), ", "), shell)
			}
		},
	}
}

// valueNameOf finds what a flag's value is called.
var valueNameOf = regexp.MustCompile("`([^`]+)`")

// completing is what can follow a command: words, and flags.
type completing struct {
	path  string // "weir manager"
	words []offer
	flags []offer
}

// offer is a word that can be typed, and what it means.
type offer struct {
	word, why string
	value     string // of a flag: what follows it, FILE, DIRECTORY or something else; "": nothing
}

// fixed are words that a command takes itself.
func fixed() map[string][]string {
	return map[string][]string{
		"weir completion": shells(), "weir manager clock": {"accept"}, "weir member outbox": {"cancel"}, "weir help": topicNames(),
	}
}

// completions lists all commands, the program itself first.
func completions(app *cli.App) []completing {
	var all []completing
	var walk func(path string, cs []*cli.Command, fs []cli.Flag)
	walk = func(path string, cs []*cli.Command, fs []cli.Flag) {
		here := completing{path: path}
		for _, f := range fs {
			if f == cli.HelpFlag {
				continue
			}
			o := offer{word: "--" + f.Names()[0]}
			if d, ok := f.(cli.DocGenerationFlag); ok {
				o.why = valueNameOf.ReplaceAllString(d.GetUsage(), "$1")
				if d.TakesValue() {
					o.value = "VALUE"
				}
				if m := valueNameOf.FindStringSubmatch(d.GetUsage()); m != nil && d.TakesValue() {
					o.value = m[1]
				}
			}
			here.flags = append(here.flags, o)
		}
		here.flags = append(here.flags, offer{word: "--help", why: "say what it takes"})
		for _, w := range fixed()[path] {
			here.words = append(here.words, offer{word: w})
		}
		var below []*cli.Command
		for _, c := range cs {
			if !c.Hidden {
				here.words = append(here.words, offer{word: c.Name, why: c.Usage})
				below = append(below, c)
			}
		}
		all = append(all, here)
		for _, c := range below {
			walk(path+" "+c.Name, c.Subcommands, c.Flags)
		}
	}
	walk("weir", app.Commands, app.Flags)
	return all
}

// following sorts the flags that a value follows by what that is. One that has a
// value only with some commands is left to the shell.
func following(all []completing) (files, dirs, others []string) {
	kinds := map[string]string{}
	for _, c := range all {
		for _, f := range c.flags {
			if before, seen := kinds[f.word]; seen && before != f.value {
				f.value = ""
			}
			kinds[f.word] = f.value
		}
	}
	for flag, value := range kinds {
		switch value {
		case "":
		case "FILE", "PHOTO":
			files = append(files, flag)
		case "DIRECTORY":
			dirs = append(dirs, flag)
		default:
			others = append(others, flag)
		}
	}
	slices.Sort(files)
	slices.Sort(dirs)
	slices.Sort(others)
	return files, dirs, others
}

// commandPaths are all commands but the program, quoted for a pattern of a shell.
func commandPaths(all []completing) []string {
	var out []string
	for _, c := range all[1:] {
		out = append(out, `"`+c.path+`"`)
	}
	return out
}

func offered(offers []offer) string {
	var words []string
	for _, o := range offers {
		words = append(words, o.word)
	}
	return strings.Join(words, " ")
}

func bashScript(all []completing) string {
	var b strings.Builder
	files, dirs, others := following(all)
	fmt.Fprintf(&b, `# bash completion of weir: source <(weir completion bash)
_weir() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=weir words= flags= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "$at ${COMP_WORDS[i]}" in
		%s) at="$at ${COMP_WORDS[i]}" ;;
		esac
	done
	COMPREPLY=()
	case $prev in
	%s) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	%s) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	%s) return ;;
	esac
	case $at in
`, strings.Join(commandPaths(all), "|"), strings.Join(files, "|"), strings.Join(dirs, "|"), strings.Join(others, "|"))
	for _, c := range all {
		fmt.Fprintf(&b, "\t%q) words='%s' flags='%s' ;;\n", c.path, offered(c.words), offered(c.flags))
	}
	b.WriteString(`	esac
	[[ $cur == -* ]] && words=$flags
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _weir weir
`)
	return b.String()
}

func zshScript(all []completing) string {
	var b strings.Builder
	files, dirs, others := following(all)
	described := func(offers []offer) string {
		var out []string
		for _, o := range offers {
			text := strings.ReplaceAll(o.word, ":", `\:`)
			if o.why != "" {
				text += ":" + o.why
			}
			out = append(out, shellWord(text))
		}
		return strings.Join(out, " ")
	}
	fmt.Fprintf(&b, `#compdef weir
# zsh completion of weir: put it as _weir into a directory of $fpath, or
# source <(weir completion zsh)
_weir() {
	local at=weir i
	local -a list flags
	for ((i = 2; i < CURRENT; i++)); do
		case "$at ${words[i]}" in
		(%s) at="$at ${words[i]}" ;;
		esac
	done
	case ${words[CURRENT-1]} in
	(%s) _files; return ;;
	(%s) _files -/; return ;;
	(%s) return ;;
	esac
	case $at in
`, strings.Join(commandPaths(all), "|"), strings.Join(files, "|"), strings.Join(dirs, "|"), strings.Join(others, "|"))
	for _, c := range all {
		fmt.Fprintf(&b, "\t(%q) list=(%s) flags=(%s) ;;\n", c.path, described(c.words), described(c.flags))
	}
	b.WriteString(`	esac
	[[ ${words[CURRENT]} == -* ]] && list=("${flags[@]}")
	_describe weir list
}
if [[ ${funcstack[1]} == _weir ]]; then _weir "$@"; else compdef _weir weir; fi
`)
	return b.String()
}

func fishScript(all []completing) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# fish completion of weir: weir completion fish | source
function __weir_at
	set -l at weir
	for word in (commandline -opc)[2..-1]
		if contains -- "$at $word" %s
			set at "$at $word"
		end
	end
	test "$at" = "$argv[1]"
end
complete -c weir -f
`, strings.Join(commandPaths(all), " "))
	for _, c := range all {
		when := fmt.Sprintf("complete -c weir -n '__weir_at \"%s\"'", c.path)
		for _, o := range c.words {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", when, o.word, fishWord(o.why))
		}
		for _, o := range c.flags {
			value := ""
			switch o.value {
			case "":
			case "FILE", "DIRECTORY", "PHOTO":
				value = " -r -F"
			default:
				value = " -x"
			}
			fmt.Fprintf(&b, "%s -l %s%s -d %s\n", when, strings.TrimPrefix(o.word, "--"), value, fishWord(o.why))
		}
	}
	return b.String()
}

// shellWord is a word in quotes that nothing ends, in bash and zsh.
func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// fishWord is the same in fish.
func fishWord(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
