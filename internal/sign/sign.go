// Package sign checks the ed25519 signatures of changes, one or many at a
// time, by the rules of ZIP-215, for which single and batched verification
// agree (https://zips.z.cash/zip-0215). BEP-44 items, checkpoints and
// cosignatures use crypto/ed25519 instead.
package sign

import (
	"crypto/rand"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/cache"
)

// Item is one signature to check.
type Item struct {
	Key     [32]byte
	Message []byte
	Sig     [64]byte
}

// Verifier says of each item whether its signature is valid. The simulated
// world injects one that remembers.
type Verifier interface {
	Verify(items []Item) []bool
}

// batchMin is the size from which a batch is faster than single checks.
const batchMin = 4

var options = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

// ZIP215 is the Verifier that computes.
type ZIP215 struct{}

// Verify implements Verifier. One bad signature in a batch makes the whole
// batch be checked one by one; who sent it is known then.
func (ZIP215) Verify(items []Item) []bool {
	single := func(it *Item) bool {
		return voi.VerifyWithOptions(it.Key[:], it.Message, it.Sig[:], options)
	}
	add := func(b *voi.BatchVerifier, it *Item) {
		b.AddWithOptions(it.Key[:], it.Message, it.Sig[:], options)
	}
	return verify(items, single, add)
}

// Cached is ZIP215 with the keys it met lately kept in the form that it
// computes with, about 1.6 KiB each: for a role that sees the same members'
// signatures again and again. It gives the same answers, and may be used from
// several goroutines.
type Cached struct{ keys *cache.Verifier }

// NewCached remembers so many keys, at least one.
func NewCached(keys int) *Cached {
	return &Cached{cache.NewVerifier(cache.NewLRUCache(max(keys, 1)))}
}

// Verify implements Verifier.
func (c *Cached) Verify(items []Item) []bool {
	single := func(it *Item) bool {
		return c.keys.VerifyWithOptions(it.Key[:], it.Message, it.Sig[:], options)
	}
	add := func(b *voi.BatchVerifier, it *Item) {
		c.keys.AddWithOptions(b, it.Key[:], it.Message, it.Sig[:], options)
	}
	return verify(items, single, add)
}

func verify(items []Item, single func(*Item) bool, add func(*voi.BatchVerifier, *Item)) []bool {
	if len(items) < batchMin {
		valid := make([]bool, len(items))
		for i := range items {
			valid[i] = single(&items[i])
		}
		return valid
	}
	b := voi.NewBatchVerifierWithCapacity(len(items))
	for i := range items {
		add(b, &items[i])
	}
	// The weights must be unknown to the signers; the answer does not depend
	// on them but with a chance of 2^-128.
	_, valid := b.Verify(rand.Reader)
	return valid
}
