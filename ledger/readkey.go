package ledger

import (
	"errors"
	"fmt"

	"weir/keys"
	"weir/ledger/wire"
)

// ErrReadKey is wrapped when a database is encrypted and no read key is given,
// or it is readable and one is given.
var ErrReadKey = errors.New("the read key does not fit")

// checkReadKey sees that there is a key if, and only if, there must be one.
// Whether it is the right one shows when it opens a frame.
func checkReadKey(c *wire.Charter, key *keys.ReadKey) error {
	switch {
	case c.Encrypted && key == nil:
		return fmt.Errorf("%w: the database is encrypted, and no key is given", ErrReadKey)
	case c.Encrypted && *key == keys.ReadKey{}: // what a forgotten one looks like
		return fmt.Errorf("%w: it is zero", ErrReadKey)
	case !c.Encrypted && key != nil:
		return fmt.Errorf("%w: the database is not encrypted, and a key is given", ErrReadKey)
	}
	return nil
}

func cloneKey(key *keys.ReadKey) *keys.ReadKey {
	if key == nil {
		return nil
	}
	k := *key
	return &k
}

// OpenFrame gives a frame that stands at a stream offset, after the charter's,
// as it is in a readable database: opened, if this one is encrypted. An error
// wraps ErrInvalid, and wire.ErrOpen when the read key does not open it. It uses
// only what never changes of a State, so it may be called from any goroutine.
func (s *State) OpenFrame(f wire.Frame, offset uint64) (wire.Frame, error) {
	switch {
	case s.ReadKey == nil && f.ReadKey != 0:
		return wire.Frame{}, invalid("its frame is sealed, and the database is not encrypted")
	case s.ReadKey == nil:
		return f, nil
	case f.ReadKey == 0:
		return wire.Frame{}, invalid("its frame is not sealed, and the database is encrypted")
	}
	opened, err := wire.OpenFrame(f, s.ID, offset, *s.ReadKey)
	if err != nil {
		return wire.Frame{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return opened, nil
}
