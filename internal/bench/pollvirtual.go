package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/internal/lookup"
	"weir/internal/simnet"
)

const (
	virtualSeeds = 10
	atOnce       = 64        // puts under way
	endless      = time.Hour // virtual: whatever takes so long has no end
)

// pollVirtual runs polls in the simulated world, ten seeds from o.Seed on, and
// sums them up.
func pollVirtual(ctx context.Context, o Options) error {
	sum := Case{Case: o.pollName("all seeds"), Unit: "ms", Seed: o.Seed, Virtual: true,
		Fresh: ptr(0), FreshFirst: ptr(0), Stale: ptr(0), Placed: ptr(0), PlacedFirst: ptr(0), PlacedStale: ptr(0)}
	var cycles []cycle
	var all []time.Duration
	worst := 0.0
	for i := range virtualSeeds {
		o.Note(fmt.Sprintf("seed %d of %d", i+1, virtualSeeds))
		seed := o.Seed + uint64(i)
		w := newPollWorld(ctx, o, seed)
		c, y, times, err := w.run()
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		o.Emit(c)
		cycles, all, worst = append(cycles, y), append(all, times...), max(worst, c.Value)
		for _, add := range []struct{ to, n *int }{
			{sum.Fresh, c.Fresh}, {sum.FreshFirst, c.FreshFirst}, {sum.Stale, c.Stale},
			{sum.Placed, c.Placed}, {sum.PlacedFirst, c.PlacedFirst}, {sum.PlacedStale, c.PlacedStale},
		} {
			*add.to += *add.n
		}
	}
	sum.Value = worst
	o.Emit(sum.percentiles(all).traffic(cycles, o.Keys))
	return nil
}

// pollName says what a case is.
func (o Options) pollName(more string) string {
	name := fmt.Sprintf("poll %d keys, %d nodes, %.0f %% changed", o.Keys, o.Nodes, 100*o.Changed)
	if o.Virtual {
		name += fmt.Sprintf(", RTT %s ± %s, %.0f %% loss each way, %.0f %% of nodes dead", o.RTT, o.Jitter, 100*o.Loss, 100*o.Dead)
	}
	if more != "" {
		name += ", " + more
	}
	return name
}

// pollWorld is one seed.
type pollWorld struct {
	*simnet.World
	ctx      context.Context
	o        Options
	seed     uint64
	nodes    *simnet.Nodes
	outboxes *outboxes
	members  *simnet.Host // puts everybody's outbox
	manager  *simnet.Host
}

func newPollWorld(ctx context.Context, o Options, seed uint64) *pollWorld {
	w := &pollWorld{World: simnet.NewWorld(seed), ctx: ctx, o: o, seed: seed, outboxes: newOutboxes(seed, o.Keys)}
	net := simnet.NewNetwork(w.World, simnet.Link{RTT: o.RTT, Jitter: o.Jitter, Loss: o.Loss})
	remember := simnet.NewRemember(nil)
	w.nodes = simnet.NewNodes(net, o.Nodes, simnet.NodeConfig{Verify: remember.Item})
	for _, i := range w.Stream("deaths").Perm(o.Nodes)[:int(float64(o.Nodes)*o.Dead)] {
		w.nodes.All[i].Kill()
	}
	host := func() *simnet.Host {
		return simnet.NewHost(net, simnet.HostConfig{
			Bootstrap: w.nodes.Bootstrap(3),
			Lookup:    func(c *lookup.Config) { c.Verify = remember.Item },
		})
	}
	w.members, w.manager = host(), host()
	return w
}

// run lives through a seed: everybody puts, the manager meets all keys, some
// put anew, and the measured poll and one more follow.
func (w *pollWorld) run() (Case, cycle, []time.Duration, error) {
	o, all := w.o, everyone(w.o.Keys)
	if err := w.store(all, 1); err != nil {
		return Case{}, cycle{}, nil, err
	}
	if o.Keys > placedOver {
		if err := w.manager.AddHolders(w.placed()); err != nil {
			return Case{}, cycle{}, nil, err
		}
	}
	met, err := w.poll(o.Keys <= placedOver)
	if err != nil {
		return Case{}, cycle{}, nil, err
	}
	if n := met.report.Answers[0]; n > o.Keys/2 {
		return Case{}, cycle{}, nil, fmt.Errorf("%d of %d keys had no answer: on such a network nothing can be measured", n, o.Keys)
	}
	w.Run(time.Minute)
	changed := w.outboxes.changes(o.Changed)
	known := slices.Clone(w.outboxes.items)
	if err := w.store(changed, 2); err != nil {
		return Case{}, cycle{}, nil, err
	}
	fresh, placed := w.held(changed)
	if len(fresh) < (len(changed)+1)/2 {
		return Case{}, cycle{}, nil, fmt.Errorf("two living nodes hold the new value of only %d of %d keys: on such a network nothing can be measured", len(fresh), len(changed))
	}
	w.outboxes.items, known = known, w.outboxes.items // the manager knows what it has seen
	first, err := w.poll(false)
	if err != nil {
		return Case{}, cycle{}, nil, err
	}
	w.Run(30 * time.Second)
	second, err := w.poll(false)
	if err != nil {
		return Case{}, cycle{}, nil, err
	}
	w.outboxes.items = known
	seen := func(of []int, in ...cycle) (n int) {
		for _, i := range of {
			if slices.ContainsFunc(in, func(y cycle) bool { return y.newer[i] < never }) {
				n++
			}
		}
		return n
	}
	c := Case{Case: o.pollName(""), Unit: "ms", Seed: w.seed, Virtual: true,
		Fresh: ptr(len(fresh)), FreshFirst: ptr(seen(fresh, first)), Stale: ptr(len(fresh) - seen(fresh, first, second)),
		Placed: ptr(len(placed)), PlacedFirst: ptr(seen(placed, first)), PlacedStale: ptr(len(placed) - seen(placed, first, second))}
	of := fresh
	if len(changed) == 0 {
		of = all
	}
	times := first.times(of, len(changed) > 0)
	first.report.Background = second.report.Background // most of the walks that a poll begins end behind it
	c = c.percentiles(times).traffic([]cycle{first}, o.Keys)
	c.Value = *c.P99
	return c, first, times, nil
}

// store brings some keys' items under a seq to their nodes: directly, where there
// are too many to put.
func (w *pollWorld) store(of []int, seq int64) error {
	if w.o.Keys <= placedOver {
		return w.put(of, seq)
	}
	for _, i := range of {
		it, err := w.outboxes.sign(i, seq)
		if err := errors.Join(err, w.ctx.Err()); err != nil {
			return err
		}
		w.nodes.Place(it)
	}
	return nil
}

// put puts some keys' items under a seq, so many at once.
func (w *pollWorld) put(of []int, seq int64) error {
	next, left := 0, len(of)
	var problem error
	var start func()
	start = func() {
		if next == len(of) {
			return
		}
		i := of[next]
		next++
		it, err := w.outboxes.sign(i, seq)
		if err != nil {
			problem = err
		}
		w.members.Put(lookup.Put{Item: it}, func(lookup.Stored) {
			left--
			start()
		})
	}
	for range min(atOnce, len(of)) {
		start()
	}
	if !w.until(func() bool { return left == 0 }) {
		return fmt.Errorf("%d puts have no end", left)
	}
	return errors.Join(problem, w.ctx.Err())
}

// held says which keys' newest items at least two living nodes of the 8 closest
// hold, and which all of them.
func (w *pollWorld) held(of []int) (two, all []int) {
	for _, i := range of {
		it := w.outboxes.items[i]
		n, closest := 0, w.nodes.Closest(it.Target, 8)
		for _, node := range closest {
			if got, ok := node.Item(it.Target); ok && got.Seq == it.Seq {
				n++
			}
		}
		if n >= 2 {
			two = append(two, i)
		}
		if n == len(closest) && n > 0 {
			all = append(all, i)
		}
	}
	return two, all
}

// poll is one poll by the manager, to its end.
func (w *pollWorld) poll(first bool) (cycle, error) {
	n := len(w.outboxes.items)
	c := newCycle(n)
	began, ended := w.Elapsed(), false
	items := w.outboxes.items
	w.manager.Poll(w.outboxes.poll(first), func(i int, r lookup.Polled) {
		c.take(i, r, items[i].Seq, w.Elapsed()-began)
	}, func(r lookup.PollReport) {
		c.report, c.took, ended = r, w.Elapsed()-began, true
	})
	if !w.until(func() bool { return ended }) {
		return c, fmt.Errorf("a poll has no end")
	}
	return c, errors.Join(c.report.Err, w.ctx.Err())
}

// until lives on until something is so, or nobody wants to know any more.
func (w *pollWorld) until(so func() bool) bool {
	return w.RunUntil(endless, func() bool { return so() || w.ctx.Err() != nil })
}

// placed are the holders of all keys, as a manager's earlier life remembered
// them.
func (w *pollWorld) placed() []byte {
	var b []byte
	for _, it := range w.outboxes.items {
		var near []lookup.Node
		for _, n := range w.nodes.Closest(it.Target, 8) {
			near = append(near, n.Contact())
		}
		b = lookup.AppendHolders(b, it.Target, near)
	}
	return b
}
