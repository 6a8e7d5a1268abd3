package host

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"weir/keys/keyfile"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Directory is a data directory.
type Directory string

// Exit codes that callers attach to errors; see cmd/weir.
const (
	CodeError          = 1
	CodeUsage          = 2
	CodePart           = 3
	CodeNotInitialised = 10
	CodeLocked         = 11
	CodePassphrase     = 12
	CodeNotFound       = 13
	CodeRefused        = 14
	CodeNoNode         = 15
	CodeNotVerified    = 16
	CodeUnwell         = 17
	CodeInterrupted    = 130
)

// Errors that commands turn into exit codes.
var (
	ErrNotInitialised = errors.New("nothing is set up here yet")
	ErrNotFound       = errors.New("not found")
)

// Database is what a directory knows of a database beside its store.
type Database struct {
	ID        string           `json:"id"`
	Name      string           `json:"name,omitempty"`
	Link      string           `json:"link,omitempty"`   // by which it was joined
	Role      string           `json:"role"`             // RoleManager or RoleMember
	Joiner    string           `json:"joiner,omitempty"` // what a member asked to be called
	Bootstrap []netip.AddrPort `json:"bootstrap,omitempty"`
	// Restored is what a member's account was brought back here from; "": it was
	// not. MadeKey: the directory's key was made for it.
	Restored string `json:"restored,omitempty"`
	MadeKey  bool   `json:"made_key,omitempty"`
	// Recovering: a manager's directory that is rebuilt from what is published, and
	// is not whole yet.
	Recovering bool `json:"recovering,omitempty"`
	// Afresh: it is, or was, rebuilt where nothing of its store was left.
	Afresh bool `json:"afresh,omitempty"`
}

// Roles that a directory has in its databases.
const (
	RoleManager = "manager"
	RoleMember  = "member"
)

// Key is the directory's key file.
func (d Directory) Key() keyfile.File { return keyfile.File{Path: filepath.Join(string(d), "key")} }

// Make creates the directory, for its owner only.
func (d Directory) Make() error {
	if err := os.MkdirAll(filepath.Join(string(d), "db"), 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return nil
}

// Store is where a database's store lies.
func (d Directory) Store(id wire.ID) string { return filepath.Join(string(d), "db", id.String()) }

func (d Directory) record(id string) string { return filepath.Join(string(d), "db", id+".json") }

// Control is where a command reaches what runs here: the manager of a database,
// or the one agent of all that were joined (internal/control). Eight digits of an
// id are enough: a manager compares the whole one of every call.
func (d Directory) Control(db Database) string {
	name := "control"
	if db.Role == RoleManager {
		name += "-" + db.ID[:8]
	}
	return filepath.Join(string(d), name)
}

// traffic is where what went through the network is kept of what runs under a name;
// "": nowhere, of a stranger's visit.
func (d Directory) traffic(name string) string {
	if d == "" {
		return ""
	}
	return filepath.Join(string(d), "traffic"+name)
}

// Save writes what is known of a database.
func (d Directory) Save(db Database) error {
	b, err := json.MarshalIndent(db, "", "  ")
	if err != nil {
		return err
	}
	return keyfile.WriteAtomic(d.record(db.ID), append(b, '\n'))
}

// Databases lists the directory's databases by id.
func (d Directory) Databases() ([]Database, error) {
	names, err := filepath.Glob(filepath.Join(string(d), "db", "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Database
	for _, n := range names {
		b, err := readSmall(n, stateBytesMax)
		if errors.Is(err, errUnread) {
			return nil, fmt.Errorf("list databases: %w: %w", store.ErrDamaged, err)
		}
		if err != nil {
			return nil, fmt.Errorf("list databases: %w", err)
		}
		var db Database
		if err := json.Unmarshal(b, &db); err != nil {
			return nil, fmt.Errorf("list databases: %w: %s does not read: %w", store.ErrDamaged, n, err)
		}
		if _, err := ParseID(db.ID); err != nil || filepath.Base(n) != db.ID+".json" {
			return nil, fmt.Errorf("list databases: %w: %s names another database", store.ErrDamaged, n)
		}
		all = append(all, db)
	}
	return all, nil
}

// Orphan is an error if there is a store of which nothing else is known: its
// record was lost, and whoever takes the directory for empty would begin anew.
func (d Directory) Orphan() error {
	names, err := filepath.Glob(filepath.Join(string(d), "db", "*", "FORMAT"))
	if err != nil {
		return err
	}
	for _, n := range names {
		id := filepath.Base(filepath.Dir(n))
		if _, err := os.Lstat(d.record(id)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s holds a database, and %s, which says whose, is missing; put it back from a copy, or move the database away",
				store.ErrDamaged, filepath.Dir(n), filepath.Base(d.record(id)))
		}
	}
	return nil
}

// Choose gives the database that which names: an id, the beginning of one, a
// name, or "" for the only one there is. role leaves those out that have
// another; "": none is left out.
func (d Directory) Choose(which, role string) (Database, error) {
	all, err := d.Databases()
	if err != nil {
		return Database{}, err
	}
	if err := d.Orphan(); err != nil {
		return Database{}, err
	}
	if len(all) == 0 {
		return Database{}, fmt.Errorf("%w: %s holds no database", ErrNotInitialised, string(d))
	}
	var hits, others []Database
	var names, every []string
	for _, db := range all {
		meant := which == "" || strings.HasPrefix(db.ID, strings.ToLower(which)) || db.Name == which
		every = append(every, db.text())
		if role != "" && db.Role != role {
			if meant {
				others = append(others, db)
			}
			continue
		}
		names = append(names, db.text())
		if meant {
			hits = append(hits, db)
		}
	}
	switch {
	case len(hits) == 1:
		return hits[0], nil
	case len(hits) > 1:
		return Database{}, fmt.Errorf("%w: several databases here; say which with --db: %s", ErrNotFound, strings.Join(names, ", "))
	case len(others) > 0 && role == RoleManager:
		return Database{}, fmt.Errorf("%w: %s has joined %s and does not manage it: a member's commands begin with weir member", ErrNotInitialised, string(d), others[0].text())
	case len(others) > 0:
		return Database{}, fmt.Errorf("%w: %s manages %s and has not joined it: a manager's commands begin with weir manager", ErrNotInitialised, string(d), others[0].text())
	}
	return Database{}, fmt.Errorf("%w: no database %q here; there are %s", ErrNotFound, which, strings.Join(every, ", "))
}

// text names a database for people.
func (db Database) text() string {
	if db.Name == "" {
		return db.ID
	}
	return fmt.Sprintf("%q (%s)", db.Name, db.ID)
}

// ParseID reads a database's id in hex.
func ParseID(text string) (wire.ID, error) {
	var id wire.ID
	if len(text) != 2*len(id) {
		return id, fmt.Errorf("a database's id has %d hex digits, not %d", 2*len(id), len(text))
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return id, fmt.Errorf("read a database's id: %w", err)
	}
	return id, nil
}
