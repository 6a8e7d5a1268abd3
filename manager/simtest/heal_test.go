package simtest

import (
	"testing"
	"time"

	"weir/internal/seed"
	"weir/internal/simnet"
	"weir/ledger/wire"
)

// items are the targets that a reader with nothing but the link needs.
func items(w *World) (charter, head wire.Target, chunks []wire.Target) {
	h := w.Manager.Role.Status().Head
	return wire.Target(w.watch.id), wire.MutableTarget(w.watch.manager, w.watch.id.Salt()), h.Chunks
}

func TestWhatHalfOfTheNodesTookWithThemIsPutBack(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{Nodes: 40}, ManagerSetup{}, "ada", "bob")
	for range 5 {
		must(m[0].Pay(m[1], 1))(t)
		settle(t, w, 5*time.Minute)
	}
	charter, head, chunks := items(w)
	dead := map[*simnet.Node]bool{}
	for _, target := range append([]wire.Target{charter, head}, chunks...) {
		for _, n := range w.Nodes.Holding(target) {
			if len(dead) < len(w.Nodes.All)/2 && !dead[n] {
				dead[n] = true
				n.Kill()
			}
		}
	}
	for _, n := range w.Nodes.All { // and of the others as many as make a half
		if len(dead) < len(w.Nodes.All)/2 && !dead[n] {
			dead[n] = true
			n.Kill()
		}
	}
	w.Run(90 * time.Minute)
	for _, target := range append([]wire.Target{charter, head}, chunks...) {
		if n := len(w.Nodes.Holding(target)); n < 6 {
			t.Errorf("%s is at %d living nodes", target, n)
		}
	}
	w.Reader("a stranger")
	must(m[1].Pay(m[0], 3))(t)
	settle(t, w, 20*time.Minute)
	check(t, w)
}

func TestMembersKeepADatabaseAliveWhoseManagerIsAway(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{Nodes: 40}, ManagerSetup{}, "ada", "bob")
	for range 5 {
		must(m[0].Pay(m[1], 1))(t)
		settle(t, w, 5*time.Minute)
	}
	charter, head, chunks := items(w)
	w.Manager.Off()
	for _, n := range w.Nodes.All {
		for _, target := range append([]wire.Target{charter, head}, chunks...) {
			n.Forget(target)
		}
	}
	w.Run(5 * time.Hour) // longer than nodes keep anything
	for _, target := range []wire.Target{charter, head} {
		if n := len(w.Nodes.Holding(target)); n < 6 {
			t.Errorf("%s is at %d nodes", target, n)
		}
	}
	// A stranger finds the chunks nowhere, takes the torrent from the members,
	// and puts the chunks back.
	r := w.Reader("a stranger")
	w.Run(10 * time.Minute)
	if size, root := r.Log(); size != w.Manager.size || root != w.Manager.root {
		t.Fatalf("the stranger has %d of %d entries: %s", size, w.Manager.size, r.Role.Status().Problem)
	}
	for _, target := range chunks {
		if n := len(w.Nodes.Holding(target)); n < 6 {
			t.Errorf("chunk %s is at %d nodes", target, n)
		}
	}
	// What is signed meanwhile is kept alive by its sender.
	must(m[0].Pay(m[1], 500))(t)
	w.Run(10 * time.Hour)
	if err := w.Manager.On(); err != nil {
		t.Fatal(err)
	}
	settle(t, w, 20*time.Minute)
	check(t, w)
}

func TestTorrentsThatNobodyElseHoldsAreShownForADay(t *testing.T) {
	t.Parallel()
	w := New(1, Setup{Nodes: 12})
	t.Cleanup(w.Close)
	w.Found(ManagerSetup{Cycle: 10 * time.Minute, Heartbeat: time.Hour})
	made := map[[20]byte]time.Time{} // infohash → when it was the newest
	shown := func() (oldest time.Duration) {
		h := w.Manager.Role.Status().Head
		if _, ok := made[h.Newest]; !ok {
			made[h.Newest] = w.Sim.Now()
		}
		for _, ih := range h.Older {
			oldest = max(oldest, w.Sim.Now().Sub(made[ih]))
		}
		return oldest
	}
	live := func(d time.Duration, account uint64) time.Duration {
		oldest := time.Duration(0)
		for end := w.Sim.Elapsed() + d; w.Sim.Elapsed() < end; {
			w.Run(30 * time.Minute)
			if _, err := w.Manager.Desk().Limit(account, wire.Limits{Lower: -int64(w.Sim.Elapsed() / time.Second), Upper: 1 << 40}); err != nil {
				t.Fatal(err)
			}
			w.Run(15 * time.Minute)
			oldest = shown()
			if err := w.Err(); err != nil {
				t.Fatal(err)
			}
		}
		return oldest
	}
	ada := w.Admit("ada")
	ada.Off() // nobody holds anything
	if oldest := live(50*time.Hour, 1); oldest > 26*time.Hour {
		t.Errorf("a torrent that nobody holds is shown after %s", oldest)
	}
	if err := ada.On(); err != nil {
		t.Fatal(err)
	}
	if oldest := live(50*time.Hour, 1); oldest < 24*time.Hour {
		t.Errorf("of the torrents that ada holds the oldest shown is %s old", oldest)
	}
}

// rubbish is content of which every byte is wrong.
type rubbish struct{}

func (rubbish) ReadAt(p []byte, _ int64) (int, error) {
	for i := range p {
		p[i] = 0xa5
	}
	return len(p), nil
}

func (rubbish) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

func TestATorrentPeerThatServesRubbishHarmsNobody(t *testing.T) {
	t.Parallel()
	w, m := begin(t, Setup{}, ManagerSetup{}, "ada", "bob", "cleo")
	ada, bob, cleo := m[0], m[1], m[2]
	cleo.Off()
	for i := range 150 {
		must(ada.Pay(bob, 1))(t)
		if i%10 == 9 {
			w.Run(time.Minute)
		}
	}
	w.Run(5 * time.Minute)

	// The right infohashes, announced, and the wrong bytes behind them.
	newest, err := w.Manager.Store().NewestTorrent(w.Manager.Role.Status().Head.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	liar := w.Torrents.Join(simnet.NewHost(w.Net, simnet.HostConfig{}).Endpoint, simnet.Peer{})
	if err := liar.Serve(newest.Info, seed.Content(rubbish{}), true); err != nil {
		t.Fatal(err)
	}
	liar.Meet(meet)

	// As long as only the liar has it, cleo says so and takes nothing.
	for _, m := range []*machine{w.Manager.machine, ada.machine, bob.machine} {
		w.Net.Partition(1, m.host.Endpoint)
	}
	before, _ := cleo.Log()
	if err := cleo.On(); err != nil {
		t.Fatal(err)
	}
	w.Run(10 * time.Minute)
	if s := cleo.Role.Status(); s.Size != before || s.Problem == "" {
		t.Fatalf("from a liar it has %d entries and says %q", s.Size, s.Problem)
	}
	w.Net.Heal()
	settle(t, w, 10*time.Minute)
	check(t, w)
}

func TestPaymentsGoThroughAmongHostileNodes(t *testing.T) {
	t.Parallel()
	for behaviour, name := range map[simnet.Behaviour]string{
		simnet.Silent: "silent", simnet.Stale: "stale", simnet.Forgetful: "forgetful", simnet.Lying: "lying",
		simnet.Flooding: "flooding", simnet.Impostor: "impostors", simnet.Crashing: "crashing",
	} {
		t.Run(name, func(t *testing.T) {
			w := New(1, Setup{Nodes: 40})
			t.Cleanup(w.Close)
			for i, n := range w.Nodes.All[bootstraps:] {
				if i%4 == 0 {
					n.Behave(behaviour)
				}
			}
			w.Found(ManagerSetup{})
			ada, bob := w.Admit("ada"), w.Admit("bob")
			cleo := must(w.Invite("cleo", time.Hour))(t)
			settle(t, w, 20*time.Minute)
			for range 5 {
				must(ada.Pay(bob, 10))(t)
				must(bob.Pay(cleo, 5))(t)
				settle(t, w, 20*time.Minute)
			}
			w.Reader("a stranger")
			settle(t, w, 20*time.Minute)
			check(t, w)
		})
	}
}
