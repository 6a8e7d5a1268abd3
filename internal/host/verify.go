package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"weir/internal/loop"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

// VerifyView is what a stranger found.
type VerifyView struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Verified    bool     `json:"verified"`
	OK          bool     `json:"ok"`               // the same, as an audit says it
	Opaque      bool     `json:"opaque,omitempty"` // the database is encrypted, and its entries were not checked
	LogSize     uint64   `json:"log_size"`
	Root        string   `json:"root"`
	Length      uint64   `json:"length"`
	Entries     uint64   `json:"entries"`
	Members     int      `json:"members"`
	Sum         string   `json:"sum"`
	Unit        string   `json:"unit"`
	HeadTime    string   `json:"head_time"`
	Stale       bool     `json:"stale"`
	Received    int64    `json:"bytes_downloaded"`
	Note        string   `json:"checkpoint"` // the signed C2SP checkpoint, for stock tools
	VerifierKey string   `json:"verifier_key"`
	Warnings    []string `json:"warnings,omitempty"`
	Findings    []string `json:"findings,omitempty"` // what does not hold
}

// Verify fetches a database into a directory as a stranger would, from its
// link alone, and checks all of it: every signature, every rule, every hash, up
// to the newest signed head; then once more from the stored bytes. What the
// directory holds of it from an earlier time is gone on with.
//
// Of an encrypted database without its read key everything is checked but the
// entries, and nothing kept; the view says so.
func Verify(ctx context.Context, link wire.DatabaseLink, dir Directory, n Network, progress func(member.Status)) (VerifyView, error) {
	l := loop.New()
	run, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	disk, held, err := dir.stranger(&link)
	if err != nil {
		stop()
		return VerifyView{}, err
	}
	edges, err := n.Open(ctx, "", append([]netip.AddrPort(nil), link.Bootstrap...), l.Post)
	if err != nil {
		stop()
		if held != nil {
			held.Close()
		}
		disk.Close()
		return VerifyView{}, err
	}
	go func() { defer close(ended); l.Run(run) }()
	defer func() { stop(); <-ended; edges.Close() }()
	if err := l.Call(ctx, func() { meet(edges.Swarm, l, link.ID, link.ReadKey) }); err != nil { // those who hold it, when its manager is away
		return VerifyView{}, err
	}
	changed := make(chan struct{}, 1)
	var unread []byte // the charter of an encrypted database; owned by the loop
	cfg := member.Config{
		Store: held, Link: link, Mute: true, Follow: 5 * time.Second,
		Create: func(charter []byte) (*store.Store, error) {
			s, err := store.Create(disk, charter, store.Options{ReadKey: link.ReadKey})
			if errors.Is(err, store.ErrReadKey) && link.ReadKey == nil {
				unread = charter
			}
			return s, err
		},
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	}
	f, err := member.NewFollower(cfg, member.Ports{DHT: edges.Node.Post(l.Post), Swarm: edges.Swarm, Clock: l, Random: rand.Reader})
	if err != nil {
		if held != nil {
			err = errors.Join(err, held.Close())
		}
		return VerifyView{}, err
	}
	if err := l.Call(ctx, f.Start); err != nil {
		return VerifyView{}, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		l.Call(end, f.Stop)
		if s := f.Store(); s != nil {
			s.Close()
		}
	}()
	var s member.Status
	round := time.NewTicker(time.Second)
	defer round.Stop()
	for rounds := 0; ; {
		select {
		case <-ctx.Done():
			return VerifyView{}, unfinished(ctx.Err(), s, edges)
		case <-changed:
		case <-round.C:
			rounds++
		}
		var v VerifyView
		var audited error
		var charter []byte
		if err := l.Call(ctx, func() {
			charter = unread
			if s = f.Status(); current(s) {
				v, audited = verified(f.Store(), s)
			}
		}); err != nil {
			return VerifyView{}, unfinished(err, s, edges)
		}
		if progress != nil {
			progress(s)
		}
		switch {
		case charter != nil:
			return verifyOpaque(ctx, charter, edges, string(dir))
		case current(s):
			return v, audited
		case s.Phase == member.Stopped:
			return VerifyView{}, fmt.Errorf("%w: %s", ErrNotVerified, s.Reason)
		case rounds > seekingMax && (s.Phase == member.Seeking || s.Checked.IsZero()):
			return VerifyView{}, unfinished(context.DeadlineExceeded, s, edges)
		case len(s.Dropped) >= droppedMax:
			return VerifyView{}, fmt.Errorf("%w: %s", ErrNotVerified, s.Dropped[len(s.Dropped)-1])
		}
	}
}

// current says whether all is here that the network has: what a directory held
// before is not, until a node has answered.
func current(s member.Status) bool { return s.Phase == member.Current && !s.Checked.IsZero() }

const (
	seekingMax = 20 // seconds without a charter, a head or an answer
	droppedMax = 10 // sources that did not verify before a stranger gives up
)

// unfinished says why it was given up before the newest head was reached.
func unfinished(err error, s member.Status, e *Edges) error {
	switch {
	case !errors.Is(err, context.DeadlineExceeded):
		return err
	case s.Checked.IsZero():
		return e.NoNode()
	case s.Phase == member.Seeking && len(s.Dropped) > 0:
		return fmt.Errorf("%w: %s", ErrNotVerified, s.Dropped[len(s.Dropped)-1])
	case s.Phase == member.Seeking:
		return fmt.Errorf("%w: %s", ErrNotFound, s.Problem)
	}
	why := fmt.Sprintf("not done in time, at entry %d of %d", EntriesOf(s.Size), EntriesOf(s.Newest))
	for _, w := range s.Warnings() {
		why += "; " + w
	}
	return errors.New(why)
}

// stranger gives the place of a database that is only read, which a later weir
// verify finds in the directory, and the store when there is one; else nil. The
// link gets the read key that is known of the database here.
func (d Directory) stranger(link *wire.DatabaseLink) (store.Disk, *store.Store, error) {
	text, err := link.Link()
	if err != nil {
		return nil, nil, err
	}
	all, err := d.Databases()
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(all, func(db Database) bool { return db.ID == link.ID.String() })
	if i >= 0 && all[i].Role != RoleMember {
		return nil, nil, refused("the manager of this database lives in %s: keep what is fetched in another directory", string(d))
	}
	if i >= 0 && link.ReadKey == nil {
		if link.ReadKey, err = all[i].readKey(); err != nil {
			return nil, nil, err
		}
	}
	if err := d.Make(); err != nil {
		return nil, nil, err
	}
	disk, err := store.OS(d.Store(link.ID))
	if err != nil {
		return nil, nil, err
	}
	held, err := store.Open(disk, store.Options{ReadKey: link.ReadKey})
	switch {
	case errors.Is(err, store.ErrNotFound):
		held, err = nil, nil
	case err == nil && held.State().Digest.Prefix() != link.Digest:
		err = errors.Join(fmt.Errorf("%w: the charter in %s is not the link's: somebody made another one with the same id", ErrNotVerified, string(d)), held.Close())
	}
	if err == nil && i < 0 {
		err = d.Save(Database{ID: link.ID.String(), Role: RoleMember, Link: text, Bootstrap: link.Bootstrap})
	}
	if err != nil {
		return nil, nil, errors.Join(err, disk.Close())
	}
	return disk, held, nil
}

// verified audits a fetched database and says what it holds.
func verified(s *store.Store, status member.Status) (VerifyView, error) {
	a, err := audit(s, RoleMember)
	if err != nil {
		return VerifyView{}, err
	}
	st := s.State()
	v := VerifyView{
		ID: a.ID, Name: st.Charter.Name, Verified: a.OK, OK: a.OK, LogSize: a.LogSize, Root: a.Root, Length: a.Length, Entries: a.Entries,
		Members: a.Members, Sum: a.Sum, Unit: st.Charter.Unit, HeadTime: viewTime(status.Head), Stale: status.Stale,
		Received: status.Got, VerifierKey: wire.VerifierKey(st.ID, st.LogKey(st.Size)), Warnings: status.Warnings(), Findings: a.Findings,
	}
	if c, ok := member.Checkpoint(s); ok {
		v.Note = string(c.Note(st.ID, st.LogKey(c.Size)))
	}
	return v, a.Err()
}
