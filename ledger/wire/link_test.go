package wire

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"weir/keys"
)

func TestALinkSaysWhatIsWrongWithIt(t *testing.T) {
	s := makeSample(t)
	link := must[string](t)(s.Invitation.Link())
	for _, same := range []string{strings.ToLower(link), "  " + link + "\n", link[:40] + "\n " + link[40:]} {
		if l, err := ParseLink(same); err != nil || l.(Invitation).Secret != s.Invitation.Secret {
			t.Errorf("%q: %v", same, err)
		}
	}
	for _, other := range []string{"", "hello", "magnet:?xt=urn:btih:00", strings.TrimPrefix(link, "WEIR:"), "WEIR:" + strings.Repeat("A", 300), strings.Repeat(" ", 1e6)} {
		if _, err := ParseLink(other); !errors.Is(err, ErrNotLink) {
			t.Errorf("%.40q: %v", other, err)
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	for i := len("WEIR:"); i < len(link); i++ {
		for _, c := range []byte(alphabet + "0189!") {
			if c == link[i] {
				continue
			}
			if _, err := ParseLink(link[:i] + string(c) + link[i+1:]); !errors.Is(err, ErrMistyped) {
				t.Fatalf("%q at %d: %v", c, i, err)
			}
		}
		if _, err := ParseLink(link[:i]); !errors.Is(err, ErrMistyped) {
			t.Fatalf("cut off at %d: %v", i, err)
		}
	}
	payload := must[[]byte](t)(s.Link.append(nil))
	flagged := bytes.Clone(payload)
	for _, flags := range []byte{2, 3, 0x80, 0xff} {
		flagged[36] = flags
		if _, err := ParseLink(linkText(linkDatabase, flagged)); !errors.Is(err, ErrNewer) {
			t.Errorf("flags %x: %v", flags, err)
		}
	}
	for _, kind := range []byte{5, 6, 255} {
		if _, err := ParseLink(linkText(kind, payload)); !errors.Is(err, ErrNewer) {
			t.Errorf("type %d: %v", kind, err)
		}
	}
}

func TestALinkIsRefusedWhenItsPayloadIsMalformed(t *testing.T) {
	s := makeSample(t)
	head := append(append(bytes.Clone(s.ID[:]), make([]byte, 16)...), 0)
	code := must[[]byte](t)(s.Code.payload())
	flagged := func(head []byte) []byte { return append(bytes.Clone(head[:len(head)-1]), flagReadKey) }
	for name, text := range map[string]string{
		"type 0":               linkText(0, nil),
		"nothing":              linkText(linkDatabase, nil),
		"cut off":              linkText(linkDatabase, head),
		"no read key":          linkText(linkDatabase, append(flagged(head), 0)),
		"read key of zeros":    linkText(linkDatabase, append(flagged(head), make([]byte, 33)...)),
		"short read key":       linkText(linkDatabase, append(flagged(head), append([]byte{0}, bytes.Repeat([]byte{1}, 31)...)...)),
		"read key, no address": linkText(linkDatabase, append(flagged(head), append([]byte{1}, bytes.Repeat([]byte{1}, 32)...)...)),
		"answer without key":   linkText(linkAnswer, append(append(flagged(head), 0), 0, 0, 0, 0, 0, 0, 0, 1)),
		"more at the end":      linkText(linkDatabase, append(bytes.Clone(head), 0, 0)),
		"five addresses":       linkText(linkDatabase, append(append(bytes.Clone(head), 5), bytes.Repeat([]byte{4, 1, 2, 3, 4, 0, 1}, 5)...)),
		"address of 5 bytes":   linkText(linkDatabase, append(bytes.Clone(head), 1, 5, 1, 2, 3, 4, 5, 0, 1)),
		"address of 0 bytes":   linkText(linkDatabase, append(bytes.Clone(head), 1, 0, 0, 1)),
		"port 0":               linkText(linkDatabase, append(bytes.Clone(head), 1, 4, 1, 2, 3, 4, 0, 0)),
		"address 0.0.0.0":      linkText(linkDatabase, append(bytes.Clone(head), 1, 4, 0, 0, 0, 0, 0, 1)),
		"IPv4 in 16 bytes":     linkText(linkDatabase, append(append(append(bytes.Clone(head), 1, 16), make([]byte, 10)...), 0xff, 0xff, 1, 2, 3, 4, 0, 1)),
		"endless invitation":   linkText(linkInvitation, append(append(bytes.Clone(head), 0), make([]byte, 20)...)),
		"answer of account 0":  linkText(linkAnswer, append(append(bytes.Clone(head), 0), make([]byte, 8)...)),
		"answer of 2^53":       linkText(linkAnswer, append(append(bytes.Clone(head), 0), 0, 0x20, 0, 0, 0, 0, 0, 0)),
		"code cut off":         linkText(linkCode, code[:len(code)-1]),
		"code without a name":  linkText(linkCode, append(append(bytes.Clone(code[:64]), 0), code[68:]...)),
		"code with a zero key": linkText(linkCode, append(make([]byte, 32), code[32:]...)),
	} {
		if _, err := ParseLink(text); err == nil || errors.Is(err, ErrMistyped) || errors.Is(err, ErrNotLink) || errors.Is(err, ErrNewer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALinkIsNotWrittenWithWhatNobodyCouldRead(t *testing.T) {
	s := makeSample(t)
	at := func(addrs ...string) DatabaseLink {
		l := DatabaseLink{}
		for _, a := range addrs {
			l.Bootstrap = append(l.Bootstrap, netip.MustParseAddrPort(a))
		}
		return l
	}
	for name, l := range map[string]linker{
		"five addresses":  at("1.2.3.4:1", "1.2.3.4:1", "1.2.3.4:1", "1.2.3.4:1", "1.2.3.4:1"),
		"zone":            at("[fe80::1%eth0]:1"),
		"port 0":          at("1.2.3.4:0"),
		"mapped":          at("[::ffff:1.2.3.4]:1"),
		"no address":      DatabaseLink{Bootstrap: make([]netip.AddrPort, 1)},
		"read key of 0":   DatabaseLink{ReadKey: new(keys.ReadKey)},
		"never expires":   Invitation{},
		"expires in 2200": Invitation{Expires: time.Unix(1<<33, 0)},
		"part of seconds": Invitation{Expires: time.Unix(1, 1)},
		"account 0":       Answer{},
		"no name":         MemberCode{Key: s.Code.Key, Seal: s.Code.Seal},
	} {
		if text, err := l.Link(); err == nil {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestAProofIsGoodForOneKeyNameAndDatabase(t *testing.T) {
	s := makeSample(t)
	if !s.Code.Verify() {
		t.Fatal("the code does not verify")
	}
	for name, spoil := range map[string]func(c *MemberCode){
		"key":  func(c *MemberCode) { c.Key = alice.Public() },
		"seal": func(c *MemberCode) { c.Seal = alice.SealPublic() },
		"name": func(c *MemberCode) { c.Name = "Rob" },
	} {
		c := s.Code
		spoil(&c)
		if c.Verify() {
			t.Errorf("another %s verifies", name)
		}
	}
	invite := keys.Public(s.Invite.Public().(ed25519.PublicKey))
	if !s.Request.Verify(s.Digest, invite) {
		t.Fatal("the request does not verify")
	}
	if s.Request.Verify(Digest{}, invite) || s.Request.Verify(s.Digest, keys.Public{}) {
		t.Error("a request verifies for another database or invitation")
	}
	mixed := s.Request
	mixed.Proof = s.Code.Proof
	if mixed.Verify(s.Digest, invite) {
		t.Error("a code's proof passes for a request's")
	}
}

func TestAJoinRequestOpensForItsManagerOnly(t *testing.T) {
	s := makeSample(t)
	if _, err := OpenJoinRequest(s.JoinValue, alice); !errors.Is(err, ErrOpen) {
		t.Errorf("%v", err)
	}
	for i := range s.JoinValue {
		b := bytes.Clone(s.JoinValue)
		b[i] ^= 1
		if _, err := OpenJoinRequest(b, manager); err == nil {
			t.Fatalf("with another byte %d it opens", i)
		}
		if _, err := OpenJoinRequest(s.JoinValue[:i], manager); err == nil {
			t.Fatalf("%d bytes of it open", i)
		}
	}
	for name, r := range map[string]JoinRequest{"nothing": {}, "no name": {Key: s.Request.Key, Seal: s.Request.Seal}} {
		if _, err := SealJoinRequest(r, manager.SealPublic(), [32]byte{1}); err == nil {
			t.Errorf("%s: it is sealed", name)
		}
	}
}
