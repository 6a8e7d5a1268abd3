// Package keys is who you are: one 32-byte seed, and the separate keys that
// are derived from it.
//
// # Derivation
//
// HKDF-SHA256 (RFC 5869) with the seed as input key material, no salt and a
// label as info gives one 32-byte secret per purpose, so that no key is ever
// used for two things:
//
//	weir/v1/publish  ed25519 seed (RFC 8032). Signs BEP-44 items and the
//	                 domain-separated statements of ledger/wire, nothing
//	                 else. Its public half is the identity.
//	weir/v1/log      ed25519 seed. Signs C2SP checkpoints.
//	weir/v1/seal     X25519 private key (RFC 7748). Opens and seals outboxes
//	                 and join requests.
//	weir/v1/read     followed by the digest (32) of a charter: the read key of
//	                 that database, if it is encrypted. Its manager hands it to
//	                 whoever may read.
//
// A manager's recovery key is an Identity of its own, made from another seed;
// only its Publish key is used.
//
// # Writing it down
//
// A seed has two text forms: 24 BIP-39 words (Words, FromWords) for paper, and
// "WEIR-SECRET-" with base32 and a checksum (Seed.Text, ParseSeed) for files. A
// public key is written in base32 with a checksum (Public.String,
// ParsePublic). A mistyped character is an error, never another key.
//
// Package keys/keyfile keeps a seed on a disk.
package keys
