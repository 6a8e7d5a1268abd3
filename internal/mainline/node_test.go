package mainline

import (
	"errors"
	"net/netip"
	"sync"
	"testing"

	"weir/internal/lookup"
	"weir/ledger/wire"
)

func TestANodeWithCachedNodesAndADeadBootstrapFindsTheNetwork(t *testing.T) {
	w := network(t, 24)
	it := sign(t, newKey(t), 3, "1:a")
	first := open(t, Config{Bootstrap: w.Hosts(1), ReadOnly: true})
	if s := put(t, first, it); s.Err != nil {
		t.Fatal(s.Err)
	}
	cache := first.Nodes(16)
	if len(cache) < 8 {
		t.Fatalf("%d nodes to remember", len(cache))
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	dead := open(t, Config{})
	address := dead.Addr().String()
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, Config{Bootstrap: []string{address}, Cache: cache, ReadOnly: true})
	if f := get(t, again, it); f.Err != nil || f.Item == nil || f.Item.Seq != 3 {
		t.Errorf("with a dead bootstrap address: %+v", f)
	}
	offline := open(t, Config{Bootstrap: []string{"gone.example:1"}, Cache: cache, Resolve: names(nil), ReadOnly: true})
	if f := get(t, offline, it); f.Err != nil || f.Item == nil || f.Item.Seq != 3 {
		t.Errorf("with a name that does not resolve: %+v", f)
	}
}

func TestTwoNodesAreANetwork(t *testing.T) {
	first := open(t, Config{})
	second := open(t, Config{Bootstrap: []string{first.Addr().String()}})
	it := sign(t, newKey(t), 1, "1:a")
	if s := put(t, second, it); s.Err != nil || s.Acknowledged != 1 {
		t.Fatalf("put: %+v", s)
	}
	if s := first.Stats(); s.StoredItems != 1 {
		t.Errorf("the first node stores %d items", s.StoredItems)
	}
	third := open(t, Config{Bootstrap: []string{first.Addr().String()}, ReadOnly: true})
	if f := get(t, third, it); f.Item == nil || f.Holding != 1 {
		t.Errorf("get: %+v", f)
	}
}

func TestALookUpWithNobodyToAskSaysSo(t *testing.T) {
	n := open(t, Config{})
	it := sign(t, newKey(t), 1, "1:a")
	if f := get(t, n, it); !errors.Is(f.Err, lookup.ErrNoNodes) {
		t.Errorf("get: %v", f.Err)
	}
	if s := put(t, n, it); !errors.Is(s.Err, lookup.ErrNoNodes) {
		t.Errorf("put: %v", s.Err)
	}
	if p := await(t, func(done func([]netip.AddrPort)) { n.GetPeers(it.Target, done) }); len(p) != 0 {
		t.Errorf("torrent peers: %v", p)
	}
}

func TestAReadOnlyNodeAnswersNobody(t *testing.T) {
	n := open(t, Config{ReadOnly: true})
	queries := honest(t)
	w := dialNode(t, n)
	w.send(queries["ping"])
	w.send(queries["unknown method"])
	other := dialNode(t, open(t, Config{}))
	for after := 0; after < 20; { // another answers so often before we believe in silence
		if other.exchange(queries["ping"]); n.Stats().PacketsIn > 1 {
			after++
		}
	}
	if s := n.Stats(); s.PacketsOut != 0 {
		t.Errorf("%d packets sent", s.PacketsOut)
	}
}

// silent is a node that takes packets and never answers.
func silent(t *testing.T) string {
	t.Helper()
	conn, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().String()
}

func TestCloseAnswersEverythingThatStillWaits(t *testing.T) {
	n, err := Open(t.Context(), Config{Listen: "127.0.0.1:0", Bootstrap: []string{silent(t)}})
	if err != nil {
		t.Fatal(err)
	}
	it := sign(t, newKey(t), 1, "1:a")
	var mu sync.Mutex
	var answers []error
	peers := 0
	note := func(err error) { mu.Lock(); answers = append(answers, err); mu.Unlock() }
	var all sync.WaitGroup
	ask := func() {
		all.Add(3)
		n.Get(lookup.Get{Target: it.Target}, func(f lookup.Found) { note(f.Err); all.Done() })
		n.Put(lookup.Put{Item: it}, func(s lookup.Stored) { note(s.Err); all.Done() })
		n.Announce(it.Target, 5, func([]netip.AddrPort) { mu.Lock(); peers++; mu.Unlock(); all.Done() })
	}
	for range 10 {
		ask()
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if len(answers) != 20 || peers != 10 {
		t.Errorf("%d and %d answers when Close returned", len(answers), peers)
	}
	mu.Unlock()
	ask() // a closed node answers too
	all.Wait()
	for _, err := range answers {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("answer: %v", err)
		}
	}
	if nodes := n.Nodes(8); nodes != nil {
		t.Errorf("nodes of a closed node: %v", nodes)
	}
	if err := n.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

// queue collects what is posted and runs it where run is called.
type queue chan func()

func (q queue) post(f func()) { q <- f }

func TestABoundNodeDeliversEveryCallbackThroughPost(t *testing.T) {
	w := network(t, 16)
	n := open(t, Config{Bootstrap: w.Hosts(1)})
	q := make(queue, 16)
	b := n.Post(q.post)
	it := sign(t, newKey(t), 5, "1:a")
	run := func(done *bool) {
		t.Helper()
		for !*done {
			(<-q)()
		}
	}

	checked, stored, found, peers := false, false, false, false // no lock: only this goroutine runs what is posted
	b.Put(lookup.Put{Item: it, Check: func(f lookup.Found) error {
		checked = f.Item == nil && len(f.Closest) > 0
		return nil
	}}, func(s lookup.Stored) {
		stored = true
		if s.Err != nil || s.Acknowledged != 8 || s.Found.Answered == 0 {
			t.Errorf("put: %+v", s)
		}
	})
	run(&stored)
	if !checked {
		t.Error("Check did not run, or saw no holders")
	}

	stop := errors.New("another machine")
	stored = false
	newer := sign(t, newKey(t), 6, "1:b")
	b.Put(lookup.Put{Item: newer, Check: func(lookup.Found) error { return stop }}, func(s lookup.Stored) {
		stored = true
		if !errors.Is(s.Err, stop) || s.Tried != 0 || s.Found.Answered == 0 {
			t.Errorf("a put that its check stopped: %+v", s)
		}
	})
	run(&stored)
	if f := get(t, n, newer); f.Item != nil {
		t.Error("the check said no, and the item is there")
	}

	b.Get(lookup.Get{Target: it.Target, Mutable: true, Key: it.Key}, func(f lookup.Found) {
		found = f.Item != nil && f.Item.Seq == 5
		if !found {
			t.Errorf("get: %+v", f)
			found = true
		}
	})
	run(&found)
	b.Announce(it.Target, 77, func([]netip.AddrPort) { peers = true })
	run(&peers)
	peers = false
	b.GetPeers(it.Target, func(p []netip.AddrPort) {
		peers = true
		if len(p) != 1 || p[0].Port() != 77 {
			t.Errorf("torrent peers: %v", p)
		}
	})
	run(&peers)
}

func TestManyLookUpsAtOnceAreAllAnswered(t *testing.T) {
	w := network(t, 24)
	n := open(t, Config{Bootstrap: w.Hosts(2), ReadOnly: true})
	const many = 200
	items := make([]lookup.Item, many)
	for i := range items {
		var err error
		if items[i], err = lookup.Immutable(wire.String([]byte{byte(i), byte(i >> 8), 'x'})); err != nil {
			t.Fatal(err)
		}
	}
	stored := make(chan lookup.Stored, many)
	for _, it := range items {
		n.Put(lookup.Put{Item: it}, func(s lookup.Stored) { stored <- s })
	}
	for range many {
		if s := <-stored; s.Err != nil || s.Acknowledged < 6 {
			t.Fatalf("put: %+v", s)
		}
	}
	found := make(chan lookup.Found, many)
	for _, it := range items {
		n.Get(lookup.Get{Target: it.Target}, func(f lookup.Found) { found <- f })
	}
	for range many {
		if f := <-found; f.Err != nil || f.Item == nil {
			t.Fatalf("get: %+v", f)
		}
	}
}
