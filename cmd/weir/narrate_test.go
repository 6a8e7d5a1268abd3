package main

import (
	"strings"
	"testing"

	"weir/internal/host"
)

func TestTheNetworkIsToldInPlainWords(t *testing.T) {
	type v = host.MemberStatusView
	for name, c := range map[string]struct {
		before, now v
		says        []string
	}{
		"nothing new":         {v{Known: 3, Phase: "current"}, v{Known: 4, Phase: "current"}, nil},
		"the first nodes":     {v{Phase: "seeking"}, v{Known: 1, Phase: "seeking"}, []string{"1 DHT node is known: computers of strangers"}},
		"alone":               {v{Known: 3}, v{}, []string{"no DHT node is known any more"}},
		"a head":              {v{}, v{HeadTime: "2020-01-01T00:00:00Z", Newest: 6, LogSize: 4}, []string{"it promises a log of 5 entries, and 3 entries here"}},
		"fetching":            {v{Phase: "current"}, v{Phase: "fetching"}, []string{"fetching what is new"}},
		"entries":             {v{Phase: "fetching", LogSize: 4}, v{Phase: "current", LogSize: 6, Source: "chunks of the head"}, []string{"the copy here is what the manager signed last", "2 entries are new, by chunks of the head"}},
		"a payment is signed": {v{}, v{Waiting: 1}, []string{"1 signed change waits here, and no DHT node has confirmed it yet"}},
		"handed over":         {v{Waiting: 1}, v{Waiting: 1, HealthView: host.HealthView{}, Nodes: 8}, []string{"1 change lies with 8 DHT nodes; waiting for the manager's next cycle"}},
		"answered":            {v{Waiting: 2, Nodes: 8}, v{Nodes: 8}, []string{"everything that was signed here is in the log"}},
		"reached":             {v{}, v{Reachable: true}, []string{"somebody has reached this machine from outside"}},
	} {
		got := narrate(c.before, c.now)
		if len(got) != len(c.says) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range c.says {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
	}
}
