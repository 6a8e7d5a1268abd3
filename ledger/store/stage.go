package store

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"weir/ledger"
	"weir/ledger/wire"
)

// stage puts everything of batches but the piece hashes into a pebble batch.
func stage(batch *pebble.Batch, batches []*ledger.Batch) error {
	accounts := map[uint64]ledger.Account{}
	var hashes, offsets []byte
	for _, b := range batches {
		for _, h := range b.Hashes {
			hashes = append(hashes, h[:]...)
		}
		if len(b.Entries) == 0 { // the charter
			offsets = binary.BigEndian.AppendUint64(offsets, b.Start)
		}
		for i := range b.Entries {
			offsets = binary.BigEndian.AppendUint64(offsets, b.Entries[i].Offset)
			if err := stageEntry(batch, &b.Entries[i]); err != nil {
				return err
			}
		}
		for _, a := range b.Accounts {
			accounts[a.Number] = a
		}
		for _, s := range b.Successions {
			term, err := encodeTerm(s)
			if err != nil {
				return err
			}
			if err := batch.Set(key8(rowTerm, s.Number), term, nil); err != nil {
				return err
			}
		}
	}
	first, last := batches[0], batches[len(batches)-1]
	leaf := last.Size - uint64(len(offsets)/8)
	if err := pack(batch, rowHashes, 32, uint64(first.FirstHash), hashes); err != nil {
		return err
	}
	if err := pack(batch, rowOffsets, 8, leaf, offsets); err != nil {
		return err
	}
	for _, number := range slices.Sorted(maps.Keys(accounts)) {
		if err := batch.Set(key8(rowAccount, number), encodeAccount(accounts[number]), nil); err != nil {
			return err
		}
	}
	return batch.Set([]byte{rowFixed}, encodeFixed(last.Fixed), nil)
}

// stageEntry sets the index rows of one entry.
func stageEntry(batch *pebble.Batch, d *ledger.Decided) error {
	touched, err := touches(&d.Entry)
	if err != nil {
		return fmt.Errorf("entry %d: %w", d.Index, err)
	}
	leaf := binary.BigEndian.AppendUint64(nil, d.Index)
	if err := batch.Set(key16(rowNumber, d.Entry.Account, d.Entry.Number), leaf, nil); err != nil {
		return err
	}
	for _, account := range touched {
		if err := batch.Set(key16(rowTouch, account, d.Index), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// touches is the accounts beside its signer's that an applied entry changed:
// who is posted to, admitted, limited, suspended, resumed, renamed or given
// another key.
func touches(e *wire.Entry) ([]uint64, error) {
	if e.Verdict != wire.Applied {
		return nil, nil
	}
	var touched []uint64
	var err error
	switch e.Kind {
	case wire.KindTransfer:
		var t wire.TransferEffect
		t, err = wire.ParseTransferEffect(e.Effect)
		for _, p := range t.Postings {
			touched = append(touched, p.Account)
		}
	case wire.KindAdmit:
		var a wire.AdmitEffect
		a, err = wire.ParseAdmitEffect(e.Effect)
		touched = []uint64{a.Account}
	case wire.KindLimit:
		var l wire.LimitEffect
		l, err = wire.ParseLimitEffect(e.Effect)
		touched = []uint64{l.Account}
	case wire.KindRename:
		var n wire.RenameEffect
		n, err = wire.ParseRenameEffect(e.Effect)
		touched = []uint64{n.Account}
	case wire.KindRekey:
		var k wire.RekeyEffect
		k, err = wire.ParseRekeyEffect(e.Effect)
		touched = []uint64{k.Account}
	case wire.KindSuspend, wire.KindResume:
		var a wire.AccountEffect
		a, err = wire.ParseAccountEffect(e.Effect)
		touched = []uint64{a.Account}
	}
	return slices.DeleteFunc(touched, func(a uint64) bool { return a == e.Account }), err
}
