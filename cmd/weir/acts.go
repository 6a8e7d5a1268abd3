package main

import (
	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) managerSuspend(c *cli.Context) error { return p.act(c, "suspend") }
func (p *program) managerResume(c *cli.Context) error  { return p.act(c, "resume") }
func (p *program) managerRename(c *cli.Context) error  { return p.act(c, "rename") }
func (p *program) managerLimit(c *cli.Context) error {
	if c.String("lower") == "" && c.String("upper") == "" {
		return usagef("say a new limit: --lower AMOUNT, --upper AMOUNT or both")
	}
	return p.act(c, "limit")
}

func (p *program) act(c *cli.Context, name string) error {
	reason, err := textOf(c, "reason")
	if err != nil {
		return err
	}
	in := host.ActIn{Name: c.Args().Get(1), Who: c.Args().First(), Reason: reason, Lower: c.String("lower"), Upper: c.String("upper")}
	var v host.EntryView
	return p.ask(c, roleManager, "manager "+name, in, &v, func(o options) error {
		return p.show(o.json, v, func() {
			switch name {
			case "limit":
				p.printf("Account %d: limits %s to %s from now on (entry %d).\n", v.Target, v.Lower, v.Upper, v.Index)
			case "rename":
				p.printf("Account %d is called %s from now on (entry %d). Its earlier names stay its own.\n", v.Target, v.Called, v.Index)
			case "suspend":
				p.printf("Account %d may only read from now on (entry %d). It can still be paid. weir manager resume ends this.\n", v.Target, v.Index)
			default:
				p.printf("Account %d may write again (entry %d).\n", v.Target, v.Index)
			}
		})
	})
}

func (p *program) managerClock(c *cli.Context) error {
	if c.Args().First() != "accept" {
		return usagef("to say that the clock is right: weir manager clock accept")
	}
	var v map[string]string
	return p.ask(c, roleManager, "manager clock", nil, &v, func(o options) error {
		return p.show(o.json, v, func() { p.printf("The clock (%s) is taken as right; the manager goes on.\n", clock(v["accepted"])) })
	})
}
