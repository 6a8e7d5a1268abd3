package lookup

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"weir/keys"
	"weir/ledger/wire"
)

// ErrItem is wrapped by every error about an item that is not valid.
var ErrItem = errors.New("not a valid BEP-44 item")

// Item is a BEP-44 item. Value is bencoded.
type Item struct {
	Target  wire.Target
	Value   []byte
	Mutable bool
	Key     keys.Public    // mutable
	Salt    []byte         // mutable, at most 64 bytes
	Seq     int64          // mutable
	Sig     wire.Signature // mutable
}

// Verify is how signatures of items are checked; VerifyEd25519 but in the
// simulated world, which remembers results.
type Verify func(key keys.Public, signed []byte, sig wire.Signature) bool

// VerifyEd25519 is RFC 8032 by the rules of crypto/ed25519, which DHT nodes
// follow too.
func VerifyEd25519(key keys.Public, signed []byte, sig wire.Signature) bool {
	return ed25519.Verify(key[:], signed, sig[:])
}

// Sign makes a mutable item. It copies salt and value.
func Sign(key ed25519.PrivateKey, salt []byte, seq int64, value []byte) (Item, error) {
	it := Item{Mutable: true, Seq: seq, Salt: slices.Clone(salt), Value: slices.Clone(value)}
	copy(it.Key[:], key.Public().(ed25519.PublicKey))
	if err := it.fits(); err != nil {
		return Item{}, fmt.Errorf("sign an item: %w", err)
	}
	copy(it.Sig[:], ed25519.Sign(key, wire.ItemSigned(it.Salt, it.Seq, it.Value)))
	it.Target = wire.MutableTarget(it.Key, it.Salt)
	return it, nil
}

// Immutable makes an immutable item. It copies value.
func Immutable(value []byte) (Item, error) {
	it := Item{Value: slices.Clone(value)}
	if err := it.fits(); err != nil {
		return Item{}, fmt.Errorf("make an immutable item: %w", err)
	}
	it.Target = wire.ImmutableTarget(it.Value)
	return it, nil
}

// Verify checks sizes, canonical value, target and signature. Its errors wrap
// ErrItem.
func (it *Item) Verify() error { return it.VerifyWith(VerifyEd25519) }

// VerifyWith is Verify with another check of the signature.
func (it *Item) VerifyWith(verify Verify) error {
	if err := it.fits(); err != nil {
		return err
	}
	if !it.Mutable {
		if it.Target != wire.ImmutableTarget(it.Value) {
			return fmt.Errorf("%w: its value has another hash", ErrItem)
		}
		return nil
	}
	if it.Target != wire.MutableTarget(it.Key, it.Salt) {
		return fmt.Errorf("%w: its key and salt have another target", ErrItem)
	}
	if !verify(it.Key, wire.ItemSigned(it.Salt, it.Seq, it.Value), it.Sig) {
		return fmt.Errorf("%w: the signature does not verify", ErrItem)
	}
	return nil
}

// fits checks all that does not depend on hashes and signatures.
func (it *Item) fits() error {
	switch {
	case len(it.Value) > wire.ItemBytesMax:
		return fmt.Errorf("%w: the value has %d bytes, more than %d", ErrItem, len(it.Value), wire.ItemBytesMax)
	case len(it.Salt) > SaltBytesMax:
		return fmt.Errorf("%w: the salt has %d bytes, more than %d", ErrItem, len(it.Salt), SaltBytesMax)
	case it.Seq < 0 || it.Seq > wire.IntMax:
		return fmt.Errorf("%w: seq %d is not in 0 to 2^53-1", ErrItem, it.Seq)
	case !it.Mutable && (it.Salt != nil || it.Seq != 0):
		return fmt.Errorf("%w: immutable, but with a salt or seq", ErrItem)
	case !canonical(it.Value):
		return fmt.Errorf("%w: the value is not canonical bencode", ErrItem)
	}
	return nil
}

// same says whether two valid items of one target are one to a reader.
func (it *Item) same(other *Item) bool {
	return it.Seq == other.Seq && bytes.Equal(it.Value, other.Value)
}

// put is the arguments of a query that stores the item (BEP 44). Immutable
// items carry a seq too, since widespread servers refuse a put without; cas
// is never sent, since they compare it with the wrong field.
func (it *Item) put(token []byte) Message {
	m := Message{Kind: KindQuery, Method: MethodPut, Token: token, Value: it.Value, Seq: it.Seq, HasSeq: true}
	if it.Mutable {
		m.Key, m.Sig = it.Key[:], it.Sig[:]
		if len(it.Salt) > 0 {
			m.Salt = it.Salt
		}
	}
	return m
}
