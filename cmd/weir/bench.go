package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"weir/internal/bench"
)

// bench measures what the program promises, on the machine it runs on.
func (p *program) bench() *cli.Command {
	keys := &cli.IntFlag{Name: "keys", Value: 1000, Usage: "how many outboxes (`KEYS`) are polled"}
	changed := &cli.Float64Flag{Name: "changed", Usage: "`SHARE` of the keys with a new value before the poll, 0 to 1"}
	members := &cli.IntFlag{Name: "members", Value: 200, Usage: "how many `MEMBERS`"}
	cycle := &cli.DurationFlag{Name: "cycle", Value: 10 * time.Second, Usage: "from the start of one cycle to the next, a `LENGTH`"}
	bad := bench.Options{RTT: 100 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.1, Dead: 0.3}
	large := &cli.BoolFlag{Name: "large", Usage: "also 1 GiB, which takes some minutes"}
	return &cli.Command{
		Name:  "bench",
		Usage: "for developers: measure this machine, each figure beside the least it could be",
		Subcommands: []*cli.Command{
			p.benchmark("poll", "one poll of many members' outboxes", keys, changed, networkShape(bench.Options{})),
			p.benchmark("merge", "transfers verified, decided and written to the disk", nil, nil, nil),
			p.benchmark("catchup", "bytes that reach a member who missed some", large, nil, nil),
			p.benchmark("publish", "one cycle's publication in a small and in a large database (2 GiB of disk, some minutes)", nil, nil, nil),
			p.benchmark("attack", "a poll while the UDP port is flooded from this machine for a minute", keys, nil, nil),
			p.benchmark("propagation", "from a payment's signature until another member sees it applied, in virtual time", members, cycle, networkShape(bad)),
			{
				Name: "network", Hidden: true, Usage: "the DHT of a benchmark, as a process of its own",
				Flags: []cli.Flag{
					&cli.IntFlag{Name: "nodes", Value: 200, Usage: "how many `NODES`"},
					&cli.BoolFlag{Name: "even", Usage: "spread their ids evenly"},
				},
				Action: func(c *cli.Context) error {
					return bench.Network(c.Context, c.Int("nodes"), c.Bool("even"), p.in, p.out.to)
				},
			},
		},
	}
}

// networkShape are the flags of a network that only the simulated world has, with
// what they say unless they are given.
func networkShape(o bench.Options) []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "rtt", Value: o.RTT, Usage: "round-trip `TIME`; this and the next three make the case virtual"},
		&cli.DurationFlag{Name: "jitter", Value: o.Jitter, Usage: "a round trip takes up to so much `TIME` more or less"},
		&cli.Float64Flag{Name: "loss", Value: o.Loss, Usage: "`SHARE` of packets that are lost, each way, 0 to 1"},
		&cli.Float64Flag{Name: "dead", Value: o.Dead, Usage: "`SHARE` of nodes that are dead, 0 to 1"},
	}
}

// benchmark is one of them, with the flags that it has of its own.
func (p *program) benchmark(name, usage string, one, two cli.Flag, more []cli.Flag) *cli.Command {
	own := []cli.Flag{&cli.IntFlag{Name: "nodes", Value: 200, Usage: "how many DHT `NODES`"}}
	if name == "merge" {
		own = nil
	}
	for _, f := range []cli.Flag{one, two} {
		if f != nil {
			own = append(own, f)
		}
	}
	own = append(own, more...)
	own = append(own, &cli.Uint64Flag{Name: "seed", Value: 1, Usage: "`SEED` of everything that is drawn"}, jsonFlag())
	return &cli.Command{Name: name, Usage: usage, Flags: own, Action: func(c *cli.Context) error { return p.runBench(c, name) }}
}

func (p *program) runBench(c *cli.Context, name string) error {
	o := bench.Options{
		Keys: c.Int("keys"), Nodes: c.Int("nodes"), Members: c.Int("members"), Cycle: c.Duration("cycle"),
		RTT: c.Duration("rtt"), Jitter: c.Duration("jitter"), Loss: c.Float64("loss"), Dead: c.Float64("dead"),
		Changed: c.Float64("changed"), Seed: c.Uint64("seed"), Large: c.Bool("large"),
	}
	o.Virtual = slices.ContainsFunc([]string{"rtt", "jitter", "loss", "dead"}, c.IsSet)
	if err := checkBench(c, o); err != nil {
		return err
	}
	// Nobody reads on: that ends the run, and not the program with its files left behind.
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGPIPE)
	defer stop()
	var err error
	if o.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if o.Dir, err = os.MkdirTemp("", "weir-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.Dir)
	o.Note = p.progress
	o.Emit = func(v bench.Case) {
		p.progress("")
		if c.Bool("json") {
			p.json(v)
		} else {
			p.printf("%s\n", benchLine(v))
		}
	}
	err = bench.Run(ctx, name, o)
	p.progress("")
	return err
}

// checkBench says which flag is out of range.
func checkBench(c *cli.Context, o bench.Options) error {
	for _, b := range []struct {
		name         string
		n, low, high int
	}{
		{"keys", o.Keys, 1, bench.KeysMax},
		{"nodes", o.Nodes, bench.NodesMin, bench.NodesMax},
		{"members", o.Members, bench.MembersMin, bench.MembersMax},
	} {
		if c.IsSet(b.name) && (b.n < b.low || b.n > b.high) {
			return usagef("--%s %d: %d to %d are possible", b.name, b.n, b.low, b.high)
		}
	}
	for name, share := range map[string]float64{"loss": o.Loss, "dead": o.Dead, "changed": o.Changed} {
		if !(share >= 0 && share <= 1) {
			return usagef("--%s %v: a share is 0 to 1", name, share)
		}
	}
	for name, d := range map[string]time.Duration{"rtt": o.RTT, "jitter": o.Jitter, "cycle": o.Cycle} {
		if d < 0 || d > time.Hour {
			return usagef("--%s %s: up to an hour is possible", name, d)
		}
	}
	if c.IsSet("cycle") && o.Cycle < time.Second {
		return usagef("--cycle %s: a second is the shortest", o.Cycle)
	}
	if living := c.Int("nodes") - int(float64(c.Int("nodes"))*o.Dead); o.Dead > 0 && living < bench.LivingMin {
		return usagef("--dead %v: of %d nodes %d live, and a key wants %d", o.Dead, c.Int("nodes"), living, bench.LivingMin)
	}
	return nil
}

// benchLine is a case for people.
func benchLine(v bench.Case) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %.4g %s", v.Case, v.Value, v.Unit)
	if v.Floor > 0 {
		fmt.Fprintf(&b, ", %.3g x the floor of %.4g", v.Ratio, v.Floor)
	}
	for _, f := range []struct {
		name string
		v    *float64
	}{
		{"packets a key", v.Packets}, {"in the background", v.Background},
		{"ms for half", v.P50}, {"for 90 %", v.P90}, {"for 99 %", v.P99}, {"heap bytes a key", v.Heap},
	} {
		if f.v != nil {
			fmt.Fprintf(&b, ", %.4g %s", *f.v, f.name)
		}
	}
	if v.Fresh != nil && v.FreshFirst != nil {
		fmt.Fprintf(&b, ", %d of %d new values seen at once", *v.FreshFirst, *v.Fresh)
	}
	if v.Stale != nil {
		fmt.Fprintf(&b, ", %d not by the second poll", *v.Stale)
	}
	if v.Virtual {
		b.WriteString(" (virtual time)")
	}
	return b.String()
}
