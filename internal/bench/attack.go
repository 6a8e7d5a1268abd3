package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	attackTime  = time.Minute
	attackCalm  = 10 // polls before, for the floor
	attackKinds = 8
)

// attack measures polls while the manager's UDP port is flooded from the
// loopback for a minute, as fast as one core of the machine sends, with what is
// malformed, oversized, replayed or made to crash others: one datagram by a
// stranger, the next by a node that the manager asks things. The floor is the same
// poll in calm. Heap is what the process grew by meanwhile, a key.
func attack(ctx context.Context, o Options) error {
	t, err := startTraitor(newOutboxes(o.Seed, 1))
	if err != nil {
		return err
	}
	defer t.close()
	p, err := startPolling(ctx, o, t.addr())
	if err != nil {
		return err
	}
	defer p.close()
	calm, _, err := p.polls(attackCalm, func(int) bool { return true })
	if err != nil {
		return err
	}
	if len(t.replays()) == 0 {
		return errors.New("measure an attack: the manager has asked the hostile node nothing")
	}
	before := heap()
	flood, end := context.WithCancel(ctx)
	defer end()
	var sent atomic.Int64
	var wg sync.WaitGroup
	stranger, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.manager.Addr().Addr(), 0)))
	if err != nil {
		return fmt.Errorf("measure an attack: %w", err)
	}
	defer stranger.Close()
	wg.Go(func() { bombard(flood, stranger, t, p.manager.Addr(), &sent) })
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
		Case: fmt.Sprintf("poll %d keys, %d nodes, under %.0f hostile packets a second for %s, half of them by a node that is asked", o.Keys, o.Nodes, float64(sent.Load())/took.Seconds(), took.Round(time.Second)),
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

// bombard sends hostile datagrams as fast as it can, by turns as a stranger and as
// a node that is asked things; of the latter every other one is a replay.
func bombard(ctx context.Context, stranger *net.UDPConn, t *traitor, to netip.AddrPort, sent *atomic.Int64) {
	r := rand.New(rand.NewPCG(1, 1))
	for ctx.Err() == nil {
		old := t.replays()
		for i := range 1024 {
			conn, b := stranger, hostile(r, i/2)
			if i%2 == 1 {
				conn = t.conn
				if i%4 == 1 {
					b = old[(i/4)%len(old)]
				}
			}
			if _, err := conn.WriteToUDPAddrPort(b, to); err == nil {
				sent.Add(1)
			}
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
