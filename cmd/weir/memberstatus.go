package main

import (
	"cmp"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
)

func (p *program) memberStatus(c *cli.Context) error {
	var v host.MemberStatusView
	return p.ask(c, roleMember, "member status", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			p.printf("%s\n", p.mine(allWell(v.HealthView, "Not all well")))
			p.printf("database  %s (%s)%s\nlog       %s here, %d in the newest head, %s\n", cmp.Or(v.Name, "not found yet"), v.ID, yes(v.Encrypted, ", encrypted", ""), entryCount(v.LogSize), host.EntriesOf(max(v.Newest, v.LogSize)), ago(v.HeadTime))
			if v.Account != nil {
				p.printf("account   %d %s: %s %s\n", v.Account.Account, v.Account.Name, v.Account.Balance, v.Account.Unit)
			} else {
				p.printf("account   none: this key is not a member, and reads only\n")
			}
			if r := v.Replaced; r != nil {
				p.printf("manager   its key was replaced after entry %d (succession %d); this device follows the new one\n", r.Entry, r.Succession)
			}
			p.printf("outbox    %d waiting%s\n", v.Waiting, yes(v.Running && v.Waiting > 0, "; "+count(v.Nodes, "DHT node holds", "DHT nodes hold")+" it", ""))
			if v.Running {
				p.printf("look      a DHT node last answered %s\nnetwork   %s known; %s\n", ago(v.Answered), count(v.Known, "DHT node", "DHT nodes"), reachText(v.HealthView))
				p.printf("copy      %s received of the database since the start; %s served to others\n", count(v.Received, "byte", "bytes"), count(v.Serving, "torrent", "torrents"))
			}
			p.printf("%s%s", machineText(v.HealthView, o.dir), p.mine(evidenceText(v.Evidence, roleMember)))
		})
	})
}
