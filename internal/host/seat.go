package host

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"weir/internal/control"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

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

// leave ends what sit began.
func (s *seat) leave() {
	if s.role != nil {
		s.meeting.leave()
		s.role.Stop()
		s.rot.close()
	}
}

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
