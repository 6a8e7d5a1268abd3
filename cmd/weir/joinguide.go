package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/ledger"
	"weir/ledger/wire"
)

// charterPatience is for how long somebody who joins waits to be told what.
const charterPatience = 20 * time.Second

// leadJoin asks for what joining needs and shows what is joined, before anything
// is written. It gives the link and the key to go on with.
func (g *guide) leadJoin(c *cli.Context, o options, link, name string) (in host.JoinIn, own owner, noted bool, err error) {
	if link == "" {
		if link, err = g.link(); err != nil {
			return in, own, false, err
		}
	}
	in.Link, in.Name = link, name
	j, err := host.ReadJoin(link, time.Now())
	if err != nil {
		return in, own, false, err
	}
	network, err := o.network(g.p)
	if err != nil {
		return in, own, false, err
	}
	charter, err := g.charter(network, j)
	if err != nil {
		return in, own, false, err
	}
	if charter != nil {
		if err := o.dir.Opens(j, charter); err != nil {
			return in, own, false, err
		}
	}
	g.shown(j, charter)
	g.p.forget() // the end of a message that was pasted is not somebody's name
	if j.Invitation != nil && in.Name == "" {
		in.Name, err = g.ask("\nWhat shall the others call you? Everybody can read the name, for ever", "", checkMemberName)
		if err != nil {
			return in, own, false, err
		}
	}
	if own, err = g.p.founder(o, g); err != nil {
		return in, own, false, err
	}
	g.say("\nThis will be joined:\n\n  database  %s\n  as        %s\n  key       %s\n  place     %s\n", databaseName(j, charter), joinsAs(in, j), own.how(), o.dir)
	if err := g.sure("Join it?"); err != nil || !own.fresh {
		return in, own, false, err
	}
	noted, err = g.ownWords(own)
	return in, own, noted, err
}

// link asks for a link, which may stand in a message and have line breaks in it:
// its checksum shows where it ends.
func (g *guide) link() (string, error) {
	g.say("Paste the link that you were sent: it begins with WEIR:. Words around it and line breaks\nin it do no harm.")
	const first, more = "Link: ", "… and the rest, or Enter alone if that was all: "
	var said news
	for {
		var all strings.Builder
		for prompt := first; ; prompt = more {
			line, err := g.line(prompt)
			if err != nil {
				return "", err
			}
			all.WriteString(line + "\n")
			link, err := host.FindLink(all.String())
			if err == nil {
				if _, err = host.ReadJoin(link, time.Now()); host.Code(err) != host.CodeUsage {
					return link, err
				}
			}
			if begun := (host.CutLink{}); errors.As(err, &begun) && line != "" && all.Len() < answerBytesMax {
				continue // its rest may come
			}
			why := strings.TrimPrefix(err.Error(), "read a link: ")
			if errors.Is(err, wire.ErrNotLink) { // a message has many lines before the one with the link
				why = said.of(why)
			}
			if why != "" && all.String() != "\n" {
				g.say("  That does not do: %s.\n  Once more, please.", strings.TrimSuffix(why, "."))
			}
			break
		}
	}
}

// charter fetches what is joined, to be looked at; nil: it was not to be had now.
func (g *guide) charter(n host.Network, j host.Joining) (*wire.Charter, error) {
	ctx, cancel := context.WithTimeout(g.ctx, charterPatience)
	defer cancel()
	g.p.progress("Looking for the database …")
	defer g.p.progress("")
	charter, err := host.Charter(ctx, n, j.DatabaseLink)
	switch {
	case g.ctx.Err() != nil:
		return nil, g.ctx.Err()
	case errors.Is(err, host.ErrNotVerified):
		return nil, err
	case err != nil:
		g.p.progress("")
		g.say("The database could not be looked at now: %s.", strings.TrimSuffix(err.Error(), "."))
		if host.Code(err) == host.CodeNoNode && host.InPrivateNetwork(j.Bootstrap) {
			g.say("%s.", privateNetwork)
		}
		g.say("You can join all the same, and weir member run goes on looking; its name and rules come later.\n")
		return nil, nil
	}
	return charter, nil
}

// shown says what a link leads to, and what others see of whoever joins.
func (g *guide) shown(j host.Joining, charter *wire.Charter) {
	switch {
	case j.Invitation != nil:
		g.say("This is an invitation, good for one person until %s.", j.Invitation.Expires.Local().Format("2006-01-02 15:04"))
	case j.Account != 0:
		g.say("This is the manager's answer to your member code: you are to be member %d.", j.Account)
	default:
		g.say("This is a public link: with it you read the database and keep a copy. It makes you no member; an invitation does.")
	}
	if charter != nil {
		g.say("It leads to %q, which counts %s. A member's balance may be between %s and %s there.", charter.Name, charter.Unit,
			ledger.FormatAmount(charter.Lower, charter.Scale), ledger.FormatAmount(charter.Upper, charter.Scale))
	}
	if charter != nil && charter.Encrypted {
		g.say("\nIt is encrypted: the members, and whom one of them gives the read key, can read names,\n" +
			"balances and every payment with its text, for ever. Others see only how much is\npublished and when.")
	} else {
		g.say("\nWhat others see: everybody can read names, balances, limits and every payment with its\n" +
			"time and text. It cannot be taken back: others hold copies.")
	}
	g.say("On the network they see this computer's address, as with every torrent.")
}

func databaseName(j host.Joining, charter *wire.Charter) string {
	if charter == nil {
		return short(j.ID.String()) + " (its name is not known yet)"
	}
	return fmt.Sprintf("%s (%s)", charter.Name, short(j.ID.String()))
}

func joinsAs(in host.JoinIn, j host.Joining) string {
	switch {
	case in.Name != "":
		return in.Name
	case j.Account != 0:
		return fmt.Sprintf("member %d", j.Account)
	}
	return "a reader"
}

// nextAsMember says what to do after joining.
func (p *program) nextAsMember(o options) {
	p.printf("\nNext: let the agent run, here or, better, always. It follows the database, hands your\npayments over and serves your copy to the others:\n\n  %s\n  %s\n\nThen, from another window:\n\n  %s\n  %s\n\nweir alone says at any time how things stand and what is next.\n",
		o.command("weir member run"), o.command("weir member service install"), o.command("weir member status"), o.command(`weir member pay NAME 1.50 --memo "bicycle repair"`))
}
