package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"weir/keys"
)

// Links are what people hand to each other, as text or as a QR code:
//
//	WEIR: base32 without padding (RFC 4648, upper case) of
//	      type u8 ‖ payload ‖ checksum (4)
//
// The checksum is the first bytes of SHA-256("weir/v1/link" NUL type payload).
// Upper case keeps QR codes in their small alphanumeric mode.
const (
	linkPrefix   = "WEIR:"
	linkLabel    = "weir/v1/link"
	linkSumBytes = 4
)

// The types of links.
const (
	linkDatabase   = 1
	linkInvitation = 2
	linkCode       = 3
	linkAnswer     = 4
	// 5 is reserved: a payment request.
)

// flagReadKey is the one flag so far: a read key follows the addresses.
const flagReadKey = 1

// DatabaseLink, type 1, names a database and where to look for it:
//
//	id (20) ‖ digest prefix (16) ‖ flags u8 ‖ count u8 ‖
//	count x ( address length u8, 4 or 16 ‖ address ‖ port u16 ) ‖
//	read key (32), when flags bit 0 is set
//
// Whoever has a link with a read key can read the database. Whether there has
// to be one its charter says.
type DatabaseLink struct {
	ID        ID
	Digest    DigestPrefix
	Bootstrap []netip.AddrPort // at most 4
	ReadKey   *keys.ReadKey    // of an encrypted database; nil: none
}

// Invitation, type 2, lets its holder join:
//
//	database ‖ secret (16) ‖ expires u32, Unix seconds
type Invitation struct {
	DatabaseLink
	Secret  [16]byte
	Expires time.Time // whole seconds
}

// Answer, type 4, tells a member who was admitted by hand:
//
//	database ‖ account u64
type Answer struct {
	DatabaseLink
	Account uint64
}

// Link is the text of the link. It is secret when it has a read key.
func (l DatabaseLink) Link() (string, error) {
	b, err := l.append(nil)
	if err != nil {
		return "", fmt.Errorf("write a link: %w", err)
	}
	return linkText(linkDatabase, b), nil
}

// Link is the text of the invitation. It is secret until it is used.
func (l Invitation) Link() (string, error) {
	b, err := l.DatabaseLink.append(nil)
	if err != nil {
		return "", fmt.Errorf("write an invitation: %w", err)
	}
	expires := l.Expires.Unix()
	if expires < 1 || expires > 1<<32-1 || l.Expires.Nanosecond() != 0 {
		return "", fmt.Errorf("write an invitation: it cannot expire at %v", l.Expires)
	}
	b = append(b, l.Secret[:]...)
	return linkText(linkInvitation, appendU32(b, uint32(expires))), nil
}

// Link is the text of the answer. It is secret when it has a read key.
func (l Answer) Link() (string, error) {
	b, err := l.DatabaseLink.append(nil)
	if err != nil {
		return "", fmt.Errorf("write an answer: %w", err)
	}
	if l.Account == 0 || l.Account > IntMax {
		return "", fmt.Errorf("write an answer: %d is no member's account", l.Account)
	}
	return linkText(linkAnswer, appendU64(b, l.Account)), nil
}

var linkBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

func linkText(kind byte, payload []byte) string {
	b := append([]byte{kind}, payload...)
	sum := linkChecksum(b)
	return linkPrefix + linkBase32.EncodeToString(append(b, sum[:]...))
}

func linkChecksum(b []byte) [linkSumBytes]byte {
	h := sha256.Sum256(append([]byte(linkLabel+"\x00"), b...))
	return [linkSumBytes]byte(h[:])
}

// ParseLink reads a link and gives a DatabaseLink, Invitation, MemberCode or
// Answer. Case and white space, which mail and paper add, do not matter. The
// error is ErrNotLink, ErrMistyped or ErrNewer, or says what is wrong with a
// whole link.
func ParseLink(text string) (any, error) {
	l, err := parseLink(text)
	if err != nil {
		return nil, fmt.Errorf("read a link: %w", err)
	}
	return l, nil
}

func parseLink(text string) (any, error) {
	if len(text) > 4*LinkCharsMax {
		return nil, fmt.Errorf("%w: %d characters", ErrNotLink, len(text))
	}
	text = strings.ToUpper(strings.Join(strings.Fields(text), ""))
	coded, ok := strings.CutPrefix(text, linkPrefix)
	if !ok {
		return nil, fmt.Errorf("%w: one begins with %s", ErrNotLink, linkPrefix)
	}
	if len(text) > LinkCharsMax {
		return nil, fmt.Errorf("%w: %d characters", ErrNotLink, len(text))
	}
	b, err := linkBase32.DecodeString(coded)
	if err != nil || linkBase32.EncodeToString(b) != coded || len(b) < 1+linkSumBytes {
		return nil, ErrMistyped
	}
	b, sum := b[:len(b)-linkSumBytes], b[len(b)-linkSumBytes:]
	if want := linkChecksum(b); !bytes.Equal(sum, want[:]) {
		return nil, ErrMistyped
	}
	return parsePayload(b[0], b[1:])
}

func parsePayload(kind byte, payload []byte) (any, error) {
	c := cursor{b: payload}
	var l any
	switch kind {
	case linkDatabase:
		l = c.database()
	case linkInvitation:
		in := Invitation{DatabaseLink: c.database()}
		c.fixed(in.Secret[:])
		expires := c.u32()
		if c.err == nil && expires == 0 {
			c.fail("an invitation without an end")
		}
		in.Expires = time.Unix(int64(expires), 0).UTC()
		l = in
	case linkCode:
		l = c.memberCode()
	case linkAnswer:
		a := Answer{DatabaseLink: c.database(), Account: c.u64()}
		if c.err == nil && a.Account == 0 {
			c.fail("account 0 is the manager")
		}
		l = a
	case 0:
		c.fail("type 0")
	default:
		c.fail("type %d: %w", kind, ErrNewer)
	}
	if err := c.end(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l DatabaseLink) append(b []byte) ([]byte, error) {
	if len(l.Bootstrap) > BootstrapMax {
		return nil, fmt.Errorf("%d addresses where %d are allowed", len(l.Bootstrap), BootstrapMax)
	}
	flags := byte(0)
	if l.ReadKey != nil {
		flags |= flagReadKey
	}
	b = append(b, l.ID[:]...)
	b = append(b, l.Digest[:]...)
	b = append(b, flags, byte(len(l.Bootstrap)))
	for _, a := range l.Bootstrap {
		if err := checkAddr(a); err != nil {
			return nil, err
		}
		ip := a.Addr().AsSlice()
		b = append(b, byte(len(ip)))
		b = append(b, ip...)
		b = appendU16(b, int(a.Port()))
	}
	if l.ReadKey == nil {
		return b, nil
	}
	if err := checkReadKey(*l.ReadKey); err != nil {
		return nil, err
	}
	return append(b, l.ReadKey[:]...), nil
}

func (c *cursor) database() (l DatabaseLink) {
	c.fixed(l.ID[:])
	c.fixed(l.Digest[:])
	flags := c.u8()
	if flags&^flagReadKey != 0 {
		c.fail("flags %#x: %w", flags, ErrNewer)
	}
	count := c.u8()
	if count > BootstrapMax {
		c.fail("%d addresses where %d are allowed", count, BootstrapMax)
	}
	for i := 0; i < count && c.err == nil; i++ {
		size := c.u8()
		if c.err == nil && size != 4 && size != 16 {
			c.fail("an address of %d bytes", size)
		}
		ip, _ := netip.AddrFromSlice(c.take(size))
		a := netip.AddrPortFrom(ip, uint16(c.u16()))
		if c.err == nil {
			c.err = checkAddr(a)
		}
		l.Bootstrap = append(l.Bootstrap, a)
	}
	if flags&flagReadKey != 0 {
		l.ReadKey = new(keys.ReadKey)
		c.fixed(l.ReadKey[:])
		if c.err == nil {
			c.err = checkReadKey(*l.ReadKey)
		}
	}
	return l
}

// checkReadKey refuses the zero key, which is what a forgotten field looks
// like.
func checkReadKey(k keys.ReadKey) error {
	if k == (keys.ReadKey{}) {
		return errors.New("the read key is zero")
	}
	return nil
}

func checkAddr(a netip.AddrPort) error {
	ip := a.Addr()
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || a.Port() == 0:
		return fmt.Errorf("nobody is reached at %v", a)
	case ip.Is4In6():
		return fmt.Errorf("%v is an IPv4 address in 16 bytes", a)
	case ip.Zone() != "":
		return errors.New("an address with a zone is of use on one machine only")
	}
	return nil
}
