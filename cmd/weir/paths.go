package main

import "github.com/urfave/cli/v2"

func (p *program) paths() *cli.Command {
	return &cli.Command{
		Name:  "paths",
		Usage: "print the default data directories",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			out := map[string]string{}
			for _, role := range []string{roleManager, roleMember} {
				d, err := defaultDir(role)
				if err != nil {
					return err
				}
				out[role] = d
			}
			return p.show(c.Bool("json"), out, func() {
				p.printf("manager  %s\nmember   %s\n", out[roleManager], out[roleMember])
			})
		},
	}
}
