package manager

import (
	"crypto/ed25519"
	"slices"

	"weir/keys"
	"weir/ledger/wire"
)

func signChange(id *keys.Identity, d wire.Digest, number uint64, chain wire.Hash) wire.Signature {
	return wire.Signature(ed25519.Sign(id.Publish, wire.ChangeSigned(d, number, chain)))
}

func sortInvitations(all []Invitation) {
	slices.SortFunc(all, func(a, b Invitation) int {
		if c := a.Made.Compare(b.Made); c != 0 {
			return c
		}
		return slices.Compare(a.Secret[:], b.Secret[:])
	})
}
