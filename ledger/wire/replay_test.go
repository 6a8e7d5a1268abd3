package wire_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// specExample reads the values of one example of SPEC.md, by name.
func specExample(t *testing.T, mark string) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), fmt.Sprintf("<!-- example: %s -->\n```\n", mark))
	block, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatalf("no example %q", mark)
	}
	const column = 15
	texts := make(map[string]string)
	name := ""
	for line := range strings.SplitSeq(block, "\n") {
		if n := strings.TrimSpace(line[:column]); n != "" {
			name = n
		}
		texts[name] += line[column:]
	}
	values := make(map[string][]byte)
	for name, text := range texts {
		if values[name], err = hex.DecodeString(text); err != nil {
			t.Fatalf("%s: %s: %v", mark, name, err)
		}
	}
	return values
}

// hashes is stored hashes in memory.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		if i >= int64(len(h)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		out = append(out, h[i])
	}
	return out, nil
}

// The frames of SPEC.md are a database: whoever replays them gets its root and
// balances.
func TestTheDatabaseOfTheSpecificationReplays(t *testing.T) {
	head, err := wire.ParseHead(specExample(t, "head")["head"])
	if err != nil {
		t.Fatal(err)
	}
	state := replayed(t, specExample(t, "charter")["charter"], nil, specExample(t, "frames"))
	if state.Root != head.Checkpoint.Root || state.Size != head.Checkpoint.Size || state.Length != head.Length {
		t.Errorf("size %d, length %d, root %v; the head says %d, %d, %v", state.Size, state.Length, state.Root, head.Checkpoint.Size, head.Length, head.Checkpoint.Root)
	}
}

// So are the sealed ones, for whoever has the read key of its manager.
func TestTheEncryptedDatabaseOfTheSpecificationReplays(t *testing.T) {
	frames := specExample(t, "sealed frames")
	f, _, err := wire.ParseFrame(frames["charter's"])
	if err != nil {
		t.Fatal(err)
	}
	id, digest := wire.CharterID(f.Entry), wire.CharterDigest(f.Entry)
	manager := keys.Derive(keys.Seed(bytes.Repeat([]byte{1}, 32)))
	key := manager.ReadKey(digest)
	if !bytes.Equal(key[:], frames["read key"]) || !bytes.Equal(id[:], frames["id"]) {
		t.Errorf("the read key is %x, of %v", key, id)
	}
	state := replayed(t, f.Entry, &key, frames)
	if !bytes.Equal(state.Root[:], frames["root"]) {
		t.Errorf("root %v", state.Root)
	}
	at := uint64(0)
	for _, name := range []string{"charter's", "entry 1's", "entry 2's"} {
		at += uint64(len(frames[name]))
	}
	f, _, err = wire.ParseFrame(frames["entry 3's"])
	if err != nil {
		t.Fatal(err)
	}
	opened, err := wire.OpenFrame(f, id, at, key)
	if err != nil || !bytes.Equal(opened.Entry, frames["3's entry"]) || !bytes.Equal(opened.Body, frames["3's body"]) {
		t.Errorf("%+v, %v", opened, err)
	}
}

// replayed is the state after the four entries of an example.
func replayed(t *testing.T, charter []byte, key *keys.ReadKey, frames map[string][]byte) *ledger.State {
	t.Helper()
	state, founded, err := ledger.Found(charter, key)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(founded.Frames, frames["charter's"]) {
		t.Error("the charter's frame is not the ledger's")
	}
	stream := bytes.Join([][]byte{frames["entry 1's"], frames["entry 2's"], frames["entry 3's"], frames["entry 4's"]}, nil)
	batches, err := state.Replay(stream, hashes(founded.Hashes), sign.ZIP215{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		state.Adopt(b)
	}
	alice, _ := state.ByName("Alice")
	bob, _ := state.ByName("Bob")
	if alice.Balance != -250 || bob.Balance != 250 || state.Sum() != 0 || state.Accepted != 3 || state.Refused != 1 {
		t.Errorf("alice %d, bob %d, %d applied, %d refused", alice.Balance, bob.Balance, state.Accepted, state.Refused)
	}
	return state
}
