package sign

import (
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// verifiers are all ways to check, which must agree. The cache of one has room
// for fewer keys than any test uses.
func verifiers() map[string]Verifier {
	return map[string]Verifier{
		"zip215":       ZIP215{},
		"cached":       NewCached(64),
		"small cached": NewCached(1),
	}
}

func key(i int) ed25519.PrivateKey {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(i)+1)
	return ed25519.NewKeyFromSeed(seed[:])
}

func signed(i int, message string) Item {
	k := key(i)
	return Item{
		Key:     [32]byte(k.Public().(ed25519.PublicKey)),
		Message: []byte(message),
		Sig:     [64]byte(ed25519.Sign(k, []byte(message))),
	}
}

func items(n int) []Item {
	list := make([]Item, n)
	for i := range list {
		list[i] = signed(i%7, string(rune('a'+i%26)))
	}
	return list
}

func TestNothingToCheckGivesNothing(t *testing.T) {
	for name, v := range verifiers() {
		if got := v.Verify(nil); len(got) != 0 {
			t.Errorf("%s: %v of no items", name, got)
		}
	}
}

func TestGoodSignaturesAreValidInEverySize(t *testing.T) {
	for name, v := range verifiers() {
		for n := range 3 * batchMin {
			if got := v.Verify(items(n)); len(got) != n || slices.Contains(got, false) {
				t.Errorf("%s: %d good items: %v", name, n, got)
			}
		}
	}
}

func TestABadSignatureIsFoundWhereverItStands(t *testing.T) {
	spoil := map[string]func(*Item){
		"another message":        func(it *Item) { it.Message = []byte("another") },
		"another key":            func(it *Item) { it.Key = signed(99, "").Key },
		"another R":              func(it *Item) { it.Sig[0] ^= 1 },
		"another S":              func(it *Item) { it.Sig[32] ^= 1 },
		"S that is too large":    func(it *Item) { it.Sig[63] |= 0xe0 },
		"a key that is no point": func(it *Item) { it.Key = [32]byte{2} },
	}
	for name, v := range verifiers() {
		for what, do := range spoil {
			for _, n := range []int{1, batchMin - 1, batchMin, 20} {
				for at := range n {
					list := items(n)
					do(&list[at])
					for i, ok := range v.Verify(list) {
						if ok != (i != at) {
							t.Fatalf("%s: %s at %d of %d: item %d is %v", name, what, at, n, i, ok)
						}
					}
				}
			}
		}
	}
}

// smallOrder is every encoding of a point of small order, the last six not
// canonical (ZIP-215's test vectors are all pairs of them as A and R, S = 0).
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

func zip215Vectors(t *testing.T) []Item {
	t.Helper()
	var list []Item
	for _, a := range smallOrder {
		for _, r := range smallOrder {
			it := Item{Message: []byte("Zcash")}
			unhex(t, it.Key[:], a)
			unhex(t, it.Sig[:32], r)
			list = append(list, it)
		}
	}
	return list
}

func unhex(t *testing.T, to []byte, text string) {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil || copy(to, b) != len(b) {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestZIP215VectorsAreValidAloneAndInABatch(t *testing.T) {
	list := zip215Vectors(t)
	if len(list) != 196 {
		t.Fatalf("%d vectors", len(list))
	}
	for name, v := range verifiers() {
		if slices.Contains(v.Verify(list), false) {
			t.Errorf("%s: a vector is refused in the batch of all", name)
		}
		for i := range list {
			if !v.Verify(list[i : i+1])[0] {
				t.Errorf("%s: vector %d is refused alone", name, i)
			}
		}
	}
}

func TestStandardRulesRefuseSomeVectorsWhichIsWhyChangesDoNotUseThem(t *testing.T) {
	differs := 0
	for _, it := range zip215Vectors(t) {
		if !ed25519.Verify(it.Key[:], it.Message, it.Sig[:]) {
			differs++
		}
	}
	if differs == 0 {
		t.Error("crypto/ed25519 takes every vector: it has become cofactored")
	}
}

// A member can make a signature that one rule takes and the other refuses:
// R with a component of small order. It must be one verdict for all readers.
func TestASignatureWithATorsionComponentIsValidAloneAndInABatchThoughNotToTheStandardLibrary(t *testing.T) {
	it := torsionSigned(t, key(1), []byte("pay 5"))
	if ed25519.Verify(it.Key[:], it.Message, it.Sig[:]) {
		t.Fatal("crypto/ed25519 takes it: the signature is not what this test wants")
	}
	bad := it
	bad.Message = []byte("pay 6")
	for name, v := range verifiers() {
		if !v.Verify([]Item{it})[0] {
			t.Errorf("%s: refused alone", name)
		}
		if got := v.Verify(append(items(10), it)); slices.Contains(got, false) {
			t.Errorf("%s: refused in a batch: %v", name, got)
		}
		got := v.Verify(append(items(10), it, bad))
		if !got[10] || got[11] {
			t.Errorf("%s: beside a bad one: %v", name, got[10:])
		}
	}
}

// torsionSigned signs like RFC 8032 section 5.1.6, but with R = rB + T, T of
// order 8.
func torsionSigned(t *testing.T, k ed25519.PrivateKey, message []byte) Item {
	t.Helper()
	h := sha512.Sum512(k.Seed())
	h[0] &= 248
	h[31] = h[31]&127 | 64
	secret, err := scalar.NewFromBits(h[:32])
	if err != nil {
		t.Fatal(err)
	}
	r := scalar.NewFromUint64(7)
	point := curve.NewEdwardsPoint().MulBasepoint(curve.ED25519_BASEPOINT_TABLE, r)
	point.Add(point, curve.EIGHT_TORSION[1])
	encoded := curve.NewCompressedEdwardsY().SetEdwardsPoint(point)

	it := Item{Key: [32]byte(k.Public().(ed25519.PublicKey)), Message: message}
	copy(it.Sig[:32], encoded[:])
	c := sha512.Sum512(slices.Concat(it.Sig[:32], it.Key[:], message))
	s, err := scalar.NewFromBytesModOrderWide(c[:])
	if err != nil {
		t.Fatal(err)
	}
	s.Add(s.Mul(s, secret), r)
	if err := s.ToBytes(it.Sig[32:]); err != nil {
		t.Fatal(err)
	}
	return it
}

func FuzzSingleAndBatchAgree(f *testing.F) {
	for _, a := range smallOrder[:3] {
		it := Item{Message: []byte("Zcash")}
		if b, err := hex.DecodeString(a); err == nil {
			copy(it.Key[:], b)
		}
		f.Add(it.Key[:], it.Message, it.Sig[:])
	}
	good := signed(1, "a message")
	f.Add(good.Key[:], good.Message, good.Sig[:])
	good.Sig[3] ^= 8
	f.Add(good.Key[:], good.Message, good.Sig[:])

	others := items(batchMin)
	cached := NewCached(4)
	f.Fuzz(func(t *testing.T, key, message, sig []byte) {
		it := Item{Message: message}
		copy(it.Key[:], key)
		copy(it.Sig[:], sig)
		alone := ZIP215{}.Verify([]Item{it})[0]
		for _, v := range []Verifier{ZIP215{}, cached} {
			got := v.Verify(append(slices.Clone(others), it))
			if slices.Contains(got[:len(others)], false) || got[len(others)] != alone {
				t.Fatalf("alone %v, in a batch %v", alone, got)
			}
		}
	})
}

// BenchmarkVerify checks 1024 signatures of 256 keys at once. Its floor,
// measured in turns with it, is crypto/ed25519 one by one.
func BenchmarkVerify(b *testing.B) {
	list := make([]Item, 1024)
	for i := range list {
		list[i] = signed(i%256, "a change")
	}
	for _, c := range []struct {
		name string
		v    Verifier
	}{{"computed", ZIP215{}}, {"cached", NewCached(256)}} {
		b.Run(c.name, func(b *testing.B) {
			c.v.Verify(list) // fills the cache
			var batched, single time.Duration
			for b.Loop() {
				start := time.Now()
				c.v.Verify(list)
				batched += time.Since(start)
				start = time.Now()
				for i := range list {
					ed25519.Verify(list[i].Key[:], list[i].Message, list[i].Sig[:])
				}
				single += time.Since(start)
			}
			b.ReportMetric(float64(b.N*len(list))/batched.Seconds(), "signatures/s")
			b.ReportMetric(single.Seconds()/batched.Seconds(), "x-std")
		})
	}
}
