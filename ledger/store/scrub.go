package store

import (
	"crypto/sha1"
	"errors"
	"fmt"

	"weir/ledger/wire"
)

// Scrub reads the stream as it is committed now, a whole piece at a time, and
// compares each with the hash that was kept of it: a disk may garble what was
// written long ago, and whoever fetches it from here would get nothing. It is
// cheaper than an audit, and checks no more than that. ErrDamaged says where.
// pause is called after each piece, from any goroutine but the owner's; an error
// of it ends the scrub.
func (s *Store) Scrub(pause func(bytes int) error) error {
	before := s.rewinds()
	err := s.scrub(pause)
	if s.rewinds() != before {
		err = ErrRewound
	}
	if err != nil {
		return fmt.Errorf("scrub a store: %w", err)
	}
	return nil
}

func (s *Store) scrub(pause func(bytes int) error) error {
	l := s.layout.Load()
	for number := 0; number <= len(l.full); number++ {
		v := l.volume(number)
		pieces := l.pieces // of the tail: the last piece grows, and is checked by Open
		if number < len(l.full) {
			var err error
			if pieces, err = s.piecesOf(number, v.length); err != nil {
				return err
			}
		}
		for i := 0; i*pieceHashBytes < len(pieces); i++ {
			n, err := s.scrubPiece(l, number, i, pieces[i*pieceHashBytes:][:pieceHashBytes])
			if err == nil {
				err = pause(n)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// piecesOf is the hashes of a full volume's pieces.
func (s *Store) piecesOf(number int, length uint64) ([]byte, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	return loadPieces(s.index.db, number, length)
}

func (s *Store) scrubPiece(l *layout, number, piece int, want []byte) (int, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.leave()
	v := l.volume(number)
	off := uint64(piece) * wire.PieceBytes
	b := make([]byte, min(wire.PieceBytes, v.length-off))
	err := s.readStream(l, b, v.start+off)
	if err == nil && sha1.Sum(b) != [sha1.Size]byte(want) {
		err = ErrDamaged
	}
	if errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%s, bytes %d to %d, are not what was written: %w", volumeName(number), off, off+uint64(len(b)), err)
	}
	return len(b), err
}
