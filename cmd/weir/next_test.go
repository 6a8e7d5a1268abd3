package main

import "testing"

func TestCommandsInTextsAreOfTheDirectoryThatIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		here       place
		text, want string
	}{
		"at the end":            {place{"/a", roleMember, true}, "Start it with weir member run", "Start it with weir member run --dir /a"},
		"before a full stop":    {place{"/a", roleMember, true}, "Keep it on: weir member run.\n", "Keep it on: weir member run --dir /a.\n"},
		"before other words":    {place{"/a", roleMember, true}, "weir member log says why; weir member show NUMBER more", "weir member log --dir /a says why; weir member show NUMBER --dir /a more"},
		"a quoted one":          {place{"/a b", roleManager, true}, "weir manager service install", "weir manager service install --dir '/a b'"},
		"named already":         {place{"/a", roleMember, true}, "weir member run --dir /b", "weir member run --dir /b"},
		"somebody else's":       {place{"/a", roleManager, true}, "they join with weir member join LINK", "they join with weir member join LINK"},
		"of no role":            {place{"/a", "", true}, "weir member takeover or weir manager recover LINK", "weir member takeover --dir /a or weir manager recover LINK --dir /a"},
		"of any role":           {place{"/a", roleMember, true}, "weir doctor --fix does it; weir backup too", "weir doctor --fix --dir /a does it; weir backup --dir /a too"},
		"without a directory":   {place{"/a", roleMember, true}, "weir verify says so, weir alone too, weir explain TEXT as well", "weir verify --dir /a says so, weir alone too, weir explain TEXT as well"},
		"a group":               {place{"/a", roleMember, true}, "weir member --help lists them", "weir member --help lists them"},
		"an argument of it":     {place{"/a", roleMember, true}, "weir member outbox cancel 2", "weir member outbox cancel 2 --dir /a"},
		"the usual one":         {place{"/a", roleMember, false}, "weir member run, weir keys words", "weir member run, weir keys words"},
		"a manager's usual key": {place{"/a", roleManager, false}, "weir keys words --check, weir manager run", "weir keys words --check --dir /a, weir manager run"},
		"a link":                {place{"/a", roleManager, true}, "rebuild it with weir manager recover WEIR:AE42", "rebuild it with weir manager recover WEIR:AE42 --dir /a"},
		"nowhere":               {place{}, "weir member run", "weir member run"},
		"a new directory":       {place{"/a", roleMember, true}, "weir restore FILE", "weir restore FILE"},
		"nearly one":            {place{"/a", roleMember, true}, "weirs member run the weir program", "weirs member run the weir program"},
	} {
		p := &program{working: c.here}
		if got := p.mine(c.text); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAMessageIsExplainedWhateverItsDirectory(t *testing.T) {
	for text, want := range map[string]string{
		"Start it with weir member run --dir /a.":                 "Start it with weir member run.",
		"run --dir /a/b.c. weir member show 2 --dir '/a b' tells": "run. weir member show 2 tells",
		`weir x --dir '/a'\''b'; then`:                            "weir x; then",
		"name another with --dir":                                 "name another with --dir",
		"say --dir NEW":                                           "say --dir NEW",
	} {
		if got := namedHere.ReplaceAllString(text, "$1"); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
