package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"weir/internal/host"
	"weir/manager"
)

func (p *program) managerStatus(c *cli.Context) error {
	var v host.ManagerStatusView
	return p.ask(c, roleManager, "manager status", nil, &v, func(o options) error {
		return p.show(o.json, v, func() {
			stopped := v.Phase == string(manager.Stopped) || !v.Running && v.Phase == string(manager.Refusing)
			p.printf("%s\n", p.mine(allWell(v.HealthView, yes(stopped, "Stopped", "Not all well"))))
			p.printf("database  %s (%s)%s\nlog       %s, %d accepted, %d refused, %s\nmembers   %d; the sum of all balances is %s %s\n",
				v.Name, v.ID, yes(v.Encrypted, ", encrypted", ""), entryCount(v.LogSize), v.Accepted, v.Refused, count(v.Length, "byte", "bytes"), v.Members, v.Sum, v.Unit)
			if v.Running {
				p.printf("head      %s, acknowledged: %s\nnetwork   %s known; %s\n", ago(v.HeadTime), yes(v.HeadPut, "yes", "not yet"), count(v.Nodes, "DHT node", "DHT nodes"), reachText(v.HealthView))
				p.printf("open      %s; %s dismissed\n", count(v.Invitations, "invitation", "invitations"), count(v.Dismissed, "invalid message", "invalid messages"))
			}
			if v.Cycle != nil {
				p.printf("last      %s, %s\npoll      %s\n", ago(v.Cycle.Started), cycleLine(*v.Cycle), pollLine(v.Cycle.Poll))
			}
			if v.Requests > 0 {
				p.printf("requests  %s for your approval: weir manager requests\n", count(v.Requests, "waits", "wait"))
			}
			if v.OldKey > 0 {
				p.printf("new key   %s not met it yet: they do by themselves within the hour, and what they sign until then waits with them\n", count(v.OldKey, "member has", "members have"))
			}
			p.printf("%s", machineText(v.HealthView, o.dir))
			p.printf("%s", p.mine(evidenceText(v.Evidence, roleManager)))
			for _, a := range v.Alike {
				p.printf("alike     %s, admitted %s: weir manager rename gives another name\n", a.Text(), ago(a.Admitted))
			}
			for _, m := range v.Stalled {
				p.printf("stalled   %d %s: %s\n", m.Account, m.Name, m.Problem)
			}
		})
	})
}

func pollLine(v host.PollView) string {
	return fmt.Sprintf("%s: %d with two answers, %d with one, %d with none; %d newer; half within %d ms, 90 %% within %d ms, 99 %% within %d ms\n"+
		"          %s, %d more to look holders up, %s out, %d in; %s, %d invalid",
		count(v.Keys, "key", "keys"), v.Answers[2], v.Answers[1], v.Answers[0], v.Newer, v.P50MS, v.P90MS, v.P99MS,
		count(v.Packets, "packet", "packets"), v.Background, count(v.BytesOut, "byte", "bytes"), v.BytesIn,
		count(v.Stale, "stale node", "stale nodes"), v.Invalid)
}
