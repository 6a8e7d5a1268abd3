package manager

import (
	"crypto/ed25519"

	"weir/keys"
	"weir/ledger/wire"
)

func signChange(id *keys.Identity, d wire.Digest, number uint64, chain wire.Hash) wire.Signature {
	return wire.Signature(ed25519.Sign(id.Publish, wire.ChangeSigned(d, number, chain)))
}
