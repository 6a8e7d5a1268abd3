package main

import (
	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) managerRekey(c *cli.Context) error {
	who, code := c.Args().Get(0), c.Args().Get(1)
	if !c.Bool("yes") {
		p.note("whoever made this code will act for " + who + " from now on, and the key that " + who + " has now signs nothing any more. " +
			"Be sure that the code is from the person whose account it is: see each other, or call; everybody can see this act in the log")
		if err := p.confirm(c.Context, "Give the account of "+who+" to the key of this code?"); err != nil {
			return err
		}
	}
	var v host.AdmitView
	return p.ask(c, roleManager, "manager rekey", host.RekeyIn{Who: who, Code: code}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("Account %d, %s, has the key of this code from now on. Give its owner this answer, for weir member join:\n%s\n", v.Account, v.Name, v.Answer)
			p.note(opens(v.Answer))
		})
	})
}
