package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/internal/service"
)

// service is the command group that has a role started by the system.
func (p *program) service(role string) *cli.Command {
	system := &cli.BoolFlag{Name: "system", Usage: "start it with the machine instead of when you log in; needs administrator rights"}
	made := flags(common(), []cli.Flag{system,
		passphraseFlags()[0],
		&cli.StringFlag{Name: "credential", Usage: "systemd: `FILE` with the passphrase, encrypted by systemd-creds encrypt --name=passphrase"},
		&cli.BoolFlag{Name: "print", Usage: "only print the file that describes the service to the system"},
		&cli.StringFlag{Name: "for", Usage: "with --print: the `SYSTEM` that it is for, systemd, launchd or windows"},
	})
	asked := flags(common(), []cli.Flag{system})
	return &cli.Command{
		Name:  "service",
		Usage: "have it run always, started by the system",
		Subcommands: []*cli.Command{
			{Name: "install", Usage: "have the system start it, now and from now on", Flags: made, Action: func(c *cli.Context) error { return p.serviceInstall(c, role) }},
			{Name: "remove", Usage: "stop it, and start it no more; the data stays", Flags: asked, Action: func(c *cli.Context) error { return p.serviceRemove(c, role) }},
			{Name: "status", Usage: "whether it is installed and runs", Flags: asked, Action: func(c *cli.Context) error { return p.serviceStatus(c, role) }},
		},
	}
}

// described is the service that a command's flags mean.
func (p *program) described(c *cli.Context, role string) (options, service.Service, error) {
	o, err := p.options(c, role)
	if err != nil {
		return o, service.Service{}, err
	}
	plain, err := defaultDir(role)
	if err != nil {
		plain = ""
	}
	s := service.Service{Role: role, Dir: string(o.dir), Plain: string(o.dir) == plain, System: c.Bool("system")}
	if role == roleManager && o.db != "" {
		db, err := o.dir.Choose(o.db, role)
		if err != nil {
			return o, s, err
		}
		s.DB, s.Plain = db.ID, false
	}
	if s.Program, err = os.Executable(); err != nil {
		return o, s, err
	}
	if !s.System {
		s.Home, err = os.UserHomeDir()
		if err != nil {
			return o, s, usagef("this user has no home directory: install it with --system")
		}
	}
	return o, s, nil
}

func (p *program) serviceInstall(c *cli.Context, role string) error {
	o, s, err := p.described(c, role)
	if err != nil {
		return err
	}
	kind := service.Native()
	if text := c.String("for"); text != "" {
		if kind, err = service.ParseKind(text); err != nil {
			return usagef("--for: %v", err)
		}
		if !c.Bool("print") {
			return usagef("--for goes with --print: a service is installed for the system that runs here, %s", service.Native())
		}
	}
	if _, err := o.dir.Choose(o.db, role); err != nil {
		return err
	}
	if s.System || kind == service.Windows {
		s.User = host.Directory(s.Dir).Owner()
	}
	if err := p.unattended(o, &s); err != nil {
		return err
	}
	if err := s.Check(kind); err != nil {
		return usagef("%v", err)
	}
	if c.Bool("print") {
		text := s.Text(kind)
		return p.show(o.json, map[string]string{"name": s.Name(), "file": s.File(kind), "text": text}, func() { p.printf("%s", text) })
	}
	if s.System && !service.Privileged() {
		return fmt.Errorf("a service of the whole system needs administrator rights: sudo weir %s service install --system --dir %s", role, host.Quoted(s.Dir))
	}
	r, err := service.Install(c.Context, s, kind)
	if errors.Is(err, service.ErrNotStarted) {
		return &control.Error{Code: host.CodePart, Text: fmt.Sprintf("%s is written, and the system did not start it: %v", r.File, err)}
	}
	if err != nil {
		return err
	}
	if kind == service.Systemd && !s.System {
		r.Also = "it runs while you are logged in; loginctl enable-linger lets it run always"
	}
	return p.show(o.json, r, func() {
		p.printf("The service %s runs, and starts again by itself.\nfile  %s\nlog   %s\n", r.Name, r.File, r.Log)
		for _, did := range r.Did {
			p.printf("did   %s\n", did)
		}
		p.note(r.Also)
		p.note(p.leftOut(o))
	})
}

// unattended sees to it that nobody has to type a passphrase when a service
// starts.
func (p *program) unattended(o options, s *service.Service) error {
	locked, err := o.dir.Key().Encrypted()
	if err != nil {
		return err
	}
	flag, file, err := o.source(p, "passphrase-file")
	if err != nil {
		return err
	}
	s.Credential = o.c.String("credential")
	if s.Credential != "" && flag != "" && p.given[flag] {
		return usagef("--credential and --passphrase-file are both said, and only one can be meant")
	}
	switch {
	case !locked || o.settings.PassphraseCommand != "":
		return nil
	case s.Credential != "":
		s.Credential, err = existing("credential", s.Credential)
		return err
	case flag == "":
		return usagef("the key is locked with a passphrase, and nobody is there to type it when a service starts: name a file that holds it, readable only by you, with --passphrase-file FILE, or with systemd an encrypted one with --credential FILE")
	}
	s.PassphraseFile, err = existing(flag, file)
	return err
}

// existing is the whole path of a file that has to be there.
func existing(flag, file string) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", usagef("--%s %s: there is no such file that can be read", flag, file)
	}
	return path, nil
}

// leftOut names variables that commands heed here and the service does not.
func (p *program) leftOut(o options) string {
	var names []string
	for _, name := range []string{"WEIR_BOOTSTRAP", "WEIR_PUBLIC", "WEIR_LISTEN", "WEIR_CONFIG", "WEIR_CYCLE", "WEIR_FOLLOW"} {
		if os.Getenv(name) != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "the service does not see " + strings.Join(names, ", ") + ", which are set here: what it should heed belongs into " + filepath.Join(string(o.dir), "weir.toml")
}

func (p *program) serviceRemove(c *cli.Context, role string) error {
	o, s, err := p.described(c, role)
	if err != nil {
		return err
	}
	if s.System && !service.Privileged() {
		return fmt.Errorf("a service of the whole system needs administrator rights: sudo weir %s service remove --system --dir %s", role, host.Quoted(s.Dir))
	}
	r, err := service.Remove(c.Context, s, service.Native())
	if errors.Is(err, service.ErrNotInstalled) {
		return fmt.Errorf("%w: %w", host.ErrNotFound, err)
	}
	if err != nil {
		return err
	}
	return p.show(o.json, r, func() {
		p.printf("The service %s was stopped and starts no more. The data in %s is as it was.\n", r.Name, o.dir)
		p.note(r.Also)
	})
}

func (p *program) serviceStatus(c *cli.Context, role string) error {
	o, s, err := p.described(c, role)
	if err != nil {
		return err
	}
	r := service.Status(c.Context, s, service.Native())
	return p.show(o.json, r, func() {
		switch {
		case !r.Installed:
			p.printf("No service is installed for %s. %s installs one.\n", o.dir, o.command("weir "+role+" service install"))
			return
		case r.Running:
			p.printf("The service %s runs.\n", r.Name)
		default:
			p.printf("The service %s is installed and does not run.\n", r.Name)
		}
		p.printf("file  %s\nlog   %s\n", r.File, r.Log)
	})
}
