package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"weir/internal/lookup"
	"weir/internal/loop"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// Recovery rebuilds a manager's directory from its key and from what is published.
type Recovery struct {
	dir     Directory
	link    wire.DatabaseLink
	loop    *loop.Loop
	stop    context.CancelFunc
	ended   chan struct{}
	changed chan struct{}
	edges   *Edges
	charter []byte
	store   *store.Store      // nil before Begin
	role    *manager.Recovery // nil before Begin
	db      Database
}

// OpenRecovery opens the network for a database that a link names. n's bootstrap
// addresses are used beside the link's.
func OpenRecovery(ctx context.Context, d Directory, link wire.DatabaseLink, n Network) (*Recovery, error) {
	r := &Recovery{dir: d, link: link, loop: loop.New(), ended: make(chan struct{}), changed: make(chan struct{}, 1)}
	var err error
	if r.edges, err = n.Open(ctx, d, link.Bootstrap, r.loop.Post); err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { defer close(r.ended); r.loop.Run(run) }()
	return r, nil
}

// Close ends what runs and closes the store.
func (r *Recovery) Close() error {
	if r.role != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		r.loop.Call(ctx, r.role.Stop)
		cancel()
	}
	r.stop()
	<-r.ended
	r.edges.Close()
	if r.store != nil {
		return r.store.Close()
	}
	return nil
}

// Recoverable says whether a manager can be rebuilt in a directory: there is nothing
// of the database yet, or it was begun before, or what is there was found to be an
// older copy.
func (d Directory) Recoverable(link wire.DatabaseLink) error {
	all, err := d.Databases()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(db Database) bool { return db.ID == link.ID.String() })
	switch {
	case i < 0:
		return d.Orphan()
	case all[i].Role != RoleManager:
		return refused("%s has joined this database as a member: recover its manager in another directory, with --dir", string(d))
	case all[i].Recovering:
		return nil
	}
	m, err := OpenDesk(ManagerConfig{Dir: d, Database: all[i]})
	if errors.Is(err, store.ErrNotFound) {
		return nil // it was moved away
	}
	if err != nil {
		return err
	}
	why, err := m.desk.Barred()
	if err = errors.Join(err, m.Close()); err != nil {
		return err
	}
	if why == "" {
		return refused("%s holds the manager of this database, and nothing is known to be wrong with it: start it with weir manager run. Nothing was done", string(d))
	}
	return nil
}

// Charter fetches the charter, for as long as ctx lets it.
func (r *Recovery) Charter(ctx context.Context) (*wire.Charter, error) {
	for {
		c, err := r.lookCharter(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrNotVerified) {
			return c, err
		}
		pause := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil, errors.Join(err, ctx.Err())
		case <-pause.C:
		}
	}
}

// get is one look-up.
func (r *Recovery) get(ctx context.Context, g lookup.Get) (f lookup.Found, err error) {
	found := make(chan lookup.Found, 1)
	dht := r.edges.Node.Post(r.loop.Post)
	if err := r.loop.Call(ctx, func() { dht.Get(g, func(f lookup.Found) { found <- f }) }); err != nil {
		return f, err
	}
	select {
	case <-ctx.Done():
		return f, ctx.Err()
	case f = <-found:
		return f, nil
	}
}

func (r *Recovery) lookCharter(ctx context.Context) (*wire.Charter, error) {
	f, err := r.get(ctx, lookup.Get{Target: wire.Target(r.link.ID), First: true})
	if err != nil {
		return nil, err
	}
	switch {
	case f.Answered == 0:
		return nil, r.edges.NoNode()
	case f.Item == nil:
		return nil, fmt.Errorf("%w: none of %d DHT nodes has the charter of this database", ErrNotFound, f.Answered)
	}
	b := f.Item.Value
	if wire.CharterID(b) != r.link.ID || wire.CharterDigest(b).Prefix() != r.link.Digest {
		return nil, fmt.Errorf("%w: the charter that was found is not the link's", ErrNotVerified)
	}
	c, err := wire.ParseCharter(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	r.charter = b
	return c, nil
}

// NotManager says in words whose key was given instead of the manager's; nil: it is
// the charter's or the newest successor's. Where the DHT has no succession the log
// tells.
func (r *Recovery) NotManager(ctx context.Context, c *wire.Charter, id *keys.Identity) error {
	own, newest := id.Public(), c.Manager
	if own == c.Recovery {
		return fmt.Errorf("%w: these are the words of the recovery key of %q. They do not rebuild its manager, they replace a lost or stolen key in the manager's directory, or in one that is made from a backup: weir manager succeed. With the manager's own 24 words, give this command again", manager.ErrNotManager, c.Name)
	}
	f, err := r.get(ctx, lookup.Get{Target: wire.MutableTarget(c.Recovery, r.link.ID.Salt()), Mutable: true, Key: c.Recovery, Salt: r.link.ID.Salt()})
	if err != nil {
		return err
	}
	s, err := member.ReadSuccession(f)
	if err != nil {
		return err
	}
	if s != nil {
		newest = s.Manager
	}
	switch own {
	case newest:
		return nil
	case c.Manager:
		return fmt.Errorf("%w: these are the words of the key that founded %q. It was replaced (succession %d), and signs nothing any more. With the words of the key that took over, give this command again", manager.ErrNotManager, c.Name, s.Number)
	}
	return fmt.Errorf("%w: the manager of %q has the key %s, and this one is %s. Is it a member's, the one of another database's manager, or one that was replaced (weir manager succeed)?", manager.ErrNotManager, c.Name, newest, own)
}

// Begin makes the store, or opens the one that is there, and begins to rebuild it.
// Charter has found it, and the key is its manager's. From then on nothing runs on
// the directory until Wait has ended well.
func (r *Recovery) Begin(ctx context.Context, c *wire.Charter, id *keys.Identity) error {
	var key *keys.ReadKey
	r.db = Database{ID: r.link.ID.String(), Name: c.Name, Role: RoleManager, Bootstrap: r.link.Bootstrap, Recovering: true}
	if c.Encrypted {
		k := id.ReadKey(wire.CharterDigest(r.charter))
		switch key = &k; {
		case r.link.ReadKey != nil:
			key = r.link.ReadKey
		case id.Public() != c.Manager:
			return misread("this database is encrypted, and the key of a successor does not give its read key: recover by a link that has it, a member's invitation for one")
		}
		var err error
		if r.db.Link, err = (wire.DatabaseLink{ID: r.link.ID, Digest: r.link.Digest, Bootstrap: r.link.Bootstrap, ReadKey: key}).Link(); err != nil {
			return err
		}
	}
	if err := r.dir.Make(); err != nil {
		return err
	}
	disk, err := store.OS(r.dir.Store(r.link.ID))
	if err != nil {
		return err
	}
	all, err := r.dir.Databases()
	if err != nil {
		return errors.Join(err, disk.Close())
	}
	begun := slices.ContainsFunc(all, func(db Database) bool { return db.ID == r.db.ID && db.Recovering && db.Afresh })
	r.store, err = store.Open(disk, store.Options{ReadKey: key})
	r.db.Afresh = begun || errors.Is(err, store.ErrNotFound)
	if serr := r.dir.Save(r.db); serr != nil {
		if err == nil {
			return serr // Close closes the store
		}
		return errors.Join(serr, disk.Close())
	}
	if errors.Is(err, store.ErrNotFound) {
		r.store, err = store.Create(disk, r.charter, store.Options{ReadKey: key})
	}
	if err != nil {
		r.store = nil
		return damaged(err, "move "+r.dir.Store(r.link.ID)+" away and give the command again")
	}
	dht := r.edges.Node.Post(r.loop.Post)
	r.role, err = manager.NewRecovery(manager.RecoveryConfig{Store: r.store, Identity: id, Follow: followRecovery, Changed: r.wake},
		manager.Ports{DHT: dht, Poller: dht, Clock: r.loop, Random: rand.Reader, Verify: sign.ZIP215{}},
		member.Ports{DHT: dht, Poller: dht, Swarm: r.edges.Swarm, Clock: r.loop, Random: rand.Reader})
	if err != nil {
		return err
	}
	return r.loop.Call(ctx, func() {
		meet(r.edges.Swarm, r.loop, r.link.ID, key)
		r.role.Start()
	})
}

// followRecovery is how often the head is looked at: somebody waits.
const followRecovery = 2 * time.Second

func (r *Recovery) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// RecoverView is a manager that was rebuilt.
type RecoverView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Link      string `json:"link"`
	Directory string `json:"directory"`
	Entries   uint64 `json:"entries"`
	LogSize   uint64 `json:"log_size"`
	Root      string `json:"root"`
	Members   int    `json:"members"`
	Sum       string `json:"sum"`
	Unit      string `json:"unit"`
	HeadTime  string `json:"head_time"` // of the newest head that the lost machine published
	Kept      bool   `json:"kept"`      // there was an older store here: what of it is not published stays
}

// RecoverProgress is how far a manager is rebuilt.
type RecoverProgress struct {
	Step    manager.RecoveryStep
	Entries uint64
	Newest  uint64 // entries that the newest head has
	Problem string
}

// Wait waits until the manager is rebuilt, or cannot be.
func (r *Recovery) Wait(ctx context.Context, say func(RecoverProgress)) (RecoverView, error) {
	pulse := time.NewTicker(time.Second)
	defer pulse.Stop()
	for {
		var s manager.RecoveryStatus
		var v RecoverView
		if err := r.loop.Call(ctx, func() {
			if s = r.role.Status(); s.Step == manager.Rebuilt {
				v = r.view(s)
			}
		}); err != nil {
			return v, err
		}
		switch s.Step {
		case manager.Rebuilt:
			r.db.Recovering = false
			return v, r.dir.Save(r.db)
		case manager.Hopeless:
			return v, refused("%s", s.Reason)
		}
		say(RecoverProgress{Step: s.Step, Entries: EntriesOf(s.Follows.Size), Newest: EntriesOf(s.Follows.Newest), Problem: s.Problem})
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-r.changed:
		case <-pulse.C:
		}
	}
}

func (r *Recovery) view(s manager.RecoveryStatus) RecoverView {
	st := r.store.State()
	v := RecoverView{
		ID: r.db.ID, Name: r.db.Name, Directory: string(r.dir), Entries: EntriesOf(st.Size), LogSize: st.Size, Root: st.Root.String(),
		Members: st.Members(), Sum: ledger.FormatAmount(st.Sum(), st.Charter.Scale), Unit: st.Charter.Unit, HeadTime: viewTime(s.Follows.Head),
		Kept: !r.db.Afresh,
	}
	public := r.link
	public.ReadKey = nil
	v.Link, _ = public.Link() // it was read from one
	return v
}

// unrebuilt is an error for a manager's directory that is not rebuilt yet.
func (db Database) unrebuilt() error {
	if !db.Recovering {
		return nil
	}
	return refused("the manager of %s is not rebuilt here yet, and may do nothing before: weir manager recover goes on with it", db.text())
}

// HasKey says whether the directory has a key.
func (d Directory) HasKey() (bool, error) {
	if _, err := os.Lstat(d.Key().Path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}
