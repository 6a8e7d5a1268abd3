package bench

import (
	"context"
	"fmt"
	"time"

	"weir/internal/simnet"
	"weir/manager/simtest"
)

const (
	propagated = 300             // payments that are timed
	between    = 2 * time.Second // on average, from one to the next
	lost       = 10 * time.Minute
)

// propagation measures, in the simulated world, how long it takes from signing
// a payment until the one who is paid has it in the own, verified copy of the
// log. Members look for a new head once a cycle.
func propagation(ctx context.Context, o Options) error {
	link := simnet.Link{RTT: o.RTT, Jitter: o.Jitter, Loss: o.Loss}
	w := simtest.New(o.Seed, simtest.Setup{Nodes: o.Nodes, Link: &simnet.Link{RTT: link.RTT, Jitter: link.Jitter}, Follow: o.Cycle})
	defer w.Close()
	w.Found(simtest.ManagerSetup{Cycle: o.Cycle})
	o.Note(fmt.Sprintf("admitting %d members", o.Members))
	for i := range o.Members {
		w.Admit(fmt.Sprintf("member %d", i+1))
	}
	if !w.Settle(lost) {
		return fmt.Errorf("the members did not come to rest: %s", w.Resting())
	}
	// Nodes die before anything that is measured is put; then the network is bad.
	dead := w.Sim.Stream("deaths").Perm(o.Nodes)[:int(float64(o.Nodes)*o.Dead)]
	keep := w.Nodes.Bootstrap(3)
	for _, i := range dead {
		if n := w.Nodes.All[i]; n.Addr() != keep[0] {
			n.Kill()
		}
	}
	w.Net.SetLink(link)
	w.Run(2 * time.Minute)
	draw := w.Sim.Stream("payments")
	var times []time.Duration
	var waiting []paid
	see := func() {
		left := waiting[:0]
		for _, p := range waiting {
			if p.to.Applied(p.from, p.number) {
				times = append(times, w.Sim.Elapsed()-p.at)
				continue
			}
			left = append(left, p)
		}
		waiting = left
	}
	for i := range propagated {
		if err := ctx.Err(); err != nil {
			return err
		}
		o.Note(fmt.Sprintf("payment %d of %d", i+1, propagated))
		from := draw.IntN(o.Members)
		to := (from + 1 + draw.IntN(o.Members-1)) % o.Members
		number, err := w.Members[from].Pay(w.Members[to], 1)
		if err != nil {
			return err
		}
		waiting = append(waiting, paid{w.Members[from], w.Members[to], number, w.Sim.Elapsed()})
		for end := w.Sim.Elapsed() + time.Duration(draw.ExpFloat64()*float64(between)); w.Sim.Elapsed() < end; {
			w.Run(step)
			see()
		}
		if err := w.Err(); err != nil {
			return err
		}
	}
	for end := w.Sim.Elapsed() + lost; len(waiting) > 0 && w.Sim.Elapsed() < end; {
		w.Run(step)
		see()
	}
	for _, p := range waiting { // they count as what they waited
		times = append(times, w.Sim.Elapsed()-p.at)
	}
	c := Case{Case: fmt.Sprintf("signed to applied elsewhere, %d members, cycle %s, RTT %s ± %s, %.0f %% loss each way, %.0f %% of nodes dead",
		o.Members, o.Cycle, link.RTT, link.Jitter, 100*link.Loss, 100*o.Dead), Unit: "ms", Seed: o.Seed, Virtual: true}
	c = c.percentiles(times)
	c.Value = *c.P50
	o.Emit(c)
	return nil
}

const step = 100 * time.Millisecond

// paid is a payment that somebody has signed.
type paid struct {
	from, to *simtest.Member
	number   uint64
	at       time.Duration
}
