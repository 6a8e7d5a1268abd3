package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/nacl/box"

	"weir/keys"
)

// lowKeys is the keys of low order, each with either top bit.
func lowKeys(t testing.TB) (list []keys.SealPublic) {
	for _, text := range lowOrderKeys {
		k := keys.SealPublic(must[[]byte](t)(hex.DecodeString(text)))
		list = append(list, k)
		k[31] |= 0x80
		list = append(list, k)
	}
	return list
}

// sealedBy is a sealed join request of anything by an ephemeral key, made with
// the receiver's half of the secret.
func sealedBy(ephemeral keys.SealPublic, plain []byte) []byte {
	receiver, private := manager.SealPublic(), manager.SealPrivate()
	var shared [32]byte
	box.Precompute(&shared, (*[32]byte)(&ephemeral), &private)
	h, err := blake2b.New(24, nil)
	if err != nil {
		panic(err) // cannot be: 24 is a size
	}
	h.Write(ephemeral[:])
	h.Write(receiver[:])
	b := append([]byte{Version}, ephemeral[:]...)
	return String(box.SealAfterPrecomputation(b, plain, (*[24]byte)(h.Sum(nil)), &shared))
}

// lowOrderVectors are values of a format with a key of low order for its seal
// key.
func lowOrderVectors(t testing.TB, s *sample, format string) (list []vector) {
	add := func(name string, b []byte) {
		list = append(list, vector{"name": name, "hex": hex.EncodeToString(b)})
	}
	const name = "seal key of low order"
	lows := lowKeys(t)
	low := lows[4]
	switch format {
	case "charter":
		c := sampleCharter()
		c.Seal = low
		add(name, c.bytes())
	case "succession":
		c := *s.Succession
		c.Seal = low
		add(name, c.bytes())
	case "succeed":
		c := s.Succeed
		c.Seal = low
		add(name, c.bytes())
	case "succeed effect":
		e := s.Succeed.Effect()
		e.Seal = low
		add(name, e.Encode())
	case "admit":
		for _, k := range lows {
			add(name+", "+hex.EncodeToString(append(k[:2:2], k[30:]...)), Admit{Key: bob.Public(), Seal: k, Name: "Bob"}.bytes())
		}
	case "admit effect":
		add(name, AdmitEffect{2, bob.Public(), low, "Bob", Limits{}}.Encode())
	case "rekey":
		add(name, Rekey{2, bob.Public(), low}.bytes())
	case "rekey effect":
		add(name, RekeyEffect{2, bob.Public(), low}.Encode())
	case "join request":
		r := s.Request
		r.Seal = low
		add(name, r.bytes())
	case "sealed join request":
		add("ephemeral key of low order", sealedBy(low, s.Request.bytes()))
		add("box of 47 bytes", String(append([]byte{Version}, make([]byte, box.AnonymousOverhead-1)...)))
	case "link":
		code := must[[]byte](t)(s.Code.payload())
		copy(code[32:], low[:])
		add("code with a "+name, []byte(linkText(linkCode, code)))
	}
	return list
}

func TestAKeyIsOfLowOrderWhenX25519WithItIsZero(t *testing.T) {
	check := func(k keys.SealPublic, low bool) {
		t.Helper()
		if _, err := bob.Shared(k); (err != nil) != low {
			t.Errorf("%x: agreed with %v", k, err)
		}
		if err := checkSeal(k); (err != nil) != low {
			t.Errorf("%x: %v", k, err)
		}
	}
	low := map[keys.SealPublic]bool{}
	for _, k := range lowKeys(t) {
		low[k] = true
	}
	for k := range low {
		check(k, true)
		for bit := range 256 {
			other := k
			other[bit/8] ^= 1 << (bit % 8)
			check(other, low[other])
		}
	}
	for i := range 256 { // small ones, and those that begin at 2^255-256
		small, large := keys.SealPublic{byte(i)}, keys.SealPublic(ones32())
		large[0], large[31] = byte(i), 0x7f
		check(small, low[small])
		check(large, low[large])
	}
	check(alice.SealPublic(), false)
}

func TestNoSealKeyIsOfLowOrder(t *testing.T) {
	s := makeSample(t)
	for _, d := range decoders {
		for _, v := range lowOrderVectors(t, s, d.name) {
			if _, err := d.decode(v.hex(t, "hex")); err == nil {
				t.Errorf("%s: %s: it decodes", d.name, v["name"])
			}
		}
	}
	for _, low := range lowKeys(t) {
		charter, succession, code, request := sampleCharter(), *s.Succession, s.Code, s.Request
		charter.Seal, succession.Seal, code.Seal, request.Seal = low, low, low, low
		for name, write := range map[string]func() ([]byte, error){
			"charter":      charter.Encode,
			"succession":   succession.Encode,
			"admission":    Admit{Key: bob.Public(), Seal: low, Name: "Bob"}.Args,
			"code":         code.payload,
			"join request": func() ([]byte, error) { return SealJoinRequest(request, manager.SealPublic(), [32]byte{1}) },
			"box":          func() ([]byte, error) { return SealJoinRequest(s.Request, low, [32]byte{1}) },
		} {
			if _, err := write(); err == nil {
				t.Errorf("%s with %x is written", name, low)
			}
		}
	}
}

// Everybody can compute the key of such a box. libsodium refuses it; package
// box, which this test shows, does not.
func TestABoxWhoseSecretEverybodyKnowsDoesNotOpen(t *testing.T) {
	s := makeSample(t)
	if again := sealedBy(keys.SealPublic(s.JoinValue[len("182:")+1:]), s.Request.bytes()); !bytes.Equal(again, s.JoinValue) {
		t.Fatal("the test seals otherwise than SealJoinRequest")
	}
	receiver, private := manager.SealPublic(), manager.SealPrivate()
	for _, low := range lowKeys(t) {
		value := sealedBy(low, s.Request.bytes())
		sealed := must[[]byte](t)(ParseString(value))
		if _, ok := box.OpenAnonymous(nil, sealed[1:], (*[32]byte)(&receiver), &private); !ok {
			t.Errorf("%x: the box is not what package box opens", low)
		}
		if r, err := OpenJoinRequest(value, manager); !errors.Is(err, ErrOpen) {
			t.Errorf("%x: %+v, %v", low, r, err)
		}
	}
}
