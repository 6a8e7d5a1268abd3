package simnet

import (
	"crypto/sha256"

	"weir/internal/lookup"
	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

// rememberMax bounds each of the two generations of what is remembered.
const rememberMax = 1 << 17

// Remember answers signature checks that were made before from memory: in a
// world of hundreds of members every signature is checked by each. It gives
// the answers that computing would give. It implements sign.Verifier.
type Remember struct {
	rules      sign.Verifier
	now, older map[[32]byte]bool
	Asked      uint64 // checks asked for
	Computed   uint64 // of them, computed
}

// NewRemember remembers what rules says; nil: sign.ZIP215.
func NewRemember(rules sign.Verifier) *Remember {
	if rules == nil {
		rules = sign.ZIP215{}
	}
	return &Remember{rules: rules, now: make(map[[32]byte]bool)}
}

// Verify implements sign.Verifier.
func (r *Remember) Verify(items []sign.Item) []bool {
	ok := make([]bool, len(items))
	var missing []sign.Item
	var where []int
	for i := range items {
		r.Asked++
		known, found := r.recall(checkName(0, items[i].Key[:], items[i].Message, items[i].Sig[:]))
		if !found {
			missing, where = append(missing, items[i]), append(where, i)
		}
		ok[i] = known
	}
	if len(missing) == 0 {
		return ok
	}
	r.Computed += uint64(len(missing))
	for i, valid := range r.rules.Verify(missing) {
		it := &missing[i]
		r.keep(checkName(0, it.Key[:], it.Message, it.Sig[:]), valid)
		ok[where[i]] = valid
	}
	return ok
}

// Item checks a BEP-44 item's signature, by the rules of crypto/ed25519. It
// is a lookup.Verify.
func (r *Remember) Item(key keys.Public, signed []byte, sig wire.Signature) bool {
	r.Asked++
	name := checkName(1, key[:], signed, sig[:])
	valid, found := r.recall(name)
	if !found {
		valid = lookup.VerifyEd25519(key, signed, sig)
		r.Computed++
		r.keep(name, valid)
	}
	return valid
}

// checkName names a check. Key and signature have fixed lengths, so no two
// checks run together.
func checkName(rules byte, key, message, sig []byte) [32]byte {
	var room [1280]byte
	b := append(room[:0], rules)
	b = append(b, key...)
	b = append(b, sig...)
	return sha256.Sum256(append(b, message...))
}

func (r *Remember) recall(name [32]byte) (valid, found bool) {
	if valid, found = r.now[name]; found {
		return valid, true
	}
	if valid, found = r.older[name]; found {
		r.keep(name, valid)
	}
	return valid, found
}

func (r *Remember) keep(name [32]byte, valid bool) {
	if len(r.now) >= rememberMax {
		r.older, r.now = r.now, make(map[[32]byte]bool)
	}
	r.now[name] = valid
}
