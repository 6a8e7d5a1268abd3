package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/control"
	"weir/internal/host"
)

// showChange prints a change, as JSON whole; a refused one is an error to scripts.
func (p *program) showChange(o options, v host.ChangeView, whole any) error {
	err := p.show(o.json, whole, func() { p.printf("%s\n", changeText(v)) })
	if err == nil && v.State == "refused" {
		return &control.Error{Code: host.CodeRefused}
	}
	return err
}

func changeText(v host.ChangeView) string {
	text := fmt.Sprintf("%s %d: %s", yes(v.Kind == "" || v.Kind == "transfer", "payment", v.Kind), v.Number, stateText(v))
	switch {
	case v.Reason != "" && v.Verdict == "": // of a succession
		text += "\n" + v.Reason
	case v.State == "accepted" && v.Again > 0:
		text += "\nThe manager's key was replaced while it waited, so it was sent again, to the new one."
	case v.Reason != "":
		text += fmt.Sprintf(" (%s): %s", inWords(v.Verdict), v.Reason)
	}
	return text
}

// inWords is a verdict for people; JSON has it as it is.
func inWords(verdict string) string { return strings.ReplaceAll(verdict, "_", " ") }

func stateText(v host.ChangeView) string {
	switch v.State {
	case "waiting":
		return "signed and stored here; no DHT node has it yet"
	case "seen":
		return "on the DHT; the manager has not taken it yet"
	case "accepted":
		return fmt.Sprintf("accepted, entry %d of %s", v.Index, clock(v.Time))
	}
	return v.State
}

func (p *program) memberShow(c *cli.Context) error {
	if entry := c.Uint64("entry"); entry != 0 {
		if c.NArg() > 0 {
			return usagef("say the number of a change of yours or --entry N, not both")
		}
		return p.showReceipt(c, entry)
	}
	number, err := p.number(c)
	if err != nil {
		return err
	}
	var v host.ShowView
	return p.ask(c, roleMember, "member show", host.NumberIn{Number: number}, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("%s\n%s\n", changeText(v.ChangeView), asOfText(v.AsOf))
			p.note(v.Other)
			p.note(v.Late)
		})
	})
}

// asOfText says how new what is shown is.
func asOfText(at string) string {
	if at == "" {
		return "as of no head of the manager's: none is here yet"
	}
	return fmt.Sprintf("as of the manager's head of %s (%s)", clock(at), ago(at))
}

func (p *program) number(c *cli.Context) (uint64, error) {
	word := c.Args().First()
	n, err := strconv.ParseUint(word, 10, 53)
	if err != nil || n == 0 {
		return 0, usagef("%q is not the number of a change: they count 1, 2, 3 …", word)
	}
	return n, nil
}

func (p *program) showReceipt(c *cli.Context, entry uint64) error {
	var v host.ReceiptView
	return p.ask(c, roleMember, "member receipt", host.EntryIn{Entry: entry}, &v, func(o options) error {
		return p.show(o.json, v, func() { p.printf("%s\n%s\n", receiptText(v), asOfText(v.AsOf)) })
	})
}

// receiptText says what an entry did to the own account.
func receiptText(v host.ReceiptView) string {
	text := fmt.Sprintf("entry %d of %s: ", v.Index, clock(v.Time))
	amount := strings.TrimPrefix(v.Amount, "-")
	switch {
	case v.Kind != "transfer":
		return text + lineText(v.StatementLine) + "; your balance after it: " + v.Balance + " " + v.Unit
	case v.Number != 0 && v.Verdict == "applied":
		text += fmt.Sprintf("you paid %s %s to %d %s by your change %d", amount, v.Unit, v.Account, v.Name, v.Number)
	case v.Number != 0:
		return text + fmt.Sprintf("your change %d was %s", v.Number, lineText(v.StatementLine))
	default:
		text += fmt.Sprintf("%d %s paid you %s %s", v.Account, v.Name, amount, v.Unit)
	}
	text += quoted(v.Memo) + fmt.Sprintf("; your balance after it: %s %s", v.Balance, v.Unit)
	if v.Refunded != "" {
		text += fmt.Sprintf("\nof it you paid back %s %s", v.Refunded, v.Unit)
	}
	return text
}
