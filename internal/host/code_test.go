package host

import (
	"errors"
	"fmt"
	"testing"

	"weir/ledger/store"
)

// Damage ends reading, and the iterator that met it says so again when it is closed.
func TestAnErrorSaysEachThingOnce(t *testing.T) {
	pebble := errors.New("pebble: file 000014: block 0/1951: crc32c checksum mismatch 88925299 != 1cbcf1d3\n" + carrier)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"read and closed": {
			fmt.Errorf("open a store: %w", errors.Join(fmt.Errorf("read the index: %w: %w", store.ErrDamaged, pebble), pebble)),
			"open a store: read the index: the store is damaged: pebble: file 000014: block 0/1951: crc32c checksum mismatch 88925299 != 1cbcf1d3",
		},
		"two things":     {errors.Join(errors.New("the disk is full"), errors.New("the socket is gone")), "the disk is full\nthe socket is gone"},
		"one thing":      {errors.New("no DHT node answered"), "no DHT node answered"},
		"nothing at all": {errors.New(""), ""},
	} {
		if got := Text(c.err); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if err := Coded(errors.Join(store.ErrDamaged, store.ErrDamaged)); Code(err) != CodeNotVerified || err.Error() != store.ErrDamaged.Error() {
		t.Errorf("%d, %q", Code(err), err)
	}
}
