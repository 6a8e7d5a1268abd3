package host

import (
	"time"

	"weir/keys"
	"weir/ledger/wire"
)

// meetRound is how often it is looked whether the places have changed: those of
// an encrypted database do at the edges of a week, and hold 12 hours beyond.
const meetRound = time.Hour

// meeter announces infohashes that no torrent has (internal/swarm).
type meeter interface {
	Meet(infohash [20]byte) (leave func())
}

// clock is what a meeting needs of a loop.
type clock interface {
	Now() time.Time
	After(d time.Duration, f func()) (cancel func())
}

// meeting keeps those who hold one database where they find each other. It
// belongs to its clock's goroutine.
type meeting struct {
	swarm  meeter
	clock  clock
	id     wire.ID
	key    *keys.ReadKey // of an encrypted database; nil: a readable one
	places map[[20]byte]func()
	cancel func()
}

func meet(s meeter, c clock, id wire.ID, key *keys.ReadKey) *meeting {
	m := &meeting{swarm: s, clock: c, id: id, key: key, places: map[[20]byte]func(){}}
	m.round()
	return m
}

// round goes where one meets now, and leaves where one did before.
func (m *meeting) round() {
	now := [][20]byte{wire.MeetInfohash(m.id)}
	if m.key != nil {
		now = wire.MeetInfohashes(m.id, *m.key, m.clock.Now())
	}
	before := m.places
	m.places = map[[20]byte]func(){}
	for _, p := range now {
		leave, ok := before[p]
		if !ok {
			leave = m.swarm.Meet(p)
		}
		m.places[p] = leave
		delete(before, p)
	}
	for _, leave := range before {
		leave()
	}
	m.cancel = m.clock.After(meetRound, m.round)
}

func (m *meeting) leave() {
	m.cancel()
	for _, leave := range m.places {
		leave()
	}
	clear(m.places)
}
