package main

import (
	"os"

	"github.com/urfave/cli/v2"

	"weir/internal/service"
)

func (p *program) paths() *cli.Command {
	return &cli.Command{
		Name:  "paths",
		Usage: "print the default data directories, and where their services are described",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			out := map[string]string{}
			home, homeless := os.UserHomeDir()
			for _, role := range []string{roleManager, roleMember} {
				d, err := defaultDir(role)
				if err != nil {
					return err
				}
				out[role] = d
				if homeless == nil {
					s := service.Service{Role: role, Dir: d, Plain: true, Home: home}
					out[role+"_service"] = s.File(service.Native())
				}
			}
			return p.show(c.Bool("json"), out, func() {
				for _, role := range []string{roleManager, roleMember} {
					p.printf("%-7s  %s\n", role, out[role])
				}
				for _, role := range []string{roleManager, roleMember} {
					if file := out[role+"_service"]; file != "" {
						_, err := os.Lstat(file)
						p.printf("%s service  %s%s\n", role, file, yes(err == nil, "", " (not installed)"))
					}
				}
			})
		},
	}
}
