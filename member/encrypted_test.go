package member

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"weir/keys"
	"weir/ledger/store"
)

func TestAnEncryptedDatabaseIsFollowedWithItsReadKey(t *testing.T) {
	w := newWorld(t)
	k := newKeeperOf(t, w, true)
	k.admit(identity(11), "ann")
	k.admit(identity(12), "ben")
	k.publish()
	r := newReader(t, k, 2)
	w.run(2 * time.Second)
	r.follows(t, k)
	for i, c := range []struct {
		entries int
		source  string
	}{{3, "chunks"}, {200, "torrent"}} {
		k.grow(identity(11), c.entries)
		k.publish()
		w.run(45 * time.Second)
		r.follows(t, k)
		if s := r.Status(); !strings.HasPrefix(s.Source, c.source) {
			t.Errorf("%d: %d entries came by %s", i, c.entries, s.Source)
		}
	}
	r.reopen(t, k)
	k.grow(identity(11), 3)
	k.publish()
	w.run(45 * time.Second)
	r.follows(t, k)
	if a := must[*store.Report](t)(r.Store().Audit(nil)); !a.OK() {
		t.Fatalf("audit: %v", a.Findings)
	}
	stream := make([]byte, r.Store().State().Length)
	must[int](t)(r.Store().ReadStream(stream, 0))
	if bytes.Contains(stream[len(r.Store().Charter()):], []byte("ann")) {
		t.Error("a name can be read in the stream")
	}
}

func TestAnotherReadKeyTakesNothingForTheDatabase(t *testing.T) {
	w := newWorld(t)
	k := newKeeperOf(t, w, true)
	k.admit(identity(11), "ann")
	k.publish()
	right := k.key
	k.key = &keys.ReadKey{1}
	r := newReader(t, k, 2)
	w.run(2 * time.Minute)
	s := r.Status()
	if s.Size != 1 || len(s.Dropped) == 0 || !strings.Contains(s.Dropped[0], "another database's read key") {
		t.Errorf("%+v", s)
	}
	k.key = right
	other := newReader(t, k, 3)
	w.run(2 * time.Second)
	other.follows(t, k)
	k.key = nil
	without := newReader(t, k, 4)
	w.run(2 * time.Second)
	if s := without.Status(); without.Store() != nil || !strings.Contains(s.Problem, "encrypted") {
		t.Errorf("%+v", s)
	}
}
