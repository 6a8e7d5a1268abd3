package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/ledger/wire"
)

func (p *program) managerAdmit(c *cli.Context) error {
	code, err := p.linkOf(c, "member code")
	if err != nil {
		return err
	}
	if err := writable(c.String("png")); err != nil {
		return err
	}
	var v host.AdmitView
	return p.ask(c, roleManager, "manager admit", host.AdmitIn{Code: code}, &v, func(o options) error {
		if err := p.showQR(o, v.Answer, c.String("png")); err != nil {
			return fmt.Errorf("%w. %s is admitted all the same; give this command again for the answer", err, v.Name)
		}
		return p.show(o.json, v, func() {
			p.printf("%s is %smember %d. This is the answer for them; they join with: weir member join ANSWER\n%s\n", v.Name, yes(v.Again, "already ", ""), v.Account, v.Answer)
			p.note(renamed(v.Name, v.Requested))
			p.note(takenFor(v.Name, v.Alike))
			p.note(opens(v.Answer))
		})
	})
}

// renamed says that somebody was admitted under another name than asked for.
func renamed(name, requested string) string {
	switch {
	case name == requested:
		return ""
	case numbered(name, requested):
		return fmt.Sprintf("they asked to be called %q, which another member is or was called", requested)
	}
	return fmt.Sprintf("they asked to be called %q", requested)
}

// takenFor warns of a name that may be taken for others.
func takenFor(name string, alike []host.NamedView) string {
	if len(alike) == 0 {
		return ""
	}
	return fmt.Sprintf("take care: the name %s may be taken for that of %s. If they are not the same person, make sure who it is; weir manager rename gives another name", name, host.NamesOf(alike))
}

// opens warns of an answer that has the read key; "": it has none.
func opens(answer string) string {
	if l, _ := wire.ParseLink(answer); l != nil {
		if a, ok := l.(wire.Answer); ok && a.ReadKey != nil {
			return "the database is encrypted, and whoever has this answer can read all of it: give it only to the member"
		}
	}
	return ""
}
