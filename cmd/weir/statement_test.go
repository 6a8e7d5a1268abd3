package main

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"

	"weir/internal/host"
)

func TestAStatementsPeriodIsWholeDays(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	at := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		v, err := time.ParseInLocation(time.DateTime, text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ since, until, month, from, to string }{
		{"", "", "", "", ""},
		{"2026-11-02", "", "", "2026-11-02 00:00:00", ""},
		{"", "2026-11-30", "", "", "2026-12-01 00:00:00"},
		{"2026-11-02", "2026-11-02", "", "2026-11-02 00:00:00", "2026-11-03 00:00:00"},
		{"", "", "2026-12", "2026-12-01 00:00:00", "2027-01-01 00:00:00"},
	} {
		from, to, err := period(c.since, c.until, c.month, zone)
		if err != nil || !from.Equal(at(c.from)) || !to.Equal(at(c.to)) {
			t.Errorf("%+v: %s to %s, %v", c, from, to, err)
		}
	}
	for _, c := range [][3]string{{"yesterday", "", ""}, {"", "2026-02-30", ""}, {"", "", "2026-13"}, {"", "", "2026"}, {"2026-11-02", "2026-11-01", ""}, {"2026-11-02", "", "2026-11"}} {
		if from, to, err := period(c[0], c[1], c[2], zone); err == nil {
			t.Errorf("%v: %s to %s", c, from, to)
		}
	}
}

// A memo is somebody else's text: in a spreadsheet it must stay text.
func TestCSVHoldsNoFormulas(t *testing.T) {
	var b bytes.Buffer
	memos := []string{"=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "=cmd|A1", "a, \"b\"", "花", "2 + 2 = 4", "a;b", "half-time", "see you ;-)", "a; - b"}
	within := map[string]string{" =1+1": " '=1+1", "a; =1": "a; '=1", "\"=1+1": "\"'=1+1", "x|@y": "x|'@y", `x;"=1+1;`: `x;"'=1+1;`, "x;\u00a0=1+1": "x;\u00a0'=1+1", ";=1;=2": ";'=1;'=2"}
	for m := range within {
		memos = append(memos, m)
	}
	v := host.StatementView{Opening: "0.00", Closing: "-7.00"}
	for _, m := range memos {
		v.Lines = append(v.Lines, host.StatementLine{Kind: "transfer", Name: m, Amount: "-1.00", Memo: m})
	}
	if err := (&program{out: newScreen(&b)}).statementCSV(v); err != nil {
		t.Fatal(err)
	}
	if bytes.Count(b.Bytes(), []byte("\r\n")) != len(memos)+3 {
		t.Errorf("lines do not end as RFC 4180 says: %q", b.String())
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if rows[1][3] != "opening" || rows[1][8] != "0.00" || rows[len(rows)-1][3] != "closing" || rows[len(rows)-1][8] != "-7.00" {
		t.Errorf("%v … %v", rows[1], rows[len(rows)-1])
	}
	for i, m := range memos {
		want := m
		if i < 6 {
			want = "'" + m
		} else if within[m] != "" {
			want = within[m]
		}
		if r := rows[i+2]; r[9] != want || r[6] != want || r[7] != "-1.00" {
			t.Errorf("%q: %q", m, r)
		}
	}
}
