package wire

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"golang.org/x/crypto/nacl/box"

	"weir/keys"
)

// JoinRequest is what somebody with an invitation asks of the manager. It
// lies in a mutable BEP-44 item under InviteKey with the database's id as
// salt, whose value is one bencoded byte string:
//
//	<length>: version (1) ‖ NaCl sealed box, to the manager's seal key, of
//	          version (1) ‖ publish key (32) ‖ seal key (32) ‖ proof (64) ‖
//	          name length u8 ‖ name
//
// The proof is the publish key's signature, by the standard rules, over
//
//	"weir/v1/join" NUL ‖ digest (32) ‖ invite public key (32) ‖
//	seal key (32) ‖ name
//
// A sealed box is crypto_box_seal of libsodium: ephemeral key (32), not of low
// order ‖ crypto_box under the nonce BLAKE2b-24(ephemeral key ‖ receiver's key).
type JoinRequest struct {
	Key   keys.Public
	Seal  keys.SealPublic
	Name  string // see CheckMemberName
	Proof Signature
}

const (
	labelInvite  = "weir/v1/invite"
	labelJoin    = "weir/v1/join"
	joinBytesMax = 1 + 32 + 32 + 64 + 1 + MemberNameBytesMax
)

// InviteKey is the BEP-44 key under which requests of an invitation are put,
// salt = id. Its seed is HKDF-SHA256(secret, no salt,
// "weir/v1/invite" ‖ digest (32)).
func InviteKey(secret [16]byte, d Digest) ed25519.PrivateKey {
	seed := deriveKey(secret[:], labelInvite, d[:])
	return ed25519.NewKeyFromSeed(seed[:])
}

// NewJoinRequest signs a request; invite is the public half of InviteKey.
func NewJoinRequest(id *keys.Identity, name string, d Digest, invite keys.Public) JoinRequest {
	r := JoinRequest{Key: id.Public(), Seal: id.SealPublic(), Name: name}
	r.Proof = Signature(ed25519.Sign(id.Publish, r.signed(d, invite)))
	return r
}

// Verify says whether the proof is the key's, for this database and
// invitation.
func (r JoinRequest) Verify(d Digest, invite keys.Public) bool {
	return ed25519.Verify(r.Key[:], r.signed(d, invite), r.Proof[:])
}

func (r JoinRequest) signed(d Digest, invite keys.Public) []byte {
	b := append([]byte(labelJoin+"\x00"), d[:]...)
	b = append(b, invite[:]...)
	b = append(b, r.Seal[:]...)
	return append(b, r.Name...)
}

// SealJoinRequest gives the bencoded value; random is 32 bytes of ephemeral
// key material, used once.
func SealJoinRequest(r JoinRequest, manager keys.SealPublic, random [32]byte) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("seal a join request: %w", err)
	}
	if err := checkSeal(manager); err != nil {
		return nil, fmt.Errorf("seal a join request to the manager: %w", err)
	}
	sealed, err := box.SealAnonymous([]byte{Version}, r.bytes(), (*[32]byte)(&manager), bytes.NewReader(random[:]))
	if err != nil {
		return nil, fmt.Errorf("seal a join request: %w", err)
	}
	return String(sealed), nil
}

// OpenJoinRequest opens a value; ErrOpen when it is not sealed to this
// manager. The proof is for the caller to check: Verify.
func OpenJoinRequest(value []byte, manager *keys.Identity) (JoinRequest, error) {
	r, err := openJoinRequest(value, manager)
	if err != nil {
		return JoinRequest{}, fmt.Errorf("open a join request: %w", err)
	}
	return r, nil
}

func openJoinRequest(value []byte, manager *keys.Identity) (r JoinRequest, err error) {
	b, err := ParseString(value)
	if err != nil {
		return r, err
	}
	c := cursor{b: b}
	c.version()
	if c.err != nil {
		return r, c.err
	}
	if most := joinBytesMax + box.AnonymousOverhead; len(c.b) > most {
		return r, fmt.Errorf("a box of %d bytes where %d are allowed", len(c.b), most)
	}
	public, private := manager.SealPublic(), manager.SealPrivate()
	plain, ok := box.OpenAnonymous(nil, c.b, (*[32]byte)(&public), &private)
	// Under an ephemeral key of low order the X25519 result is zero and the
	// box's key known to everybody. libsodium does not open such a box;
	// package box does.
	if !ok || lowOrder(keys.SealPublic(c.b[:32])) {
		return r, ErrOpen
	}
	return parseJoinRequest(plain)
}

func (r JoinRequest) bytes() []byte {
	b := make([]byte, 0, joinBytesMax)
	b = append(b, Version)
	b = append(b, r.Key[:]...)
	b = append(b, r.Seal[:]...)
	b = append(b, r.Proof[:]...)
	b = append(b, byte(len(r.Name)))
	return append(b, r.Name...)
}

func parseJoinRequest(b []byte) (r JoinRequest, err error) {
	c := cursor{b: b}
	c.version()
	c.fixed(r.Key[:])
	c.fixed(r.Seal[:])
	c.fixed(r.Proof[:])
	r.Name = string(c.take(c.u8()))
	if err := c.end(); err != nil {
		return r, err
	}
	return r, r.check()
}

func (r JoinRequest) check() error {
	return Admit{Key: r.Key, Seal: r.Seal, Name: r.Name}.check()
}
