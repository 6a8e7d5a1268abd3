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
	charter := specExample(t, "charter")["charter"]
	frames := specExample(t, "frames")
	head, err := wire.ParseHead(specExample(t, "head")["head"])
	if err != nil {
		t.Fatal(err)
	}
	state, founded, err := ledger.Found(charter)
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
	if state.Root != head.Checkpoint.Root || state.Size != head.Checkpoint.Size || state.Length != head.Length {
		t.Errorf("size %d, length %d, root %v; the head says %d, %d, %v", state.Size, state.Length, state.Root, head.Checkpoint.Size, head.Length, head.Checkpoint.Root)
	}
	alice, _ := state.ByName("Alice")
	bob, _ := state.ByName("Bob")
	if alice.Balance != -250 || bob.Balance != 250 || state.Sum() != 0 || state.Accepted != 3 || state.Refused != 1 {
		t.Errorf("alice %d, bob %d, %d applied, %d refused", alice.Balance, bob.Balance, state.Accepted, state.Refused)
	}
}
