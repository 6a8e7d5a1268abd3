package main

import (
	"encoding/json"
	"errors"
	"os"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/store"
)

// openStore opens the store in a directory.
func openStore(dir string) (*store.Store, error) {
	disk, err := store.OS(dir)
	if err != nil {
		return nil, err
	}
	return store.Open(disk, store.Options{})
}

// ourProofs prints weir's own proof that each leaf of a store is in its log, for
// stock_test.go to check.
func ourProofs(dir string) (err error) {
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	size := s.State().Size
	proofs := make([]tlog.RecordProof, size)
	for i := range proofs {
		if proofs[i], err = ledger.InclusionProof(uint64(i), size, s); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(proofs)
}
