package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/host"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/store"
	"weir/ledger/wire"
)

func TestEvidenceOfTwoChangesIsPrintedWithWhatItIsWorth(t *testing.T) {
	e := host.EvidenceView{Kind: "two_changes", Key: "ada", Changes: []host.SignedView{{Number: 7, Chain: "one", Sig: "s1"}, {Number: 7, Chain: "other", Sig: "s2"}}, Bytes: "AQI="}
	for verified, worth := range map[bool]string{true: "", false: "It does not verify"} {
		var out bytes.Buffer
		e.Verified = verified
		(&program{out: newScreen(&out)}).printEvidence(e)
		for _, want := range []string{"ada signed change 7 twice", "chain one", "chain other", "AQI=", worth} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is missing: %s", want, out.String())
			}
		}
		if verified && strings.Contains(out.String(), "does not verify") {
			t.Errorf("it is said not to verify: %s", out.String())
		}
	}
}

func TestEvidenceThatIsNotReadIsPrintedAsItIs(t *testing.T) {
	var out bytes.Buffer
	(&program{out: newScreen(&out)}).printEvidence(host.EvidenceView{Kind: "unreadable", Bytes: "AQI="})
	if !strings.Contains(out.String(), "does not read") || !strings.Contains(out.String(), "AQI=") {
		t.Error(out.String())
	}
}

// rewritten DIRECTORY ID MANAGER has the store in a directory keep evidence
// against the manager whose key lies in another: that it signed the log here,
// and a smaller one with another beginning.
func rewritten(args []string) (err error) {
	if len(args) != 3 {
		return errors.New("usage: rewritten DIRECTORY ID MANAGER")
	}
	id, err := host.ParseID(args[1])
	if err != nil {
		return err
	}
	seed, err := host.Directory(args[2]).Key().Read(func() (string, error) { return "", errors.New("it has a passphrase") })
	if err != nil {
		return err
	}
	s, err := openStore(host.Directory(args[0]).Store(id))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	st, log := s.State(), keys.Derive(seed).Log
	large := wire.SignCheckpoint(id, log, st.Size, st.Root)
	e, err := ledger.Outgrown(wire.SignCheckpoint(id, log, st.Size-1, wire.Hash{9}), large, s)
	if err != nil {
		return err
	}
	b, err := e.Encode()
	if err != nil {
		return err
	}
	return s.Commit(nil, store.KV{Key: "evidence/3/" + st.Charter.Manager.String(), Value: b})
}

// stockEvidence FILE checks what weir member evidence --json printed with a
// note verifier and a Merkle tree alone.
func stockEvidence(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: stockevidence FILE")
	}
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var all []struct {
		Checkpoints []struct {
			Note string `json:"checkpoint"`
		} `json:"checkpoints"`
		Key   string   `json:"verifier_key"`
		Root  string   `json:"root_at_smaller_size"`
		Proof []string `json:"consistency_proof"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	if len(all) != 1 || len(all[0].Checkpoints) != 2 {
		return fmt.Errorf("not one pair of checkpoints: %s", b)
	}
	e := all[0]
	origin, _, _ := bytes.Cut([]byte(e.Key), []byte("+"))
	small, smallRoot, err := openCheckpoint(e.Checkpoints[0].Note, e.Key, string(origin))
	if err != nil {
		return err
	}
	large, largeRoot, err := openCheckpoint(e.Checkpoints[1].Note, e.Key, string(origin))
	if err != nil {
		return err
	}
	hash := func(text string) (h tlog.Hash) {
		n, herr := hex.Decode(h[:], []byte(text))
		if herr != nil || n != len(h) {
			err = errors.Join(err, fmt.Errorf("%q is no hash", text))
		}
		return h
	}
	var proof tlog.TreeProof
	for _, text := range e.Proof {
		proof = append(proof, hash(text))
	}
	root := hash(e.Root)
	if err != nil {
		return err
	}
	if root == smallRoot {
		return errors.New("the larger log begins with the smaller one")
	}
	return tlog.CheckTree(proof, large, largeRoot, small, root)
}
