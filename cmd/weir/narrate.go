package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

// standing is what was last told of how a database stands.
type standing struct {
	view    host.MemberStatusView
	problem news
	full    bool // the disk, as was said
}

// follow tells what has changed since the last look, a few lines at most: with
// --verbose what happens on the network, and, where there is a log, what is not well.
func (p *program) follow(c *cli.Context, a *host.Agent, db host.Database, s *standing) {
	if p.logFile == nil && !c.Bool("verbose") {
		return
	}
	var v host.MemberStatusView
	raw, err := request(db, "member status", nil)
	if err == nil {
		var answer any
		if answer, err = a.Invoke(c.Context, "member status", raw); err == nil {
			err = copyJSON(answer, &v)
		}
	}
	if err != nil {
		return // the next look may tell
	}
	of := databaseNames([]host.Database{db})
	if c.Bool("verbose") {
		for _, line := range narrate(s.view, v) {
			p.logf("%s: %s", of, line)
		}
	}
	s.view = v
	if p.logFile == nil {
		return
	}
	code, text := "ok", "all well"
	if !v.OK {
		code, text = v.Problems[0].Code, "not all well: "+v.Problems[0].Line()
	}
	if code == "disk" && s.full {
		return // it was said
	}
	if s.problem.of(code) != "" { // its text may have an age in it, which is always new
		p.logFile.Printf("%s: %s", of, text)
	}
}

// narrate says in plain words what has changed on the network between two looks at
// how a member stands: what DHT nodes do for it, and what it waits for. It names
// nobody's address.
func narrate(before, now host.MemberStatusView) []string {
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case now.Known > 0 && before.Known == 0:
		say("%s known: computers of strangers that keep small items for everybody; weir asks them for the manager's newest head, and leaves what you sign with them", count(now.Known, "DHT node is", "DHT nodes are"))
	case now.Known == 0 && before.Known > 0:
		say("no DHT node is known any more; asking those to start from again")
	}
	if now.HeadTime != before.HeadTime && now.HeadTime != "" {
		say("a head of the manager's was found, signed %s: it promises a log of %s, and %s here", ago(now.HeadTime), entryCount(now.Newest), entryCount(now.LogSize))
	}
	if now.Phase != before.Phase {
		switch now.Phase {
		case "seeking":
			say("looking for the database: its founding document and the manager's newest head")
		case "fetching":
			say("fetching what is new, from the DHT where it is little, else from whoever else holds the database")
		case "current":
			say("the copy here is what the manager signed last, checked to the last entry; waiting for the next")
		}
	}
	if now.LogSize > before.LogSize && before.LogSize > 0 {
		say("%s new, by %s", count(now.LogSize-before.LogSize, "entry is", "entries are"), yes(now.Source != "", now.Source, "what was here"))
	}
	switch {
	case now.Waiting > 0 && now.Nodes > 0 && (before.Waiting != now.Waiting || before.Nodes == 0):
		say("%s with %s; waiting for the manager's next cycle to take it", count(now.Waiting, "change lies", "changes lie"), count(now.Nodes, "DHT node", "DHT nodes"))
	case now.Waiting > 0 && now.Nodes == 0 && (before.Waiting != now.Waiting || before.Nodes != 0):
		say("%s here, and no DHT node has confirmed it yet; trying again", count(now.Waiting, "signed change waits", "signed changes wait"))
	case now.Waiting == 0 && before.Waiting > 0:
		say("everything that was signed here is in the log: the manager has answered")
	}
	if now.Reachable && !before.Reachable {
		say("somebody has reached this machine from outside: others can fetch the database from here")
	}
	return lines
}
