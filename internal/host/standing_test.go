package host

import "testing"

func TestTheNextStepIsTheMostUrgentOne(t *testing.T) {
	manager := StandingDatabase{ID: "0123456789", Name: "Harbour", Role: RoleManager, Running: true, Members: 2}
	member := StandingDatabase{ID: "0123456789", Name: "Harbour", Role: RoleMember, Running: true}
	with := func(db StandingDatabase, change func(*StandingDatabase)) StandingView {
		change(&db)
		return StandingView{Role: db.Role, Dir: "/d", Key: "open", Written: true, Databases: []StandingDatabase{db}}
	}
	same := func(*StandingDatabase) {}
	for what, c := range map[string]struct {
		all  []StandingView
		want string
	}{
		"nothing anywhere":                   {[]StandingView{{Role: RoleManager, Dir: "/m"}, {Role: RoleMember, Dir: "/d"}}, ""},
		"a key of a manager":                 {[]StandingView{{Role: RoleManager, Dir: "/m", Key: "open", Written: true}}, "weir manager init"},
		"a key elsewhere":                    {[]StandingView{{Dir: "/my things", Key: "open", Written: true}}, "weir member join --dir '/my things'"},
		"what does not run":                  {[]StandingView{with(manager, same), with(member, func(db *StandingDatabase) { db.Running = false })}, "weir member run"},
		"a copy":                             {[]StandingView{with(manager, same), with(member, func(db *StandingDatabase) { db.Running, db.Copy = false, "/e" })}, "weir doctor --dir /d"},
		"a manager that stopped for good":    {[]StandingView{with(manager, func(db *StandingDatabase) { db.Running, db.Barred = false, "two ran" }), with(member, same)}, "weir manager status"},
		"what was moved away":                {[]StandingView{{Role: RoleMember, Dir: "/d", Key: "open", Moved: "it was", Databases: []StandingDatabase{{ID: "0123456789", Role: RoleMember}}}}, "weir doctor --dir /d"},
		"what was moved away beside another": {[]StandingView{with(manager, same), {Role: RoleMember, Dir: "/d", Key: "open", Moved: "it was"}}, "weir manager status"},
		"a problem":                          {[]StandingView{with(manager, func(db *StandingDatabase) { db.Problem = "a clock" }), with(member, same)}, "weir manager status"},
		"nobody was invited":                 {[]StandingView{with(manager, func(db *StandingDatabase) { db.Members = 0 })}, "weir manager invite"},
		"somebody was invited":               {[]StandingView{with(manager, func(db *StandingDatabase) { db.Members, db.Invitations = 0, 1 })}, "weir manager status"},
		"a request is under way":             {[]StandingView{with(member, func(db *StandingDatabase) { db.Joining = "asking" })}, "weir member status"},
		"all well":                           {[]StandingView{with(manager, same), with(member, same)}, "weir member balance"},
		"words are not on paper":             {[]StandingView{{Role: RoleManager, Dir: "/m", Key: "locked", Databases: []StandingDatabase{manager}}}, "weir keys words --check --dir /m"},
		"one of two does not run": {[]StandingView{{Role: RoleManager, Dir: "/m", Key: "open", Written: true,
			Databases: []StandingDatabase{manager, {ID: "abcdef0123", Role: RoleManager}}}}, "weir manager run --db abcdef01"},
		"what does not read": {[]StandingView{{Role: RoleMember, Dir: "/d", Problem: "damaged"}}, "weir member audit"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv("WEIR_DIR", "")
			step, ok := Next(c.all)
			if step.Command != c.want || ok != (c.want != "") {
				t.Errorf("%q, want %q", step.Command, c.want)
			}
		})
	}
}
