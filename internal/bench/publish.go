package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"weir/internal/host"
	"weir/internal/loop"
	"weir/internal/sign"
	"weir/manager"
)

const (
	publishSmall  = 2 << 20
	publishLarge  = 2 << 30
	publishRounds = 20
	publishers    = 64 // members, so that transfers can be as wide as they may be
)

// publish measures what one cycle costs a manager whose member has paid, from
// the payment's commit until nodes have acknowledged the new head: in a database of 2
// MiB, which is the floor, and in one of 2 GiB.
func publish(ctx context.Context, o Options) error {
	o.Note(fmt.Sprintf("starting a DHT of %d nodes", o.Nodes))
	net, err := startNetwork(ctx, o)
	if err != nil {
		return err
	}
	defer net.close()
	var small []time.Duration
	for _, size := range []uint64{publishSmall, publishLarge} {
		took, err := publishAt(ctx, o, net, size)
		if err != nil {
			return fmt.Errorf("with %d MiB: %w", size>>20, err)
		}
		if small == nil {
			small = took
		}
		c := Case{Case: fmt.Sprintf("publish a cycle, database of %d MiB", size>>20), Unit: "ms", Seed: o.Seed}
		o.Emit(c.against(ms(median(took)), ms(median(small))).percentiles(took))
	}
	return nil
}

// publishAt makes a database of a size and publishes payments in it.
func publishAt(ctx context.Context, o Options, net *network, size uint64) ([]time.Duration, error) {
	dir := filepath.Join(o.Dir, fmt.Sprintf("publish-%d", size))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b, err := newBook(dir, o.Seed, publishers)
	if err != nil {
		return nil, err
	}
	defer b.close()
	b.wide()
	err = b.grow(size, func(done uint64) {
		o.Note(fmt.Sprintf("making a database of %d MiB: %d MiB", size>>20, done>>20))
	})
	if err != nil {
		return nil, err
	}
	b.others, b.memo = 1, ""
	p, err := b.open(ctx, net.bootstrap(), nil)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var all []time.Duration
	for round := -3; round < publishRounds; round++ { // the first ones meet the DHT and put the charter
		o.Note(fmt.Sprintf("database of %d MiB: publication %d of %d", size>>20, max(round+1, 0), publishRounds))
		mail, err := b.mail(1)
		if err != nil {
			return nil, err
		}
		r, took, err := p.cycle(func() error { return b.take(mail) })
		if err != nil {
			return nil, err
		}
		if !r.Published {
			return nil, fmt.Errorf("a head was not published: %s", r.Problem)
		}
		if round >= 0 {
			all = append(all, took+r.Publish)
		}
	}
	return all, nil
}

// publisher is a manager that publishes a book on real edges.
type publisher struct {
	loop    *loop.Loop
	edges   *host.Edges
	role    *manager.Manager
	reports chan manager.Report
	ctx     context.Context
	end     context.CancelFunc
	ended   chan struct{}
}

// open runs a manager on the book, whose store from then on belongs to its
// loop. ports, when not nil, changes what the manager is given.
func (b *book) open(ctx context.Context, bootstrap []string, ports func(*manager.Ports)) (*publisher, error) {
	p := &publisher{loop: loop.New(), reports: make(chan manager.Report, 1), ended: make(chan struct{})}
	p.ctx, p.end = context.WithCancel(ctx)
	var err error
	if p.edges, err = (host.Network{Bootstrap: bootstrap}).Open(ctx, "", nil, p.loop.Post); err != nil {
		p.end()
		return nil, err
	}
	dht := p.edges.Node.Post(p.loop.Post)
	mine := manager.Ports{DHT: dht, Poller: dht, Swarm: p.edges.Swarm, Clock: p.loop, Random: rand.Reader, Verify: sign.NewCached(publishers)}
	if ports != nil {
		ports(&mine)
	}
	// Cycles begin when they are told to, and a manager that starts polls until it may publish.
	cfg := manager.Config{Cycle: 24 * time.Hour, OnCycle: func(r manager.Report) { p.reports <- r }}
	if p.role, err = manager.New(b.store, b.id, cfg, mine); err != nil {
		p.end()
		p.edges.Close()
		return nil, err
	}
	go func() { defer close(p.ended); p.loop.Run(p.ctx) }()
	p.loop.Post(p.role.Start)
	for {
		r, err := p.report()
		if err != nil {
			p.close()
			return nil, err
		}
		if r.Phase == manager.Running {
			return p, nil
		}
		p.loop.Post(p.role.Kick)
	}
}

func (p *publisher) report() (manager.Report, error) {
	select {
	case r := <-p.reports:
		return r, nil
	case <-p.ctx.Done():
		return manager.Report{}, p.ctx.Err()
	}
}

// cycle does something on the manager's loop, says how long it took, and runs a
// whole cycle.
func (p *publisher) cycle(before func() error) (manager.Report, time.Duration, error) {
	var err error
	var took time.Duration
	if cerr := p.loop.Call(p.ctx, func() {
		began := time.Now()
		err = before()
		took = time.Since(began)
		p.role.Kick()
	}); cerr != nil {
		return manager.Report{}, 0, cerr
	}
	if err != nil {
		return manager.Report{}, 0, err
	}
	r, err := p.report()
	return r, took, err
}

func (p *publisher) close() {
	p.loop.Call(p.ctx, p.role.Stop)
	p.end()
	<-p.ended
	p.edges.Close()
}
