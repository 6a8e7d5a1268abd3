package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
)

func (p *program) doctor() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "look for everything that can be wrong with a directory, and with --fix put right what can be",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "data `DIRECTORY`; weir paths shows the default", EnvVars: []string{"WEIR_DIR"}},
			jsonFlag(),
			&cli.BoolFlag{Name: "fix", Usage: "do what is safe, and ask about the rest"},
			&cli.BoolFlag{Name: "yes", Usage: "do not ask"},
		},
		Action: p.examine,
	}
}

// doctorView is what weir doctor gives.
type doctorView struct {
	Directory string         `json:"directory"`
	Well      bool           `json:"well"`
	Locked    bool           `json:"locked"` // the key has a passphrase
	Findings  []host.Finding `json:"findings"`
}

// examine does without the settings, which may be what is wrong.
func (p *program) examine(c *cli.Context) error {
	dir, err := p.patient(c.String("dir"))
	if err != nil {
		return err
	}
	p.at(c, host.Directory(dir), "")
	ask := func(question string) (bool, error) {
		if c.Bool("yes") {
			return true, nil
		}
		err := p.confirm(c.Context, question+".")
		if c.Context.Err() != nil {
			return false, c.Context.Err()
		}
		return err == nil, nil
	}
	if !p.terminal() && !c.Bool("yes") {
		ask = nil
	}
	v := doctorView{Directory: dir, Well: true}
	v.Locked, _ = host.Directory(dir).Key().Encrypted() // what keeps it from being read is found below
	if v.Findings, err = host.Doctor(c.Context, host.Directory(dir), c.Bool("fix"), ask, time.Now()); err != nil {
		return err
	}
	for _, f := range v.Findings {
		v.Well = v.Well && (f.Fixed || f.Note)
	}
	if err := p.show(c.Bool("json"), v, func() { p.diagnosis(v, c.Bool("fix")) }); err != nil {
		return err
	}
	if !v.Well {
		return &control.Error{Code: host.CodeUnwell, Text: dir + " is not well: see above"}
	}
	return nil
}

// patient is the directory that is meant.
func (p *program) patient(dir string) (string, error) {
	if dir == "" {
		var there []string
		for _, role := range []string{roleMember, roleManager} {
			d, err := defaultDir(role)
			if err != nil {
				return "", err
			}
			if _, err := os.Stat(d); err == nil {
				there = append(there, d)
			}
		}
		switch len(there) {
		case 0:
			return "", fmt.Errorf("%w: there is no directory of a manager or a member", host.ErrNotInitialised)
		case 2:
			return "", usagef("there are two directories here, and one must be meant: say --dir %s or --dir %s", there[0], there[1])
		}
		dir = there[0]
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if i, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w: there is no directory %s", host.ErrNotInitialised, dir)
	} else if err == nil && !i.IsDir() {
		return "", usagef("%s is a file, and data lies in a directory: name another with --dir", dir)
	}
	return dir, nil
}

func (p *program) diagnosis(v doctorView, fixing bool) {
	if v.Well {
		p.printf("All well with %s.\n", v.Directory)
	}
	for _, f := range v.Findings {
		in := yes(f.Database == "", "", " (database "+short(f.Database)+")")
		if f.Fixed {
			p.printf("put right: %s%s\n", f.Done, in)
			continue
		}
		p.printf("%s: %s%s\n", yes(f.Note, "note", "not well"), p.mine(f.What), in)
		if f.Means != "" {
			p.printf("  it means: %s\n", p.mine(f.Means))
		}
		begin := "  to do:    "
		for _, line := range []string{f.Remedy, f.Command} {
			if line != "" {
				p.printf("%s%s\n", begin, p.mine(line))
				begin = "            "
			}
		}
		switch {
		case f.Fix == "":
		case f.Declined:
			p.printf("            it was not done: you said no\n")
		case !fixing:
			p.printf("            weir doctor --fix --dir %s does it%s\n", host.Quoted(v.Directory), yes(f.Fix == host.FixAsks, ", and asks first", ""))
		default:
			p.printf("            it was not done: on a terminal weir doctor --fix asks, and --yes says yes\n")
		}
	}
	if v.Locked {
		p.printf("The key is locked with a passphrase. %s\n", forgotten)
	}
}
