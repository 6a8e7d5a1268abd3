package simnet

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/ledger/wire"
)

// memory is content in memory.
type memory struct {
	b    []byte
	full int64 // writes past it fail; 0: none does
}

var errFull = errors.New("disk full")

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m.b).ReadAt(p, off)
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if m.full > 0 && off+int64(len(p)) > m.full {
		return 0, errFull
	}
	return copy(m.b[off:], p), nil
}

// flock is a world of torrent peers that know each other.
type flock struct {
	*World
	net *Network
	all *Torrents
}

func newFlock(l Link) *flock {
	f := &flock{World: NewWorld(1)}
	f.net = NewNetwork(f.World, l)
	f.all = NewTorrents(f.net)
	return f
}

func (f *flock) join(p Peer) *Swarm {
	s := f.all.Join(f.net.Endpoint(nil), p)
	s.Meet([20]byte{1})
	return s
}

// volume is so many bytes and their info dictionary.
func volume(size int) (data, info []byte) {
	data = make([]byte, size)
	for i := range data {
		data[i] = byte(i>>14) ^ byte(i*7)
	}
	var pieces []byte
	for c := range slices.Chunk(data, wire.PieceBytes) {
		sum := sha1.Sum(c)
		pieces = append(pieces, sum[:]...)
	}
	return data, wire.VolumeInfo(wire.ID{9}, 0, uint64(size), pieces)
}

// fetch fetches a torrent of which the first have bytes are there.
func (f *flock) fetch(t *testing.T, s *Swarm, data, info []byte, have int64) (seed.Result, *memory, time.Duration) {
	t.Helper()
	m := &memory{b: make([]byte, len(data))}
	copy(m.b, data[:have])
	return f.fetchInto(t, s, info, m, have)
}

func (f *flock) fetchInto(t *testing.T, s *Swarm, info []byte, m *memory, have int64) (seed.Result, *memory, time.Duration) {
	t.Helper()
	start := f.Elapsed()
	var r *seed.Result
	s.Fetch(seed.Fetch{
		Infohash: wire.Infohash(info),
		Plan: func(got []byte) (seed.Content, int64, error) {
			if !bytes.Equal(got, info) {
				t.Errorf("the info dictionary is another")
			}
			return m, have, nil
		},
		Done: func(v seed.Result) {
			if r != nil {
				t.Error("Done is called twice")
			}
			r = &v
		},
	})
	if !f.RunUntil(time.Hour, func() bool { return r != nil }) {
		t.Fatal("a fetch has no end")
	}
	return *r, m, f.Elapsed() - start
}

func (f *flock) serve(t *testing.T, s *Swarm, info, data []byte) {
	t.Helper()
	if err := s.Serve(info, &memory{b: data}, false); err != nil {
		t.Fatal(err)
	}
}

func TestAFetchTakesTheTimeItsLinesTake(t *testing.T) {
	f := newFlock(Link{RTT: 100 * time.Millisecond})
	data, info := volume(4<<20 + 5000)
	f.serve(t, f.join(Peer{Upload: 1 << 20}), info, data)
	r, m, took := f.fetch(t, f.join(Peer{}), data, info, 0)
	if r.Err != nil || !bytes.Equal(m.b, data) || !bytes.Equal(r.Info, info) {
		t.Fatalf("%v", r.Err)
	}
	if r.Received != int64(len(data)+len(info)) {
		t.Errorf("%d bytes received for %d", r.Received, len(data)+len(info))
	}
	if took < 4*time.Second || took > 6*time.Second {
		t.Errorf("4 MiB at 1 MiB/s took %v", took)
	}
}

func TestWhatIsThereIsNotFetchedAgain(t *testing.T) {
	f := newFlock(Link{RTT: 50 * time.Millisecond})
	data, info := volume(1 << 20)
	f.serve(t, f.join(Peer{}), info, data)
	for _, behind := range []int{0, 1024, 100 << 10} {
		r, m, _ := f.fetch(t, f.join(Peer{}), data, info, int64(len(data)-behind))
		if r.Err != nil || !bytes.Equal(m.b, data) {
			t.Fatal(r.Err)
		}
		if most := int64(behind + behind/256 + 64<<10); r.Received > most {
			t.Errorf("%d bytes behind cost %d", behind, r.Received)
		}
	}
}

func TestAFetchThatResumesReceivesOnlyWhatIsNotThere(t *testing.T) {
	f := newFlock(Link{RTT: 50 * time.Millisecond})
	data, info := volume(1<<20 + 5)
	f.serve(t, f.join(Peer{}), info, data)
	m := &memory{b: bytes.Clone(data)}
	clear(m.b[100_000:150_000])
	m.b[len(data)-1] ^= 1
	missing := int64(4*wire.PieceBytes + 5) // pieces 6 to 9, and the last
	var r seed.Result
	f.join(Peer{}).Fetch(seed.Fetch{
		Infohash: wire.Infohash(info), Resume: true,
		Plan: func([]byte) (seed.Content, int64, error) { return m, 10_000, nil },
		Done: func(got seed.Result) { r = got },
	})
	f.Run(time.Minute)
	if r.Err != nil || !bytes.Equal(m.b, data) || r.Received != missing+int64(len(info)) || r.Here != int64(len(data))-missing {
		t.Errorf("%v: %d bytes received, %d were there", r.Err, r.Received, r.Here)
	}
}

func TestAShelfIsFetchedAcrossItsVolumes(t *testing.T) {
	f := newFlock(Link{RTT: 50 * time.Millisecond})
	lengths := make([]uint64, wire.ShelfVolumes)
	total := 0
	for i := range lengths {
		lengths[i] = uint64(20_000 + i)
		total += 20_000 + i
	}
	data, _ := volume(total)
	var pieces []byte
	for c := range slices.Chunk(data, wire.ShelfPieceBytes) {
		sum := sha1.Sum(c)
		pieces = append(pieces, sum[:]...)
	}
	info := wire.ShelfInfo(wire.ID{9}, 0, lengths, pieces)
	f.serve(t, f.join(Peer{Upload: 100_000}), info, data) // a piece takes ten seconds
	r, m, _ := f.fetch(t, f.join(Peer{}), data, info, 0)
	if r.Err != nil || !bytes.Equal(m.b, data) || r.Received != int64(len(data)+len(info)) {
		t.Fatalf("%v after %d bytes of %d", r.Err, r.Received, len(data))
	}
}

func TestWhoFetchedServesOthers(t *testing.T) {
	f := newFlock(Link{RTT: 50 * time.Millisecond})
	data, info := volume(100_000)
	origin, second, third := f.join(Peer{}), f.join(Peer{}), f.join(Peer{})
	f.serve(t, origin, info, data)
	if r, _, _ := f.fetch(t, second, data, info, 0); r.Err != nil {
		t.Fatal(r.Err)
	}
	if n := third.Seeders(wire.Infohash(info)); n != 2 {
		t.Errorf("%d seeders", n)
	}
	if n := origin.Seeders(wire.Infohash(info)); n != 1 {
		t.Errorf("%d seeders beside the origin", n)
	}
	origin.end.Kill()
	if r, _, _ := f.fetch(t, third, data, info, 0); r.Err != nil {
		t.Fatal(r.Err)
	}
	second.Stop(wire.Infohash(info))
	if n := third.Seeders(wire.Infohash(info)); n != 0 {
		t.Errorf("%d seeders after all but one left", n)
	}
}

func TestFaultyTorrentPeersDelayAndDoNotSpoil(t *testing.T) {
	data, info := volume(2 << 20)
	for name, p := range map[string]Peer{
		"one that loses":                    {Lose: 0.05},
		"one that corrupts":                 {Corrupt: 0.2},
		"one that stalls":                   {Stall: 0.05},
		"one that corrupts everything":      {Corrupt: 1},
		"one that is slower than a timeout": {Upload: 500},
	} {
		f := newFlock(Link{RTT: 100 * time.Millisecond})
		f.serve(t, f.join(p), info, data)
		f.serve(t, f.join(Peer{}), info, data)
		r, m, _ := f.fetch(t, f.join(Peer{}), data, info, 0)
		if r.Err != nil || !bytes.Equal(m.b, data) {
			t.Errorf("%s beside an honest one: %v", name, r.Err)
		}
	}
}

func TestTorrentPeersFindEachOtherAnnouncedOrByAddress(t *testing.T) {
	f := newFlock(Link{})
	data, info := volume(50_000)
	stranger := f.all.Join(f.net.Endpoint(nil), Peer{})
	f.serve(t, stranger, info, data)
	m := &memory{b: make([]byte, len(data))}
	ok := false
	f.all.Join(f.net.Endpoint(nil), Peer{}).Fetch(seed.Fetch{
		Infohash: wire.Infohash(info), Peers: []netip.AddrPort{stranger.Addr()},
		Plan: func([]byte) (seed.Content, int64, error) { return m, 0, nil },
		Done: func(r seed.Result) { ok = r.Err == nil },
	})
	if f.Run(time.Minute); !ok || !bytes.Equal(m.b, data) {
		t.Error("not by address")
	}
	if err := stranger.Serve(info, &memory{b: data}, true); err != nil {
		t.Fatal(err)
	}
	if r, _, _ := f.fetch(t, f.all.Join(f.net.Endpoint(nil), Peer{}), data, info, 0); r.Err != nil {
		t.Error("not when announced")
	}
}

func TestBehindNATsOnlyTheReachableMeet(t *testing.T) {
	f := newFlock(Link{})
	data, info := volume(50_000)
	origin, hidden := f.join(Peer{}), f.join(Peer{})
	f.serve(t, origin, info, data)
	hidden.end.SetNAT(true)
	if r, _, _ := f.fetch(t, hidden, data, info, 0); r.Err != nil {
		t.Error("a hidden one cannot fetch from a reachable one")
	}
	origin.end.SetNAT(true)
	other := f.join(Peer{})
	other.end.SetNAT(true)
	if r, _, _ := f.fetch(t, other, data, info, 0); !errors.Is(r.Err, seed.ErrStalled) {
		t.Errorf("two hidden ones: %v", r.Err)
	}
}

func TestAFetchEndsWithTheErrorOfPlanOrContent(t *testing.T) {
	f := newFlock(Link{})
	data, info := volume(200_000)
	f.serve(t, f.join(Peer{}), info, data)
	full := &memory{b: make([]byte, len(data)), full: 100_000}
	if r, _, _ := f.fetchInto(t, f.join(Peer{}), info, full, 0); !errors.Is(r.Err, errFull) {
		t.Errorf("a full disk: %v", r.Err)
	}
	var got error
	f.join(Peer{}).Fetch(seed.Fetch{
		Infohash: wire.Infohash(info),
		Plan:     func([]byte) (seed.Content, int64, error) { return nil, 0, io.ErrUnexpectedEOF },
		Done:     func(r seed.Result) { got = r.Err },
	})
	f.Run(time.Minute)
	if got != io.ErrUnexpectedEOF {
		t.Errorf("Plan's error: %v", got)
	}
	foreign := []byte("d6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae")
	f.serve(t, f.join(Peer{}), foreign, []byte("x"))
	if r, _, _ := f.fetchInto(t, f.join(Peer{}), foreign, full, 0); r.Err == nil || errors.Is(r.Err, seed.ErrStalled) {
		t.Errorf("a foreign torrent: %v", r.Err)
	}
	if err := f.join(Peer{}).Serve(nil, full, false); err == nil {
		t.Error("a torrent without info is served")
	}
}

func TestACancelledStoppedOrKilledFetchIsOver(t *testing.T) {
	data, info := volume(1 << 20)
	for name, end := range map[string]func(s *Swarm, cancel func()){
		"cancelled": func(_ *Swarm, cancel func()) { cancel(); cancel() },
		"stopped":   func(s *Swarm, _ func()) { s.Stop(wire.Infohash(info)) },
		"killed":    func(s *Swarm, _ func()) { s.end.Kill() },
		"restarted": func(s *Swarm, _ func()) { s.end.Kill(); s.end.Restart() },
	} {
		f := newFlock(Link{RTT: 100 * time.Millisecond})
		f.serve(t, f.join(Peer{Upload: 100_000}), info, data)
		s := f.join(Peer{})
		over := false
		m := &memory{b: make([]byte, len(data))}
		cancel := s.Fetch(seed.Fetch{
			Infohash: wire.Infohash(info),
			Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
			Progress: func(have, total int64) {
				if over || have <= 0 || have > total || total != int64(len(data)) {
					t.Errorf("%s: progress %d of %d", name, have, total)
				}
			},
			Done: func(r seed.Result) { t.Errorf("%s: Done is called with %v", name, r.Err) },
		})
		f.Run(2 * time.Second)
		end(s, cancel)
		over = true
		before := bytes.Clone(m.b)
		f.Run(time.Minute)
		if !bytes.Equal(before, m.b) {
			t.Errorf("%s: it is still written to", name)
		}
	}
}

func TestManyFetchFromOneAndEachOtherAndReplay(t *testing.T) {
	data, info := volume(1 << 20)
	run := func() (hash uint64) {
		f := newFlock(Link{RTT: 100 * time.Millisecond, Jitter: 20 * time.Millisecond})
		f.serve(t, f.join(Peer{Upload: 1 << 20}), info, data)
		done := 0
		for range 40 {
			m := &memory{b: make([]byte, len(data))}
			f.join(Peer{Lose: 0.01, Corrupt: 0.01}).Fetch(seed.Fetch{
				Infohash: wire.Infohash(info),
				Plan:     func([]byte) (seed.Content, int64, error) { return m, 0, nil },
				Done: func(r seed.Result) {
					if r.Err != nil || !bytes.Equal(m.b, data) {
						t.Error(r.Err)
					}
					done++
				},
			})
		}
		if !f.RunUntil(10*time.Minute, func() bool { return done == 40 }) {
			t.Errorf("%d of 40 have it", done)
		}
		return f.Hash()
	}
	if first := run(); run() != first {
		t.Error("two runs differ")
	}
}
