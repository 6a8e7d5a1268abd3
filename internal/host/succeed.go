package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"weir/internal/lookup"
	"weir/internal/loop"
	"weir/keys"
	"weir/keys/keyfile"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
	"weir/member"
)

// Succession replaces the key of a manager's directory, which is stolen or lost,
// by another one: PlanSuccession, then NewKey if NeedsKey, then Make. Every step can be done again
// after a crash.
type Succession struct {
	dir      Directory
	db       Database
	store    *store.Store
	recovery *keys.Identity
	size     uint64
	known    *wire.Succeed // the newest on the DHT; nil: none
	pending  bool
	view     SuccessionView
}

// SuccessionView is what a succession would do, or did.
type SuccessionView struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Number  uint64 `json:"number,omitempty"` // of the succession, once it is made
	Entry   uint64 `json:"entry"`            // the last one that stands
	Time    string `json:"time,omitempty"`   // of it
	Void    uint64 `json:"void"`             // entries of this directory after it
	Newest  uint64 `json:"newest,omitempty"` // entries of the newest log that the present key signed, as the DHT has it
	Looked  bool   `json:"looked"`           // DHT nodes answered
	Key     string `json:"key,omitempty"`    // the new one
	File    string `json:"file,omitempty"`   // where it lies
	Old     string `json:"old,omitempty"`    // where the replaced one lies
	Put     int    `json:"put"`              // DHT nodes that took the succession
	Now     string `json:"now"`              // by this machine's clock
	pending bool
}

// Pending says whether it goes on with one that was begun.
func (v SuccessionView) Pending() bool { return v.pending }

// PlanSuccession opens a manager's directory, which nobody runs, and sees what a succession would do.
// entry is the last one that is to stand; 0: the newest here.
func PlanSuccession(dir Directory, db Database, recovery keys.Seed, entry uint64) (*Succession, error) {
	id, err := ParseID(db.ID)
	if err != nil {
		return nil, err
	}
	key, err := db.readKey()
	if err != nil {
		return nil, err
	}
	disk, err := store.OS(dir.Store(id))
	if err != nil {
		return nil, err
	}
	s, err := store.Open(disk, store.Options{ReadKey: key})
	if err != nil {
		return nil, damaged(err, "keep the directory as it is, and make a succession from a copy of it, or from what weir manager recover makes")
	}
	c := &Succession{dir: dir, db: db, store: s, recovery: keys.Derive(recovery)}
	if err := c.plan(entry); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return c, nil
}

func (c *Succession) plan(entry uint64) error {
	st := c.store.State()
	if c.recovery.Public() != st.Charter.Recovery {
		return fmt.Errorf("%w: they are another key's; nothing was done", manager.ErrRecovery)
	}
	c.size = st.Size
	pending, ok, err := manager.Pending(c.store)
	switch {
	case err != nil:
		return err
	case entry > EntriesOf(st.Size):
		return misread("--at %d: the log here has %d entries", entry, EntriesOf(st.Size))
	case entry > 0:
		c.size = entry + 1
	case ok: // one that was begun goes on where it was to
		c.size = min(pending.Size, st.Size)
	}
	c.pending = ok && pending.Size == c.size
	c.view = SuccessionView{
		ID: st.ID.String(), Name: st.Charter.Name, Entry: EntriesOf(c.size), Void: st.Size - c.size, Now: viewTime(time.Now()), pending: c.pending,
	}
	if c.size > 1 {
		e, err := c.store.Entry(c.size - 1)
		if err != nil {
			return err
		}
		c.view.Time = viewMillis(e.Entry.Time)
	}
	return nil
}

// Encrypted says whether a database needs a read key.
func (db Database) Encrypted() bool {
	key, err := db.readKey()
	return err == nil && key != nil
}

// View is what it would do.
func (c *Succession) View() SuccessionView { return c.view }

// Close closes the directory.
func (c *Succession) Close() error { return c.store.Close() }

// Look sees on the DHT whether there is a succession already, and how far the present key has gone.
func (c *Succession) Look(ctx context.Context, n Network) error {
	return c.online(ctx, n, func(dht lookups) error {
		st := c.store.State()
		f, err := dht.get(ctx, st.Charter.Recovery, st.ID)
		if err != nil {
			return err
		}
		if c.known, err = member.ReadSuccession(f); err != nil {
			return err
		}
		terms := st.Terms().With(c.known)
		if f, err = dht.get(ctx, terms.Newest().Manager, st.ID); err != nil {
			return err
		}
		c.view.Looked = f.Answered > 0
		if f.Item != nil {
			if h, err := wire.ParseHead(f.Item.Value); err == nil && h.Checkpoint.Verify(st.ID, terms.LogKey(h.Checkpoint.Size)) {
				c.view.Newest = EntriesOf(h.Checkpoint.Size)
			}
		}
		return nil
	})
}

// NeedsKey says whether the directory's key is still the one that is to be replaced. Where a succession
// was begun, or another database of this directory had one, it is new already.
func (c *Succession) NeedsKey() (bool, error) {
	k, err := c.dir.Key().Public()
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	st := c.store.State()
	_, was := st.ByFormerKey(k)
	return was || k == st.Terms().Newest().Manager, nil
}

// fresh is where a new key lies until it takes the place of the old one.
func (c *Succession) fresh() keyfile.File {
	return keyfile.File{Path: c.dir.Key().Path + ".new"}
}

// NewKey puts a new key in the place of the old one, which is kept beside it. passphrase is asked
// for at once; "" means in the open.
func (c *Succession) NewKey(passphrase func() (string, error)) error {
	text, err := passphrase()
	if err != nil {
		return err
	}
	for _, p := range []string{c.fresh().Path, c.fresh().Path + ".pub"} { // of an attempt that came to nothing: no one has used it
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("make a new key: %w", err)
		}
	}
	seed, err := NewKey()
	if err != nil {
		return err
	}
	if err := c.fresh().Create(seed, text); err != nil {
		return err
	}
	old := c.dir.Key().Path
	kept := fmt.Sprintf("%s.replaced-%d", old, time.Now().Unix())
	for _, end := range []string{"", ".pub"} {
		if err := os.Rename(old+end, kept+end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("put the old key aside: %w", err)
		}
		if err := os.Rename(c.fresh().Path+end, old+end); err != nil {
			return fmt.Errorf("put the new key in its place: %w", err)
		}
	}
	c.view.Old = filepath.Base(kept)
	return nil
}

// Make makes the succession for the directory's new key, and puts it on the DHT if there is a network: its
// manager does so again.
func (c *Succession) Make(ctx context.Context, id *keys.Identity, n *Network) (SuccessionView, error) {
	signed, err := manager.SignSuccession(c.store, id, c.recovery, c.size, c.known, time.Now())
	if errors.Is(err, manager.ErrSweep) {
		return c.view, refused("--at %d: %v", EntriesOf(c.size), err)
	}
	if err == nil {
		err = manager.Succeed(c.store, id, signed, rand.Reader, time.Now)
	}
	if err != nil {
		return c.view, err
	}
	key := id.Public()
	c.view.Number, c.view.Key, c.view.File = signed.Number, key.String(), c.dir.Key().Path
	if n == nil {
		return c.view, nil
	}
	it, _ := manager.SuccessionItem(c.store.State())
	// What could not be put now the manager puts as soon as it runs.
	_ = c.online(ctx, *n, func(dht lookups) error {
		stored, err := dht.put(ctx, it)
		c.view.Put = stored.Acknowledged
		return err
	})
	return c.view, nil
}

// lookups is a DHT node whose answers are waited for.
type lookups struct{ edges *Edges }

// online opens the network for a moment.
func (c *Succession) online(ctx context.Context, n Network, f func(lookups) error) error {
	l := loop.New()
	run, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(run) }()
	defer func() { cancel(); <-ended }()
	edges, err := n.Open(ctx, c.dir, c.db.Bootstrap, l.Post)
	if err != nil {
		return err
	}
	defer edges.Close()
	return f(lookups{edges})
}

func (d lookups) get(ctx context.Context, k keys.Public, id wire.ID) (lookup.Found, error) {
	found := make(chan lookup.Found, 1)
	salt := id.Salt()
	d.edges.Node.Get(lookup.Get{Target: wire.MutableTarget(k, salt), Mutable: true, Key: k, Salt: salt}, func(f lookup.Found) { found <- f })
	select {
	case <-ctx.Done():
		return lookup.Found{}, ctx.Err()
	case f := <-found:
		if f.Answered == 0 {
			return f, d.edges.NoNode()
		}
		return f, nil
	}
}

func (d lookups) put(ctx context.Context, it lookup.Item) (lookup.Stored, error) {
	stored := make(chan lookup.Stored, 1)
	d.edges.Node.Put(lookup.Put{Item: it}, func(s lookup.Stored) { stored <- s })
	select {
	case <-ctx.Done():
		return lookup.Stored{}, ctx.Err()
	case s := <-stored:
		return s, s.Err
	}
}
