package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
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
}

// Verify fetches a database into a directory as a stranger would, from its
// link alone, and checks all of it: every signature, every rule, every hash, up
// to the newest signed head; then once more from the stored bytes.
func Verify(ctx context.Context, link wire.DatabaseLink, dir Directory, n Network, progress func(member.Status)) (VerifyView, error) {
	l := loop.New()
	run, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	disk, err := dir.stranger(link)
	if err != nil {
		stop()
		return VerifyView{}, err
	}
	edges, err := n.Open(ctx, "", append([]netip.AddrPort(nil), link.Bootstrap...), l.Post)
	if err != nil {
		stop()
		disk.Close()
		return VerifyView{}, err
	}
	go func() { defer close(ended); l.Run(run) }()
	defer func() { stop(); <-ended; edges.Close() }()
	defer edges.Swarm.Meet(wire.MeetInfohash(link.ID))() // those who hold it, when its manager is away
	changed := make(chan struct{}, 1)
	cfg := member.Config{
		Link: link, Mute: true, Follow: 5 * time.Second,
		Create: func(charter []byte) (*store.Store, error) { return store.Create(disk, charter, store.Options{}) },
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	}
	f, err := member.NewFollower(cfg, member.Ports{DHT: edges.Node.Post(l.Post), Swarm: edges.Swarm, Clock: l, Random: rand.Reader})
	if err != nil {
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
		if err := l.Call(ctx, func() {
			if s = f.Status(); s.Phase == member.Current {
				v, audited = verified(f.Store(), s)
			}
		}); err != nil {
			return VerifyView{}, unfinished(err, s, edges)
		}
		if progress != nil {
			progress(s)
		}
		switch {
		case s.Phase == member.Current:
			return v, audited
		case s.Phase == member.Stopped:
			return VerifyView{}, fmt.Errorf("%w: %s", ErrNotVerified, s.Reason)
		case s.Phase == member.Seeking && rounds > seekingMax:
			return VerifyView{}, unfinished(context.DeadlineExceeded, s, edges)
		case len(s.Dropped) >= droppedMax:
			return VerifyView{}, fmt.Errorf("%w: %s", ErrNotVerified, s.Dropped[len(s.Dropped)-1])
		}
	}
}

const (
	seekingMax = 20 // seconds without a charter or a head
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
	return fmt.Errorf("not done in time, at entry %d of %d: %s", s.Size, s.Newest, strings.Join(s.Warnings(), "; "))
}

// stranger gives the place of a database that is only read, which a later weir
// verify finds in the directory.
func (d Directory) stranger(link wire.DatabaseLink) (store.Disk, error) {
	text, err := link.Link()
	if err != nil {
		return nil, err
	}
	if err := d.Make(); err != nil {
		return nil, err
	}
	disk, err := store.OS(d.Store(link.ID))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(d.record(link.ID.String())); err == nil {
		return disk, nil // it was joined
	}
	if err := d.Save(Database{ID: link.ID.String(), Role: "member", Link: text, Bootstrap: link.Bootstrap}); err != nil {
		disk.Close()
		return nil, err
	}
	return disk, nil
}

// verified audits a fetched database and says what it holds.
func verified(s *store.Store, status member.Status) (VerifyView, error) {
	a, err := audit(s)
	st := s.State()
	v := VerifyView{
		ID: a.ID, Name: st.Charter.Name, Verified: err == nil, LogSize: a.LogSize, Root: a.Root, Length: a.Length, Entries: a.Entries,
		Members: a.Members, Sum: a.Sum, Unit: st.Charter.Unit, HeadTime: viewTime(status.Head), Stale: status.Stale,
		Received: status.Got, VerifierKey: wire.VerifierKey(st.ID, st.Charter.Log), Warnings: status.Warnings(),
	}
	if c, ok := member.Checkpoint(s); ok {
		v.Note = string(c.Note(st.ID, st.Charter.Log))
		if err == nil && (c.Size != st.Size || c.Root != st.Root) {
			err = fmt.Errorf("%w: the log's root is not the signed one", ErrNotVerified)
		}
	} else if err == nil {
		err = fmt.Errorf("%w: no signed checkpoint", ErrNotVerified)
	}
	v.Verified = err == nil
	return v, err
}
