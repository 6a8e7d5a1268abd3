package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) managerAudit(c *cli.Context) error { return p.audit(c, roleManager) }
func (p *program) memberAudit(c *cli.Context) error  { return p.audit(c, roleMember) }

// audit checks a database from its stored bytes; role "" is whichever it has.
func (p *program) audit(c *cli.Context, role string) error {
	o, err := p.options(c, yes(role == "", roleMember, role))
	if err != nil {
		return err
	}
	db, err := o.dir.Choose(o.db, role)
	if err != nil {
		return err
	}
	var v host.AuditView
	err = p.call(c, o, db, db.Role+" audit", nil, &v)
	if host.Code(err) == host.CodeNotVerified { // it does not even open
		v = host.AuditView{ID: db.ID, Findings: []string{host.Text(err)}}
	} else if err == nil {
		err = v.Err()
	}
	if err != nil {
		if o.json && len(v.Findings) > 0 {
			err = errors.Join(p.json(v), err)
		}
		return err
	}
	return p.show(o.json, v, func() {
		p.printf("Everything holds: %s, %s in %s, %s, sum %s%s.\nroot %s\n", count(v.Entries, "entry", "entries"), count(v.Length, "byte", "bytes"), count(v.Volumes, "volume", "volumes"), count(v.Members, "member", "members"), v.Sum, signedText(v), v.Root)
	})
}

// signedText says how much of a manager's log is signed; a member's all is.
func signedText(v host.AuditView) string {
	switch {
	case v.Signed == v.LogSize:
		return ", all of it signed by the manager"
	case v.Signed == 0:
		return "; nothing of it is signed yet, which weir manager run does"
	}
	return fmt.Sprintf("; signed up to entry %d, and the rest in the next cycle of weir manager run", v.Signed-1)
}
