package host

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"

	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// CharterLink is the public link of a database that is yet to be founded: the
// charter fixes it. It has no read key.
func CharterLink(charter *wire.Charter, bootstrap []netip.AddrPort) (LinkView, error) {
	b, err := charter.Encode()
	if err != nil {
		return LinkView{}, err
	}
	id := wire.CharterID(b)
	text, err := wire.DatabaseLink{ID: id, Digest: wire.CharterDigest(b).Prefix(), Bootstrap: bootstrap}.Link()
	return LinkView{ID: id.String(), Link: text}, err
}

// ErrLeft: nothing was founded, and something of it is still there.
var ErrLeft = errors.New("what was written of it could not be removed again")

// Found writes a new database of a manager into the directory, or leaves nothing
// of it there. What is known of an encrypted one has its read key, as the index has
// what the key would open.
func Found(d Directory, charter *wire.Charter, manager *keys.Identity, bootstrap []netip.AddrPort) (_ Database, err error) {
	b, err := charter.Encode()
	if err != nil {
		return Database{}, err
	}
	id, digest := wire.CharterID(b), wire.CharterDigest(b)
	db := Database{ID: hex.EncodeToString(id[:]), Name: charter.Name, Role: RoleManager, Bootstrap: bootstrap}
	var key *keys.ReadKey
	if charter.Encrypted {
		k := manager.ReadKey(digest)
		key = &k
		if db.Link, err = (wire.DatabaseLink{ID: id, Digest: digest.Prefix(), Bootstrap: bootstrap, ReadKey: key}).Link(); err != nil {
			return Database{}, err
		}
	}
	if _, none := os.Lstat(d.Store(id)); errors.Is(none, fs.ErrNotExist) {
		defer func() {
			if err != nil {
				if left := os.RemoveAll(d.Store(id)); left != nil {
					err = fmt.Errorf("%w; %w: %w", err, ErrLeft, left)
				}
			}
		}()
	}
	disk, err := store.OS(d.Store(id))
	if err != nil {
		return Database{}, err
	}
	s, err := store.Create(disk, b, store.Options{ReadKey: key})
	if err != nil {
		return Database{}, errors.Join(err, disk.Close())
	}
	if err := s.Close(); err != nil {
		return Database{}, err
	}
	return db, d.Save(db)
}
