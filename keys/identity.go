package keys

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

// Labels of the HKDF derivations. They are part of the format: a change of
// one is another identity.
const (
	labelPublish = "weir/v1/publish"
	labelLog     = "weir/v1/log"
	labelSeal    = "weir/v1/seal"
	labelRead    = "weir/v1/read"
)

// Sizes in bytes.
const (
	SeedBytes   = 32
	PublicBytes = 32
)

// Seed is the secret that one identity is made of.
type Seed [SeedBytes]byte

// Public is the public half of a publish key: an identity as others know it.
type Public [PublicBytes]byte

// SealPublic is the X25519 public key to which an identity's mail is sealed.
type SealPublic [PublicBytes]byte

// LogPublic is the ed25519 public key under which checkpoints verify.
type LogPublic [PublicBytes]byte

// ReadKey opens and seals the entries of an encrypted database. Everybody who
// may read it has the same one; it is secret to all others.
type ReadKey [32]byte

// Identity is every key that one seed gives. It is secret.
type Identity struct {
	Publish ed25519.PrivateKey // signs BEP-44 items and changes
	Log     ed25519.PrivateKey // signs checkpoints
	seal    *ecdh.PrivateKey
	seed    Seed // for the keys that one database has
}

// NewSeed reads 32 bytes from random, which must be a cryptographic source.
func NewSeed(random io.Reader) (Seed, error) {
	var s Seed
	if _, err := io.ReadFull(random, s[:]); err != nil {
		return Seed{}, fmt.Errorf("make a seed: %w", err)
	}
	return s, nil
}

// Derive gives the keys of a seed. The same seed gives the same keys for ever.
func Derive(s Seed) *Identity {
	seal, err := ecdh.X25519().NewPrivateKey(derive(s, labelSeal))
	if err != nil {
		panic("keys: X25519 refused a 32-byte key") // cannot be: any 32 bytes are a key
	}
	return &Identity{
		Publish: ed25519.NewKeyFromSeed(derive(s, labelPublish)),
		Log:     ed25519.NewKeyFromSeed(derive(s, labelLog)),
		seal:    seal,
		seed:    s,
	}
}

func derive(s Seed, label string) []byte {
	k, err := hkdf.Key(sha256.New, s[:], nil, label, 32)
	if err != nil {
		panic("keys: HKDF refused 32 bytes") // cannot be: the limit is 255 hashes
	}
	return k
}

// Public is the identity's name to the world: its publish key's public half.
func (id *Identity) Public() Public { return Public(id.Publish.Public().(ed25519.PublicKey)) }

// LogPublic is the public half of the log key.
func (id *Identity) LogPublic() LogPublic { return LogPublic(id.Log.Public().(ed25519.PublicKey)) }

// SealPublic is the public half of the seal key.
func (id *Identity) SealPublic() SealPublic {
	return SealPublic(id.seal.PublicKey().Bytes())
}

// SealPrivate is the X25519 private key, for NaCl boxes that are sealed to
// this identity.
func (id *Identity) SealPrivate() [32]byte { return [32]byte(id.seal.Bytes()) }

// Shared is the X25519 secret of this identity and another (RFC 7748 section
// 6.1). It is an error when the other key is of low order, which would make
// the secret known to everybody.
func (id *Identity) Shared(other SealPublic) ([32]byte, error) {
	pub, err := ecdh.X25519().NewPublicKey(other[:])
	if err != nil {
		return [32]byte{}, fmt.Errorf("agree on a key: %w", err)
	}
	secret, err := id.seal.ECDH(pub)
	if err != nil {
		return [32]byte{}, fmt.Errorf("agree on a key: %w", err)
	}
	return [32]byte(secret), nil
}

// ReadKey is the read key of the encrypted database with this charter digest,
// if the identity is its manager's:
//
//	HKDF-SHA256(seed, no salt, "weir/v1/read" ‖ digest (32))
//
// so that whoever has the 24 words has it too.
func (id *Identity) ReadKey(digest [32]byte) ReadKey {
	return ReadKey(derive(id.seed, labelRead+string(digest[:])))
}
