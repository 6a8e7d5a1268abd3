package member

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"weir/internal/lookup"
	"weir/keys"
	"weir/ledger/store"
	"weir/ledger/wire"
)

// Keys of this role's own records in the store. All but the outbox and
// evidence are JSON: they never leave this machine.
const (
	keyHead       = "member/head"       // itemRecord of the newest head the log here has reached
	keyCheckpoint = "member/checkpoint" // wire.Checkpoint of it, or of an older torrent
	keyStopped    = "member/stopped"    // why following ended
	keyOutbox     = "member/outbox"     // outbox.Snapshot
	keyItem       = "member/item"       // outboxRecord
	keyRefused    = "member/refused/"   // + number: the bytes of a change that the log refused
	keyForeign    = "member/foreign"    // why handing over ended
	keyRestored   = "member/restored"   // restoredRecord: nothing is signed until the DHT was looked at
	keyAdopted    = "member/adopted"    // Adoption: what that look came to
	keyOwner      = "member/key"        // text of the public key that signs here
	keyJoin       = "member/join"       // joinRecord
	keySuccession = "member/succession" // successionRecord
	keyVoid       = "member/void/"      // + number: Void
	keyOwed       = "member/owed"       // owed
	keyLost       = "member/lost"       // lost
	keyUnkeyed    = "member/unkeyed"    // unkeyed
	keyEvidence   = "evidence/"         // + kind and key: wire.Evidence
)

// itemRecord is a signed item as it was signed.
type itemRecord struct {
	Value []byte         `json:"value"`
	Seq   int64          `json:"seq"`
	Sig   wire.Signature `json:"sig"`
}

func (r itemRecord) item(k keys.Public, salt []byte) lookup.Item {
	return lookup.Item{
		Target: wire.MutableTarget(k, salt), Mutable: true,
		Key: k, Salt: salt, Value: r.Value, Seq: r.Seq, Sig: r.Sig,
	}
}

// is says whether an item found is the recorded one, byte for byte.
func (r itemRecord) is(it *lookup.Item) bool {
	return it.Seq == r.Seq && bytes.Equal(it.Value, r.Value)
}

// outboxRecord is the newest outbox item that was signed here, and what is
// known of the ones before it.
type outboxRecord struct {
	itemRecord
	Before     int64    `json:"before"`      // seq of the one before; 0: none
	BeforeHash [32]byte `json:"before_hash"` // SHA-256 of its value
	First      uint64   `json:"first"`       // numbers it carries
	Last       uint64   `json:"last"`        // First - 1: none
	Newest     uint64   `json:"newest"`      // size of the checkpoint it carries
	// Manager is whom it is sealed for; zero: the charter's.
	Manager keys.Public `json:"manager,omitzero"`
	Nodes   int         `json:"nodes"` // that acknowledged it; 0: none yet
	// TakeOver: the owner said that this device goes on; what another one left
	// on the DHT is looked for once, to be replaced.
	TakeOver bool `json:"take_over,omitempty"`
}

func (r *outboxRecord) item(id *keys.Identity, salt []byte) lookup.Item {
	return r.itemRecord.item(id.Public(), salt)
}

// made says whether an item under the own key can be of this device's making.
// Its bytes decide, where they are known, whoever put them; a seq beyond those
// that were signed here, or between them, is another device's.
func (r *outboxRecord) made(it *lookup.Item) bool {
	if bytes.Equal(it.Value, r.Value) {
		return true
	}
	if r.Before == 0 {
		return false
	}
	return it.Seq < r.Before || sha256.Sum256(it.Value) == r.BeforeHash
}

func record(key string, v any) store.KV {
	b, err := json.Marshal(v)
	if err != nil {
		panic("member: a record of ours does not encode: " + err.Error()) // cannot be: plain structs
	}
	return store.KV{Key: key, Value: b}
}

// readRecord reads a record; ok is false when there is none.
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

func mutableGet(k keys.Public, salt []byte) lookup.Get {
	return lookup.Get{Target: wire.MutableTarget(k, salt), Mutable: true, Key: k, Salt: salt}
}

// items is every valid item a look-up found.
func items(f lookup.Found) []lookup.Item {
	if f.Item == nil {
		return nil
	}
	return append([]lookup.Item{*f.Item}, f.Conflicts...)
}
