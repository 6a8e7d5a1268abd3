package swarm

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

func TestAFetchWithoutTorrentPeersStalls(t *testing.T) {
	w := newWorld(t)
	b := w.client()
	done, _ := w.run(b, seed.Fetch{Infohash: [20]byte{1}, Stall: 300 * time.Millisecond})
	if r := w.wait(done); !errors.Is(r.Err, seed.ErrStalled) {
		t.Fatalf("got %v", r.Err)
	}
	if b.share([20]byte{1}) != nil {
		t.Error("the torrent is still there")
	}
}

func TestATorrentPeerThatSendsNothingIsAStall(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(11, 100<<10)
	info := volume(content)
	hold := make(chan struct{})
	defer close(hold)
	if err := a.Serve(info, &memory{b: content, hold: hold}, false); err != nil {
		t.Fatal(err)
	}
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{a.Addr()},
		Stall:    600 * time.Millisecond,
		Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
	})
	if r := w.wait(done); !errors.Is(r.Err, seed.ErrStalled) || r.Info == nil {
		t.Fatalf("got %v and %d bytes of info", r.Err, len(r.Info))
	}
}

func TestAFetchOfWhichNothingComesIsGivenUpAfterFirst(t *testing.T) {
	content := random(22, 1<<20)
	info := volume(content)
	for _, c := range []struct {
		name string
		send int // pieces, before the torrent peer is mute; -1: there is none
		late bool
	}{
		{"without a torrent peer", -1, false},
		{"with one that has the info dictionary and sends no piece", 0, false},
		{"and not once pieces have come", 8, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			b := w.client()
			f := seed.Fetch{Infohash: wire.Infohash(info), First: 700 * time.Millisecond, Stall: 4 * time.Second}
			m := &memory{b: make([]byte, len(content))}
			f.Plan = func([]byte) (seed.Content, int64, error) { return m, 0, nil }
			if c.send >= 0 {
				a := w.client()
				hold := make(chan struct{})
				defer close(hold)
				if err := a.Serve(info, &mute{memory: memory{b: content}, reads: c.send, on: hold}, false); err != nil {
					t.Fatal(err)
				}
				f.Peers = []netip.AddrPort{a.Addr()}
			}
			begun := time.Now()
			done, _ := w.run(b, f)
			r := w.wait(done)
			if took := time.Since(begun); !errors.Is(r.Err, seed.ErrStalled) || took < f.First || (took >= f.Stall) != c.late {
				t.Errorf("%v after %v", r.Err, took)
			}
			if writes, _ := m.counted(); (writes > 0) != c.late {
				t.Errorf("%d pieces came", writes)
			}
		})
	}
}

// mute is content whose reads wait after so many, until they may go on.
type mute struct {
	memory
	reads int // left; guarded by memory.mu
	on    chan struct{}
}

func (m *mute) ReadAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	m.reads--
	wait := m.reads < 0
	m.mu.Unlock()
	if wait {
		<-m.on
	}
	return m.memory.ReadAt(p, off)
}

func TestAnHonestTorrentPeerRescuesAFetchThatStandsStill(t *testing.T) {
	w := newWorld(t)
	dht := newTracker()
	a, b, honest := w.client(), w.client(with(dht)), w.client(with(dht))
	content := random(12, 100<<10)
	info := volume(content)
	hold := make(chan struct{})
	defer close(hold)
	if err := a.Serve(info, &memory{b: content, hold: hold}, false); err != nil {
		t.Fatal(err)
	}
	m := &memory{b: make([]byte, len(content))}
	planned := make(chan struct{})
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{a.Addr()},
		Stall:    4 * time.Second,
		Plan:     func([]byte) (seed.Content, int64, error) { close(planned); return m, 0, nil },
	})
	<-planned
	if err := honest.Serve(info, &memory{b: content}, true); err != nil {
		t.Fatal(err)
	}
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
}
