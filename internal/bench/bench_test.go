package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/internal/mainline"
)

func TestAShareIsTheTimeThatSoManyPercentDoNotExceed(t *testing.T) {
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(100-i))
	}
	for percent, want := range map[int]time.Duration{0: 1, 1: 1, 50: 50, 99: 99, 100: 100} {
		if got := share(all, percent); got != want {
			t.Errorf("%d %%: %d, want %d", percent, got, want)
		}
	}
	if share(nil, 50) != 0 || share([]time.Duration{7}, 1) != 7 {
		t.Error("of none or one")
	}
}

func TestChangesAreSpreadEvenly(t *testing.T) {
	o := &outboxes{items: make([]lookup.Item, 10)}
	for share, want := range map[float64][]int{0: nil, 0.2: {4, 9}, 0.5: {1, 3, 5, 7, 9}, 1: everyone(10)} {
		if got := o.changes(share); !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", share, got, want)
		}
	}
}

func TestAnEchoTakesTimeAndEnds(t *testing.T) {
	if d, err := echo(200, echoQuery, echoAnswer); err != nil || d <= 0 {
		t.Errorf("%s, %v", d, err)
	}
}

func TestANetworkObeysItsOrders(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	orders, in := io.Pipe()
	out, say := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- Network(ctx, 16, true, orders, say)
		say.Close()
	}()
	lines := bufio.NewScanner(out)
	answer := func() (a answer) {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("it has ended")
		}
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	nodes := answer().Nodes
	if len(nodes) != 16 {
		t.Fatalf("%d nodes", len(nodes))
	}
	for i, n := range nodes {
		if n.ID[0] != "0123456789abcdef"[i] {
			t.Errorf("node %d of 16 that are spread evenly has the id %s", i, n.ID)
		}
	}
	io.WriteString(in, `{"place":3,"run":1,"keys":4,"changed":0.5}`+"\n")
	if a := answer(); a.Error != "" {
		t.Fatal(a.Error)
	}
	n, err := mainline.Open(ctx, mainline.Config{Listen: "127.0.0.1:0", Bootstrap: []string{nodes[0].Addr.String()}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	o := newOutboxes(1, 4)
	for i := range 4 {
		it, err := o.sign(i, 3)
		if err != nil {
			t.Fatal(err)
		}
		found := make(chan lookup.Found, 1)
		n.Get(lookup.Get{Target: it.Target, Mutable: true, Key: it.Key, Salt: it.Salt}, func(f lookup.Found) { found <- f })
		if f := <-found; (f.Item != nil && f.Item.Seq == 3) != (i%2 == 1) {
			t.Errorf("key %d: %+v", i, f.Item)
		}
	}
	for _, bad := range []string{`{"place":1,"keys":0}`, `{"place":1,"keys":100000000}`} {
		io.WriteString(in, bad+"\n")
		if a := answer(); !strings.Contains(a.Error, "possible") {
			t.Errorf("%s: %q", bad, a.Error)
		}
	}
	in.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
