package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
)

// trustedHashes reads the stored Merkle hashes that an audit has compared. Of
// one that was wrong it knows the right one, so that the audit can go on.
type trustedHashes struct {
	stored *packed
	count  int64 // compared so far
	right  map[int64]tlog.Hash
}

// append compares the hashes that a batch adds.
func (t *trustedHashes) append(b *ledger.Batch, r *Report) error {
	for i, h := range b.Hashes {
		index := b.FirstHash + int64(i)
		stored, err := t.stored.at(uint64(index))
		if errors.Is(err, ErrDamaged) {
			stored, err = nil, nil
		}
		if err != nil {
			return err
		}
		t.count, r.Hashes = index+1, r.Hashes+1
		if string(stored) == string(h[:]) {
			continue
		}
		if t.right == nil {
			t.right = map[int64]tlog.Hash{}
		}
		t.right[index] = h
		if err := r.find("Merkle hash %d: %x is stored, the entries give %s", index, stored, h); err != nil {
			return err
		}
	}
	return nil
}

// ReadHashes implements tlog.HashReader.
func (t *trustedHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if h, ok := t.right[x]; ok {
			hashes[i] = h
			continue
		}
		if x < 0 || x >= t.count {
			return nil, fmt.Errorf("read Merkle hash %d: %d were compared", x, t.count)
		}
		h, err := t.stored.at(uint64(x))
		if err != nil {
			return nil, err
		}
		hashes[i] = tlog.Hash(h)
	}
	return hashes, nil
}

// entry compares the rows of one entry.
func (a *auditor) entry(d *ledger.Decided) error {
	leaf := binary.BigEndian.AppendUint64(nil, d.Index)
	if err := a.row(key16(rowNumber, d.Entry.Account, d.Entry.Number), leaf,
		"number %d of account %d", d.Entry.Number, d.Entry.Account); err != nil {
		return err
	}
	a.numbers++
	touched, err := touches(&d.Entry)
	if err != nil {
		return a.report.find("entry %d: %v", d.Index, err)
	}
	for _, account := range touched {
		if err := a.row(key16(rowTouch, account, d.Index), nil,
			"entry %d in the history of account %d", d.Index, account); err != nil {
			return err
		}
		a.touches++
	}
	return a.offset(d.Index, d.Offset)
}

// offset compares where the index says that a leaf's frame is.
func (a *auditor) offset(leaf, offset uint64) error {
	a.report.Rows++
	b, err := a.offsets.at(leaf)
	if errors.Is(err, ErrDamaged) {
		return a.report.find("index: the offset of entry %d is missing", leaf)
	}
	if err != nil {
		return err
	}
	if got := binary.BigEndian.Uint64(b); got != offset {
		return a.report.find("index: entry %d at %d, it is at %d", leaf, got, offset)
	}
	return nil
}

// row compares one row; what names it.
func (a *auditor) row(key, want []byte, what string, args ...any) error {
	got, ok, err := get(a.rows, key)
	if err != nil {
		return err
	}
	a.report.Rows++
	switch {
	case !ok:
		return a.report.find("index: %s is missing", fmt.Sprintf(what, args...))
	case string(got) != string(want):
		return a.report.find("index: %s is %x, it must be %x", fmt.Sprintf(what, args...), got, want)
	}
	return nil
}

// compare holds the recorded state against the computed one, and sees that the
// index has no row too many.
func (a *auditor) compare() error {
	st := a.state
	r := a.report
	r.Size, r.Root, r.Length, r.Sum, r.Members = st.Size, st.Root, st.Length, st.Sum(), st.Members()
	if st.Fixed != a.fixed {
		if err := r.find("index: the fixed state is %+v, the stream gives %+v", a.fixed, st.Fixed); err != nil {
			return err
		}
	}
	if r.Sum != 0 {
		if err := r.find("the balances sum to %d, not zero", r.Sum); err != nil {
			return err
		}
	}
	if err := a.offset(0, 0); err != nil {
		return err
	}
	accounts := st.Accounts()
	for _, account := range accounts {
		if err := a.row(key8(rowAccount, account.Number), encodeAccount(account), "account %d", account.Number); err != nil {
			return err
		}
	}
	terms := st.Terms()[1:]
	for _, t := range terms {
		b, err := encodeTerm(t)
		if err != nil {
			return err
		}
		if err := a.row(key8(rowTerm, t.Number), b, "succession %d", t.Number); err != nil {
			return err
		}
	}
	return a.count(map[byte]uint64{
		rowFixed:   1,
		rowCount:   1,
		rowAccount: uint64(len(accounts)),
		rowHashes:  uint64(tlog.StoredHashCount(int64(st.Size))),
		rowOffsets: st.Size,
		rowNumber:  a.numbers,
		rowTouch:   a.touches,
		rowTerm:    uint64(len(terms)),
		rowVolume:  uint64(len(a.cuts)),
		rowPiece:   uint64(r.Pieces),
	})
}

// commits sees that no commit is missing.
func (a *auditor) commits() error {
	if a.format < 3 {
		return nil
	}
	if a.errPromised != nil {
		return a.report.find("%v", a.errPromised)
	}
	has, err := loadCount(a.rows)
	if err != nil {
		return err
	}
	// Others may have committed meanwhile.
	if err := compareCounts(has, min(max(has, a.promised[0]), a.promised[1])); err != nil {
		return a.report.find("%v", err)
	}
	return nil
}

// count compares how many rows there are of each kind; of packed ones, items.
func (a *auditor) count(want map[byte]uint64) (err error) {
	it, err := a.rows.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	got := map[byte]uint64{}
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		switch row := it.Key()[0]; row {
		case rowHashes:
			got[row] += uint64(len(v)) / tlog.HashSize
		case rowOffsets:
			got[row] += uint64(len(v)) / 8
		default:
			got[row]++
		}
	}
	if err := it.Error(); err != nil {
		return err
	}
	a.report.Records = got[rowKey]
	delete(got, rowKey)
	if a.format < 3 { // and there may be one of an upgrade that was interrupted
		got[rowCount] = 1
	}
	for row := range 256 {
		if b := byte(row); got[b] != want[b] {
			if err := a.report.find("index: %d rows of kind %q, there must be %d", got[b], b, want[b]); err != nil {
				return err
			}
		}
	}
	return nil
}
