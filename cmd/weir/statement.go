package main

import (
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) memberStatement(c *cli.Context) error {
	if err := checkCount(c, "lines"); err != nil {
		return err
	}
	return p.with(c, roleMember, func(o options, _ host.Database, call caller) error {
		v, err := statement(call, c.Int("count"))
		if err != nil {
			return err
		}
		if c.Bool("csv") {
			return p.statementCSV(v)
		}
		return p.show(o.json, v, func() {
			var rows [][]string
			for _, l := range v {
				kind := l.Kind
				if l.Verdict != "applied" {
					kind += " (" + l.Verdict + ")"
				}
				rows = append(rows, []string{clock(l.Time), fmt.Sprint(l.Index), kind, strings.TrimSpace(fmt.Sprintf("%s %s", nonzero(l.Account), l.Name)), l.Amount, l.Balance, l.Memo})
			}
			p.table("TIME ENTRY KIND WITH AMOUNT BALANCE MEMO", rows)
		})
	})
}

// statement fetches the newest count lines of the own account, or all with 0,
// page by page from the newest.
func statement(call caller, count int) ([]host.StatementLine, error) {
	var pages [][]host.StatementLine
	got := 0
	for in := (host.StatementIn{}); count == 0 || got < count; {
		var page []host.StatementLine
		in.Count = host.PageMax
		if count > 0 {
			in.Count = min(count-got, host.PageMax)
		}
		if err := call("member statement", in, &page); err != nil {
			return nil, err
		}
		pages, got = append(pages, page), got+len(page)
		if len(page) < in.Count {
			break
		}
		in.Before = page[0].Index
	}
	all := []host.StatementLine{}
	for i := len(pages) - 1; i >= 0; i-- {
		all = append(all, pages[i]...)
	}
	return all, nil
}

func (p *program) statementCSV(v []host.StatementLine) error {
	w := csv.NewWriter(p.out)
	w.Write([]string{"time", "entry", "number", "kind", "verdict", "account", "name", "amount", "balance", "memo"})
	for _, l := range v {
		w.Write([]string{l.Time, fmt.Sprint(l.Index), fmt.Sprint(l.Number), l.Kind, l.Verdict, fmt.Sprint(l.Account), csvSafe(l.Name), l.Amount, l.Balance, csvSafe(l.Memo)})
	}
	w.Flush()
	return w.Error()
}

// csvSafe keeps spreadsheets from running a cell that somebody else wrote.
func csvSafe(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func nonzero(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
