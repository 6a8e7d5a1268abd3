// Package loop is the one goroutine that owns a role: everything that happens
// to a manager or a member is a function run here, one after the other, so the
// roles need no locks. The simulated world has an event loop of its own in its
// place.
package loop

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Loop runs functions in the order they were posted. Post, Call and After may
// be used from any goroutine; Post never blocks.
type Loop struct {
	start time.Duration // of uptime
	ahead time.Duration // of Now

	mu    sync.Mutex
	queue []func()
	wake  chan struct{} // capacity 1
	done  bool
}

// New makes a loop; nothing runs until Run does.
func New() *Loop { return &Loop{start: uptime(), wake: make(chan struct{}, 1)} }

// NewAhead is New with a wall clock that is so much ahead of the system's: for whoever
// plays a machine whose clock is wrong.
func NewAhead(d time.Duration) *Loop {
	l := New()
	l.ahead = d
	return l
}

// begun is when this process started, for awake; it is only read.
var begun = time.Now()

// awake is the time since this process started by Go's monotonic clock, which
// on most systems stands still while the machine sleeps.
func awake() time.Duration { return time.Since(begun) }

// Post queues f. After Run has returned it does nothing.
func (l *Loop) Post(f func()) {
	l.mu.Lock()
	if !l.done {
		l.queue = append(l.queue, f)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run runs what is posted until the context ends.
func (l *Loop) Run(ctx context.Context) {
	defer func() {
		l.mu.Lock()
		l.done, l.queue = true, nil
		l.mu.Unlock()
	}()
	for {
		l.mu.Lock()
		todo := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, f := range todo {
			if ctx.Err() != nil {
				return
			}
			f()
		}
		if len(todo) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
	}
}

// Call runs f on the loop and waits for it. It gives the context's error when
// that ends before f begins; f does not run then. So f may write what the caller
// reads afterwards.
func (l *Loop) Call(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	var taken atomic.Bool // by the loop, or given up
	l.Post(func() {
		if taken.CompareAndSwap(false, true) {
			f()
			close(ran)
		}
	})
	select {
	case <-ran:
		return nil
	case <-ctx.Done():
		if taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-ran
		return nil
	}
}

// Now is the wall clock alone: without the monotonic reading that time.Now
// adds, by which the difference of two would hide that the clock leapt.
func (l *Loop) Now() time.Time { return time.Now().Add(l.ahead).Round(0) }

// Mono is how long the loop has existed by a clock that no change of the wall
// clock moves. Where the system has one that goes on while the machine sleeps
// it is that, so that waking up is not taken for a leap of the wall clock.
func (l *Loop) Mono() time.Duration { return uptime() - l.start }

// After posts f once d has passed, unless it is cancelled first. cancel is
// called on the loop; after it f does not run.
func (l *Loop) After(d time.Duration, f func()) (cancel func()) {
	cancelled := false // owned by the loop
	t := time.AfterFunc(d, func() {
		l.Post(func() {
			if !cancelled {
				f()
			}
		})
	})
	return func() { cancelled = true; t.Stop() }
}
