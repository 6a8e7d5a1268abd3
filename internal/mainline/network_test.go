package mainline

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"weir/internal/lookup"
)

// network starts n nodes that stop with the test.
func network(t testing.TB, n int) *Network {
	t.Helper()
	w, err := StartNetwork(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// open opens a node that closes with the test.
func open(t testing.TB, c Config) *Node {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	n, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// await waits for a callback.
func await[T any](t testing.TB, start func(done func(T))) T {
	t.Helper()
	answer := make(chan T, 1)
	start(func(v T) { answer <- v })
	select {
	case v := <-answer:
		return v
	case <-time.After(time.Minute):
		t.Fatal("no callback within a minute")
		panic("unreachable")
	}
}

func get(t testing.TB, n *Node, it lookup.Item) lookup.Found {
	t.Helper()
	return await(t, func(done func(lookup.Found)) {
		n.Get(lookup.Get{Target: it.Target, Mutable: it.Mutable, Key: it.Key, Salt: it.Salt}, done)
	})
}

func put(t testing.TB, n *Node, it lookup.Item) lookup.Stored {
	t.Helper()
	return await(t, func(done func(lookup.Stored)) { n.Put(lookup.Put{Item: it}, done) })
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key ed25519.PrivateKey, seq int64, value string) lookup.Item {
	t.Helper()
	it, err := lookup.Sign(key, nil, seq, []byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// recall is how many of the true closest nodes are among the holders.
func recall(w *Network, target [20]byte, holders []lookup.Holder) int {
	n := 0
	for _, node := range w.Closest(target, 8) {
		if slices.ContainsFunc(holders, func(h lookup.Holder) bool { return h.Addr == node.Addr }) {
			n++
		}
	}
	return n
}

func TestANetworkFindsTheTrueClosestNodesAndKeepsWhatIsPut(t *testing.T) {
	began := time.Now()
	w := network(t, 48)
	if took := time.Since(began); took > time.Second && !raceEnabled {
		t.Logf("48 nodes took %v to start; on two idle cores it is under a second", took)
	}
	writer := open(t, Config{Bootstrap: w.Hosts(3), ReadOnly: true})
	reader := open(t, Config{Bootstrap: w.Hosts(2), ReadOnly: true})

	const items = 40
	hits, acks := 0, 0
	for i := range items {
		it := sign(t, newKey(t), 1, fmt.Sprintf("i%de", i))
		s := put(t, writer, it)
		if s.Err != nil || s.Acknowledged < 7 {
			t.Fatalf("put %d: %d of %d acknowledged, refused %v, %v", i, s.Acknowledged, s.Tried, s.Refused, s.Err)
		}
		acks += s.Acknowledged
		f := get(t, reader, it)
		if f.Err != nil || f.Item == nil || string(f.Item.Value) != string(it.Value) {
			t.Fatalf("get %d: %+v", i, f)
		}
		hits += recall(w, it.Target, f.Closest)
	}
	if r := float64(hits) / (8 * items); r < 0.9 {
		t.Errorf("recall of the 8 closest nodes is %.2f", r)
	} else {
		t.Logf("recall %.3f, %.2f acknowledgements a put", r, float64(acks)/items)
	}
}

func TestANetworkOfNoNodesOrTooManyIsRefused(t *testing.T) {
	for _, n := range []int{-1, 0, networkMax + 1} {
		if _, err := StartNetwork(t.Context(), n); err == nil {
			t.Errorf("%d nodes started", n)
		}
	}
}

func TestANodeOfTheNetworkLooksThingsUpItself(t *testing.T) {
	w := network(t, 16)
	it := sign(t, newKey(t), 1, "1:a")
	if s := put(t, w.Node(3), it); s.Err != nil || s.Acknowledged < 7 {
		t.Fatalf("put: %+v", s)
	}
	if f := get(t, w.Node(11), it); f.Item == nil {
		t.Errorf("get: %+v", f)
	}
}

func BenchmarkStartNetwork(b *testing.B) {
	for b.Loop() {
		w, err := StartNetwork(b.Context(), 48)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
