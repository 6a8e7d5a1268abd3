package host

import (
	"errors"
	"sync"
	"time"

	"weir/ledger/store"
)

const (
	rotRound = 24 * time.Hour
	rotRate  = 16 << 20 // bytes a second that are read of the disk
)

// errEnded ends a scrub.
var errEnded = errors.New("ended")

// rot looks, at the start and then once a day, whether what a store keeps is
// still what was written.
type rot struct {
	store   *store.Store
	changed func()
	stop    chan struct{}
	ended   chan struct{}

	mu  sync.Mutex
	why string // what was found; guarded by mu
}

// watchRot begins to look; changed is called, from any goroutine, when something
// is found.
func watchRot(s *store.Store, changed func()) *rot {
	r := &rot{store: s, changed: changed, stop: make(chan struct{}), ended: make(chan struct{})}
	go r.run()
	return r
}

func (r *rot) run() {
	defer close(r.ended)
	for {
		err := r.store.Scrub(func(bytes int) error { return r.wait(time.Duration(bytes) * time.Second / rotRate) })
		switch {
		case errors.Is(err, store.ErrDamaged):
			r.found(Text(err))
		case errors.Is(err, store.ErrRewound):
			continue
		case err != nil:
			return // the store is broken or closed: others say so
		}
		if r.wait(rotRound) != nil {
			return
		}
	}
}

func (r *rot) wait(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.stop:
		return errEnded
	case <-t.C:
		return nil
	}
}

// found notes damage, for people.
func (r *rot) found(what string) {
	r.mu.Lock()
	r.why = "the stored database is damaged: " + what + ". Nobody can fetch that part from here; others have copies. Keep the directory as it is"
	r.mu.Unlock()
	r.changed()
}

// text is what was found; "": nothing, or r is nil.
func (r *rot) text() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why
}

// close ends the looking, before the store is closed.
func (r *rot) close() {
	if r != nil {
		close(r.stop)
		<-r.ended
	}
}
