package wire

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/nacl/secretbox"

	"weir/keys"
)

// The value of an outbox, and of the chunk items that its window names, is
// one bencoded byte string, since stock BEP-44 clients can put nothing else:
//
//	<length>: version (1) ‖ nonce (24) ‖ secretbox (16 + n)
//
// The box of an outbox holds a Window, that of a chunk 1 to ChunkBytes bytes
// of the message stream. Their keys are, for each direction of each pair and
// database,
//
//	HKDF-SHA256(X25519(sender, receiver), no salt, label ‖ digest (32) ‖
//	            sender's publish key (32) ‖ receiver's publish key (32))
//
// with the labels below. There is no forward secrecy: who gets a seal key
// opens every outbox that was ever recorded.
const (
	labelOutbox = "weir/v1/outbox"
	labelChunk  = "weir/v1/chunk"
)

// OutboxKeys is the secretbox keys of one direction between two identities.
type OutboxKeys struct{ Window, Chunk [32]byte }

// DeriveOutboxKeys derives them; shared is keys.Identity.Shared of the two.
func DeriveOutboxKeys(shared [32]byte, d Digest, sender, receiver keys.Public) OutboxKeys {
	info := make([]byte, 0, 96)
	info = append(info, d[:]...)
	info = append(info, sender[:]...)
	info = append(info, receiver[:]...)
	return OutboxKeys{
		Window: deriveKey(shared[:], labelOutbox, info),
		Chunk:  deriveKey(shared[:], labelChunk, info),
	}
}

func deriveKey(secret []byte, label string, info []byte) [32]byte {
	k, err := hkdf.Key(sha256.New, secret, nil, label+string(info), 32)
	if err != nil {
		panic("wire: HKDF refused 32 bytes") // cannot be: the limit is 255 hashes
	}
	return [32]byte(k)
}

// SealWindow gives the bencoded value of an outbox. A nonce is used once.
func SealWindow(k OutboxKeys, nonce [24]byte, w *Window) ([]byte, error) {
	b, err := w.Encode()
	if err != nil {
		return nil, fmt.Errorf("seal an outbox: %w", err)
	}
	return seal(&k.Window, nonce, b), nil
}

// OpenWindow opens the value of an outbox; ErrOpen when it is not sealed
// under these keys.
func OpenWindow(k OutboxKeys, value []byte) (*Window, error) {
	b, err := open(&k.Window, value, WindowBytesMax)
	if err != nil {
		return nil, fmt.Errorf("open an outbox: %w", err)
	}
	w, err := ParseWindow(b)
	if err != nil {
		return nil, fmt.Errorf("open an outbox: %w", err)
	}
	return w, nil
}

// SealChunk gives the bencoded value of a chunk of 1 to ChunkBytes
// message-stream bytes. A nonce is used once.
func SealChunk(k OutboxKeys, nonce [24]byte, stream []byte) ([]byte, error) {
	if len(stream) == 0 || len(stream) > ChunkBytes {
		return nil, fmt.Errorf("seal a chunk: %d bytes where 1 to %d are allowed", len(stream), ChunkBytes)
	}
	return seal(&k.Chunk, nonce, stream), nil
}

// OpenChunk opens the value of a chunk; ErrOpen when it is not sealed under
// these keys.
func OpenChunk(k OutboxKeys, value []byte) ([]byte, error) {
	b, err := open(&k.Chunk, value, ChunkBytes)
	if err != nil {
		return nil, fmt.Errorf("open a chunk: %w", err)
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("open a chunk: it is empty")
	}
	return b, nil
}

func seal(key *[32]byte, nonce [24]byte, plain []byte) []byte {
	b := make([]byte, 0, boxOverhead+len(plain))
	b = append(b, Version)
	b = append(b, nonce[:]...)
	return String(secretbox.Seal(b, plain, &nonce, key))
}

// open opens a value whose box holds at most most bytes.
func open(key *[32]byte, value []byte, most int) ([]byte, error) {
	b, err := ParseString(value)
	if err != nil {
		return nil, err
	}
	c := cursor{b: b}
	c.version()
	var nonce [24]byte
	c.fixed(nonce[:])
	if c.err != nil {
		return nil, c.err
	}
	if len(c.b) > most+secretbox.Overhead {
		return nil, fmt.Errorf("a box of %d bytes where %d are allowed", len(c.b), most+secretbox.Overhead)
	}
	plain, ok := secretbox.Open(nil, c.b, &nonce, key)
	if !ok {
		return nil, ErrOpen
	}
	return plain, nil
}
