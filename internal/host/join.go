package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"weir/internal/control"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

// Joining is what a link says to whoever wants to join a database by it.
type Joining struct {
	wire.DatabaseLink
	Invitation *wire.Invitation // nil: it is none
	Account    uint64           // that an answer code tells; 0: it is none
}

// ReadJoin reads a link that a database can be joined by. What else there is,
// and what is good no more, is said before anything is made for it.
func ReadJoin(text string, now time.Time) (Joining, error) {
	l, err := readLink(text)
	if err != nil {
		return Joining{}, err
	}
	switch l := l.(type) {
	case wire.DatabaseLink:
		return Joining{DatabaseLink: l}, nil
	case wire.Invitation:
		if !now.Before(l.Expires) {
			return Joining{}, refused("this invitation %s", expired(&l))
		}
		return Joining{DatabaseLink: l.DatabaseLink, Invitation: &l}, nil
	case wire.Answer:
		return Joining{DatabaseLink: l.DatabaseLink, Account: l.Account}, nil
	case wire.MemberCode:
		return Joining{}, misread("this is a member's own code: give it to the manager, who answers with another")
	}
	return Joining{}, misread("this link is not one that a database can be joined by")
}

// joined reads the link that a database was joined by, however long ago.
func (db Database) joined() (Joining, error) {
	j, err := ReadJoin(db.Link, time.Time{})
	if err != nil {
		return j, fmt.Errorf("the link that %s was joined by: %w", db.text(), err)
	}
	return j, nil
}

// unfound says what to do about a database that has not been found yet.
func (db Database) unfound(now time.Time) string {
	if j, err := db.joined(); err == nil && j.Invitation != nil && !now.Before(j.Invitation.Expires) {
		return "and the invitation, which the manager has not answered, " + expired(j.Invitation)
	}
	return "run weir member run"
}

// expired says of an invitation that it is good no more.
func expired(in *wire.Invitation) string {
	return fmt.Sprintf("expired on %s: ask for a new one", in.Expires.Local().Format("2006-01-02 15:04"))
}

// readKey is what opens an encrypted database; nil: none is known.
func (db Database) readKey() (*keys.ReadKey, error) {
	if db.Link == "" {
		return nil, nil
	}
	j, err := db.joined()
	return j.ReadKey, err
}

// text is the link that says what a Joining does.
func (j Joining) text() (string, error) {
	switch {
	case j.Invitation != nil:
		return wire.Invitation{DatabaseLink: j.DatabaseLink, Secret: j.Invitation.Secret, Expires: j.Invitation.Expires}.Link()
	case j.Account != 0:
		return wire.Answer{DatabaseLink: j.DatabaseLink, Account: j.Account}.Link()
	}
	return j.DatabaseLink.Link()
}

// Asks says whether a database was joined by an invitation, so that an agent
// asks for an account.
func (db Database) Asks() bool {
	j, err := db.joined()
	return err == nil && j.Invitation != nil
}

// JoinIn joins a database by a link.
type JoinIn struct {
	Link string `json:"link"`
	Name string `json:"name,omitempty"` // of an invitation; the first one that is given with it stays
}

// nameless is what somebody asks to be called who says no name.
const nameless = "member"

// Prepare writes down which database somebody wants to join, by which link, and
// what they want to be called: whatever becomes of this attempt, an agent goes
// on with it.
func (d Directory) Prepare(in JoinIn) (Database, error) {
	now := time.Now()
	j, err := ReadJoin(in.Link, now)
	if err != nil {
		return Database{}, err
	}
	if in.Link, err = FindLink(in.Link); err != nil {
		return Database{}, err
	}
	db := Database{ID: j.ID.String(), Role: RoleMember, Link: in.Link, Joiner: in.Name, Bootstrap: j.Bootstrap}
	all, err := d.Databases()
	if err != nil {
		return Database{}, err
	}
	i := slices.IndexFunc(all, func(old Database) bool { return old.ID == db.ID })
	if i >= 0 {
		if all[i].Role != db.Role {
			return Database{}, refused("the manager of this database lives in %s: join it in another directory, with --dir", string(d))
		}
		if db, err = db.after(all[i], j, now); err != nil {
			return Database{}, err
		}
	}
	if i >= 0 {
		db.Restored, db.MadeKey = all[i].Restored, all[i].MadeKey
	}
	if j.Invitation != nil && db.Joiner == "" {
		db.Joiner = nameless
	}
	return db, d.Save(db)
}

// Opens says whether a link, with what is known here already, opens what the
// database's charter says of it; store.ErrReadKey.
func (d Directory) Opens(j Joining, charter *wire.Charter) error {
	if !charter.Encrypted || j.ReadKey != nil {
		return nil
	}
	all, err := d.Databases()
	if err != nil {
		return err
	}
	for _, db := range all {
		if before, err := db.joined(); err == nil && before.Digest == j.Digest && before.ReadKey != nil {
			return nil
		}
	}
	return unreadable(store.ErrReadKey, j.DatabaseLink)
}

// InPrivateNetwork says whether all the addresses that a link begins from are of a
// private network, where only its own machines get to.
func InPrivateNetwork(addresses []netip.AddrPort) bool {
	for _, a := range addresses {
		if ip := a.Addr(); !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			return false
		}
	}
	return len(addresses) > 0
}

// after is what is known of a database that is joined once more by j: nothing
// that was known is given up for a link that says less.
func (db Database) after(old Database, j Joining, now time.Time) (Database, error) {
	before, err := old.joined()
	if err != nil || before.Digest != j.Digest {
		return db, nil // of another charter
	}
	if j.ReadKey == nil && before.ReadKey != nil {
		j.ReadKey = before.ReadKey
		if db.Link, err = j.text(); err != nil {
			return db, err
		}
	}
	if db.Name == "" {
		db.Name = old.Name
	}
	if again := sameInvitation(before.Invitation, j.Invitation); db.Joiner == "" || again && old.Joiner != "" {
		db.Joiner = old.Joiner // it may have been asked for already, and there is one request an invitation
	}
	if len(db.Bootstrap) == 0 {
		db.Bootstrap = old.Bootstrap
	}
	asked := before.Invitation != nil && now.Before(before.Invitation.Expires)
	if asked && j.Invitation == nil && j.Account == 0 {
		db.Link = old.Link // who is to read meanwhile still wants in
		if before.ReadKey == nil && j.ReadKey != nil {
			before.ReadKey = j.ReadKey
			if db.Link, err = before.text(); err != nil {
				return db, err
			}
		}
	}
	return db, nil
}

// sameInvitation says whether two invitations are one.
func sameInvitation(a, b *wire.Invitation) bool { return a != nil && b != nil && a.Secret == b.Secret }

// join joins while the agent runs.
func (a *Agent) join(ctx context.Context, r Request) (any, error) {
	in, err := read[JoinIn](r.In)
	if err != nil {
		return nil, err
	}
	db, err := a.cfg.Dir.Prepare(in)
	if err != nil {
		return nil, err
	}
	var old *seat
	if err := a.loop.Call(ctx, func() {
		for i, s := range a.seats {
			if s.db.ID == db.ID {
				old, a.seats = s, append(a.seats[:i:i], a.seats[i+1:]...)
				s.leave()
				break
			}
		}
	}); err != nil {
		return nil, err
	}
	if old != nil && old.open() != nil {
		if err := old.open().Close(); err != nil {
			return nil, err
		}
	}
	s, err := a.seat(db)
	if err != nil {
		return nil, err
	}
	if err := a.loop.Call(ctx, func() { a.sit(s) }); err != nil {
		return nil, err
	}
	return LinkView{ID: db.ID, Link: in.Link}, nil
}

// AdmittedIn waits until the log has an account for the key.
type AdmittedIn struct {
	Asked    bool   `json:"asked"`                      // only until DHT nodes hold the request, or there is none and all is read
	Account  uint64 `json:"account,omitempty"`          // the one that an answer code told
	Patience int    `json:"patience_seconds,omitempty"` // as in WaitIn
}

func (a *Agent) admitted(ctx context.Context, r Request) (_ any, err error) {
	in, err := read[AdmittedIn](r.In)
	if err != nil {
		return nil, err
	}
	alone := newSolitude(in.Patience)
	var shut *seat // it cannot be read, and so nothing of it is kept
	defer func() {
		if shut != nil {
			if why := a.cfg.Dir.unjoin(shut.db); why != nil {
				err = errors.Join(err, why)
			}
		}
	}()
	return a.until(ctx, r.DB, func(s *seat) (any, bool, error) {
		if s.closed != nil {
			shut = s
		}
		v, err := a.status(s, nothing{})
		if err != nil || s.role == nil {
			return v, true, err
		}
		if err := alone.over(a, s); err != nil {
			return nil, false, fmt.Errorf("join: %w", err)
		}
		done, err := s.joins(in)
		return v, done, err
	})
}

// unjoin forgets a database of which no store could be made.
func (d Directory) unjoin(db Database) error {
	id, err := ParseID(db.ID)
	if err != nil {
		return err
	}
	_ = os.RemoveAll(d.Store(id)) // at most a lock file, which some systems keep while it is open
	return d.Forget(db)
}

// joins says whether joining has come as far as somebody waits for, or why it
// never will.
func (s *seat) joins(in AdmittedIn) (done bool, err error) {
	st := s.role.Status()
	s.asked(&st, time.Now())
	switch {
	case s.closed != nil:
		return false, s.closed
	case st.Reason != "":
		return false, fmt.Errorf("%w: %s", ErrNotVerified, st.Reason)
	case st.Joining == member.Admitted:
		return true, nil
	case st.Joining == member.Lapsed && s.open() == nil:
		return false, refused("the invitation expired before the database was found: ask for a new one")
	case !current(st.Status):
		return false, nil
	case st.Joining == member.Taken || st.Joining == member.Lapsed:
		return false, &control.Error{Code: CodeRefused, Text: st.Warnings()[len(st.Warnings())-1]}
	}
	if a, ok := s.role.Store().State().Account(in.Account); ok && in.Account != 0 && a.Key != s.role.Desk().Identity.Public() {
		return false, &control.Error{Code: CodePassphrase, Text: fmt.Sprintf("account %d belongs to another key: this answer is for another member code", in.Account)}
	}
	return in.Asked && (st.Request > 0 || st.Joining == member.NotJoining), nil
}
