package host

import (
	"slices"
	"strings"
	"time"

	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// advice are the Problems with which nothing is wrong: somebody waits, or starts
// what does not run.
var advice = []string{"not_running", "starting", "asking", "catching_up"}

// stands are the Problems of weir status that no ailment has said, by the same
// conditions, whether somebody runs or not.
func (p *patient) stands() ([]Finding, error) {
	problems, err := p.problems, error(nil)
	if !p.runs && p.broken == nil {
		problems, err = p.idle()
	}
	var found []Finding
	for _, pr := range problems {
		if slices.Contains(p.covered, pr.Code) {
			continue
		}
		f := Finding{
			Name: pr.Code, Database: p.db.ID, What: strings.TrimSuffix(pr.Text, "."), Remedy: strings.TrimSuffix(pr.Remedy, "."),
			Command: p.command(pr.Code), Note: slices.Contains(advice, pr.Code),
		}
		if f.Name == "other_device" && p.runs {
			f.Remedy = "switch the other device off for good. Then end the agent that runs here, and weir doctor --fix asks and lets this one take over; or, without ending it:"
		} else if f.Command != "" { // which is said in full below
			f.Remedy, _, _ = strings.Cut(f.Remedy, " with weir ")
		}
		found = append(found, f)
	}
	return found, err
}

// idle is what weir status finds not well where nobody runs. It needs no key.
func (p *patient) idle() ([]Problem, error) {
	if p.db.Role == RoleManager {
		v := ManagerStatusView{Name: p.db.Name}
		if p.store != nil {
			m := &Manager{dir: p.dir, db: *p.db, store: p.store, desk: &manager.Desk{Store: p.store, Now: func() time.Time { return p.now }}}
			var err error
			if v, err = m.status(); err != nil {
				return nil, err
			}
		}
		v.judge(p.now)
		return v.Problems, nil
	}
	var v MemberStatusView
	if public, err := p.dir.Key().Public(); err == nil && p.store != nil {
		a := &Agent{cfg: AgentConfig{Dir: p.dir}}
		s := &seat{db: *p.db, store: p.store, desk: p.desk(public)}
		if v, err = a.standing(s, p.now); err != nil {
			return nil, err
		}
		v.Warnings = slices.DeleteFunc(v.Warnings, func(w string) bool { // it is an ailment
			return strings.HasPrefix(w, member.ErrRestored.Error())
		})
	}
	v.judge(p.now)
	return v.Problems, nil
}

// commands are what somebody types for a finding, by its name; --dir and --db are
// added.
var commands = map[string]string{
	"not_running":         "weir ROLE run",
	"other_device":        "weir member takeover",
	"restored_not_looked": "weir member run",
	"takeover_begun":      "weir member run",
	"manager_old":         "weir manager recover LINK",
	"refusing":            "weir manager recover LINK",
	"store_damaged":       "weir ROLE RESTORES LINK --dir NEW",
	"no_backup":           "weir backup --out FILE",
}

// command is the one for a finding; "": there is none, or it cannot be said.
func (p *patient) command(name string) string {
	c, ok := commands[name]
	if !ok || strings.Contains(c, "LINK") && p.link == "" {
		return ""
	}
	if p.db != nil {
		restores := "restore"
		if p.db.Role == RoleManager {
			restores = "recover"
		}
		c = strings.NewReplacer("ROLE", p.db.Role, "RESTORES", restores, "LINK", p.link).Replace(c)
	}
	if strings.Contains(c, " --dir ") {
		return c
	}
	c += " --dir " + Quoted(string(p.dir))
	if p.db != nil && p.several && !strings.HasPrefix(c, "weir member run") {
		c += " --db " + p.db.ID[:8]
	}
	return c
}

// withReadKey is what is said where a link is to be given that is printed nowhere,
// since it opens an encrypted database.
const withReadKey = "; the database is encrypted, so LINK has to be one with its read key: what weir manager link --read-key prints for the manager, or the invitation or answer that this directory joined by, however old"

// sealed says whether this is a member's encrypted database.
func (db Database) sealed() bool {
	j, err := db.joined()
	return err == nil && db.Role == RoleMember && j.ReadKey != nil
}

// public is the link by which everybody reads a database, as far as it is known
// here; "" where a member needs one with the read key.
func (db Database) public(s *store.Store) string {
	var l wire.DatabaseLink
	if db.sealed() {
		return ""
	}
	if j, err := db.joined(); err == nil && db.Role == RoleMember {
		l = j.DatabaseLink
	} else if s != nil {
		l = (&manager.Desk{Store: s}).Link(db.Bootstrap[:min(len(db.Bootstrap), bootstrapMax)])
	} else {
		return ""
	}
	l.ReadKey = nil
	text, err := l.Link()
	if err != nil {
		return ""
	}
	return text
}
