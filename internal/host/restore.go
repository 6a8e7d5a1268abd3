package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/member"
)

// fromWords is what a directory was restored from that weir member restore made.
const fromWords = "its 24 words"

// ReadRestore reads a link by which a database can be found again: also an
// invitation or an answer of it, however old, which asks for nothing any more.
func ReadRestore(text string) (wire.DatabaseLink, error) {
	j, err := ReadJoin(text, time.Time{})
	return j.DatabaseLink, err
}

// ReadVerify reads a link of a database that is to be checked: any that has one.
func ReadVerify(text string) (wire.DatabaseLink, error) {
	l, err := readLink(text)
	if err != nil {
		return wire.DatabaseLink{}, err
	}
	switch l := l.(type) {
	case wire.DatabaseLink:
		return l, nil
	case wire.Invitation:
		return l.DatabaseLink, nil
	case wire.Answer:
		return l.DatabaseLink, nil
	}
	return wire.DatabaseLink{}, otherKind(l, "a link of a database", "its manager prints one with weir manager link")
}

// PrepareRestore writes down that a member's account is brought back here. A
// directory that has joined the database in another way is refused; one in which
// this was begun goes on. madeKey says that the directory's key is made for it.
func (d Directory) PrepareRestore(link wire.DatabaseLink, madeKey bool) (Database, error) {
	text, err := link.Link()
	if err != nil {
		return Database{}, err
	}
	db := Database{ID: link.ID.String(), Role: RoleMember, Link: text, Bootstrap: link.Bootstrap, Restored: fromWords, MadeKey: madeKey}
	all, err := d.Databases()
	if err != nil {
		return Database{}, err
	}
	if err := d.Orphan(); err != nil {
		return Database{}, err
	}
	i := slices.IndexFunc(all, func(old Database) bool { return old.ID == db.ID })
	switch {
	case i < 0:
		return db, d.Save(db)
	case all[i].Role != RoleMember:
		return Database{}, refused("the manager of this database lives in %s: bring the member's account back in another directory, with --dir", string(d))
	case all[i].Restored == "":
		return Database{}, refused("%s has joined this database already, and nothing was done: to go on here after another device used the key, weir member takeover; to bring back another account, use an empty directory, with --dir", string(d))
	}
	db.Name, db.MadeKey = all[i].Name, all[i].MadeKey
	return db, d.Save(db)
}

// Unrestore removes what PrepareRestore and what followed left of a database, when
// the key turned out to have no account in it.
func (d Directory) Unrestore(db Database) error {
	id, err := ParseID(db.ID)
	if err != nil || db.Restored == "" {
		return err
	}
	err = errors.Join(os.RemoveAll(d.Store(id)), os.Remove(d.record(db.ID)))
	if db.MadeKey {
		err = errors.Join(err, os.Remove(d.Key().Path), os.Remove(d.Key().Path+".pub"))
	}
	return err
}

// restored has a store that was made for a restored account look before it signs.
func (db Database) restored(st *store.Store) error {
	if db.Restored == "" {
		return nil
	}
	bare, err := member.Bare(st)
	if err != nil || !bare {
		return err
	}
	return member.Restored(st, db.Restored, time.Now())
}

// AdoptionView is what a device that was restored, or took over, goes on with.
type AdoptionView struct {
	After   uint64       `json:"after"`                // newest change that the log had of the account
	Own     uint64       `json:"own,omitempty"`        // newest change that waited here already, and goes on
	Taken   []ChangeView `json:"taken_over"`           // what waited on the DHT, and what became of it
	GivenUp []ChangeView `json:"given_up"`             // what was signed here and contradicted the log or the DHT
	Unread  string       `json:"unreadable,omitempty"` // why what is on the DHT was given up
}

func viewAdoption(d *member.Desk) (AdoptionView, error) {
	v := AdoptionView{Taken: []ChangeView{}, GivenUp: []ChangeView{}}
	ad, ok, err := d.Adoption()
	if err != nil || !ok {
		return v, err
	}
	v.After, v.Own, v.Unread = ad.After, ad.Own, ad.Unread
	for n := ad.First; n <= ad.Last; n++ {
		r, err := d.Result(n)
		if err != nil {
			return v, err
		}
		v.Taken = append(v.Taken, viewChange(d.Store.State(), r))
	}
	for _, s := range ad.GivenUp {
		v.GivenUp = append(v.GivenUp, viewChange(d.Store.State(), s.Result()))
	}
	return v, nil
}

// AdoptionIn asks whether a device has looked what the network has of it, and when
// that was after a time.
type AdoptionIn struct {
	Since int64 `json:"since"` // Unix ms
}

// adoption is what the look came to that was since a time; without an id, there was
// none.
func (a *Agent) adoption(s *seat, in AdoptionIn) (any, error) {
	d, err := s.books()
	if err != nil {
		return nil, err
	}
	ad, ok, err := d.Adoption()
	if err != nil || !ok || ad.Time < in.Since {
		return RestoreView{}, err
	}
	return s.brought(d)
}

// RestoreView is an account that was brought back.
type RestoreView struct {
	AccountView
	ID       string `json:"id"`
	Database string `json:"database"`
	AsOf     string `json:"as_of,omitempty"` // time of the newest head that is here
	AdoptionView
	NoAccount bool   `json:"no_account,omitempty"` // the database was found, and the key has no account in it
	Why       string `json:"why,omitempty"`        // it has none any more
}

// AdoptedIn waits until a restored device has looked. Patience is as in WaitIn.
type AdoptedIn struct {
	TakeOver bool `json:"take_over,omitempty"` // take the account over first
	Patience int  `json:"patience_seconds,omitempty"`
}

func (a *Agent) adopted(ctx context.Context, r Request) (any, error) {
	in, err := read[AdoptedIn](r.In)
	if err != nil {
		return nil, err
	}
	alone, begun := newSolitude(in.Patience), !in.TakeOver
	return a.until(ctx, r.DB, func(s *seat) (any, bool, error) {
		if s.role == nil {
			return nil, false, refused("this needs the network")
		}
		if in.TakeOver && !begun {
			if begun, err = true, s.role.TakeOverFound(); err != nil {
				return nil, false, err
			}
		}
		v, done, err := s.adopts()
		if err == nil && !done {
			err = alone.over(a, s)
		}
		return v, done, err
	})
}

// adopts says whether a restored device has looked, or why it never will.
func (s *seat) adopts() (v RestoreView, done bool, err error) {
	st := s.role.Status()
	d := s.role.Desk()
	switch {
	case s.closed != nil:
		return v, false, s.closed
	case st.Reason != "":
		return v, false, fmt.Errorf("%w: %s", ErrNotVerified, st.Reason)
	case d == nil:
		return v, false, nil
	case st.Account == nil && current(st.Status) && !st.Checked.IsZero():
		v.NoAccount = true
		if _, err := d.Account(); errors.Is(err, member.ErrReplaced) {
			v.Why = err.Error()
		}
		return v, true, nil
	case st.Account == nil:
		return v, false, nil
	case st.Foreign != "":
		return v, false, refused("%s", st.Foreign)
	}
	if _, _, still, err := d.Restored(); err != nil || still {
		return v, false, err
	}
	v, err = s.brought(d)
	return v, err == nil, err
}

// brought is an account as it goes on here.
func (s *seat) brought(d *member.Desk) (v RestoreView, err error) {
	acc, err := d.Account()
	if err != nil {
		return v, err
	}
	c := d.Store.State().Charter
	v = RestoreView{AccountView: viewAccount(c, acc), ID: s.db.ID, Database: c.Name, AsOf: asOf(d.Store)}
	v.AdoptionView, err = viewAdoption(d)
	return v, err
}

// Forget removes what is written down of a database of which nothing else is here.
func (d Directory) Forget(db Database) error {
	if err := os.Remove(d.record(db.ID)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget the database: %w", err)
	}
	return nil
}
