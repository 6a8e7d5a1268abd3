package store

import (
	"errors"
	"fmt"

	"weir/ledger"
	"weir/ledger/wire"
)

// ErrReadKey: the database is encrypted, and no read key is given or another
// one; or it is readable, and one is given.
var ErrReadKey = ledger.ErrReadKey

// Charter reads the charter of the store on a disk, of which no more is opened:
// it says whether the database is encrypted, and from its digest the manager
// makes the read key that Open wants. ErrNotFound, ErrVersion, ErrDamaged. That
// it is the charter the store was founded on, Open checks.
func Charter(d Disk) ([]byte, error) {
	files := d.files()
	if _, err := readFormat(files); err != nil {
		return nil, fmt.Errorf("read a store's charter: %w", err)
	}
	b, err := readFile(files, charterFile, wire.ItemBytesMax)
	if err == nil {
		_, err = wire.ParseCharter(b)
	}
	if err != nil {
		return nil, fmt.Errorf("read a store's charter: %w: %w", ErrDamaged, err)
	}
	return b, nil
}

// tryKey is ErrReadKey when the read key opens neither the first entry nor the
// newest. One of them alone may be damaged, which is Audit's to say; so is
// anything else that is wrong with them.
func (s *Store) tryKey(r rows, l *layout, st *ledger.State) error {
	if st.ReadKey == nil || l.size <= 1 {
		return nil
	}
	closed := false
	for _, leaf := range []uint64{1, l.size - 1} {
		_, err := s.entry(r, l, st, leaf)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrDamaged):
			return err
		}
		closed = closed || errors.Is(err, wire.ErrOpen)
	}
	if !closed {
		return nil
	}
	return fmt.Errorf("%w: it does not open this database's entries", ErrReadKey)
}
