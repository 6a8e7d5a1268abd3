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
	draw *rand.Rand
	over bool
	part int // of the network, the last one that was cut off
}

// rough is the network while there are troubles.
func (t *troubles) rough() simnet.Link {
	return simnet.Link{
		RTT:       time.Duration(40+t.draw.IntN(160)) * time.Millisecond,
		Jitter:    30 * time.Millisecond,
		Tail:      0.05 * t.draw.Float64(),
		Loss:      0.12 * t.draw.Float64(),
		Duplicate: 0.05 * t.draw.Float64(),
		Reorder:   0.1 * t.draw.Float64(),
	}
}

// begin plans the troubles of the next d.
func (t *troubles) begin(d time.Duration) {
	t.Net.SetLink(t.rough())
	for range 1 + t.draw.IntN(3) { // the network changes
		l := t.rough()
		t.at(d, func() { t.Net.SetLink(l) })
	}
	t.nodes(d)
	t.clocks(d)
	for range 3 + t.draw.IntN(4) {
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

// nodes plans the deaths of DHT nodes, some for good, and makes some hostile.
// Those that everybody knows from the start stay as they are.
func (t *troubles) nodes(d time.Duration) {
	all := slices.DeleteFunc(slices.Clone(t.Nodes.All), func(n *simnet.Node) bool {
		return slices.Contains(t.Nodes.Bootstrap(bootstraps), n.Addr())
	})
	t.draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	hostile, dying, restarting := len(all)/8, len(all)/6, len(all)/4
	for i, n := range all[:hostile] {
		n.Behave(simnet.Silent + simnet.Behaviour((int(t.Seed)+i)%int(simnet.Crashing)))
	}
	all = all[hostile:]
	for _, n := range all[:dying] {
		t.at(d, n.Kill)
	}
	for _, n := range all[dying : dying+restarting] {
		t.at(d, n.Restart) // with nothing stored
	}
}

// clocks sets every clock wrong by a little, and now and then one by more,
// backward or forward.
func (t *troubles) clocks(d time.Duration) {
	for _, m := range t.machines {
		m.host.SetClock(time.Duration(t.draw.NormFloat64() * float64(20*time.Second)))
	}
	for range t.draw.IntN(4) {
		i, by := t.draw.IntN(len(t.machines)), time.Duration((t.draw.Float64()-0.5)*float64(40*time.Minute))
		t.at(d, func() { t.machines[i].host.SetClock(by) })
	}
}

// torrents makes half of the torrent clients bad from the start, the manager's
// perhaps among them, and plans others that become bad, or well again.
func (t *troubles) torrents(d time.Duration) {
	for _, m := range t.machines {
		if t.draw.IntN(2) == 0 {
			m.SetPeer(t.badPeer())
		}
	}
	for range 2 * len(t.machines) {
		i, p := t.draw.IntN(1<<30), t.badPeer()
		if t.draw.IntN(3) == 0 {
			p = simnet.Peer{}
		}
		t.at(d, func() { t.machines[i%len(t.machines)].SetPeer(p) })
	}
}

// badPeer is a torrent peer that has one fault, or all of them.
func (t *troubles) badPeer() simnet.Peer {
	p := simnet.Peer{
		// A piece takes a quarter of a second to 8 seconds; eight are asked for at
		// once, and each is given up after 15.
		Upload: 2<<10 + t.draw.Int64N(62<<10), Download: 8<<10 + t.draw.Int64N(56<<10),
		Lose: 0.5 * t.draw.Float64(), Corrupt: 0.5 * t.draw.Float64(), Stall: 0.3 * t.draw.Float64(),
	}
	switch t.draw.IntN(6) {
	case 0:
		return simnet.Peer{Upload: p.Upload, Download: p.Download}
	case 1:
		return simnet.Peer{Lose: p.Lose}
	case 2:
		return simnet.Peer{Corrupt: p.Corrupt}
	case 3:
		return simnet.Peer{Stall: p.Stall}
	case 4:
		return simnet.Peer{Corrupt: 1} // nothing from it is ever right
	}
	return p
}

// outage plans one for the machine that whom gives then.
func (t *troubles) outage(d time.Duration, whom func() *machine) {
	kind, step := t.draw.IntN(8), 1+t.draw.IntN(40)
	away := time.Duration(float64(5*time.Second) + t.draw.ExpFloat64()*float64(3*time.Minute))
	t.at(d, func() {
		m := whom()
		switch {
		case !m.on:
		case kind < 4: // the power goes in the middle of writing
			m.CrashAt(step)
			t.again(m, away)
		case kind < 5: // or while nothing is written
			m.Crash()
			t.again(m, away)
		case kind < 6: // somebody stops it
			m.Off()
			t.again(m, away)
		default: // the cable is pulled
			t.part++
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
	if err := m.On(); err != nil {
		t.fail("a disk can be read again", "%v", err)
	}
}

// end ends the troubles: the network and all torrent clients are good, everybody
// is on and stays so. Dead DHT nodes stay dead, and hostile ones hostile.
func (t *troubles) end() {
	t.over = true
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
