package swarm

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"weir/internal/seed"
	"weir/ledger/wire"
)

func TestStopReturnsWhenNothingUsesTheContent(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(func(c *Config) { c.UploadRate = 256 << 10 }), w.client()
	content := random(1, 2<<20)
	info := volume(content)
	infohash := wire.Infohash(info)
	served := w.serve(a, info, content)
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(b, info, m, 0, a)
	w.eventually("something has come", func() bool { n, _ := m.counted(); return n > 2 })

	b.Stop(infohash)
	writes, using := m.counted()
	a.Stop(infohash)
	if _, reading := served.counted(); reading != 0 || using != 0 {
		t.Errorf("%d reads and %d others are under way", reading, using)
	}
	flushed := make(chan struct{})
	w.loop.Post(func() { close(flushed) })
	<-flushed
	if after, _ := m.counted(); after != writes {
		t.Errorf("%d writes after Stop", after-writes)
	}
	select {
	case r := <-done:
		t.Errorf("Done was called: %v", r.Err)
	default:
	}
	if a.share(infohash) != nil || b.share(infohash) != nil {
		t.Error("the torrent is still there")
	}
}

func TestStopWaitsForAReadUnderWay(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(1, 100<<10)
	info := volume(content)
	hold := make(chan struct{})
	served := &memory{b: content, hold: hold}
	if err := a.Serve(info, served, false); err != nil {
		t.Fatal(err)
	}
	_, cancel := w.start(b, info, &memory{b: make([]byte, len(content))}, 0, a)
	defer cancel()
	w.eventually("a read is under way", func() bool { _, n := served.counted(); return n > 0 })
	stopped := make(chan struct{})
	go func() {
		a.Stop(wire.Infohash(info))
		if _, n := served.counted(); n != 0 {
			t.Errorf("%d reads under way", n)
		}
		close(stopped)
	}()
	close(hold)
	<-stopped
}

func TestACancelledFetchSaysNothingMore(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(2, 100<<10)
	info := volume(content)
	w.serve(a, info, content)
	planned := make(chan struct{})
	var cancel func()
	ready := make(chan struct{})
	done, stop := w.run(b, seed.Fetch{
		Infohash: wire.Infohash(info),
		Peers:    []netip.AddrPort{a.Addr()},
		Plan: func([]byte) (seed.Content, int64, error) {
			<-ready
			cancel() // on the loop, as the roles do
			close(planned)
			return &memory{b: make([]byte, len(content))}, 0, nil
		},
	})
	cancel = stop
	close(ready)
	<-planned
	w.eventually("the torrent has gone", func() bool { return b.share(wire.Infohash(info)) == nil })
	select {
	case r := <-done:
		t.Fatalf("Done was called: %v", r.Err)
	default:
	}
	w.fetch(b, info, content, 0, a) // and again from the start
}

func TestTwoFetchesOfOneTorrentDownloadItOnce(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(3, 500<<10)
	info := volume(content)
	w.serve(a, info, content)
	m1, m2 := &memory{b: make([]byte, len(content))}, &memory{b: make([]byte, len(content))}
	done1, _ := w.start(b, info, m1, 0, a)
	done2, _ := w.start(b, info, m2, 0, a)
	r1, r2 := w.wait(done1), w.wait(done2)
	if r1.Err != nil || r2.Err != nil {
		t.Fatal(r1.Err, r2.Err)
	}
	if !bytes.Equal(m1.bytes(), content) || !bytes.Equal(m2.bytes(), content) {
		t.Error("not both have it")
	}
	if sum := r1.Received + r2.Received; sum > int64(len(content))+64<<10 {
		t.Errorf("received %d bytes", sum)
	}
}

func TestTheSecondOfTwoFetchesGoesOnWhenTheFirstIsCancelled(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(3, 100<<10)
	info := volume(content)
	m := &memory{b: make([]byte, len(content))}
	_, cancel := w.start(b, info, &memory{b: make([]byte, len(content))}, 0)
	done, _ := w.start(b, info, m, 0, a)
	w.serve(a, info, content)
	cancel()
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
}

func TestAFetchOfWhatIsServedHereIsACopy(t *testing.T) {
	w := newWorld(t)
	a := w.client()
	content := random(4, 100<<10+5)
	info := volume(content)
	served := w.serve(a, info, content)
	_, r := w.fetch(a, info, content, 3*wire.PieceBytes)
	if r.Received != 0 {
		t.Errorf("received %d bytes", r.Received)
	}
	served.mu.Lock()
	served.b[5] ^= 1
	served.mu.Unlock()
	done, _ := w.start(a, info, &memory{b: make([]byte, len(content))}, 0)
	if r := w.wait(done); r.Err == nil {
		t.Error("a copy of what does not verify")
	}
}

func TestServeEndsAFetchOfTheSameTorrent(t *testing.T) {
	w := newWorld(t)
	a := w.client()
	content := random(5, 100<<10)
	info := volume(content)
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(a, info, m, 0) // nobody has it
	w.serve(a, info, content)
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
}

func TestServeAgainExchangesTheContent(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	content := random(6, 100<<10)
	info := volume(content)
	old := w.serve(a, info, content)
	w.serve(a, info, content)
	old.mu.Lock()
	old.b = nil
	old.mu.Unlock()
	w.fetch(b, info, content, 0, a)
}

func TestContentThatCannotBeReadIsNotServedAnyMore(t *testing.T) {
	w := newWorld(t)
	told := make(chan string, 10)
	a := w.client(func(c *Config) { c.Logf = func(f string, args ...any) { told <- fmt.Sprintf(f, args...) } })
	b, good := w.client(), w.client()
	content := random(6, 300<<10)
	info := volume(content)
	w.serve(a, info, content[:100<<10]) // the disk has lost the rest
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(b, info, m, 0, a)
	w.eventually("it is out of service", func() bool { return a.share(wire.Infohash(info)) == nil })
	if text := <-told; !strings.Contains(text, "not served any more") {
		t.Errorf("told %q", text)
	}
	w.serve(good, info, content)
	b.AddPeers([]netip.AddrPort{good.Addr()})
	if r := w.wait(done); r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
	if b.banned(a.Addr()) {
		t.Error("it sent rubbish")
	}
}

func TestServeRefusesWhatIsNoInfoDictionary(t *testing.T) {
	w := newWorld(t)
	a := w.client()
	for _, info := range []string{
		"", "le", "de", "d4:name", strings.Repeat("l", 1<<16),
		"d6:lengthi5e4:name1:a12:piece lengthi0e6:pieces20:aaaaaaaaaaaaaaaaaaaae",
		"d6:lengthi5e4:name1:a12:piece lengthi-1e6:pieces20:aaaaaaaaaaaaaaaaaaaae",
		"d6:lengthi0e4:name1:a12:piece lengthi16384e6:pieces0:e",
		"d6:lengthi5e12:meta versioni2e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae",
	} {
		if err := a.Serve([]byte(info), &memory{}, false); err == nil {
			t.Errorf("%.40q is served", info)
		}
	}
	if len(a.shares) != 0 {
		t.Errorf("%d torrents are left", len(a.shares))
	}
}

func TestSeedersAreThoseSeenComplete(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.client(), w.client(), w.client()
	content := random(7, 300<<10)
	info := volume(content)
	infohash := wire.Infohash(info)
	w.serve(a, info, content)
	if n := a.Seeders(infohash); n != 0 {
		t.Fatalf("%d seeders before anybody has it", n)
	}
	w.fetch(b, info, content, 0, a)
	w.eventually("a has seen b complete", func() bool { return a.Seeders(infohash) == 1 })
	w.serve(c, info, content)
	c.AddPeers([]netip.AddrPort{a.Addr()})
	w.eventually("a has seen c complete", func() bool { return a.Seeders(infohash) == 2 })
	if n := a.Seeders([20]byte{9}); n != 0 {
		t.Errorf("%d seeders of what is not here", n)
	}
}

func TestRatesAreLimited(t *testing.T) {
	w := newWorld(t)
	a := w.client(func(c *Config) { c.UploadRate, c.DownloadRate = 1000, 1<<20 })
	lc := a.libraryConfig()
	for _, l := range []struct {
		limiter *rate.Limiter
		limit   rate.Limit
		burst   int
	}{{lc.UploadRateLimiter, 1000, limiterBurstMin}, {lc.DownloadRateLimiter, 1 << 20, 1 << 20}} {
		if l.limiter.Limit() != l.limit || l.limiter.Burst() != l.burst {
			t.Errorf("limit %v burst %d, want %v and %d", l.limiter.Limit(), l.limiter.Burst(), l.limit, l.burst)
		}
	}
	open := w.client().libraryConfig()
	if open.UploadRateLimiter.Limit() != rate.Inf || open.DownloadRateLimiter != nil {
		t.Error("limits where none are wanted")
	}

	content := random(8, 600<<10)
	info := volume(content)
	up := w.client(func(c *Config) { c.UploadRate = 400 << 10 })
	down := w.client(func(c *Config) { c.DownloadRate = 400 << 10 })
	w.serve(up, info, content)
	for _, pair := range [][2]*Client{{up, w.client()}, {w.client(), down}} {
		if pair[0] != up {
			w.serve(pair[0], info, content)
		}
		start := time.Now()
		w.fetch(pair[1], info, content, 0, pair[0])
		if took, least := time.Since(start), 400*time.Millisecond; took < least {
			t.Errorf("600 KiB at 400 KiB/s with a burst of as much took %v, want at least %v", took, least)
		}
	}
}

func TestATakenPortIsNoObstacle(t *testing.T) {
	w := newWorld(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().(*net.TCPAddr).AddrPort()
	a, b := w.client(func(c *Config) { c.Listen = at }), w.client()
	if a.Addr().Port() == at.Port() || a.Addr().Addr() != at.Addr() {
		t.Errorf("it listens on %v", a.Addr())
	}
	content := random(9, 1000)
	info := volume(content)
	w.serve(a, info, content)
	w.fetch(b, info, content, 0, a)
}

func TestCloseEndsEverything(t *testing.T) {
	w := newWorld(t)
	before := goroutines()
	dht := newTracker()
	a := w.client(with(dht), func(c *Config) { c.UploadRate = 128 << 10 })
	b := w.client(with(dht))
	content := random(9, 2<<20)
	info := volume(content)
	served := w.serve(a, info, content)
	a.Meet([20]byte{1})
	m := &memory{b: make([]byte, len(content))}
	done, _ := w.start(b, info, m, 0, a)
	w.run(b, seed.Fetch{Infohash: [20]byte{5}, Peers: []netip.AddrPort{a.Addr()}})
	w.eventually("something has come", func() bool { n, _ := m.counted(); return n > 2 })
	for _, c := range []*Client{b, a} {
		start := time.Now()
		c.Close()
		c.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Close took %v", took)
		}
	}
	if _, n := served.counted(); n != 0 {
		t.Errorf("%d reads under way", n)
	}
	writes, _ := m.counted()
	if err := b.Serve(info, m, false); !errors.Is(err, ErrClosed) {
		t.Errorf("Serve after Close: %v", err)
	}
	w.run(b, seed.Fetch{Infohash: [20]byte{6}})
	b.AddPeers([]netip.AddrPort{a.Addr()})
	b.Stop(wire.Infohash(info))
	w.eventually("no goroutine is left", func() bool { return len(goroutines()) <= len(before) })
	if after, _ := m.counted(); after != writes {
		t.Errorf("%d writes after Close", after-writes)
	}
	select {
	case r := <-done:
		t.Errorf("Done was called: %v", r.Err)
	default:
	}
}

// goroutines is the stacks that have to do with torrents.
func goroutines() []string {
	b := make([]byte, 4<<20)
	all := strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n")
	return slices.DeleteFunc(all, func(s string) bool {
		return !strings.Contains(s, "anacrolix/torrent") && !strings.Contains(s, "swarm.(*Client)") &&
			!strings.Contains(s, "swarm.(*fetch)")
	})
}
