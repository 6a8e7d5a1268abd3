package manager

import (
	"bytes"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"weir/internal/seed"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// torrentsOf is a seed.Swarm that notes what is served.
type torrentsOf struct {
	seed.Swarm
	served  map[[20]byte]bool // → announced
	seeders map[[20]byte]int
}

func (s *torrentsOf) Serve(info []byte, _ seed.Content, announce bool) error {
	s.served[wire.Infohash(info)] = announce
	return nil
}

func (s *torrentsOf) Stop(infohash [20]byte)        { delete(s.served, infohash) }
func (s *torrentsOf) Seeders(infohash [20]byte) int { return s.seeders[infohash] }

// at is a clock that stands still.
type at struct{ time.Time }

func (c *at) Now() time.Time                              { return c.Time }
func (c *at) Mono() time.Duration                         { return c.Sub(time.Unix(0, 0)) }
func (c *at) After(time.Duration, func()) (cancel func()) { return func() {} }

// publisher is a manager that signs heads and serves torrents, and no more.
type publisher struct {
	*Manager
	clock *at
	swarm *torrentsOf
}

func newPublisher(t *testing.T) *publisher { return newPublisherOf(t, wire.Charter{}) }

// newPublisherOf is one of a database whose charter has some of these things.
func newPublisherOf(t *testing.T, charter wire.Charter) *publisher {
	id := keys.Derive(keys.Seed(bytes.Repeat([]byte{1}, keys.SeedBytes)))
	other := keys.Derive(keys.Seed(bytes.Repeat([]byte{2}, keys.SeedBytes)))
	p := &publisher{
		clock: &at{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		swarm: &torrentsOf{served: map[[20]byte]bool{}, seeders: map[[20]byte]int{}},
	}
	founding := must[[]byte](t)((&wire.Charter{
		Approval: charter.Approval,
		Kind:     wire.KindLedger, Name: "Mill Lane", Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Recovery: other.Public(), Created: p.clock.UnixMilli(), Unit: "HRS", Scale: 2, Lower: -100, Upper: 100,
		Quota: 10, Heartbeat: 60, Stale: 7200,
	}).Encode())
	db := must[*store.Store](t)(store.Create(store.NewCrashable(1, nil), founding, store.Options{Small: true}))
	t.Cleanup(func() { db.Close() })
	p.Manager = must[*Manager](t)(New(db, id, Config{}, Ports{Swarm: p.swarm, Clock: p.clock, Random: rand.NewChaCha8([32]byte{})}))
	p.phase = Running
	return p
}

// publish signs a head after d, of the same log, and serves what it names.
func (p *publisher) publish(t *testing.T, d time.Duration) {
	t.Helper()
	p.clock.Time = p.clock.Add(d)
	if err := p.signHead(); err != nil {
		t.Fatal(err)
	}
	p.serveAll()
}

// grow makes the log longer, so that the next newest torrent is another.
func (p *publisher) grow(t *testing.T, n byte) {
	t.Helper()
	k := keys.Derive(keys.Seed(bytes.Repeat([]byte{n}, keys.SeedBytes)))
	if _, err := p.Admit(k.Public(), k.SealPublic(), fmt.Sprintf("member %d", n), nil); err != nil {
		t.Fatal(err)
	}
}

func TestWhatNoHeadNamesAnyMoreIsNotServed(t *testing.T) {
	p := newPublisher(t)
	for n := range byte(100) {
		p.grow(t, 10+n)
		// At this pace a torrent loses its record and its place in the head at once.
		p.publish(t, 90*time.Second)
		named := 1 + len(p.newest.Older)
		if len(p.swarm.served) > named || len(p.serving) != len(p.swarm.served) {
			t.Fatalf("head %d names %d torrents, and %d are served", n, named, len(p.swarm.served))
		}
		if !p.swarm.served[p.newest.Newest] {
			t.Fatalf("head %d: the newest torrent is not announced", n)
		}
	}
}

// sweeps begins n volumes of a few bytes. They are in no member's power to
// replay; what is published of them is their lengths and hashes.
func (p *publisher) sweeps(t *testing.T, n int) {
	t.Helper()
	_, first, err := ledger.Found(p.Store.Charter(), nil)
	if err != nil {
		t.Fatal(err)
	}
	fixed := p.Store.State().Fixed
	b := &ledger.Batch{Start: fixed.Length, FirstHash: 2*int64(fixed.Size) - int64(bits.OnesCount64(fixed.Size))}
	for i := range n {
		frame := bytes.Repeat([]byte{byte(i)}, 100+i)
		b.Entries = append(b.Entries, ledger.Decided{
			Index: fixed.Size, Offset: fixed.Length, Frame: len(frame), Entry: wire.Entry{Kind: wire.KindSweep, Number: fixed.Size},
		})
		b.Frames = append(b.Frames, frame...)
		fixed.Size, fixed.Accepted = fixed.Size+1, fixed.Accepted+1
		for range 1 + bits.TrailingZeros64(fixed.Size) { // stored hashes that a leaf completes
			b.Hashes = append(b.Hashes, first.Hashes[0])
		}
		fixed.Volume, fixed.Length, fixed.Volumes = fixed.Length, fixed.Length+uint64(len(frame)), fixed.Volumes+1
	}
	b.Fixed = fixed
	if err := p.Store.Commit([]*ledger.Batch{b}); err != nil {
		t.Fatal(err)
	}
}

func TestShelvesAreServedAsSoonAsTheyAreWhole(t *testing.T) {
	p := newPublisher(t)
	for _, volumes := range []int{127, 128, 129, 300} {
		p.sweeps(t, volumes-p.Store.State().Volumes)
		p.publish(t, time.Minute)
		if want := 1 + len(p.newest.Older) + volumes + volumes/128; len(p.swarm.served) != want {
			t.Errorf("with %d volumes %d torrents are served, want %d", volumes, len(p.swarm.served), want)
		}
		for n := range volumes / 128 {
			if shelf := must[store.Torrent](t)(p.Store.ShelfTorrent(n)); !p.swarm.served[shelf.Infohash] {
				t.Errorf("with %d volumes shelf %d is not announced", volumes, n)
			}
		}
	}
}

func TestAHeadOfTheSameLogNamesTheTorrentBefore(t *testing.T) {
	p := newPublisher(t)
	p.publish(t, 0)
	p.grow(t, 10)
	before := p.newest.Newest
	p.publish(t, time.Second)
	p.swarm.seeders[before] = 1
	for range 50 { // two days, on each of which somebody holds it
		if !slices.Contains(p.newest.Older, before) || slices.Contains(p.newest.Older, p.newest.Newest) {
			t.Fatalf("%s later the head names %x and not %x", p.clock.Sub(time.UnixMilli(p.newest.Time)), p.newest.Older, before)
		}
		p.publish(t, time.Hour)
	}
}

func TestAnOlderTorrentIsShownAsLongAsSomebodyElseHoldsIt(t *testing.T) {
	p := newPublisher(t)
	p.publish(t, 0)
	first := p.newest.Newest
	p.swarm.seeders[first] = 1
	p.grow(t, 10)
	shown := func() bool { return slices.Contains(p.newest.Older, first) && p.swarm.served[first] }
	for range 36 {
		p.publish(t, time.Hour)
		if !shown() {
			t.Fatal("a torrent that somebody holds is not shown")
		}
	}
	p.swarm.seeders[first] = 0
	for hour := range 30 {
		p.publish(t, time.Hour)
		if hour < 22 && !shown() || hour > 25 && (shown() || p.swarm.served[first]) {
			t.Fatalf("%d hours after its last holder left: shown %v, served %v", hour+1, shown(), p.swarm.served[first])
		}
	}
}

func TestOfTheNewestTorrentsOnlyTheNewestIsAnnouncedByAManagerThatStarts(t *testing.T) {
	p := newPublisher(t)
	for n := range byte(3) {
		p.grow(t, 10+n)
		p.publish(t, time.Minute)
	}
	clear(p.serving)
	clear(p.swarm.served)
	p.serveAll()
	for ih, announced := range p.swarm.served {
		if announced != (ih == p.newest.Newest) {
			t.Errorf("torrent %x of a head that names %x: announced %v", ih, p.newest.Newest, announced)
		}
	}
	if len(p.swarm.served) < 2 {
		t.Errorf("%d torrents are served", len(p.swarm.served))
	}
}
