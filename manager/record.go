package manager

import (
	"encoding/json"
	"fmt"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Keys of the manager's own records in the store. All but one are JSON: they
// never leave this machine.
const (
	keyHead       = "manager/head"       // headRecord
	keyInvitation = "manager/invite/"    // + secret in hex: Invitation
	keyTorrent    = "manager/torrent/"   // + time in hex: torrentRecord
	keyEvidence   = "evidence/"          // + kind and key: wire.Evidence
	keyContact    = "manager/contact/"   // + account in hex: how to reach its owner
	keyClock      = "manager/clock"      // the wall clock somebody said yes to
	keyStopped    = "manager/stopped"    // why this manager stopped for good
	keyRefused    = "manager/refused"    // why it published nothing when it was last started
	keySuccession = "manager/succession" // wire.Succeed that was signed here last
	keyHolders    = "manager/holders"    // lookup.Client.Holders; not JSON
)

// headRecord is the newest head that was ever signed under the manager's present
// key, as it was signed, and the numbers that must never go back; without a value
// after a succession.
type headRecord struct {
	Value []byte         `json:"value"`
	Seq   int64          `json:"seq"`
	Sig   wire.Signature `json:"sig"`
	Cycle uint64         `json:"cycle"`
}

// torrentRecord is a newest torrent as it was once published; its tail is a
// prefix of the volume's file, so the state file is all there is to keep.
type torrentRecord struct {
	Infohash [20]byte `json:"infohash"`
	Volume   int      `json:"volume"`
	Length   uint64   `json:"length"`
	State    []byte   `json:"state"`
	Time     int64    `json:"time"` // Unix ms, when it was made
	Held     int64    `json:"held"` // Unix ms, when somebody else was last seen to hold it; at first Time
}

func (t torrentRecord) key() string { return fmt.Sprintf("%s%013x", keyTorrent, t.Time) }

func record(key string, v any) store.KV {
	b, err := json.Marshal(v)
	if err != nil {
		panic("manager: a record of ours does not encode: " + err.Error()) // cannot be: plain structs
	}
	return store.KV{Key: key, Value: b}
}

func readRecord[T any](s *store.Store, key string) (v T, ok bool, err error) {
	b, ok, err := s.Get(key)
	if err != nil || !ok {
		return v, false, err
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, false, fmt.Errorf("read %s: %w", key, err)
	}
	return v, true, nil
}

func readRecords[T any](s *store.Store, prefix string) ([]T, error) {
	var all []T
	var bad error
	err := s.Scan(prefix, func(key string, value []byte) bool {
		var v T
		if err := json.Unmarshal(value, &v); err != nil {
			bad = fmt.Errorf("read %s: %w", key, err)
			return false
		}
		all = append(all, v)
		return true
	})
	if err == nil {
		err = bad
	}
	return all, err
}

// item is a head or outbox as the DHT holds it.
func item(k keys.Public, salt, value []byte, seq int64, sig wire.Signature) lookup.Item {
	return lookup.Item{Target: wire.MutableTarget(k, salt), Mutable: true, Key: k, Salt: salt, Value: value, Seq: seq, Sig: sig}
}

func mutableGet(k keys.Public, salt []byte) lookup.Get {
	return lookup.Get{Target: wire.MutableTarget(k, salt), Mutable: true, Key: k, Salt: salt}
}

// SignedHead is the newest head that a manager's store holds, as it was signed;
// false: none was signed here.
func SignedHead(s *store.Store) (lookup.Item, bool, error) {
	r, ok, err := readRecord[headRecord](s, keyHead)
	if err != nil || !ok || len(r.Value) == 0 {
		return lookup.Item{}, false, err
	}
	st := s.State()
	return item(st.Terms().Newest().Manager, st.ID.Salt(), r.Value, r.Seq, r.Sig), true, nil
}
