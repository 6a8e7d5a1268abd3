package host

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/internal/control"
	"weir/internal/loop"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
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

// seat is one database of an agent.
type seat struct {
	db      Database
	link    wire.DatabaseLink
	role    *member.Member // nil: no network
	meeting *meeting       // nil: no network, or it has not been sat down yet
	closed  error          // why the database cannot be read: store.ErrReadKey
	store   *store.Store   // without network
	desk    *member.Desk   // without network
	rot     *rot           // nil: no network, or nothing is stored yet
	vigil   vigil          // while a request to join has no answer
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

// sit takes a seat among the others and starts it.
func (a *Agent) sit(s *seat) {
	a.seats = append(a.seats, s)
	if s.role != nil {
		if st := s.open(); st != nil && s.rot == nil {
			s.rot = watchRot(st, a.changes)
		}
		s.meeting = meet(a.edges.Swarm, a.loop, s.link.ID, s.link.ReadKey)
		s.role.Start()
		s.role.Spare(a.sparing)
	}
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

// leave ends what sit began.
func (s *seat) leave() {
	if s.role != nil {
		s.meeting.leave()
		s.role.Stop()
		s.rot.close()
	}
}

// changes is wake, from any goroutine.
func (a *Agent) changes() { a.loop.Post(a.wake) }

// seat opens one database.
func (a *Agent) seat(db Database) (*seat, error) {
	id, err := ParseID(db.ID)
	if err != nil {
		return nil, err
	}
	j, err := db.joined()
	if err != nil {
		return nil, err
	}
	s := &seat{db: db, link: j.DatabaseLink}
	disk, err := store.OS(a.cfg.Dir.Store(id))
	if err != nil {
		return nil, err
	}
	sealed := ""
	if db.sealed() {
		sealed = withReadKey
	}
	st, err := store.Open(disk, store.Options{ReadKey: j.ReadKey})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, unreadable(damaged(err, "keep this directory as it is, and make a new one: with a backup, by weir restore FILE --dir NEW; without, by weir member restore "+
			cmp.Or(db.public(nil), "LINK")+" --dir NEW, with the 24 words of its key"+sealed), j.DatabaseLink)
	}
	if live := a.live(); live != nil {
		if err == nil {
			live = errors.Join(live, st.Close())
		}
		return nil, live
	}
	if err == nil {
		if st, err = a.claim(st, db); err != nil {
			return nil, fmt.Errorf("open the database %s: %w", db.ID[:8], err)
		}
	}
	if !a.cfg.Online {
		if err != nil {
			return nil, &control.Error{Code: CodeNotInitialised, Text: "the database " + db.ID[:8] + " " + Unfound + "; " + db.unfound(time.Now())}
		}
		s.store, s.desk = st, &member.Desk{Store: st, Identity: a.cfg.Identity, Random: rand.Reader, Now: a.loop.Now}
		return s, nil
	}
	cfg := member.Config{
		Store: st, Link: j.DatabaseLink, Follow: a.cfg.Follow, Changed: func() { s.watch(); a.wake() },
		Create: func(charter []byte) (*store.Store, error) {
			st, err := store.Create(disk, charter, store.Options{ReadKey: j.ReadKey})
			if err != nil {
				err = unreadable(err, j.DatabaseLink)
				if errors.Is(err, store.ErrReadKey) {
					s.closed = err
				}
				return nil, err
			}
			if st, err = a.claim(st, db); err == nil {
				s.rot = watchRot(st, a.changes)
			}
			return st, err
		},
	}
	dht := a.edges.Node.Post(a.loop.Post)
	s.role, err = member.NewMember(member.MemberConfig{Config: cfg, Identity: a.cfg.Identity, Invitation: j.Invitation, Name: cmp.Or(db.Joiner, nameless)}, member.Ports{
		DHT: dht, Poller: dht, Swarm: a.edges.Swarm, Clock: a.loop, Random: rand.Reader,
	})
	return s, err
}

// unreadable says what to do about a read key that is missing or another's.
func unreadable(err error, link wire.DatabaseLink) error {
	switch {
	case !errors.Is(err, store.ErrReadKey):
		return err
	case link.ReadKey == nil:
		return fmt.Errorf("this database is encrypted, and the link has no read key: join it by an invitation, or by what weir manager link --read-key prints%w", silent{err})
	}
	return fmt.Errorf("%w; ask whoever gave you the link for another one", err)
}

// damaged says what to do about a store that is damaged.
func damaged(err error, what string) error {
	if !errors.Is(err, store.ErrDamaged) {
		return err
	}
	return fmt.Errorf("%s. Nothing was changed; %s%w", Text(err), what, silent{err})
}

// live is an error for a directory that was moved away, unless it is only read.
func (a *Agent) live() error {
	if a.cfg.Identity == nil && !a.cfg.Online {
		return nil
	}
	return a.cfg.Dir.goesOn()
}

// claim makes an open store the agent's key's, or closes it again: it is
// another key's. Without a key there is only reading, which anybody may.
func (a *Agent) claim(st *store.Store, db Database) (*store.Store, error) {
	if a.cfg.Identity == nil {
		return st, nil
	}
	d := member.Desk{Store: st, Identity: a.cfg.Identity}
	err := d.Claim()
	if err == nil {
		err = db.restored(st)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
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

// open is the seat's store; nil before the charter is here.
func (s *seat) open() *store.Store {
	if s.role != nil {
		return s.role.Store()
	}
	return s.store
}

// books is the seat's desk, or why there is none.
func (s *seat) books() (*member.Desk, error) {
	d := s.desk
	if s.role != nil {
		d = s.role.Desk()
	}
	if d == nil {
		return nil, &control.Error{Code: CodeNotInitialised, Text: "the database " + s.db.ID[:8] + " " + Unfound + "; weir member status tells more"}
	}
	return d, nil
}

// Unfound is said of a database that was joined and of which nothing is here.
const Unfound = "has not been found on the DHT yet"

// own is the seat's desk and the account of its key.
func (s *seat) own() (*member.Desk, ledger.Account, error) {
	d, err := s.books()
	if err != nil {
		return nil, ledger.Account{}, err
	}
	acc, err := d.Account()
	return d, acc, err
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
