package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func sortFlag() cli.Flag {
	return &cli.StringFlag{Name: "sort", Value: "account", Usage: "by this `COLUMN`: account, name, balance or seen"}
}

// sortMembers sorts a list by what --sort says; of gives a row's account, and when
// it was last seen.
func sortMembers[T any](c *cli.Context, all []T, of func(T) (a host.AccountView, seen string)) error {
	var less func(a, b host.AccountView, seenA, seenB string) int
	switch by := c.String("sort"); by {
	case "account":
		less = func(a, b host.AccountView, _, _ string) int { return cmp.Compare(a.Account, b.Account) }
	case "name":
		less = func(a, b host.AccountView, _, _ string) int {
			return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		}
	case "balance":
		less = func(a, b host.AccountView, _, _ string) int { return cmp.Compare(number(a.Balance), number(b.Balance)) }
	case "seen":
		less = func(a, b host.AccountView, seenA, seenB string) int { return cmp.Compare(seenA, seenB) }
	default:
		return usagef("--sort %s: members are sorted by account, name, balance or seen", by)
	}
	slices.SortStableFunc(all, func(x, y T) int {
		a, seenA := of(x)
		b, seenB := of(y)
		return less(a, b, seenA, seenB)
	})
	return nil
}

// number is an amount to compare with others; it is exact below 2^53 minor units.
func number(amount string) float64 {
	f, _ := strconv.ParseFloat(amount, 64)
	return f
}

func (p *program) memberMembers(c *cli.Context) error {
	var v []host.AccountView
	return p.ask(c, roleMember, "member members", nil, &v, func(o options) error {
		if err := sortMembers(c, v, func(a host.AccountView) (host.AccountView, string) { return a, a.Admitted }); err != nil {
			return err
		}
		return p.show(o.json, v, func() {
			var rows [][]string
			for _, a := range v {
				rows = append(rows, []string{fmt.Sprint(a.Account), a.Name, a.Balance, short(a.Key) + "…", yes(a.Suspended, "suspended: can be paid, cannot pay", "")})
			}
			p.table("ACCOUNT NAME -BALANCE KEY NOTE", rows)
		})
	})
}
