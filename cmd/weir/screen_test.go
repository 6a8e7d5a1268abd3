package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"weir/internal/host"
)

// hostile is a text as somebody might write it who wants to be taken for another.
const hostile = "Ana\x1b[2J\u202e\u009b1m\rx\n"

func TestWhatSomebodyTypedComesBackWrittenOut(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"weir", hostile}, nil, &out, &errs); code != host.CodeUsage {
		t.Fatalf("code %d", code)
	}
	if got := errs.String(); !strings.Contains(got, `Ana\u001b[2J\u202e\u009b1m\u000d`) || strings.ContainsAny(got, "\x1b\u202e\u009b\r") {
		t.Errorf("%+q", got)
	}
}

func TestAScreenLetsNothingPass(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	p := &program{out: s, err: s}
	p.printf("%s %d\n", hostile, 1)
	p.note(hostile)
	p.remark(hostile)
	p.logf("%s", hostile)
	p.table("NAME BALANCE", [][]string{{hostile, "1"}})
	if err := p.json(map[string]string{"name": hostile}); err != nil {
		t.Fatal(err)
	}
	if err := p.statementCSV(host.StatementView{Lines: []host.StatementLine{{Name: hostile, Memo: hostile}}}); err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(out.String(), "\r\n", "\n")
	if strings.ContainsAny(got, "\x1b\u202e\u009b\r") || strings.Count(got, "Ana") != 8 {
		t.Errorf("%+q", got)
	}
}

func TestJSONReadsAsWhatItWas(t *testing.T) {
	in := []string{hostile, "\U000e0041\u200b\u2028", "Zoë 李 👩‍🔧 " + strings.Repeat("\u0301", 9)}
	line, err := jsonLine(in)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), host.Unseen) {
		t.Errorf("%+q", line)
	}
	var back []string
	if err := json.Unmarshal([]byte(line), &back); err != nil || strings.Join(back, "|") != strings.Join(in, "|") {
		t.Errorf("%+q, %v", back, err)
	}
}

func TestACharacterMayComeInTwoParts(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	for _, b := range []byte("Zoë 李\u202e👍\n") {
		if n, err := s.Write([]byte{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := out.String(); got != "Zoë 李\\u202e👍\n" {
		t.Errorf("%+q", got)
	}
}

func TestOnATerminalRightToLeftTextKeepsToItself(t *testing.T) {
	var out bytes.Buffer
	s := &screen{to: &out, terminal: true}
	(&program{out: s}).printf("%s %s to %d %s\n", "1.00", "HRS", 3, "דוד")
	if got := out.String(); got != "1.00 HRS to 3 \u2068דוד\u2069\n" {
		t.Errorf("%+q", got)
	}
}
