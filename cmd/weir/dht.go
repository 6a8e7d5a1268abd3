package main

import (
	"net/netip"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/mainline"
)

// dhtBootstraps is how many addresses weir dht prints.
const dhtBootstraps = 4

func (p *program) dht() *cli.Command {
	return &cli.Command{
		Name:  "dht",
		Usage: "run a small network on this machine alone, to try things out, until interrupted",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "nodes", Value: 48, Usage: "how many `NODES`"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			n := c.Int("nodes")
			if n < 1 || n > 5000 {
				return usagef("--nodes %d: 1 to 5000 are possible", n)
			}
			w, err := mainline.StartNetwork(c.Context, n)
			if err != nil {
				return err
			}
			defer w.Close()
			addrs := w.Bootstrap(dhtBootstraps)
			out := struct {
				Nodes     int              `json:"nodes"`
				Bootstrap []netip.AddrPort `json:"bootstrap"`
			}{n, addrs}
			err = p.show(c.Bool("json"), out, func() {
				var list []string
				for _, a := range addrs {
					list = append(list, a.String())
				}
				p.printf("%s on this machine. Use it with\n  --bootstrap %s\nInterrupt (Ctrl-C) ends it.\n", count(n, "DHT node runs", "DHT nodes run"), strings.Join(list, ","))
			})
			if err != nil {
				return err
			}
			<-c.Context.Done()
			return nil
		},
	}
}
