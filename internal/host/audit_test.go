package host

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// TestAnAuditChecksWhatTheManagerSigned founds a database and stores heads in
// it that a manager could not honestly have signed.
func TestAnAuditChecksWhatTheManagerSigned(t *testing.T) {
	id, other := keys.Derive(keys.Seed{1}), keys.Derive(keys.Seed{2})
	charter := &wire.Charter{
		Kind: wire.KindLedger, Name: "Mill Lane", Manager: id.Public(), Log: id.LogPublic(), Seal: id.SealPublic(),
		Recovery: other.Public(), Created: time.Now().UnixMilli(), Unit: "HRS", Scale: 2,
		Lower: -100, Upper: 100, Quota: 10, Heartbeat: 3600, Stale: 7200,
	}
	d := Directory(t.TempDir())
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	if _, err := Found(d, charter, nil); err != nil {
		t.Fatal(err)
	}
	encoded, err := charter.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dbID := wire.CharterID(encoded)
	disk, err := store.OS(d.Store(dbID))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(disk, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st := s.State()

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
	for name, c := range map[string]struct {
		record []byte
		want   string // "": all is well
	}{
		"an honest head":                  {head(id, id, st.Size, st.Root), ""},
		"a head over another root":        {head(id, id, st.Size, wire.Hash{9}), "signs another root"},
		"a head over a longer log":        {head(id, id, st.Size+1, wire.Hash{9}), "the log has 1"},
		"a head that another key signed":  {head(other, id, st.Size, st.Root), "signature does not verify"},
		"a checkpoint of another log key": {head(id, other, st.Size, st.Root), "not signed by the database's log key"},
	} {
		for _, key := range []string{"manager/head", "member/head"} {
			if err := s.Commit(nil, store.KV{Key: key, Value: c.record}); err != nil {
				t.Fatal(err)
			}
			v, err := audit(s)
			if c.want == "" && (err != nil || !v.OK) {
				t.Errorf("%s as %s: %v", name, key, err)
			}
			if c.want != "" && (!errors.Is(err, ErrNotVerified) || !strings.Contains(err.Error(), c.want) || v.OK) {
				t.Errorf("%s as %s: %v, want %q", name, key, err, c.want)
			}
			if err := s.Commit(nil, store.KV{Key: key}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
