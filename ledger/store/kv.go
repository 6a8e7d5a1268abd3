package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// KV is one record of a role's own: keys are "/"-separated, a nil Value
// deletes.
type KV struct {
	Key   string
	Value []byte
}

// Limits of a role's records.
const (
	keyBytesMax   = 1 << 10
	valueBytesMax = 64 << 20
)

func stageRecords(batch *pebble.Batch, records []KV) error {
	for _, r := range records {
		if r.Key == "" || len(r.Key) > keyBytesMax || len(r.Value) > valueBytesMax {
			return fmt.Errorf("record %.40q of %d bytes: too large, or without a key", r.Key, len(r.Value))
		}
		key := append([]byte{rowKey}, r.Key...)
		err := error(nil)
		if r.Value == nil {
			err = batch.Delete(key, nil)
		} else {
			err = batch.Set(key, r.Value, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Get is a copy of a role's record; false if there is none.
func (s *Store) Get(key string) ([]byte, bool, error) {
	if err := s.enter(); err != nil {
		return nil, false, fmt.Errorf("read record %s: %w", key, err)
	}
	defer s.leave()
	v, ok, err := get(s.index.db, append([]byte{rowKey}, key...))
	if err != nil {
		return nil, false, fmt.Errorf("read record %s: %w", key, err)
	}
	return v, ok, nil
}

// Scan calls f with every record whose key begins with prefix, in the order of
// the keys, until it returns false. The value is f's only during the call.
func (s *Store) Scan(prefix string, f func(key string, value []byte) bool) error {
	if err := s.enter(); err != nil {
		return fmt.Errorf("scan records %s: %w", prefix, err)
	}
	defer s.leave()
	err := walk(s.index.db, append([]byte{rowKey}, prefix...), nil, func(key, value []byte) (bool, error) {
		return f(prefix+string(key), value), nil
	})
	if err != nil {
		return fmt.Errorf("scan records %s: %w", prefix, err)
	}
	return nil
}
