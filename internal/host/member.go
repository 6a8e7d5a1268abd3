package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/internal/control"
	"weir/internal/loop"
	"weir/keys"
	"weir/ledger/store"
)

// Agent is the member role in every database of a directory, on one loop and
// one set of edges; or, without edges, desks on the stores.
type Agent struct {
	cfg     AgentConfig
	loop    *loop.Loop
	stop    context.CancelFunc
	ended   chan struct{}
	edges   *Edges        // nil: no network
	watch   *watch        // nil: no network
	sparing bool          // owned by the loop
	seats   []*seat       // owned by the loop once it is open
	changed chan struct{} // closed and replaced at every change; owned by the loop
}

// AgentConfig opens an Agent.
type AgentConfig struct {
	Dir       Directory
	Databases []Database
	Identity  *keys.Identity
	Network   Network
	Follow    time.Duration
	Online    bool
	Ahead     time.Duration // of its wall clock before the system's: to play one that is wrong
}

// OpenAgent opens the databases and, when online, starts following them. An
// invitation that one was joined by is answered until the log has an account.
func OpenAgent(ctx context.Context, c AgentConfig) (*Agent, error) {
	a := &Agent{cfg: c, loop: loop.NewAhead(c.Ahead), ended: make(chan struct{}), changed: make(chan struct{})}
	run, cancel := context.WithCancel(context.Background())
	a.stop = cancel
	if c.Online {
		var err error
		network, linked := c.Network.serving(c.Databases)
		if a.edges, err = network.Open(ctx, c.Dir, linked, a.loop.Post); err != nil {
			cancel()
			return nil, err
		}
		a.watch = a.edges.watch(network.Thrift, "", a.loop, func(spare bool) { a.loop.Post(func() { a.spare(spare) }) })
	}
	go func() { defer close(a.ended); a.loop.Run(run) }()
	for _, db := range c.Databases {
		s, err := a.seat(db)
		if err != nil {
			a.Close()
			return nil, err
		}
		if err := a.loop.Call(ctx, func() { a.sit(s) }); err != nil {
			a.Close()
			return nil, err
		}
	}
	return a, nil
}

// spare tells every seat whether torrents are fetched.
func (a *Agent) spare(spare bool) {
	a.sparing = spare
	for _, s := range a.seats {
		if s.role != nil {
			s.role.Spare(spare)
		}
	}
}

// changes is wake, from any goroutine.
func (a *Agent) changes() { a.loop.Post(a.wake) }

// damaged says what to do about a store that is damaged.
func damaged(err error, what string) error {
	if !errors.Is(err, store.ErrDamaged) {
		return err
	}
	return fmt.Errorf("%s. Nothing was changed; %s%w", Text(err), what, silent{err})
}

// wake tells whoever waits that something changed.
func (a *Agent) wake() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// Edges is the open network; nil without.
func (a *Agent) Edges() *Edges { return a.edges }

// Close stops the roles, the edges and the stores, in this order.
func (a *Agent) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a.loop.Call(ctx, func() {
		for _, s := range a.seats {
			s.leave()
		}
	})
	a.watch.close()
	a.stop()
	<-a.ended
	if a.edges != nil {
		a.edges.Close()
	}
	var err error
	for _, s := range a.seats {
		if st := s.open(); st != nil {
			err = errors.Join(err, st.Close())
		}
	}
	return err
}

// Request is the input of every call of an agent: which database, and the
// call's own input.
type Request struct {
	DB string          `json:"db,omitempty"`
	In json.RawMessage `json:"in,omitempty"`
}

// Invoke runs a command by name; it has the shape of control.Handler.
func (a *Agent) Invoke(ctx context.Context, name string, raw json.RawMessage) (out any, err error) {
	r, err := read[Request](raw)
	if err != nil {
		return nil, err
	}
	f, ok := memberCalls[name]
	if !ok {
		return nil, &control.Error{Code: CodeUsage, Text: fmt.Sprintf("the agent that runs here knows no %q: is it an older weir?", name)}
	}
	out, err = f(a, ctx, r)
	return out, Coded(err)
}

// on runs f on the loop with the seat that the request means.
func (a *Agent) on(ctx context.Context, db string, f func(*seat) (any, error)) (out any, err error) {
	if callErr := a.loop.Call(ctx, func() {
		var s *seat
		if s, err = a.choose(db); err == nil {
			out, err = f(s)
		}
	}); callErr != nil {
		return nil, callErr
	}
	return out, err
}

func (a *Agent) choose(which string) (*seat, error) {
	db, err := a.cfg.Dir.Choose(which, RoleMember)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(a.seats, func(s *seat) bool { return s.db.ID == db.ID })
	if i < 0 {
		return nil, fmt.Errorf("%w: the agent has not opened %s; start it again", ErrNotFound, db.ID[:8])
	}
	return a.seats[i], nil
}

// until runs f on the loop at every change until it says that it is done.
func (a *Agent) until(ctx context.Context, db string, f func(*seat) (out any, done bool, err error)) (any, error) {
	for {
		var out any
		var done bool
		var changed chan struct{}
		_, err := a.on(ctx, db, func(s *seat) (_ any, err error) {
			changed = a.changed
			out, done, err = f(s)
			return nil, err
		})
		if err != nil || done {
			return out, err
		}
		// The pulse is for what no change announces, such as a clock that passes a time.
		pulse := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			pulse.Stop()
			return out, ctx.Err()
		case <-changed:
		case <-pulse.C:
		}
		pulse.Stop()
	}
}

// Wait runs a call that waits, for at most so long.
func (a *Agent) Wait(ctx context.Context, name string, in any, most time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(Request{In: b})
	if err != nil {
		return err
	}
	if _, err = a.Invoke(ctx, name, raw); ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Broken is store.ErrBroken once one of the stores has to be opened again;
// whoever runs the agent closes it and opens it anew.
func (a *Agent) Broken(ctx context.Context) (err error) {
	callErr := a.loop.Call(ctx, func() {
		for _, s := range a.seats {
			if st := s.open(); st != nil && err == nil {
				err = broken(st)
			}
		}
	})
	return errors.Join(callErr, err)
}
