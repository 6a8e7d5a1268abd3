package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

// logFlags say which part of a log is printed.
func logFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "count", Value: 50, Usage: "the last `N` entries, or with --first so many from there; 0: all"},
		&cli.Uint64Flag{Name: "first", Usage: "from entry `N` on"},
	}
}

func (p *program) managerLog(c *cli.Context) error { return p.log(c, roleManager) }
func (p *program) memberLog(c *cli.Context) error  { return p.log(c, roleMember) }

func (p *program) log(c *cli.Context, role string) error {
	if err := checkCount(c, "entries"); err != nil {
		return err
	}
	return p.with(c, role, func(o options, _ host.Database, call caller) error {
		v, err := entries(call, role+" log", c.Uint64("first"), c.Int("count"))
		if err != nil {
			return err
		}
		return p.show(o.json, v, func() { p.table("ENTRY TIME ACCOUNT NUMBER KIND VERDICT WHAT", logRows(v)) })
	})
}

// checkCount says what --count may be.
func checkCount(c *cli.Context, what string) error {
	if n := c.Int("count"); n < 0 {
		return usagef("--count %d: it is 1 or more %s, or 0 for all", n, what)
	}
	return nil
}

// entries fetches count entries from first on, page by page: the newest count
// without a first, and all there are without a count.
func entries(call caller, name string, first uint64, count int) ([]host.EntryView, error) {
	in := host.LogIn{First: first, Count: count}
	if count == 0 {
		in.First, in.Count = max(first, 1), host.PageMax
	}
	all := []host.EntryView{}
	for {
		var page []host.EntryView
		if err := call(name, in, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < min(in.Count, host.PageMax) {
			return all, nil
		}
		if count > 0 {
			if in.Count = count - len(all); in.Count <= 0 {
				return all, nil
			}
		}
		in.First = all[len(all)-1].Index + 1
	}
}

func logRows(v []host.EntryView) [][]string {
	var rows [][]string
	for _, e := range v {
		rows = append(rows, []string{fmt.Sprint(e.Index), clock(e.Time), fmt.Sprintf("%d %s", e.Account, e.Name), fmt.Sprint(e.Number), e.Kind, inWords(e.Verdict), what(e)})
	}
	return rows
}

// what says in a few words what an entry did.
func what(e host.EntryView) string {
	var parts []string
	for _, q := range e.Postings {
		parts = append(parts, fmt.Sprintf("%d %s %s", q.Account, q.Name, q.Amount))
	}
	if e.Target != 0 {
		parts = append(parts, fmt.Sprintf("account %d", e.Target))
	}
	if e.Lower != "" {
		parts = append(parts, fmt.Sprintf("limits %s to %s", e.Lower, e.Upper))
	}
	if e.Called != "" {
		parts = append(parts, "called "+e.Called)
	}
	if e.Key != "" {
		parts = append(parts, "key "+short(e.Key))
	}
	for _, t := range []string{e.Memo, e.Reason} {
		if t != "" {
			parts = append(parts, fmt.Sprintf("%q", t))
		}
	}
	return strings.Join(parts, ", ")
}
