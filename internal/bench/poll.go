package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"weir/internal/lookup"
	"weir/internal/mainline"
)

const (
	placedOver = 5000 // keys from which items and holders are placed and not put
	pollRounds = 20
)

// poll measures one poll of many outboxes.
func poll(ctx context.Context, o Options) error {
	if o.Virtual {
		return pollVirtual(ctx, o)
	}
	return pollReal(ctx, o)
}

// polling is a measurement on the loopback.
type polling struct {
	Options
	ctx      context.Context
	network  *network
	members  *mainline.Node // puts everybody's outbox
	manager  *mainline.Node
	outboxes *outboxes
	holders  map[int][]lookup.Holder // of each key, as its last put found them
	thin     map[int]bool            // keys whose newest item fewer than two nodes took
	heap     uint64                  // before the manager's node was there
	traitor  string                  // a hostile address that the manager starts from too; "": none
}

// pollReal polls real nodes, which are a process of their own: warm, twenty
// times (once above 5000 keys), each time with the courtesy that every node is
// due paid back in full.
func pollReal(ctx context.Context, o Options) error {
	p, err := startPolling(ctx, o, "")
	if err != nil {
		return err
	}
	defer p.close()
	return p.measure()
}

// startPolling starts a network and lets a manager meet everybody in it.
func startPolling(ctx context.Context, o Options, traitor string) (*polling, error) {
	p := &polling{Options: o, ctx: ctx, outboxes: newOutboxes(o.Seed, o.Keys),
		holders: map[int][]lookup.Holder{}, thin: map[int]bool{}, traitor: traitor}
	o.Note(fmt.Sprintf("starting a DHT of %d nodes", o.Nodes))
	err := p.start()
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *polling) start() (err error) {
	if p.network, err = startNetwork(p.ctx, p.Options); err != nil {
		return err
	}
	if p.members, err = p.open(p.network.bootstrap()); err != nil {
		return err
	}
	return p.warm()
}

func (p *polling) close() {
	for _, n := range []*mainline.Node{p.manager, p.members} {
		if n != nil {
			n.Close()
		}
	}
	if p.network != nil {
		p.network.close()
	}
}

func (p *polling) open(bootstrap []string) (*mainline.Node, error) {
	return mainline.Open(p.ctx, mainline.Config{Listen: "127.0.0.1:0", Bootstrap: bootstrap})
}

// warm puts every outbox and lets the manager meet all of them.
func (p *polling) warm() error {
	all, placed := everyone(p.Keys), p.Keys > placedOver
	p.Note(fmt.Sprintf("putting %d outboxes", p.Keys))
	var err error
	if placed {
		err = p.place(all, 1, 1)
	} else {
		err = p.put(all, 1)
	}
	if err != nil {
		return err
	}
	p.heap = heap() // with the items, which are not the poller's
	bootstrap := p.network.bootstrap()
	if p.traitor != "" {
		bootstrap = append(bootstrap, p.traitor)
	}
	if p.manager, err = p.open(bootstrap); err != nil {
		return err
	}
	if placed {
		if err := p.manager.AddHolders(p.placed()); err != nil {
			return err
		}
	}
	p.Note("meeting them")
	first, err := p.poll(p.Keys <= placedOver)
	if err != nil {
		return err
	}
	if first.report.Answers[0] > p.Keys/100 {
		return fmt.Errorf("%d of %d keys had no answer", first.report.Answers[0], p.Keys)
	}
	return nil
}

func (p *polling) measure() error {
	rounds, answerBytes := pollRounds, echoAnswer
	if p.Keys > placedOver {
		rounds = 1
	}
	if p.Changed > 0 {
		answerBytes = echoFull
	}
	changed := p.outboxes.changes(p.Changed)
	var cycles []cycle
	var took, floors, times []time.Duration
	fresh, seen, stale := 0, 0, 0
	for round := range rounds {
		p.Note(fmt.Sprintf("poll %d of %d", round+1, rounds))
		known := slices.Clone(p.outboxes.items)
		seq := int64(round) + 2
		var err error
		if p.Keys > placedOver && len(changed) > 0 {
			err = p.place(changed, p.Changed, seq)
		} else {
			err = p.put(changed, seq)
		}
		if err != nil {
			return err
		}
		if err := p.rest(); err != nil {
			return err
		}
		floor, err := echo(2*p.Keys, echoQuery, answerBytes)
		if err != nil {
			return err
		}
		c, err := p.pollOf(known)
		if err != nil {
			return err
		}
		of := changed
		if len(of) == 0 {
			of = everyone(p.Keys)
		}
		cycles, took, floors, times = append(cycles, c), append(took, c.took), append(floors, floor), append(times, c.times(of, len(changed) > 0)...)
		missed := 0
		for _, i := range changed {
			switch {
			case p.thin[i]:
				continue
			case c.newer[i] < never:
				seen++
			default:
				missed++
			}
			fresh++
		}
		if missed > 0 {
			again, err := p.pollOf(known)
			if err != nil {
				return err
			}
			for _, i := range changed {
				if !p.thin[i] && c.newer[i] == never && again.newer[i] == never {
					stale++
				}
			}
		}
	}
	c := Case{Case: p.pollName("loopback"), Unit: "ms", Seed: p.Seed}.against(ms(median(took)), ms(median(floors)))
	c = c.percentiles(times).traffic(cycles, p.Keys)
	if len(changed) > 0 {
		c.Fresh, c.FreshFirst, c.Stale = ptr(fresh), ptr(seen), ptr(stale)
	}
	if p.Keys > placedOver {
		used := max(int64(heap())-int64(p.heap), 0)
		c.Heap = ptr(float64(used) / float64(p.Keys))
	}
	p.Emit(c)
	return nil
}

// rest waits until every node may be asked a whole burst again.
func (p *polling) rest() error {
	const nodeRate, nodeBurst = 20, 32 // lookup.PollConfig's defaults
	timer := time.NewTimer(nodeBurst * time.Second / nodeRate)
	defer timer.Stop()
	select {
	case <-p.ctx.Done():
		return p.ctx.Err()
	case <-timer.C:
		return nil
	}
}

// put puts some keys' items under a seq, as their members would: by a
// traversal, and later where that led.
func (p *polling) put(of []int, seq int64) error {
	type stored struct {
		key int
		lookup.Stored
	}
	slots, results := make(chan struct{}, atOnce), make(chan stored, len(of))
	for _, i := range of {
		it, err := p.outboxes.sign(i, seq)
		if err != nil {
			return err
		}
		select {
		case <-p.ctx.Done():
			return p.ctx.Err()
		case slots <- struct{}{}:
		}
		p.members.Put(lookup.Put{Item: it, Holders: p.holders[i]}, func(s lookup.Stored) {
			<-slots
			results <- stored{i, s}
		})
	}
	for range of {
		s := <-results
		if s.Err != nil {
			return fmt.Errorf("put an outbox: %w", s.Err)
		}
		p.thin[s.key] = s.Acknowledged < 2
		if p.holders[s.key] == nil {
			p.holders[s.key] = s.Found.Closest
		}
	}
	return nil
}

// place has the network store some keys' items, and signs them here too.
func (p *polling) place(of []int, share float64, seq int64) error {
	for _, i := range of {
		if _, err := p.outboxes.sign(i, seq); err != nil {
			return err
		}
	}
	return p.network.order(order{Place: seq, Run: p.Seed, Keys: p.Keys, Changed: share})
}

// placed is the holders of all keys.
func (p *polling) placed() []byte {
	var b []byte
	near := slices.Clone(p.network.nodes)
	for _, it := range p.outboxes.items {
		slices.SortFunc(near, func(x, y lookup.Node) int { return lookup.Closer(it.Target, x.ID, y.ID) })
		b = lookup.AppendHolders(b, it.Target, near[:min(8, len(near))])
	}
	return b
}

// pollOf is one poll by a manager who has the items given and no newer ones.
func (p *polling) pollOf(known []lookup.Item) (cycle, error) {
	newest := p.outboxes.items
	p.outboxes.items = known
	defer func() { p.outboxes.items = newest }()
	return p.poll(false)
}

// poll is one poll by the manager.
func (p *polling) poll(first bool) (cycle, error) {
	c := newCycle(p.Keys)
	q, items := p.outboxes.poll(first), p.outboxes.items
	done := make(chan lookup.PollReport, 1)
	began := time.Now()
	p.manager.Poll(q, func(i int, r lookup.Polled) {
		c.take(i, r, items[i].Seq, time.Since(began))
	}, func(r lookup.PollReport) { done <- r })
	select {
	case <-p.ctx.Done():
		return c, p.ctx.Err()
	case c.report = <-done:
	}
	c.took = time.Since(began)
	return c, c.report.Err
}

// heap is the bytes of this process's heap that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
