package swarm

import (
	"errors"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

func TestAMutedClientGivesNothingAndFetchesAllTheSame(t *testing.T) {
	w := newWorld(t)
	tr := newTracker()
	a, b := w.client(with(tr)), w.client()
	content := random(1, 100<<10)
	info := volume(content)
	a.Mute(true)
	m := &memory{b: content}
	if err := a.Serve(info, m, true); err != nil {
		t.Fatal(err)
	}
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info), Stall: time.Second, Peers: append(b.met.list(), a.Addr()),
		Plan: func([]byte) (seed.Content, int64, error) { return &memory{b: make([]byte, len(content))}, 0, nil },
	})
	if r := w.wait(done); !errors.Is(r.Err, seed.ErrStalled) {
		t.Fatalf("a fetch from a muted client: %v", r.Err)
	}
	if n := tr.count(wire.Infohash(info)); n != 0 {
		t.Errorf("it announced %d times", n)
	}
	if _, out := a.Carried(); out != 0 {
		t.Errorf("it sent %d bytes", out)
	}

	// It fetches; and once it may, it gives.
	other := random(2, 50<<10)
	w.serve(b, volume(other), other)
	w.fetch(a, volume(other), other, 0, b)
	a.Mute(false)
	w.eventually("it announces", func() bool { return tr.count(wire.Infohash(info)) > 0 })
	c := w.client()
	w.fetch(c, info, content, 0, a)
	for who, client := range map[string]*Client{"the giver": a, "the taker": c} {
		in, out := client.Carried()
		if client == a {
			in, out = out, in
		}
		if in < uint64(len(content)) || in > 2*uint64(len(content)) || out == 0 || out > uint64(len(content)) {
			t.Errorf("%s counts %d bytes of the content's way and %d back", who, in, out)
		}
	}
}
