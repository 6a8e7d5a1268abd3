package wire

import (
	"encoding/hex"
	"testing"

	"weir/internal/sign"
	"weir/keys"
)

// smallKeys is the keys of small order, each with either sign.
func smallKeys(t testing.TB) (list []keys.Public) {
	for _, text := range smallOrderKeys {
		k := keys.Public(must[[]byte](t)(hex.DecodeString(text)))
		list = append(list, k)
		k[31] |= 0x80
		list = append(list, k)
	}
	return list
}

// anybodys is a signature that needs no private key: R is the neutral element,
// and S is zero.
var anybodys = Signature{1}

func TestAnybodySignsUnderAKeyOfSmallOrderAndUnderNoOther(t *testing.T) {
	forged := func(k keys.Public) bool {
		return sign.ZIP215{}.Verify([]sign.Item{{Key: k, Message: []byte("any"), Sig: anybodys}})[0]
	}
	small := map[keys.Public]bool{}
	for _, k := range smallKeys(t) {
		small[k] = true
		if !forged(k) {
			t.Errorf("%x: nobody signs under it", k)
		}
	}
	for k := range small {
		for bit := range 256 {
			other := k
			other[bit/8] ^= 1 << (bit % 8)
			if got := forged(other); got != small[other] || got != smallOrder(other) {
				t.Errorf("%x: forged %v, of small order %v", other, got, smallOrder(other))
			}
		}
	}
	for i := range 256 { // small ones, and those that begin at 2^255-256
		low, high := keys.Public{byte(i)}, keys.Public(ones32())
		high[0], high[31] = byte(i), 0x7f
		for _, k := range []keys.Public{low, high} {
			if got := forged(k); got != smallOrder(k) {
				t.Errorf("%x: forged %v, of small order %v", k, got, smallOrder(k))
			}
		}
	}
	if forged(alice.Public()) || smallOrder(alice.Public()) {
		t.Error("alice's key is taken for one of small order")
	}
}

func TestNoKeyThatSignsIsOfSmallOrder(t *testing.T) {
	s := makeSample(t)
	for _, k := range smallKeys(t) {
		for name, err := range map[string]error{
			"admit":    second(ParseAdmit(Admit{Key: k, Seal: bob.SealPublic(), Name: "Bob"}.bytes())),
			"rekey":    second(ParseRekey(Rekey{2, k, bob.SealPublic()}.bytes())),
			"manager":  second(ParseCharter(changed(sampleCharter(), func(c *Charter) { c.Manager = k }).bytes())),
			"log":      second(ParseCharter(changed(sampleCharter(), func(c *Charter) { c.Log = keys.LogPublic(k) }).bytes())),
			"recovery": second(ParseCharter(changed(sampleCharter(), func(c *Charter) { c.Recovery = k }).bytes())),
			"successor of the log": second(ParseSucceedEffect(func() []byte {
				e := s.Succeed.Effect()
				e.Manager = k
				return e.Encode()
			}())),
			"successor": second(ParseSuccession(changed(s.Succession, func(x *Succession) { x.Manager = k }).bytes())),
		} {
			if err == nil {
				t.Errorf("%s %x: it decodes", name, k)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func changed[T any](v *T, change func(*T)) *T {
	other := *v
	change(&other)
	return &other
}
