package simtest

import (
	"slices"
	"time"

	"weir/internal/simnet"
	"weir/ledger/wire"
)

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

// link changes the network, and notes what is wrong with it.
func (t *troubles) link(l simnet.Link) {
	t.Net.SetLink(l)
	for name, share := range map[string]float64{"loss": l.Loss, "duplication": l.Duplicate, "reordering": l.Reorder, "delay with a tail": l.Tail} {
		if share > 0 {
			t.faults[name]++
		}
	}
}

// behaviours are what hostile nodes are called in Result.Faults.
var behaviours = map[simnet.Behaviour]string{
	simnet.Silent: "silent nodes", simnet.Stale: "stale nodes", simnet.Forgetful: "forgetful nodes", simnet.Lying: "forging nodes",
	simnet.Flooding: "flooding nodes", simnet.Impostor: "impostors", simnet.Crashing: "nodes that crash others",
}

// session is how long half of the DHT nodes stay at most.
const session = time.Hour

// nodes has DHT nodes come and go, and makes some hostile, some forgetful before
// their time, and some such that nobody reaches them. Those that everybody knows
// from the start stay as they are.
func (t *troubles) nodes(d time.Duration) {
	all := slices.DeleteFunc(slices.Clone(t.Nodes.All), func(n *simnet.Node) bool {
		return slices.Contains(t.Nodes.Bootstrap(bootstraps), n.Addr())
	})
	t.draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	hostile := len(all) / 8
	for i, n := range all[:hostile] {
		b := simnet.Silent + simnet.Behaviour((int(t.Seed)+i)%int(simnet.Crashing))
		n.Behave(b)
		t.faults[behaviours[b]]++
	}
	all = all[hostile:]
	for i, n := range all {
		switch i % 10 {
		case 0:
			n.SetNAT(true)
			t.faults["nodes behind NATs"]++
		case 1, 2:
			t.faults["items expire early"]++
			n.Expire(time.Duration(20+t.draw.IntN(60)) * time.Minute)
		}
	}
	before := len(t.Nodes.All)
	still := t.Nodes.Churn(session, all)
	t.still = func() {
		still()
		t.faults["nodes that joined"] = len(t.Nodes.All) - before
	}
	t.eclipse(d)
}

// eclipse has nodes of one owner settle next to one key: the head's or, as often,
// some member's.
func (t *troubles) eclipse(d time.Duration) {
	n, whose := 3+t.draw.IntN(10), t.draw.IntN(1<<30)
	t.at(d/2, func() {
		k := t.watch.manager
		if whose%2 == 0 {
			k = t.Members[whose/2%len(t.Members)].id.Public()
		}
		t.faults["eclipsing nodes"] += n
		t.Nodes.Eclipse(wire.MutableTarget(k, t.watch.id.Salt()), n)
	})
}

// nats puts a third of the machines behind NATs.
func (t *troubles) nats() {
	for _, m := range t.machines {
		nat := t.draw.IntN(3) == 0
		m.host.SetNAT(nat)
		if nat {
			t.faults["machines behind NATs"]++
		}
	}
}

// halves plans that the network falls apart in two, for minutes.
func (t *troubles) halves(d time.Duration) {
	for range 1 + int(d.Hours())/8 {
		whole, away := t.draw.Uint64(), time.Minute+time.Duration(t.draw.ExpFloat64()*float64(8*time.Minute))
		t.at(d, func() {
			t.part++
			t.faults["partition"]++
			half := t.half(whole)
			t.Net.Partition(t.part, half...)
			t.Sim.After(away, func() { t.Net.Partition(0, half...) })
		})
	}
}

// half draws about half of all machines and DHT nodes.
func (w *World) half(draw uint64) []*simnet.Endpoint {
	var half []*simnet.Endpoint
	take := func(e *simnet.Endpoint) {
		if draw = draw*6364136223846793005 + 1442695040888963407; draw>>63 == 1 {
			half = append(half, e)
		}
	}
	for _, n := range w.Nodes.All {
		take(n.Endpoint)
	}
	for _, m := range w.machines {
		take(m.host.Endpoint)
	}
	return half
}

// torrents makes half of the torrent clients bad from the start, the manager's
// perhaps among them, and plans others that become bad, or well again.
func (t *troubles) torrents(d time.Duration) {
	for _, m := range t.machines {
		if t.draw.IntN(2) == 0 {
			m.SetPeer(t.badPeer())
			t.faults["bad torrent peers"]++
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
