package host

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/internal/seed"
	"weir/keys"
	"weir/ledger/wire"
)

// silence is a network with a charter and perhaps its head, in which nobody
// serves any torrent, and whose time is over after so many tries.
type silence struct {
	context.Context
	head   *lookup.Item
	tries  int
	looks  int
	asked  []seed.Fetch
	passed chan struct{}
}

func (s *silence) Done() <-chan struct{} { return s.passed }

func (s *silence) Err() error {
	select {
	case <-s.passed:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// try says whether there is time for another one.
func (s *silence) try() bool {
	if s.tries--; s.tries == 0 {
		close(s.passed)
	}
	return s.tries > 0
}

func (s *silence) Get(_ lookup.Get, done func(lookup.Found)) {
	if s.looks++; s.looks%2 == 1 { // whether the manager's key was replaced
		done(lookup.Found{})
		return
	}
	if s.try() {
		done(lookup.Found{Item: s.head})
	}
}

func (s *silence) Fetch(f seed.Fetch) (cancel func()) {
	s.asked = append(s.asked, f)
	if s.try() {
		f.Done(seed.Result{Err: seed.ErrStalled})
	}
	return func() {}
}

func (s *silence) Serve([]byte, seed.Content, bool) error { return nil }
func (s *silence) Stop([20]byte)                          {}
func (s *silence) Seeders([20]byte) int                   { return 0 }

// opaqueIn is an encrypted database in a silence.
func opaqueIn(t *testing.T, tries int) (*silence, *opaque) {
	id := keys.Derive(keys.Seed{1})
	charter := &wire.Charter{
		Kind: wire.KindLedger, Encrypted: true, Name: "Harbour", Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Recovery: keys.Derive(keys.Seed{2}).Public(), Created: 1, Unit: "HRS", Lower: -1, Upper: 1, Quota: 1000, Heartbeat: 3600, Stale: 7200,
	}
	b, err := charter.Encode()
	if err != nil {
		t.Fatal(err)
	}
	o := &opaque{dir: t.TempDir(), id: wire.CharterID(b), encoded: b, charter: charter}
	h := wire.Head{
		Newest: [20]byte{1}, Older: [][20]byte{{2}, {3}}, Cycle: 1, Length: 5000, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli(),
		Checkpoint: wire.SignCheckpoint(o.id, id.Log, 8, wire.Hash{9}),
	}
	v, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	it, err := lookup.Sign(id.Publish, o.id.Salt(), 1, v)
	if err != nil {
		t.Fatal(err)
	}
	s := &silence{Context: context.Background(), head: &it, tries: tries, passed: make(chan struct{})}
	o.dht, o.swarm = s, s
	return s, o
}

func TestAVerifierWithoutTheReadKeySaysWhatItReachedAndWhatNot(t *testing.T) {
	for _, c := range []struct {
		name  string
		tries int
		want  string
	}{
		{"no head", 1, `the charter of "Harbour" was found, and no head of it yet`},
		{"no torrent", 3, `its head of 2026-03-01T12:00:00.000Z with 7 entries, but none of the 3 torrents that it names has come whole; 0 bytes`},
	} {
		s, o := opaqueIn(t, c.tries)
		if _, err := o.verify(s); err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAVerifierWithoutTheReadKeyFallsBackWithinSecondsAndTriesAgain(t *testing.T) {
	s, o := opaqueIn(t, 100)
	if _, err := o.verify(s); !errors.Is(err, errUnheard) || !strings.Contains(err.Error(), "none of the 3 torrents") {
		t.Fatal(err)
	}
	var tried []byte
	for i, f := range s.asked {
		if tried = append(tried, f.Infohash[0]); i < 3 && f.First > 6*time.Second || i >= 3 && f.First < 30*time.Second {
			t.Errorf("try %d waits %v", i, f.First)
		}
	}
	if !slices.Equal(tried, []byte{1, 2, 3, 1, 2, 3}) {
		t.Errorf("it tried %v", tried)
	}
}
