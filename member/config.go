package member

import (
	"time"

	"weir/ledger/store"
	"weir/ledger/wire"
)

// Config tells a Follower what to follow; zero durations take the defaults
// named.
type Config struct {
	// Store holds the database; nil: there is none yet. Then Link says which one
	// to look for, and Create makes the store once the charter is found and
	// checked.
	Store  *store.Store
	Link   wire.DatabaseLink
	Create func(charter []byte) (*store.Store, error)

	Follow time.Duration // from one look at the head to the next, ± 20 %: 30 s
	Reput  time.Duration // from one put of what is alive to the next, ± 20 %: 1 h
	Stall  time.Duration // a torrent without progress is given up after: 30 s, sooner when nothing of it has come at all
	Mute   bool          // serve nothing: a verifier that leaves again

	// Changed, when set, is called on the loop after anything that Status shows
	// may have changed.
	Changed func()
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.Follow, 30*time.Second)
	def(&c.Reput, time.Hour)
	def(&c.Stall, 30*time.Second)
	if c.Changed == nil {
		c.Changed = func() {}
	}
	return c
}
