package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"weir/ledger"
	"weir/ledger/wire"
)

func loadFixed(r rows) (ledger.Fixed, error) {
	v, ok, err := get(r, []byte{rowFixed})
	if err != nil {
		return ledger.Fixed{}, err
	}
	if !ok {
		return ledger.Fixed{}, fmt.Errorf("%w: the record of the fixed state is missing", ErrDamaged)
	}
	return decodeFixed(v)
}

func loadAccounts(r rows) ([]ledger.Account, error) {
	var accounts []ledger.Account
	err := walk(r, []byte{rowAccount}, nil, func(key, value []byte) (bool, error) {
		a, err := decodeAccount(value)
		if err == nil && (len(key) != 8 || binary.BigEndian.Uint64(key) != a.Number) {
			err = fmt.Errorf("%w: the record of account %d is another's", ErrDamaged, a.Number)
		}
		accounts = append(accounts, a)
		return true, err
	})
	return accounts, err
}

// loadLayout reads where the volumes lie, and the hashes of the tail's pieces.
func loadLayout(r rows, f ledger.Fixed) (*layout, error) {
	l := &layout{size: f.Size, length: f.Length, start: f.Volume}
	end := uint64(0)
	err := walk(r, []byte{rowVolume}, nil, func(key, value []byte) (bool, error) {
		v, err := decodeVolume(value)
		if err != nil {
			return false, err
		}
		if len(key) != 4 || int(binary.BigEndian.Uint32(key)) != len(l.full) || v.start != end || v.length == 0 {
			return false, fmt.Errorf("%w: the record of volume %d does not follow the one before it", ErrDamaged, len(l.full))
		}
		if last := (len(l.full)+1)%wire.ShelfVolumes == 0; v.shelved && last != (v.shelf.Length > 0) {
			return false, fmt.Errorf("%w: the record of volume %d does not end its shelf", ErrDamaged, len(l.full))
		}
		end += v.length
		l.full = append(l.full, v)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if len(l.full) != f.Volumes || end != f.Volume {
		return nil, fmt.Errorf("%w: %d full volumes of %d bytes are recorded, not %d of %d",
			ErrDamaged, len(l.full), end, f.Volumes, f.Volume)
	}
	pieces, err := loadPieces(r, len(l.full), l.tailLength())
	if err != nil {
		return nil, err
	}
	whole := l.tailLength() / wire.PieceBytes * pieceHashBytes
	l.pieces = pieces[:whole:whole]
	copy(l.last[:], pieces[whole:])
	return l, nil
}

// loadPieces reads the packed hashes of a volume's pieces.
func loadPieces(r rows, number int, length uint64) ([]byte, error) {
	want := int((length + wire.PieceBytes - 1) / wire.PieceBytes)
	pieces := make([]byte, 0, want*pieceHashBytes)
	err := walk(r, key4(rowPiece, uint32(number)), nil, func(key, value []byte) (bool, error) {
		n := len(pieces) / pieceHashBytes
		if len(key) != 4 || int(binary.BigEndian.Uint32(key)) != n || len(value) != pieceHashBytes {
			return false, fmt.Errorf("%w: the hash of piece %d of volume %d is missing", ErrDamaged, n, number)
		}
		pieces = append(pieces, value...)
		return n < want, nil
	})
	if err == nil && len(pieces) != want*pieceHashBytes {
		err = fmt.Errorf("%w: %d of %d piece hashes of volume %d are there",
			ErrDamaged, len(pieces)/pieceHashBytes, want, number)
	}
	return pieces, err
}

// cut makes the stream's files as long as they are committed. What a torn
// commit left behind is removed; a download is kept, up to what a volume may
// have.
func (s *Store) cut(l *layout) error {
	keep, err := s.keepsAhead()
	if err != nil {
		return err
	}
	tailMost := uint64(wire.VolumeBytesMax)
	if !keep {
		tailMost = l.tailLength()
		removed, err := s.removeAfter(len(l.full))
		if err != nil {
			return err
		}
		also, err := s.removeAhead()
		if err != nil {
			return err
		}
		if removed || also {
			if err := s.disk.files().syncDir(streamDir); err != nil {
				return err
			}
		}
	}
	for number, v := range l.full {
		if err := cutFile(s.disk.files(), number, v.length, v.length); err != nil {
			return err
		}
	}
	return cutFile(s.disk.files(), len(l.full), l.tailLength(), tailMost)
}

// cutFile sees that a volume's file has its committed bytes, and cuts it to
// them if it has more than most.
func cutFile(d fileSystem, number int, length, most uint64) error {
	f, err := d.open(volumeName(number))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s is missing", ErrDamaged, volumeName(number))
	}
	if err != nil {
		return err
	}
	size, err := f.Size()
	switch {
	case err != nil:
	case uint64(size) < length:
		err = fmt.Errorf("%w: %s has %d of %d bytes", ErrDamaged, volumeName(number), size, length)
	case uint64(size) > most:
		if err = f.Truncate(int64(length)); err == nil {
			err = f.Sync()
		}
	}
	return errors.Join(err, f.Close())
}
