package wire

import (
	"crypto/ed25519"
	"fmt"

	"weir/keys"
)

// MemberCode, a link of type 3, is what somebody hands to a manager to be
// admitted by hand:
//
//	publish key (32) ‖ seal key (32) ‖ name length u8 ‖ name ‖ proof (64)
//
// The proof is the publish key's signature, by the standard rules, over
//
//	"weir/v1/code" NUL ‖ seal key (32) ‖ name
type MemberCode struct {
	Key   keys.Public
	Seal  keys.SealPublic
	Name  string // see CheckMemberName
	Proof Signature
}

const labelCode = "weir/v1/code"

// NewMemberCode signs name and seal key, so that nobody can hand in another's
// key.
func NewMemberCode(id *keys.Identity, name string) MemberCode {
	c := MemberCode{Key: id.Public(), Seal: id.SealPublic(), Name: name}
	c.Proof = Signature(ed25519.Sign(id.Publish, c.signed()))
	return c
}

// Verify says whether the proof is the key's.
func (c MemberCode) Verify() bool { return ed25519.Verify(c.Key[:], c.signed(), c.Proof[:]) }

func (c MemberCode) signed() []byte {
	b := append([]byte(labelCode+"\x00"), c.Seal[:]...)
	return append(b, c.Name...)
}

// Link is the text of the code.
func (c MemberCode) Link() (string, error) {
	b, err := c.payload()
	if err != nil {
		return "", fmt.Errorf("write a member's code: %w", err)
	}
	return linkText(linkCode, b), nil
}

func (c MemberCode) payload() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 32+32+1+len(c.Name)+64)
	b = append(b, c.Key[:]...)
	b = append(b, c.Seal[:]...)
	b = append(b, byte(len(c.Name)))
	b = append(b, c.Name...)
	return append(b, c.Proof[:]...), nil
}

func (c MemberCode) check() error {
	return Admit{Key: c.Key, Seal: c.Seal, Name: c.Name}.check()
}

func (c *cursor) memberCode() (m MemberCode) {
	c.fixed(m.Key[:])
	c.fixed(m.Seal[:])
	m.Name = string(c.take(c.u8()))
	c.fixed(m.Proof[:])
	if c.err == nil {
		c.err = m.check()
	}
	return m
}
