package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"weir/internal/demo"
	"weir/internal/host"
)

func (p *program) demo() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "show all of it on this machine: a DHT, a manager, members, three of them hostile, and a reader who checks everything",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "members", Value: 24, Usage: "how many `MEMBERS`, the three hostile ones among them"},
			&cli.IntFlag{Name: "nodes", Value: 48, Usage: "how many DHT `NODES`"},
			&cli.IntFlag{Name: "cycles", Value: 5, Usage: "how many `CYCLES`"},
			&cli.BoolFlag{Name: "keep", Usage: "keep the directory and say where it is"},
			jsonFlag(),
		},
		Action: p.runDemo,
	}
}

func (p *program) runDemo(c *cli.Context) error {
	o := demo.Options{Members: c.Int("members"), Nodes: c.Int("nodes"), Cycles: c.Int("cycles")}
	for _, b := range []struct {
		name         string
		n, low, high int
	}{
		{"members", o.Members, demo.MembersMin, demo.MembersMax},
		{"nodes", o.Nodes, demo.NodesMin, demo.NodesMax},
		{"cycles", o.Cycles, demo.CyclesMin, demo.CyclesMax},
	} {
		if b.n < b.low || b.n > b.high {
			return usagef("--%s %d: %d to %d are possible", b.name, b.n, b.low, b.high)
		}
	}
	var err error
	if o.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if o.Dir, err = os.MkdirTemp("", "weir-demo-"); err != nil {
		return err
	}
	if !c.Bool("keep") {
		defer os.RemoveAll(o.Dir)
	}
	asJSON := c.Bool("json")
	s := p.style()
	o.Note, o.Cycle = func(string) {}, func(v host.CycleView) { p.json(demoCycle(v)) }
	if !asJSON {
		head := false
		o.Note = func(text string) { p.printf("%s\n", text) }
		o.Cycle = func(v host.CycleView) {
			if !head {
				p.paint("\n%s\n", s.bold("cycle  polled  packets  accepted             refused  poll ms  publish ms  head nodes  entries      sum"))
				head = true
			}
			p.paint("%5d  %6d  %7d  %s  %s  %7d  %10d  %10d  %7d  %s\n", v.Cycle, v.Polled, v.Packets,
				s.green(bar(v.Accepted, o.Members)), s.red(fmt.Sprintf("%7d", v.Refused)), v.PollMS, v.PublishMS, v.HeadNodes, host.EntriesOf(v.LogSize), s.bold(fmt.Sprintf("%7s", v.Sum)))
		}
	}
	sum, err := demo.Run(c.Context, o)
	kept := ""
	if c.Bool("keep") {
		sum.Dir, kept = o.Dir, "; everything is kept in "+o.Dir
	}
	if err != nil {
		return fmt.Errorf("demo: %w%s", err, kept)
	}
	return p.show(asJSON, sum, func() {
		p.paint("\n%s accepted, %s refused, and the sum of all balances is %s.\n", count(sum.Accepted, "payment", "payments"), count(sum.Refused, "change", "changes"), s.bold(sum.Sum))
		for _, c := range sum.Cheats {
			p.paint("  %-6s %-36s %s\n", c.Name, c.Did, s.red(c.Came))
		}
		p.paint("A stranger in another process, with nothing but the public link, received %s and checked all of %s: %s\nroot %s, %.1f s.\n",
			count(sum.Reader.Received, "byte", "bytes"), entryCount(sum.Reader.LogSize), s.green("everything holds."), sum.Reader.Root, sum.Seconds)
		if sum.Dir != "" {
			p.printf("Everything is kept in %s.\n", sum.Dir)
		}
	})
}

// demoCycleView is a cycle as demo --json prints it: its keys are a contract.
type demoCycleView struct {
	Cycle     uint64 `json:"cycle"`
	Polled    int    `json:"polled"`
	Packets   int    `json:"packets"`
	Accepted  int    `json:"accepted"`
	Refused   int    `json:"refused"`
	PollMS    int64  `json:"poll_ms"`
	PublishMS int64  `json:"publish_ms"`
	HeadNodes int    `json:"head_nodes"`
	LogSize   uint64 `json:"log_size"`
	Sum       string `json:"sum"`
}

func demoCycle(v host.CycleView) demoCycleView {
	return demoCycleView{v.Cycle, v.Polled, v.Packets, v.Accepted, v.Refused, v.PollMS, v.PublishMS, v.HeadNodes, v.LogSize, v.Sum}
}

// bar draws a number out of a whole, with the number behind it.
func bar(n, whole int) string {
	const width = 14
	full := min(width, (n*width+whole-1)/whole)
	return strings.Repeat("█", full) + strings.Repeat("·", width-full) + fmt.Sprintf("%5d", n)
}

// paint prints text of the demo's own, in colours.
func (p *program) paint(format string, args ...any) { p.out.raw(fmt.Sprintf(format, args...)) }

// style colours text on a terminal, and nowhere else.
type style bool

func (p *program) style() style {
	return style(p.screen() && os.Getenv("NO_COLOR") == "")
}

func (s style) wrap(code, text string) string {
	if !s {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string  { return s.wrap("1", text) }
func (s style) green(text string) string { return s.wrap("32", text) }
func (s style) red(text string) string   { return s.wrap("31", text) }
