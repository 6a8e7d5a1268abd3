package host

import (
	"crypto/ed25519"
	"encoding/hex"
	"testing"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

func TestEvidenceIsShownWithWhoSignedAndWhetherItHolds(t *testing.T) {
	manager, ada := keys.Derive(keys.Seed{1}), keys.Derive(keys.Seed{2})
	charter, err := (&wire.Charter{
		Kind: wire.KindLedger, Name: "Mill Lane", Manager: manager.Public(), Log: manager.LogPublic(), Seal: manager.SealPublic(),
		Recovery: keys.Derive(keys.Seed{9}).Public(), Created: 1, Unit: "HRS", Quota: 1, Heartbeat: 3600, Stale: 7200,
	}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	st, _, err := ledger.Found(charter, nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(by *keys.Identity, chain byte) wire.SignedNumber {
		sig := ed25519.Sign(by.Publish, wire.ChangeSigned(st.Digest, 7, wire.Hash{chain}))
		return wire.SignedNumber{Key: ada.Public(), Number: 7, Chain: wire.Hash{chain}, Sig: wire.Signature(sig)}
	}
	checkpoint := func(by *keys.Identity, root byte) wire.Checkpoint {
		return wire.SignCheckpoint(st.ID, by.Log, 5, wire.Hash{root})
	}
	managers, adas := manager.Public(), ada.Public()
	for _, c := range []struct {
		name      string
		e         wire.Evidence
		kind, key string
		verified  bool
	}{
		{"two changes", wire.Evidence{Kind: wire.EvidenceChanges, Changes: [2]wire.SignedNumber{change(ada, 1), change(ada, 2)}}, "two_changes", hex.EncodeToString(adas[:]), true},
		{"two changes, one forged", wire.Evidence{Kind: wire.EvidenceChanges, Changes: [2]wire.SignedNumber{change(ada, 1), change(manager, 2)}}, "two_changes", hex.EncodeToString(adas[:]), false},
		{"two roots", wire.Evidence{Kind: wire.EvidenceCheckpoints, Checkpoints: [2]wire.Checkpoint{checkpoint(manager, 1), checkpoint(manager, 2)}}, "two_roots", hex.EncodeToString(managers[:]), true},
		{"two roots, one forged", wire.Evidence{Kind: wire.EvidenceCheckpoints, Checkpoints: [2]wire.Checkpoint{checkpoint(manager, 1), checkpoint(ada, 2)}}, "two_roots", hex.EncodeToString(managers[:]), false},
	} {
		v := viewEvidence(st, &c.e, nil)
		if v.Kind != c.kind || v.Key != c.key || v.Verified != c.verified || len(v.Changes)+len(v.Checkpoints) != 2 {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}
