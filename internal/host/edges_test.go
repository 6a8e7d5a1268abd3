package host

import (
	"net/netip"
	"testing"
)

func TestALinkToThisMachineLeavesOtherDatabasesTheirNetwork(t *testing.T) {
	here := Database{Bootstrap: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:6881")}}
	far := Database{Bootstrap: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:6881")}}
	nobody := Database{}
	for name, c := range map[string]struct {
		network Network
		dbs     []Database
		public  bool
	}{
		"a trial":                       {dbs: []Database{here}},
		"two trials":                    {dbs: []Database{here, here}},
		"a database":                    {dbs: []Database{nobody}, public: true},
		"one that names somebody":       {dbs: []Database{far}, public: true},
		"a trial beside a database":     {dbs: []Database{here, nobody}, public: true},
		"a database beside a trial":     {dbs: []Database{nobody, here}, public: true},
		"a trial beside one with names": {dbs: []Database{here, far}, public: true},
		"a network that was chosen":     {network: Network{Bootstrap: []string{"127.0.0.1:1"}}, dbs: []Database{here, nobody}},
		"that and the public one":       {network: Network{Bootstrap: []string{"127.0.0.1:1"}, Public: true}, dbs: []Database{here}, public: true},
	} {
		n, linked := c.network.serving(c.dbs)
		if got := n.public(linked); got != c.public {
			t.Errorf("%s: public %v", name, got)
		}
	}
}
