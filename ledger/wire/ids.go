package wire

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
)

// ID names a database: the BEP-44 target of its charter, SHA-1 of the
// charter's bytes.
type ID [20]byte

// Digest is SHA-256 of the charter's bytes. Everything signed binds it, since
// SHA-1 can be made to collide.
type Digest [32]byte

// DigestPrefix is the part of a digest that links carry.
type DigestPrefix [16]byte

// Target is the BEP-44 target of an item.
type Target [20]byte

// Hash is a SHA-256 hash: of a chain of changes, a body, a Merkle tree.
type Hash [32]byte

// Signature is an ed25519 signature (RFC 8032).
type Signature [64]byte

// CharterID names the database that a charter founds: its BEP-44 target.
func CharterID(charter []byte) ID { return sha1.Sum(charter) }

// CharterDigest is the charter's SHA-256, which everything signed binds.
func CharterDigest(charter []byte) Digest { return sha256.Sum256(charter) }

// Prefix is what links carry of the digest.
func (d Digest) Prefix() DigestPrefix { return DigestPrefix(d[:16]) }

func (id ID) String() string    { return hex.EncodeToString(id[:]) }
func (d Digest) String() string { return hex.EncodeToString(d[:]) }
func (t Target) String() string { return hex.EncodeToString(t[:]) }
func (h Hash) String() string   { return hex.EncodeToString(h[:]) }

// Salt is the BEP-44 salt of the database's heads and public outboxes.
func (id ID) Salt() []byte { return id[:] }
