package store

import (
	"errors"
	"strings"
	"testing"

	"weir/ledger"
	"weir/ledger/wire"
)

// scrubbed damages a byte of every volume.
func scrubbed(t *testing.T, charter []byte, batches []*ledger.Batch) {
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, Options{Small: true}))
	defer func() { check(t, s.Close()) }()
	check(t, s.Commit(batches))
	read := 0
	check(t, s.Scrub(func(n int) error { read += n; return nil }))
	st := s.State()
	tail := (st.Length - st.Volume) / wire.PieceBytes * wire.PieceBytes
	if want := st.Volume + tail; uint64(read) != want {
		t.Errorf("%d bytes were read, want %d", read, want)
	}
	for number := range st.Volumes + 1 {
		name := volumeName(number)
		check(t, d.Damage(name, 20_000))
		err := s.Scrub(func(int) error { return nil })
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), name+", bytes 16384 to 32768") {
			t.Errorf("volume %d: got %v", number, err)
		}
		check(t, d.Damage(name, 20_000))
	}
	if err := s.Scrub(func(int) error { return errInjected }); !errors.Is(err, errInjected) {
		t.Errorf("got %v", err)
	}
}
