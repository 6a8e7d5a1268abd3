package simtest

import (
	"math/rand/v2"
	"slices"
	"time"

	"weir/internal/simnet"
)

// troubles makes everything go wrong that may, for as long as it is on. What
// happens, and when, is drawn before the world begins to run; whom it finds in
// which state is seen then.
type troubles struct {
	*World
	draw  *rand.Rand
	over  bool
	part  int    // of the network, the last one that was cut off
	still func() // ends the coming and going of DHT nodes
}

// begin plans the troubles of the next d.
func (t *troubles) begin(d time.Duration) {
	hours := int(d.Hours())
	t.link(t.rough())
	for range hours + 1 + t.draw.IntN(3) { // the network changes
		l := t.rough()
		t.at(d, func() { t.link(l) })
	}
	t.nodes(d)
	t.nats()
	t.halves(d)
	t.clocks(d)
	for range 3 + t.draw.IntN(4) + hours/3 {
		t.outage(d, func() *machine { return t.Manager.machine })
	}
	for range len(t.Members)*3/2 + len(t.Readers) {
		i := t.draw.IntN(1 << 30)
		t.outage(d, func() *machine {
			others := slices.DeleteFunc(slices.Clone(t.machines), func(m *machine) bool { return m == t.Manager.machine })
			return others[i%len(others)]
		})
	}
	t.torrents(d)
}

// at plans something for a moment within d.
func (t *troubles) at(d time.Duration, f func()) {
	t.Sim.After(time.Duration(t.draw.Int64N(int64(d))), func() {
		if !t.over && t.broken == nil {
			f()
		}
	})
}

// clocks sets every clock wrong by a little, and now and then one by more,
// backward or forward.
func (t *troubles) clocks(d time.Duration) {
	for _, m := range t.machines {
		m.host.SetClock(time.Duration(t.draw.NormFloat64() * float64(20*time.Second)))
		t.faults["clock wrong"]++
	}
	for range t.draw.IntN(4) {
		i, by := t.draw.IntN(len(t.machines)), time.Duration((t.draw.Float64()-0.5)*float64(40*time.Minute))
		t.at(d, func() {
			t.faults["clock leaps"]++
			t.machines[i].host.SetClock(by)
		})
	}
}

// outage plans one for the machine that whom gives then: usually for minutes,
// now and then for longer than DHT nodes keep what nobody puts again.
func (t *troubles) outage(d time.Duration, whom func() *machine) {
	kind, step := t.draw.IntN(8), 1+t.draw.IntN(40)
	away := time.Duration(float64(5*time.Second) + t.draw.ExpFloat64()*float64(3*time.Minute))
	if t.draw.IntN(12) == 0 {
		away += time.Duration(t.draw.ExpFloat64() * float64(d/6))
	}
	t.at(d, func() {
		m := whom()
		switch {
		case !m.on:
		case kind < 4: // the power goes in the middle of writing
			t.faults["crash in a write"]++
			m.CrashAt(step)
			t.again(m, away)
		case kind < 5: // or while nothing is written
			t.faults["crash"]++
			m.Crash()
			t.again(m, away)
		case kind < 6: // somebody stops it
			t.faults["stop"]++
			m.Off()
			t.again(m, away)
		default: // the cable is pulled
			t.part++
			t.faults["cable pulled"]++
			t.Net.Partition(t.part, m.host.Endpoint)
			t.Sim.After(away, func() { t.Net.Partition(0, m.host.Endpoint) })
		}
	})
}

// again turns a machine on after some time off, once it went off.
func (t *troubles) again(m *machine, away time.Duration) {
	t.Sim.After(away, func() {
		if t.over || t.broken != nil {
			return
		}
		if m.on && m.crashAt > 0 {
			t.again(m, away) // nothing was written yet
			return
		}
		t.turnOn(m)
	})
}

func (t *troubles) turnOn(m *machine) {
	if m.gone {
		return
	}
	if err := m.On(); err != nil {
		t.fail("a disk can be read again", "%v", err)
	}
}

// end ends the troubles: the network and all torrent clients are good, everybody
// is on and stays so. Dead DHT nodes stay dead, hostile ones hostile, and who is
// behind a NAT stays there.
func (t *troubles) end() {
	t.over = true
	if t.still != nil {
		t.still()
	}
	t.Net.SetLink(simnet.Link{RTT: 80 * time.Millisecond, Jitter: 20 * time.Millisecond})
	t.Net.Heal()
	for _, m := range t.machines {
		m.SetPeer(simnet.Peer{})
		m.CrashAt(0)
		t.turnOn(m)
	}
}

// crashes adds up how often the power went, and at what.
func (w *World) crashes() map[string]int {
	sum := map[string]int{}
	for _, m := range w.machines {
		for where, n := range m.Crashes {
			sum[where] += n
		}
	}
	return sum
}

func (w *World) lives() int {
	n := 0
	for _, m := range w.machines {
		n += m.Lives
	}
	return n
}
