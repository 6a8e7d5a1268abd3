package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) memberStatus(c *cli.Context) error {
	var v host.MemberStatusView
	return p.ask(c, roleMember, "member status", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			switch {
			case len(v.Warnings) > 0:
				p.printf("Not all well: %s\n%s\n", strings.Join(v.Warnings, "\n  "), yes(v.Running, "", "No agent runs. Start it with weir member run.\n"))
			case !v.Running:
				p.printf("%sNo agent runs. Start it with weir member run.\n\n", yes(v.Account == nil && v.Joining == "asking", waits(v)+" ", ""))
			case v.Account == nil && v.Joining == "":
				p.printf("Reading only: this key is not a member.\n\n")
			case v.Phase == "current" && v.Account != nil:
				p.printf("All well.\n\n")
			case v.Account == nil && v.Joining == "asking":
				p.printf("%s\n\n", waits(v))
			default:
				p.printf("%s the database.\n\n", strings.ToUpper(v.Phase[:1])+v.Phase[1:])
			}
			p.printf("database  %s (%s)%s\nlog       %s here, %d in the newest head, %s\n", v.Name, v.ID, yes(v.Encrypted, ", encrypted", ""), entryCount(v.LogSize), host.EntriesOf(max(v.Newest, v.LogSize)), ago(v.HeadTime))
			if v.Account != nil {
				p.printf("account   %d %s: %s %s\n", v.Account.Account, v.Account.Name, v.Account.Balance, v.Account.Unit)
			} else {
				p.printf("account   none: this key is not a member\n")
			}
			p.printf("outbox    %d waiting", v.Waiting)
			if v.Running {
				p.printf("; %s it\nnetwork   %s received, %s served; reachable from outside: %s", count(v.Nodes, "DHT node holds", "DHT nodes hold"), count(v.Received, "byte", "bytes"), count(v.Serving, "torrent", "torrents"), yes(v.Reachable, "yes", "not seen yet"))
			}
			p.printf("\n%s", evidenceText(v.Evidence, roleMember))
		})
	})
}

// waits says for whom somebody waits who has asked to join.
func waits(v host.MemberStatusView) string {
	return "Your request to join waits for the manager" + yes(v.Approval, "'s approval.", " to admit you.")
}
