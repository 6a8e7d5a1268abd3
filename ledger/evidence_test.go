package ledger

import (
	"crypto/ed25519"
	"errors"
	"testing"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger/wire"
)

func TestALogThatDoesNotBeginWithASmallerOneIsProvedToHaveOutgrownIt(t *testing.T) {
	h, _, roots := grow(t, 20)
	manager, id := identity(0), wire.ID{7}
	logKey := func(uint64) keys.LogPublic { return manager.LogPublic() }
	signed := func(size uint64, root wire.Hash) wire.Checkpoint {
		return wire.SignCheckpoint(id, manager.Log, size, root)
	}
	for size := uint64(2); size <= 20; size++ {
		for old := uint64(1); old < size; old++ {
			large, other := signed(size, roots[size]), signed(old, roots[size])
			if _, err := Outgrown(signed(old, roots[old]), large, h); !errors.Is(err, ErrContinues) {
				t.Fatalf("%d to %d: %v", old, size, err)
			}
			if _, err := Outgrown(other, signed(size, roots[old]), h); !errors.Is(err, ErrProof) {
				t.Fatalf("%d to %d, hashes of another log: %v", old, size, err)
			}
			made, err := Outgrown(other, large, h)
			if err != nil {
				t.Fatal(err)
			}
			b, err := made.Encode()
			if err != nil {
				t.Fatal(err)
			}
			e, err := wire.ParseEvidence(b)
			if err != nil {
				t.Fatal(err)
			}
			checked := func() error {
				return CheckEvidence(e, id, wire.Digest{}, logKey, sign.ZIP215{})
			}
			if err := checked(); err != nil {
				t.Fatalf("%d to %d: %v", old, size, err)
			}
			e.Root[0] ^= 1
			if err := checked(); !errors.Is(err, ErrProof) {
				t.Errorf("%d to %d, another root: %v", old, size, err)
			}
			e.Root[0] ^= 1
			e.Proof[0][0] ^= 1
			if err := checked(); !errors.Is(err, ErrProof) {
				t.Errorf("%d to %d, another proof: %v", old, size, err)
			}
		}
	}
}

func TestEvidenceIsCheckedBySignatures(t *testing.T) {
	ada, id, digest := identity(1), wire.ID{7}, wire.Digest{8}
	logKey := func(uint64) keys.LogPublic { return identity(0).LogPublic() }
	checkpoint := func(by int, root byte) wire.Checkpoint {
		return wire.SignCheckpoint(id, identity(by).Log, 5, wire.Hash{root})
	}
	change := func(by int, chain byte) wire.SignedNumber {
		sig := ed25519.Sign(identity(by).Publish, wire.ChangeSigned(digest, 3, wire.Hash{chain}))
		return wire.SignedNumber{Key: ada.Public(), Number: 3, Chain: wire.Hash{chain}, Sig: wire.Signature(sig)}
	}
	for _, c := range []struct {
		name string
		e    wire.Evidence
		want error
	}{
		{"two checkpoints", wire.Evidence{Kind: wire.EvidenceCheckpoints, Checkpoints: [2]wire.Checkpoint{checkpoint(0, 1), checkpoint(0, 2)}}, nil},
		{"one of them forged", wire.Evidence{Kind: wire.EvidenceCheckpoints, Checkpoints: [2]wire.Checkpoint{checkpoint(0, 1), checkpoint(2, 2)}}, ErrSignature},
		{"two changes", wire.Evidence{Kind: wire.EvidenceChanges, Changes: [2]wire.SignedNumber{change(1, 1), change(1, 2)}}, nil},
		{"one of them forged", wire.Evidence{Kind: wire.EvidenceChanges, Changes: [2]wire.SignedNumber{change(1, 1), change(2, 2)}}, ErrSignature},
		{"growth, forged", wire.Evidence{Kind: wire.EvidenceGrowth, Checkpoints: [2]wire.Checkpoint{checkpoint(0, 1), checkpoint(2, 2)}}, ErrSignature},
	} {
		if err := CheckEvidence(&c.e, id, digest, logKey, sign.ZIP215{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
