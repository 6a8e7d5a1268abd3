package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	attackTime  = time.Minute
	attackers   = 1  // sockets that send as fast as they can: a core of the machine
	attackCalm  = 10 // polls before, for the floor
	attackKinds = 8
)

// attack measures polls while the manager's UDP port is flooded from the
// loopback for a minute with what is malformed, oversized, replayed or made to
// crash others. The floor is the same poll in calm. Heap is what the process
// grew by meanwhile, a key.
func attack(ctx context.Context, o Options) error {
	p, err := startPolling(ctx, o)
	if err != nil {
		return err
	}
	defer p.close()
	calm, _, err := p.polls(attackCalm, func(int) bool { return true })
	if err != nil {
		return err
	}
	before := heap()
	flood, end := context.WithCancel(ctx)
	var sent atomic.Int64
	var wg sync.WaitGroup
	for i := range attackers {
		wg.Go(func() { bombard(flood, p.manager.Addr().String(), uint64(i), &sent) })
	}
	began := time.Now()
	under, cycles, err := p.polls(1<<20, func(int) bool { return time.Since(began) < attackTime })
	took := time.Since(began)
	end()
	wg.Wait()
	if err != nil {
		return err
	}
	grown := max(int64(heap())-int64(before), 0)
	c := Case{
		Case: fmt.Sprintf("poll %d keys, %d nodes, under %.0f hostile packets a second for %s", o.Keys, o.Nodes, float64(sent.Load())/took.Seconds(), took.Round(time.Second)),
		Unit: "ms", Seed: o.Seed, Heap: ptr(float64(grown) / float64(o.Keys)),
	}
	o.Emit(c.against(ms(median(under)), ms(median(calm))).percentiles(under).traffic(cycles, o.Keys))
	return nil
}

// polls polls as long as more says so, each time with the courtesy that every
// node is due paid back.
func (p *polling) polls(most int, more func(n int) bool) (took []time.Duration, cycles []cycle, err error) {
	for n := 0; n < most && more(n); n++ {
		p.Note(fmt.Sprintf("poll %d", n+1))
		if err := p.rest(); err != nil {
			return nil, nil, err
		}
		c, err := p.poll(false)
		if err != nil {
			return nil, nil, err
		}
		took, cycles = append(took, c.took), append(cycles, c)
	}
	return took, cycles, nil
}

// bombard sends hostile datagrams as fast as it can.
func bombard(ctx context.Context, to string, seed uint64, sent *atomic.Int64) {
	conn, err := net.Dial("udp4", to)
	if err != nil {
		return
	}
	defer conn.Close()
	r := rand.New(rand.NewPCG(seed, seed))
	for n := 0; ctx.Err() == nil; n++ {
		if _, err := conn.Write(hostile(r, n)); err == nil {
			sent.Add(1)
		}
	}
}

// hostile is one datagram that no honest node sends, or not so often.
func hostile(r *rand.Rand, n int) []byte {
	b := make([]byte, 20)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	id, t := string(b), string(b[:8])
	switch n % attackKinds {
	case 0:
		return []byte("d1:ad2:id20:" + id + "e1:q4:ping1:t8:" + t + "1:y1:qe")
	case 1: // an answer to nobody's question
		return []byte("d1:rd2:id20:" + id + "3:seqi1e5:token4:aaaae1:t8:" + t + "1:y1:re")
	case 2:
		return []byte("d1:q3:put1:t8:" + t + "1:y1:qe")
	case 3:
		return []byte("d1:rd2:id20:" + id + "1:k32:" + strings.Repeat("k", 32) + "3:sig64:" + strings.Repeat("s", 64) + "1:v1:xe1:t8:" + t + "1:y1:re")
	case 4:
		return make([]byte, 8000)
	case 5:
		return []byte("d1:rd2:id20:" + id + "1:v" + strings.Repeat("l", 700) + strings.Repeat("e", 700) + "e1:t8:" + t + "1:y1:re")
	case 6:
		return []byte("d1:ad2:id20:" + id + "6:target20:" + id + "e1:q" + fmt.Sprint(len(t)) + ":" + t + "1:t8:" + t + "1:y1:qe")
	}
	return b
}
