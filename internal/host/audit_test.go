package host

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
	"weir/manager"
)

// founded makes a database of an identity and opens its store.
func founded(t *testing.T, id *keys.Identity) *store.Store {
	t.Helper()
	charter := &wire.Charter{
		Kind: wire.KindLedger, Name: "Mill Lane", Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Recovery: keys.Derive(keys.Seed{99}).Public(), Created: time.Now().UnixMilli(), Unit: "HRS", Scale: 2,
		Lower: -10000, Upper: 10000, Quota: 10, Heartbeat: 3600, Stale: 7200,
	}
	d := Directory(t.TempDir())
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	db, err := Found(d, charter, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	dbID, err := ParseID(db.ID)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := store.OS(d.Store(dbID))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(disk, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// grow admits so many members.
func grow(t *testing.T, s *store.Store, id *keys.Identity, members int) {
	t.Helper()
	desk := manager.Desk{Store: s, Identity: id, Random: rand.Reader, Now: time.Now}
	for range members {
		who := keys.Derive(keys.Seed{50, byte(s.State().Size)})
		if _, err := desk.Admit(who.Public(), who.SealPublic(), "member", nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnAuditChecksWhatTheManagerSigned stores heads and checkpoints beside a
// log that a manager could not honestly have signed, or none.
func TestAnAuditChecksWhatTheManagerSigned(t *testing.T) {
	id, other := keys.Derive(keys.Seed{1}), keys.Derive(keys.Seed{2})
	s := founded(t, id)
	grow(t, s, id, 2)
	st := s.State()
	before, err := s.RootAt(2)
	if err != nil {
		t.Fatal(err)
	}

	head := func(signer, logger *keys.Identity, size uint64, root wire.Hash) []byte {
		h := wire.Head{
			Newest: [20]byte{1}, Cycle: 1, Length: st.Length, Time: time.Now().UnixMilli(), Chunks: []wire.Target{{2}},
			Checkpoint: wire.SignCheckpoint(st.ID, logger.Log, size, root),
		}
		value, err := h.Encode()
		if err != nil {
			t.Fatal(err)
		}
		it, err := lookup.Sign(signer.Publish, st.ID.Salt(), 7, value)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(map[string]any{"value": it.Value, "seq": it.Seq, "sig": it.Sig, "cycle": 1})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	checkpoint := func(logger *keys.Identity, size uint64, root wire.Hash) []byte {
		b, err := json.Marshal(wire.SignCheckpoint(st.ID, logger.Log, size, root))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	whole := checkpoint(id, 3, st.Root)
	for name, c := range map[string]struct {
		role       string
		head       []byte
		checkpoint []byte
		want       string // "": all is well
		signed     uint64 // then: up to which size
	}{
		"a manager's honest head":                    {RoleManager, head(id, id, 3, st.Root), nil, "", 3},
		"a manager's head over a part of the log":    {RoleManager, head(id, id, 2, before), nil, "", 2},
		"a manager that has signed nothing":          {RoleManager, nil, nil, "", 0},
		"a manager's head over another root":         {RoleManager, head(id, id, 3, wire.Hash{9}), nil, "signs another root", 0},
		"a manager's head over a longer log":         {RoleManager, head(id, id, 4, wire.Hash{9}), nil, "the log has 3", 0},
		"a manager's head by another key":            {RoleManager, head(other, id, 3, st.Root), nil, "signature does not verify", 0},
		"a manager's checkpoint by another log key":  {RoleManager, head(id, other, 3, st.Root), nil, "not signed by the database's log key", 0},
		"a member's honest head and checkpoint":      {RoleMember, head(id, id, 3, st.Root), whole, "", 3},
		"a member's checkpoint of an older torrent":  {RoleMember, nil, whole, "", 3},
		"a member's head over another root":          {RoleMember, head(id, id, 3, wire.Hash{9}), whole, "signs another root", 0},
		"a member's head by another key":             {RoleMember, head(other, id, 3, st.Root), whole, "signature does not verify", 0},
		"a member's head over a longer log":          {RoleMember, head(id, id, 4, wire.Hash{9}), whole, "the log has 3", 0},
		"a member's head without a checkpoint":       {RoleMember, head(id, id, 3, st.Root), nil, "no checkpoint that the manager signed", 0},
		"a member without anything signed":           {RoleMember, nil, nil, "no checkpoint that the manager signed", 0},
		"a member's checkpoint over a part":          {RoleMember, nil, checkpoint(id, 2, before), "covers the log up to entry 1 and the log here goes to entry 2", 0},
		"a member's checkpoint by another log key":   {RoleMember, nil, checkpoint(other, 3, st.Root), "not signed by the database's log key", 0},
		"a member's checkpoint over another history": {RoleMember, nil, checkpoint(id, 3, wire.Hash{9}), "signs another root", 0},
	} {
		kv := []store.KV{{Key: c.role + "/head", Value: c.head}, {Key: c.role + "/checkpoint", Value: c.checkpoint}}
		if err := s.Commit(nil, kv...); err != nil {
			t.Fatal(err)
		}
		v, err := audit(s, c.role)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.want == "" && (!v.OK || v.Err() != nil || v.Signed != c.signed) {
			t.Errorf("%s: %+v", name, v)
		}
		if c.want != "" && (v.OK || !errors.Is(v.Err(), ErrNotVerified) || !strings.Contains(v.Err().Error(), c.want)) {
			t.Errorf("%s: %+v, want %q", name, v, c.want)
		}
		if err := s.Commit(nil, store.KV{Key: c.role + "/head"}, store.KV{Key: c.role + "/checkpoint"}); err != nil {
			t.Fatal(err)
		}
	}
}
