package main

// This file shares no code with weir: what others make of our bytes, they make
// with the standard library, golang.org/x/mod/sumdb and ledger/wire/SPEC.md.

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// stock VERIFIED STREAM PROOFS checks the checkpoint that weir verify --json
// printed against a database's bytes and against weir's proofs: the note's
// signature, the root over all entries, and each entry's inclusion.
//
// stock shown SHOWN STREAM checks what weir member show --json printed: that the
// entry which it shows is in the stream, and in the log that its checkpoint signs.
//
// stock proofs STORE prints such proofs: it alone is weir's, in another file.
func stock(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "proofs":
		return ourProofs(args[1])
	case len(args) == 3 && args[0] == "shown":
		return shown(args[1], args[2])
	case len(args) != 3:
		return errors.New("usage: stock VERIFIED STREAM PROOFS, stock shown SHOWN STREAM, or stock proofs STORE")
	}
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var said struct {
		ID         string `json:"id"`
		Checkpoint string `json:"checkpoint"`
		Key        string `json:"verifier_key"`
	}
	if err := json.Unmarshal(b, &said); err != nil {
		return err
	}
	size, root, err := openCheckpoint(said.Checkpoint, said.Key, "weir/"+said.ID)
	if err != nil {
		return err
	}
	stream, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	leaves, err := splitFrames(stream)
	if err != nil {
		return err
	}
	if int64(len(leaves)) != size {
		return fmt.Errorf("%d leaves, the checkpoint says %d", len(leaves), size)
	}
	if err := grow(leaves, root); err != nil {
		return err
	}
	if b, err = os.ReadFile(args[2]); err != nil {
		return err
	}
	return included(leaves, root, b)
}

// shown checks a change that weir member show --json printed.
func shown(file, streamFile string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var said struct {
		Index      int64    `json:"leaf_index"`
		Leaf       []byte   `json:"leaf"`
		Hash       string   `json:"leaf_hash"`
		Path       []string `json:"inclusion_proof"`
		Size       int64    `json:"size"`
		Root       string   `json:"root"`
		Checkpoint string   `json:"checkpoint"`
		Key        string   `json:"verifier_key"`
	}
	if err := json.Unmarshal(b, &said); err != nil {
		return err
	}
	origin, _, _ := strings.Cut(said.Checkpoint, "\n")
	size, root, err := openCheckpoint(said.Checkpoint, said.Key, origin)
	if err != nil {
		return err
	}
	if size != said.Size || hex.EncodeToString(root[:]) != said.Root {
		return fmt.Errorf("size %d and root %s are not the checkpoint's", said.Size, said.Root)
	}
	if hash := tlog.RecordHash(said.Leaf); hex.EncodeToString(hash[:]) != said.Hash {
		return fmt.Errorf("%s is not the hash of the leaf", said.Hash)
	}
	var path tlog.RecordProof
	for _, text := range said.Path {
		h, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		path = append(path, tlog.Hash(h))
	}
	if err := tlog.CheckRecord(path, size, root, said.Index, tlog.RecordHash(said.Leaf)); err != nil {
		return err
	}
	stream, err := os.ReadFile(streamFile)
	if err != nil {
		return err
	}
	leaves, err := splitFrames(stream)
	if err == nil && !bytes.Equal(leaves[said.Index], said.Leaf) {
		err = fmt.Errorf("the stream has another leaf %d", said.Index)
	}
	return err
}

// openCheckpoint reads a C2SP checkpoint as any note tool does.
func openCheckpoint(text, key, origin string) (size int64, root tlog.Hash, err error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return 0, root, err
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return 0, root, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != origin || verifier.Name() != origin {
		return 0, root, fmt.Errorf("not a checkpoint of %s: %q", origin, n.Text)
	}
	if size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return 0, root, err
	}
	root, err = tlog.ParseHash(lines[2])
	return size, root, err
}

// splitFrames gives the log's leaves: the entries of a stream (SPEC.md 7.3).
func splitFrames(stream []byte) (leaves [][]byte, err error) {
	const header = 12
	for len(stream) > 0 {
		if len(stream) < header || stream[0] != 1 || stream[1] != 0 && stream[1] != 2 {
			return nil, fmt.Errorf("leaf %d: not a frame", len(leaves))
		}
		entry, body := binary.BigEndian.Uint32(stream[4:]), binary.BigEndian.Uint32(stream[8:])
		end := header + uint64(entry) + uint64(body)
		if end > uint64(len(stream)) {
			return nil, fmt.Errorf("leaf %d: cut off", len(leaves))
		}
		leaf := stream[header : header+entry]
		if stream[1] == 0 { // plain: the entry ends with the body's hash
			if got := sha256.Sum256(stream[header+entry : end]); !bytes.HasSuffix(leaf, got[:]) {
				return nil, fmt.Errorf("leaf %d: another body", len(leaves))
			}
		}
		leaves, stream = append(leaves, leaf), stream[end:]
	}
	return leaves, nil
}

// grow builds the Merkle tree over the leaves and compares its root.
func grow(leaves [][]byte, root tlog.Hash) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, leaf := range leaves {
		h, err := tlog.StoredHashes(int64(i), leaf, reader)
		if err != nil {
			return err
		}
		stored = append(stored, h...)
	}
	got, err := tlog.TreeHash(int64(len(leaves)), reader)
	if err != nil {
		return err
	}
	if got != root {
		return fmt.Errorf("the root over %d leaves is %v, the signed one %v", len(leaves), got, root)
	}
	return nil
}

// included checks proofs of inclusion, one for each leaf in order: a JSON array
// of arrays of base64 hashes, as RFC 6962 orders them.
func included(leaves [][]byte, root tlog.Hash, b []byte) error {
	var proofs []tlog.RecordProof
	if err := json.Unmarshal(b, &proofs); err != nil {
		return err
	}
	if len(proofs) != len(leaves) {
		return fmt.Errorf("%d proofs for %d leaves", len(proofs), len(leaves))
	}
	for i, p := range proofs {
		if err := tlog.CheckRecord(p, int64(len(leaves)), root, int64(i), tlog.RecordHash(leaves[i])); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	return nil
}

// stockHead ITEM checks the signature of a mutable item that another client
// printed, as BEP 44 says, and prints what the head in it says: infohash, log
// size and root.
func stockHead(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: stockhead ITEM")
	}
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var text struct {
		Key, Salt, Sig, Value string
		Seq                   int64
	}
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	var raw [4][]byte
	for i, s := range []string{text.Key, text.Salt, text.Sig, text.Value} {
		if raw[i], err = hex.DecodeString(s); err != nil {
			return err
		}
	}
	key, salt, sig, value := raw[0], raw[1], raw[2], raw[3]
	signed := fmt.Appendf(nil, "4:salt%d:%s3:seqi%de1:v%s", len(salt), salt, text.Seq, value)
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, signed, sig) {
		return errors.New("the item is not signed by its key")
	}
	field := func(name string, length int) ([]byte, error) { // a string of the dict: no value of a head holds such bytes by chance
		mark := fmt.Appendf(nil, "%d:%s%d:", len(name), name, length)
		at := bytes.Index(value, mark)
		if at < 0 || len(value) < at+len(mark)+length {
			return nil, fmt.Errorf("the head has no %s", name)
		}
		return value[at+len(mark):][:length], nil
	}
	infohash, err := field("ih", 20)
	if err != nil {
		return err
	}
	root, err := field("r", 32)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]string{"infohash": hex.EncodeToString(infohash), "root": hex.EncodeToString(root)})
}
