package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
	"weir/internal/lookup"
)

// Whoever ends a payment, or whose time is up, wants to know one thing: is
// something signed.
func TestAPaymentThatWasNotSeenThroughSaysWhatThereIsOfIt(t *testing.T) {
	set := flag.NewFlagSet("pay", flag.ContinueOnError)
	set.Duration("timeout", time.Minute, "")
	waiting, seen := host.ChangeView{Number: 7, State: "waiting"}, host.ChangeView{Number: 7, State: "seen"}
	for name, c := range map[string]struct {
		made   host.ChangeView
		unsure bool
		err    error
		code   int
		says   string
	}{
		"interrupted before":   {err: fmt.Errorf("x: %w", context.Canceled), code: host.CodeInterrupted, says: "nothing was signed"},
		"late before":          {err: context.DeadlineExceeded, code: host.CodeError, says: "not done within 1m0s; nothing was signed"},
		"refused before":       {err: &control.Error{Code: host.CodeRefused, Text: "too much"}, code: host.CodeRefused, says: "too much"},
		"no answer":            {unsure: true, err: context.DeadlineExceeded, code: host.CodeError, says: "is not known: weir member outbox tells"},
		"interrupted after":    {made: waiting, err: context.Canceled, code: host.CodeInterrupted, says: "interrupted; payment 7 is signed and stored here, and not"},
		"interrupted, seen":    {made: seen, err: context.Canceled, code: host.CodeInterrupted, says: "payment 7 is signed, stored here and on the DHT"},
		"late after":           {made: waiting, err: context.DeadlineExceeded, code: host.CodePart, says: "it is kept, and weir member run sends it. weir member show 7 tells"},
		"nobody answered":      {made: waiting, err: fmt.Errorf("%w: tried 192.0.2.7:6881", lookup.ErrNoNodes), code: host.CodeNoNode, says: "tried 192.0.2.7:6881; payment 7 is signed"},
		"something else after": {made: seen, err: &control.Error{Code: host.CodeRefused, Text: "another device uses this key"}, code: host.CodeRefused, says: "payment 7 is signed, stored here and on the DHT; weir member show 7"},
	} {
		y := payment{c: cli.NewContext(nil, set, nil), made: c.made, unsure: c.unsure}
		if err := y.ended(c.err); host.Code(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d, %v", name, host.Code(err), err)
		}
	}
}

// What is not text would be stored as something else: it is refused.
func TestTextOfFlagsIsUTF8(t *testing.T) {
	for _, args := range [][]string{
		{"member", "pay", "Ben", "1", "--memo", "caf\xe9"},
		{"member", "code", "--name", "Ren\xe9"},
		{"manager", "init", "--name", "Caf\xe9"},
		{"manager", "suspend", "1", "--reason", "d\xe9j\xe0 vu"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append(append([]string{"weir"}, args...), "--dir", t.TempDir()), nil, &out, &errs)
		if code != host.CodeUsage || !strings.Contains(errs.String(), `\xe9`) || !strings.Contains(errs.String(), "is not UTF-8 text") {
			t.Errorf("%s: %d, %q", args[1], code, errs.String())
		}
	}
}

// Whoever waits sees how far it is: in the states of `show`, and with what is
// known of the manager meanwhile.
func TestAPaymentsWayIsShown(t *testing.T) {
	now := time.Now().UTC()
	at := func(ago time.Duration) string { return now.Add(-ago).Format(time.RFC3339) }
	w := &way{number: 3, began: now}
	if got := w.line(host.MemberStatusView{}); got != "Payment 3: signed and kept here; putting it on the DHT …" {
		t.Error(got)
	}
	w.began = now.Add(-10 * time.Second)
	if got := w.line(host.MemberStatusView{Answered: at(time.Minute)}); got != "Payment 3: signed and kept here; no DHT node has answered for 10 s …" {
		t.Error(got)
	}
	w.seen.Store(true)
	if got := w.line(host.MemberStatusView{Nodes: 1, HeadTime: at(5 * time.Minute)}); got != "Payment 3: on the DHT, with 1 node; waiting for the manager, last heard 5 min ago …" {
		t.Error(got)
	}
	if got := w.line(host.MemberStatusView{Nodes: 8, HeadTime: at(3 * time.Minute)}); got != "Payment 3: on the DHT, with 8 nodes; the manager published since (3 min ago), without it yet …" {
		t.Error(got)
	}
	if got := w.note(host.MemberStatusView{}); got != "" {
		t.Error(got)
	}
	if got := w.note(host.MemberStatusView{Untaken: &host.UntakenView{Number: 3}}); got != "the manager has published nothing for longer than is usual: it may be away. The payment waits, and is not lost" {
		t.Error(got)
	}
	if got := w.note(host.MemberStatusView{Replaced: &host.ReplacedView{Succession: 1}}); got != "the manager's key was replaced; this device follows the new one, and payment 3 is sent there again" {
		t.Error(got)
	}
}
