package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/internal/control"
	"weir/ledger/store"
)

// Finding is something that a doctor found.
type Finding struct {
	Name     string `json:"name"`               // of the ailment, or of a Problem: a stable snake_case word
	Database string `json:"database,omitempty"` // which; "": the directory
	What     string `json:"what"`               // was found
	Means    string `json:"means"`
	Remedy   string `json:"remedy"`            // what people do, or what --fix does; "": What says it
	Command  string `json:"command,omitempty"` // the one for it, as a shell takes it
	Fix      string `json:"fix,omitempty"`     // FixAlone or FixAsks; "": people do it
	Note     bool   `json:"note,omitempty"`    // advice: nothing is wrong yet
	Fixed    bool   `json:"fixed"`
	Done     string `json:"done,omitempty"`     // what was done
	Declined bool   `json:"declined,omitempty"` // somebody was asked, and said no
}

// How a finding is put right.
const (
	FixAlone = "alone" // it is safe, and --fix does it
	FixAsks  = "asks"  // only somebody can know whether it is right
)

// ailment is one thing that can be wrong: what it means, what is done about it, how
// it is found and, where a program can do it, how it is put right.
type ailment struct {
	name, means, remedy string
	look                func(*patient) (what string, err error) // "": all well
	fix                 func(*patient) (done string, err error) // nil: people do it
	asks                string                                  // the question before fix; "": it is safe
	note                bool
	covers              []string // the Problems of weir status that it says better
}

// patient is a directory that is looked at, and then each database of it.
type patient struct {
	ctx context.Context
	dir Directory
	now time.Time

	db       *Database
	several  bool         // there are more of its role here
	store    *store.Store // nil: it does not open, or somebody has it
	broken   error        // why the store does not open; nil where somebody has it
	runs     bool         // a manager or agent has it
	problems []Problem    // what that one says is not well
	link     string       // the database's, for reading; "": it is not known
	covered  []string     // Problems that were said already, here and of the directory
	covers   int          // of them of the directory
}

// Doctor looks at a directory and everything in it. ask is asked before a fix that
// only somebody can know to be right; nil: nothing is fixed but what is safe, and
// nothing at all unless fix.
func Doctor(ctx context.Context, d Directory, fix bool, ask func(question string) (bool, error), now time.Time) ([]Finding, error) {
	found := []Finding{}
	p := &patient{ctx: ctx, dir: d, now: now}
	treat := func(list []ailment) error {
		for _, a := range list {
			f, err := p.treat(a, fix, ask)
			if err != nil {
				return fmt.Errorf("look for %s: %w", a.name, err)
			}
			if f != nil {
				found = append(found, *f)
			}
		}
		return nil
	}
	if err := treat(ofDirectory()); err != nil {
		return found, err
	}
	dbs, err := d.Databases()
	if err != nil {
		return found, nil // which an ailment says
	}
	p.covers = len(p.covered)
	for _, db := range dbs {
		p.db, p.covered = &db, p.covered[:p.covers]
		p.several = slices.ContainsFunc(dbs, func(other Database) bool { return other.Role == db.Role && other.ID != db.ID })
		if err := p.examine(); err != nil {
			return found, err
		}
		err := treat(ofDatabase())
		if err == nil {
			var stands []Finding
			stands, err = p.stands()
			found = append(found, stands...)
		}
		if p.store != nil {
			err = errors.Join(err, p.store.Close())
		}
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// treat looks for one ailment and puts it right where that is wanted.
func (p *patient) treat(a ailment, fix bool, ask func(string) (bool, error)) (*Finding, error) {
	what, err := a.look(p)
	if err != nil || what == "" {
		return nil, err
	}
	f := &Finding{Name: a.name, What: what, Means: a.means, Remedy: a.remedy, Command: p.command(a.name), Note: a.note}
	if p.db != nil {
		f.Database = p.db.ID
		if strings.Contains(commands[a.name], "LINK") && p.db.sealed() {
			f.Remedy += withReadKey
		}
	}
	p.covered = append(p.covered, a.covers...)
	switch {
	case a.fix == nil:
		return f, nil
	case a.asks == "":
		f.Fix = FixAlone
	default:
		f.Fix = FixAsks
	}
	if !fix {
		return f, nil
	}
	if a.asks != "" {
		if ask == nil {
			return f, nil
		}
		if yes, err := ask(what + ". " + a.asks); err != nil || !yes {
			f.Declined = err == nil
			return f, err
		}
	}
	if f.Done, err = a.fix(p); err != nil {
		return f, err
	}
	f.Fixed = true
	return f, nil
}

// examine opens the database, or asks who has it.
func (p *patient) examine() error {
	p.store, p.broken, p.runs, p.problems, p.link = nil, nil, false, nil, ""
	raw, err := json.Marshal(Request{DB: p.db.ID})
	if err != nil {
		return err
	}
	var said struct {
		Problems []Problem `json:"problems"`
		Link     string    `json:"link"` // a manager's
	}
	err = control.Call(p.ctx, p.dir.Control(*p.db), p.db.Role+" status", json.RawMessage(raw), &said)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	var elsewhere *control.CopyError
	if !errors.Is(err, control.ErrNotRunning) && !errors.As(err, &elsewhere) {
		p.runs, p.problems, p.link = true, said.Problems, said.Link
		if err != nil {
			p.problems = append(p.problems, Problem{Code: "no_status", Text: Text(err)})
		}
	} else if p.store, err = p.dir.openStore(*p.db); err != nil && !errors.Is(err, store.ErrLocked) && !errors.Is(err, store.ErrNotFound) {
		p.broken = err
	}
	if p.link == "" {
		p.link = p.db.public(p.store)
	}
	return nil
}
