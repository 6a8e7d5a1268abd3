package swarm

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

func TestWhatOneServesAnotherFetches(t *testing.T) {
	for _, n := range []int{1, 100, wire.PieceBytes, wire.PieceBytes + 1, 3<<20 + 17} {
		t.Run(fmt.Sprint(n, " bytes"), func(t *testing.T) {
			w := newWorld(t)
			a, b := w.client(), w.client()
			content := random(1, n)
			info := volume(content)
			w.serve(a, info, content)
			w.fetch(b, info, content, 0, a)
		})
	}
}

func TestAFetchThatHasAPrefixCostsOnlyTheRest(t *testing.T) {
	for _, behind := range []int{1 << 10, 100 << 10, 1 << 20} {
		t.Run(fmt.Sprint(behind, " bytes behind"), func(t *testing.T) {
			w := newWorld(t)
			a, a2, b := w.client(), w.client(), w.client()
			b.retry = retryFirst
			tail := random(2, 6<<20+123)
			info, content := newest(tail, random(3, 5000))
			w.serve(a, info, content)
			w.serve(a2, info, content)
			_, r := w.fetch(b, info, content, int64(len(tail)-behind), a, a2)
			t.Logf("received %d bytes", r.Received)
			if most := int64(behind + behind/256 + 64<<10); r.Received > most {
				t.Errorf("received %d bytes, want at most %d", r.Received, most)
			}
			if r.Received < int64(behind) {
				t.Errorf("received %d bytes: not everything is counted", r.Received)
			}
		})
	}
}

func TestAFetchThatHasEverythingReceivesOnlyTheInfoDictionary(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(2, 100<<10+1)
	info := volume(content)
	w.serve(a, info, content)
	m, r := w.fetch(b, info, content, int64(len(content)), a)
	if writes, _ := m.counted(); writes != 0 || r.Received > 4<<10 {
		t.Errorf("%d writes, %d bytes received", writes, r.Received)
	}
}

func TestATailIsFollowedOverTwentyGenerations(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	all := random(4, 300<<10)
	have, length := 0, 50<<10
	for generation := range 20 {
		length += 7_000 + 311*generation
		info, content := newest(all[:length], random(uint64(generation), 700))
		w.serve(a, info, content)
		_, r := w.fetch(b, info, content, int64(have), a)
		behind := length - have
		if most := int64(behind + behind/256 + 64<<10); r.Received > most {
			t.Errorf("generation %d received %d bytes, want at most %d", generation, r.Received, most)
		}
		have = length
	}
}

func TestWhatWasFetchedIsServedUntilItIsStopped(t *testing.T) {
	w := newWorld(t)
	a, b, c, d := w.client(), w.client(), w.client(), w.client()
	content := random(5, 200<<10)
	info := volume(content)
	infohash := wire.Infohash(info)
	w.serve(a, info, content)
	m, _ := w.fetch(b, info, content, 0, a)
	a.Stop(infohash)
	w.fetch(c, info, content, 0, b)
	b.Stop(infohash)
	m.mu.Lock()
	m.b = nil // nobody may use it now
	m.mu.Unlock()
	w.fetch(d, info, content, 0, a, b, c)
}

func TestAFetchFindsTorrentPeersByItself(t *testing.T) {
	w := newWorld(t)
	dht := newTracker()
	content := random(6, 64<<10)
	info := volume(content)
	b := w.client(with(dht))
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(b, info, m, 0) // before anybody serves it
	a := w.client(with(dht))
	if err := a.Serve(info, &memory{b: content}, true); err != nil {
		t.Fatal(err)
	}
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("fetch: %v", r.Err)
	}
	if n := dht.count(wire.Infohash(info)); n != 1 {
		t.Errorf("announced %d times, want once, by the one that was told to", n)
	}
}

func TestMembersThatMeetHandEachOtherToEveryTorrent(t *testing.T) {
	w := newWorld(t)
	dht := newTracker()
	a, b := w.client(with(dht)), w.client(with(dht))
	meet := [20]byte{7}
	a.Meet(meet)
	w.eventually("a is announced", func() bool { return dht.count(meet) == 1 })
	leave := b.Meet(meet)
	w.eventually("b meets a", func() bool { return len(b.MetPeers()) == 1 })
	if met := b.MetPeers()[0]; met != a.Addr() {
		t.Fatalf("met %v, want %v", met, a.Addr())
	}
	content := random(8, 64<<10)
	info := volume(content)
	w.serve(a, info, content)
	w.fetch(b, info, content, 0)
	leave()

	other := random(9, 1000)
	w.serve(b, volume(other), other)
	a.AddPeers([]netip.AddrPort{b.Addr(), {}, netip.MustParseAddrPort("0.0.0.0:1"), netip.MustParseAddrPort("1.2.3.4:0")})
	w.fetch(a, volume(other), other, 0)
	if met := a.MetPeers(); len(met) != 1 {
		t.Errorf("met %v, want only b", met)
	}
}

func TestAPlanThatRefusesEndsTheFetch(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(10, 1000)
	info := volume(content)
	w.serve(a, info, content)
	refused := errors.New("not ours")
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{a.Addr()},
		Plan:     func([]byte) (seed.Content, int64, error) { return nil, 0, refused },
	})
	if r := w.wait(done); !errors.Is(r.Err, refused) || !bytes.Equal(r.Info, info) {
		t.Fatalf("got %v and %d bytes of info", r.Err, len(r.Info))
	}
}

func TestAFullDiskEndsTheFetchWithItsError(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(13, 1<<20)
	info := volume(content)
	w.serve(a, info, content)
	full := errors.New("no space left on device")
	m := &memory{b: make([]byte, len(content)), limit: 300 << 10, full: full}
	done, _ := w.start(b, info, m, 0, a)
	if r := w.wait(done); !errors.Is(r.Err, full) {
		t.Fatalf("got %v", r.Err)
	}
	if b.share(wire.Infohash(info)) != nil {
		t.Error("the torrent is still there")
	}
	m.full = nil
	if _, r := w.fetch(b, info, content, 0, a); r.Err != nil {
		t.Errorf("once there is room: %v", r.Err)
	}
}

func TestAFetchGoesOnWhenTheOtherSideIsStartedAgain(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(func(c *Config) { c.UploadRate = 512 << 10 }), w.client()
	content := random(14, 1<<20)
	info := volume(content)
	w.serve(a, info, content)
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(b, info, m, 0, a)
	w.eventually("something has come", func() bool { n, _ := m.counted(); return n > 3 })
	at := a.Addr()
	a.Close()
	a = w.client(func(c *Config) { c.Listen = at })
	w.serve(a, info, content)
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
}

func TestProgressIsToldOnTheWay(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(func(c *Config) { c.UploadRate = 200 << 10 }), w.client()
	content := random(15, 600<<10)
	info := volume(content)
	w.serve(a, info, content)
	m := &memory{b: make([]byte, len(content))}
	var last, calls int64 // owned by the loop
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{a.Addr()},
		Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
		Progress: func(have, total int64) {
			calls++
			if have < last || have > total || total != int64(len(content)) {
				t.Errorf("progress %d of %d after %d", have, total, last)
			}
			last = have
		},
	})
	if r := w.wait(done); r.Err != nil || calls == 0 {
		t.Fatalf("got %v after %d calls", r.Err, calls)
	}
}

func TestUTPReachesATorrentPeerThatTCPDoesNot(t *testing.T) {
	w := newWorld(t)
	shared := func(c *Config) {
		pc, err := net.ListenPacket("udp", netip.AddrPortFrom(c.Listen.Addr(), 0).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pc.Close() })
		c.UTP = pc
	}
	a, b := w.client(shared), w.client(shared)
	content := random(16, 300<<10)
	info := volume(content)
	w.serve(a, info, content)
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{netip.MustParseAddrPort(a.config.UTP.LocalAddr().String())},
		Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
	})
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
}

func TestOneRubbishTorrentPeerDoesNotStopAFetch(t *testing.T) {
	w := newWorld(t)
	bad, good, b := w.client(), w.client(), w.client()
	content := random(17, 1<<20)
	info := volume(content)
	w.serve(bad, info, random(18, len(content)))
	w.serve(good, info, content)
	m, _ := w.fetch(b, info, content, 0, bad, good)
	if writes, _ := m.counted(); writes > len(content)/wire.PieceBytes+8 {
		t.Errorf("%d writes of %d pieces: rubbish was written", writes, len(content)/wire.PieceBytes)
	}
}

func TestOnlyRubbishIsAClearError(t *testing.T) {
	w := newWorld(t)
	bad, b := w.client(), w.client()
	content := random(19, 192<<10)
	info := volume(content)
	w.serve(bad, info, random(20, len(content)))
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{bad.Addr()},
		Stall:    time.Second,
		Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
	})
	r := w.wait(done)
	if !errors.Is(r.Err, seed.ErrStalled) || !strings.Contains(r.Err.Error(), "did not verify") {
		t.Fatalf("got %v", r.Err)
	}
	if writes, _ := m.counted(); writes > 0 {
		t.Errorf("%d writes of rubbish", writes)
	}
	if r.Received < wire.PieceBytes {
		t.Errorf("received %d bytes: rubbish is not counted", r.Received)
	}
	if !b.banned(bad.Addr()) {
		t.Error("it is dialled again")
	}
}
