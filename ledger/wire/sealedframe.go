package wire

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"weir/keys"
)

// Every frame of an encrypted database but the charter's is sealed under its
// read key: the entry, and the body if it is published, each in a box
//
//	nonce (24) ‖ XChaCha20-Poly1305 (n + 16, the tag last)
//
// (draft-irtf-cfrg-xchacha-03) with the associated data
//
//	id (20) ‖ stream offset of the frame u64 ‖ part u8: 0 entry, 1 body
//
// so that no box opens in another place than its own. Header and lengths stay
// plain: who has no read key can still tell the frames apart.
const (
	frameBoxBytes = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

	partEntry = 0
	partBody  = 1
)

// errNotSealed and errSealed are mistakes of the caller's, or of whoever made
// the stream: a database is encrypted or readable as a whole.
var (
	errNotSealed = errors.New("the frame is not sealed")
	errSealed    = errors.New("the frame is sealed already")
)

// SealFrame seals a plain or blanked frame to stand at a stream offset. A nonce
// of 24 bytes is read from random for each box, the entry's first; random must
// be a cryptographic source, since a nonce is used once. A blanked body stays
// one, as long as its box would be if it has any length. Nothing of the result
// aliases f.
func SealFrame(f Frame, id ID, offset uint64, key keys.ReadKey, random io.Reader) (Frame, error) {
	if err := f.check(len(f.Entry), len(f.Body)); err != nil {
		return Frame{}, fmt.Errorf("seal a frame: %w", err)
	}
	if f.ReadKey != 0 {
		return Frame{}, fmt.Errorf("seal a frame: %w", errSealed)
	}
	sealed := Frame{State: f.State, ReadKey: ReadKeyNumber}
	var err error
	if sealed.Entry, err = sealPart(f.Entry, id, offset, partEntry, key, random); err != nil {
		return Frame{}, fmt.Errorf("seal a frame: %w", err)
	}
	if f.State == BodyBlanked {
		if len(f.Body) > 0 {
			sealed.Body = make([]byte, len(f.Body)+frameBoxBytes)
		}
		return sealed, nil
	}
	sealed.State = BodySealed
	if sealed.Body, err = sealPart(f.Body, id, offset, partBody, key, random); err != nil {
		return Frame{}, fmt.Errorf("seal a frame: %w", err)
	}
	return sealed, nil
}

// OpenFrame gives a sealed frame as it was before SealFrame; ErrOpen when one of
// its boxes was not sealed under this key, for this database, offset and part.
// Nothing of the result aliases f.
func OpenFrame(f Frame, id ID, offset uint64, key keys.ReadKey) (Frame, error) {
	if err := f.check(len(f.Entry), len(f.Body)); err != nil {
		return Frame{}, fmt.Errorf("open a frame: %w", err)
	}
	if f.ReadKey == 0 {
		return Frame{}, fmt.Errorf("open a frame: %w", errNotSealed)
	}
	opened := Frame{State: f.State}
	var err error
	if opened.Entry, err = openPart(f.Entry, id, offset, partEntry, key); err != nil {
		return Frame{}, fmt.Errorf("open a frame: entry: %w", err)
	}
	if f.State == BodyBlanked {
		if len(f.Body) > 0 {
			opened.Body = make([]byte, len(f.Body)-frameBoxBytes)
		}
		return opened, nil
	}
	opened.State = BodyPlain
	if opened.Body, err = openPart(f.Body, id, offset, partBody, key); err != nil {
		return Frame{}, fmt.Errorf("open a frame: body: %w", err)
	}
	return opened, nil
}

func sealPart(plain []byte, id ID, offset uint64, part byte, key keys.ReadKey, random io.Reader) ([]byte, error) {
	box := make([]byte, chacha20poly1305.NonceSizeX, len(plain)+frameBoxBytes)
	if _, err := io.ReadFull(random, box); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err // cannot be: the key has its length
	}
	return aead.Seal(box, box, plain, frameData(id, offset, part)), nil
}

// openPart opens a box, which has at least the length of an empty one.
func openPart(box []byte, id ID, offset uint64, part byte, key keys.ReadKey) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, err // cannot be: the key has its length
	}
	nonce, sealed := box[:chacha20poly1305.NonceSizeX], box[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, sealed, frameData(id, offset, part))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// frameData is the associated data of a box.
func frameData(id ID, offset uint64, part byte) []byte {
	b := make([]byte, 0, len(id)+8+1)
	b = append(b, id[:]...)
	b = appendU64(b, offset)
	return append(b, part)
}
