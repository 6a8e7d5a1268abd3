package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) managerMembers(c *cli.Context) error {
	var v []host.MemberView
	return p.ask(c, roleManager, "manager members", nil, &v, func(o options) error {
		shown := []host.MemberView{}
		for _, m := range v {
			if m.Quiet || !c.Bool("quiet") {
				shown = append(shown, m)
			}
		}
		if err := sortMembers(c, shown, func(m host.MemberView) (host.AccountView, string) { return m.AccountView, m.Seen }); err != nil {
			return err
		}
		return p.show(o.json, shown, func() {
			var rows [][]string
			for _, m := range shown {
				rows = append(rows, []string{fmt.Sprint(m.Account), m.Name, m.Balance, m.Lower, m.Upper, ago(m.Seen), memberNote(m, c.Bool("contacts"))})
			}
			p.table("ACCOUNT NAME -BALANCE -LOWER -UPPER SEEN NOTE", rows)
		})
	})
}

// memberNote is what a manager should know of a member besides its figures.
func memberNote(m host.MemberView, contact bool) string {
	var notes []string
	add := func(so bool, text string) {
		if so {
			notes = append(notes, text)
		}
	}
	add(m.Suspended, "suspended")
	add(m.Quiet, "quiet")
	add(m.Own, "own limits")
	add(len(m.Earlier) > 0, "was "+strings.Join(m.Earlier, ", "))
	add(m.Problem != "", m.Problem)
	add(m.OldKey, "has not met the manager's new key yet")
	add(contact && m.Contact != "", m.Contact)
	return strings.Join(notes, "; ")
}

func (p *program) managerContact(c *cli.Context) error {
	var v host.ContactView
	in := host.ContactIn{Who: c.Args().Get(0), Text: c.Args().Get(1), Set: c.NArg() == 2}
	return p.ask(c, roleManager, "manager contact", in, &v, func(o options) error {
		return p.show(o.json, v, func() {
			switch {
			case v.Contact == "":
				p.printf("How to reach %d %s is not noted.\n", v.Account, v.Name)
			case in.Set:
				p.printf("%d %s is reached by: %s\nThis is kept here alone and published nowhere.\n", v.Account, v.Name, v.Contact)
			default:
				p.printf("%s\n", v.Contact)
			}
		})
	})
}
