package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func statementFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "csv", Usage: "print CSV, which spreadsheets read"},
		&cli.IntFlag{Name: "count", DefaultText: "all", Usage: "only the last `N` of them"},
		&cli.StringFlag{Name: "since", Usage: "from the `DAY` on, like 2026-11-01"},
		&cli.StringFlag{Name: "until", Usage: "to the end of the `DAY`, like 2026-11-30"},
		&cli.StringFlag{Name: "month", Usage: "of one `MONTH`, like 2026-11"},
	}
}

func (p *program) memberStatement(c *cli.Context) error {
	if err := checkCount(c, "lines"); err != nil {
		return err
	}
	since, until, err := period(c.String("since"), c.String("until"), c.String("month"), time.Local)
	if err != nil {
		return err
	}
	in := host.StatementIn{}
	if !since.IsZero() {
		in.Since = since.UnixMilli()
	}
	if !until.IsZero() {
		in.Until = until.UnixMilli()
	}
	return p.with(c, roleMember, func(o options, _ host.Database, call caller) error {
		v, err := statement(call, in, c.Int("count"))
		if err != nil {
			return err
		}
		if c.Bool("csv") {
			p.remark(v.Other)
			return p.statementCSV(v)
		}
		return p.show(o.json, v, func() { p.statementTable(v) })
	})
}

// period reads what a statement is of: days, both of them in it, or a month, in
// the reader's zone. A zero time bounds nothing; until is the first moment after.
func period(since, until, month string, zone *time.Location) (from, to time.Time, err error) {
	if month != "" {
		if since != "" || until != "" {
			return from, to, usagef("--month stands for --since and --until: say one or the other")
		}
		if from, err = time.ParseInLocation("2006-01", month, zone); err != nil {
			return from, to, usagef("--month %s is not a month like 2026-11", month)
		}
		return from, from.AddDate(0, 1, 0), nil
	}
	day := func(flag, text string) (time.Time, error) {
		if text == "" {
			return time.Time{}, nil
		}
		t, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			return t, usagef("--%s %s is not a day like 2026-11-28", flag, text)
		}
		return t, nil
	}
	if from, err = day("since", since); err != nil {
		return from, to, err
	}
	if to, err = day("until", until); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		return from, to, nil
	}
	if to.Before(from) {
		return from, to, usagef("--until %s is before --since %s", until, since)
	}
	return from, to.AddDate(0, 0, 1), nil
}

// statement fetches the newest count lines of what is asked for, or all with 0,
// page by page from the newest.
func statement(call caller, in host.StatementIn, count int) (host.StatementView, error) {
	var pages []host.StatementView
	got := 0
	for first := true; first || count == 0 || got < count; first = false {
		in.Count = host.PageMax
		if count > 0 {
			in.Count = min(count-got, host.PageMax)
		}
		var page host.StatementView
		if err := call("member statement", in, &page); err != nil {
			return page, err
		}
		pages, got = append(pages, page), got+len(page.Lines)
		if len(page.Lines) < in.Count {
			break
		}
		in.Before = page.Lines[0].Index
	}
	v := pages[0]
	v.Opening, v.Lines = pages[len(pages)-1].Opening, []host.StatementLine{}
	for i := len(pages) - 1; i >= 0; i-- {
		v.Lines = append(v.Lines, pages[i].Lines...)
	}
	return v, nil
}

func (p *program) statementTable(v host.StatementView) {
	p.printf("Statement of account %d, %s, in %s%s\n\n", v.Account, v.Name, v.Unit, periodText(v))
	edge := func(text, balance string) []string { return []string{"", "", "", "", "", balance, text} }
	rows := [][]string{edge("opening balance", v.Opening)}
	for _, l := range v.Lines {
		with := strings.TrimSpace(fmt.Sprintf("%s %s", nonzero(l.Account), l.Name))
		rows = append(rows, []string{minutes(l.Time), fmt.Sprint(l.Index), nonzero(l.Number), with, l.Amount, l.Balance, lineText(l)})
	}
	rows = append(rows, edge("closing balance", v.Closing))
	p.table("DATE ENTRY CHANGE WITH -AMOUNT -BALANCE MEMO", rows)
	p.printf("\n%s; what was paid later is not in it yet.\n", asOfText(v.AsOf))
	if v.Other != "" {
		p.note(v.Other)
		return
	}
	if v.Waiting > 0 {
		p.note(fmt.Sprintf("%s not in the log yet, and so not in it either: weir member outbox", count(v.Waiting, "change of yours is", "changes of yours are")))
	}
}

// periodText says of when a statement is; "": of all there is.
func periodText(v host.StatementView) string {
	text := ""
	if v.Since != "" {
		text = " from " + dayOf(v.Since, 0)
	}
	if v.Until != "" {
		text += " to " + dayOf(v.Until, -time.Millisecond)
	}
	return text
}

// dayOf is the day of a view's time, and so much later, in the reader's zone.
func dayOf(text string, later time.Duration) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return t.Add(later).Local().Format(time.DateOnly)
}

// minutes is a view's time in the reader's zone without seconds.
func minutes(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// lineText is what a line says besides its figures: a payment's memo, or what
// else the entry is.
func lineText(l host.StatementLine) string {
	text := l.Memo
	if l.Kind != "transfer" {
		text = l.Kind
	}
	if l.Verdict != "applied" {
		text = strings.TrimSuffix("refused ("+inWords(l.Verdict)+"): "+text, ": ")
	}
	return text
}

// statementCSV prints what spreadsheets read. Amounts are ours and stay numbers.
func (p *program) statementCSV(v host.StatementView) error {
	w := csv.NewWriter(p.out)
	w.UseCRLF = true // RFC 4180
	edge := func(at, kind, balance string) []string {
		return []string{at, "", "", kind, "", "", "", "", balance, ""}
	}
	w.Write([]string{"time", "entry", "number", "kind", "verdict", "account", "name", "amount", "balance", "memo"})
	w.Write(edge(v.Since, "opening", v.Opening))
	for _, l := range v.Lines {
		w.Write([]string{l.Time, fmt.Sprint(l.Index), nonzero(l.Number), l.Kind, l.Verdict, nonzero(l.Account), host.Cell(l.Name), l.Amount, l.Balance, host.Cell(l.Memo)})
	}
	w.Write(edge(cmp.Or(v.Until, v.AsOf), "closing", v.Closing))
	w.Flush()
	return w.Error()
}

func nonzero(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
