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
		return p.show(o.json, v, func() {
			var rows [][]string
			for _, m := range v {
				note := m.Problem
				if m.Suspended {
					note = strings.TrimSpace("suspended " + note)
				}
				rows = append(rows, []string{fmt.Sprint(m.Account), m.Name, m.Balance, m.Lower, m.Upper, fmt.Sprint(m.Entries), ago(m.Seen), note})
			}
			p.table("ACCOUNT NAME BALANCE LOWER UPPER ENTRIES SEEN NOTE", rows)
		})
	})
}
