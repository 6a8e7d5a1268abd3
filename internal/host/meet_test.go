package host

import (
	"maps"
	"slices"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

// plaza notes who is where; its clock goes as it is told to.
type plaza struct {
	now   time.Time
	next  func()
	there map[[20]byte]bool
	joins int
}

func (p *plaza) Now() time.Time { return p.now }

func (p *plaza) After(d time.Duration, f func()) func() {
	p.next = func() { p.now = p.now.Add(d); f() }
	return func() { p.next = nil }
}

func (p *plaza) Meet(ih [20]byte) func() {
	p.there[ih] = true
	p.joins++
	return func() { delete(p.there, ih) }
}

func TestThoseOfAnEncryptedDatabaseMoveWithTheWeek(t *testing.T) {
	p := &plaza{now: time.Unix(2922*7*24*3600+3*24*3600, 0), there: map[[20]byte]bool{}}
	id, key := wire.ID{1}, keys.ReadKey{2}
	m := meet(p, p, id, &key)
	for range 3 * 7 * 24 {
		want := wire.MeetInfohashes(id, key, p.now)
		if got := slices.Collect(maps.Keys(p.there)); len(got) != len(want) || !p.there[want[0]] || !p.there[want[len(want)-1]] {
			t.Fatalf("at %s: %x, want %x", p.now, got, want)
		}
		p.next()
	}
	if p.joins != 4 {
		t.Errorf("%d places in three weeks and a bit", p.joins)
	}
	m.leave()
	if len(p.there) > 0 || p.next != nil {
		t.Error("it has not left")
	}
}

func TestThoseOfAReadableDatabaseStay(t *testing.T) {
	p := &plaza{now: time.Unix(1e9, 0), there: map[[20]byte]bool{}}
	meet(p, p, wire.ID{1}, nil)
	for range 24 * 30 {
		p.next()
	}
	if p.joins != 1 || !p.there[wire.MeetInfohash(wire.ID{1})] {
		t.Errorf("%d places, %v", p.joins, p.there)
	}
}
