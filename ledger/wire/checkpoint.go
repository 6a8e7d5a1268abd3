package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"weir/keys"
)

// Checkpoint is the log's size and root with the manager's signature, over
// the text of a C2SP tlog-checkpoint without extension lines
// (https://c2sp.org/tlog-checkpoint):
//
//	weir/<id, hex>\n
//	<size, decimal>\n
//	<root, base64>\n
//
// The zero Checkpoint stands for none. Inside other formats it is
// size u64 ‖ root (32) ‖ signature (64).
type Checkpoint struct {
	Size uint64
	Root Hash
	Sig  Signature
}

const (
	checkpointBytes = 8 + 32 + 64
	noteBytesMax    = 4096
	algEd25519      = 1 // signature type of C2SP signed-note
)

// Origin is the log's name, and that of its key.
func Origin(id ID) string { return "weir/" + id.String() }

// CheckpointText is the text that a checkpoint's signature is over.
func CheckpointText(id ID, size uint64, root Hash) []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n", Origin(id), size, base64.StdEncoding.EncodeToString(root[:]))
}

// SignCheckpoint signs size and root with the log key.
func SignCheckpoint(id ID, log ed25519.PrivateKey, size uint64, root Hash) Checkpoint {
	sig := ed25519.Sign(log, CheckpointText(id, size, root))
	return Checkpoint{Size: size, Root: root, Sig: Signature(sig)}
}

// Verify says whether the signature is the log's, by the standard rules of
// RFC 8032.
func (c Checkpoint) Verify(id ID, log keys.LogPublic) bool {
	return c.Size > 0 && c.Size <= IntMax && ed25519.Verify(log[:], CheckpointText(id, c.Size, c.Root), c.Sig[:])
}

// Note is the checkpoint as a C2SP signed note (https://c2sp.org/signed-note):
// the text, an empty line, and
//
//	— weir/<id, hex> <base64 of key hash (4) ‖ signature (64)>\n
func (c Checkpoint) Note(id ID, log keys.LogPublic) []byte {
	hash := keyHash(id, log)
	sig := base64.StdEncoding.EncodeToString(append(hash[:], c.Sig[:]...))
	return fmt.Appendf(CheckpointText(id, c.Size, c.Root), "\n— %s %s\n", Origin(id), sig)
}

// ParseNote reads a signed note and verifies it. Signatures of others, which
// a note may carry, are passed over.
func ParseNote(id ID, log keys.LogPublic, msg []byte) (Checkpoint, error) {
	c, err := parseNote(id, log, msg)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read a checkpoint: %w", err)
	}
	return c, nil
}

func parseNote(id ID, log keys.LogPublic, msg []byte) (c Checkpoint, err error) {
	if len(msg) > noteBytesMax {
		return c, fmt.Errorf("%d bytes where %d are allowed", len(msg), noteBytesMax)
	}
	verifier, err := note.NewVerifier(VerifierKey(id, log))
	if err != nil {
		return c, err
	}
	n, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return c, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 {
		return c, errors.New("not three lines")
	}
	if c.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil || c.Size == 0 || c.Size > IntMax {
		return c, fmt.Errorf("the size %.24q is none", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return c, errors.New("the root is not the base64 of 32 bytes")
	}
	c.Root = Hash(root)
	if n.Text != string(CheckpointText(id, c.Size, c.Root)) {
		return c, errNotCanonical
	}
	sig, err := base64.StdEncoding.DecodeString(n.Sigs[0].Base64)
	if err != nil || len(sig) != 4+len(c.Sig) {
		return c, errors.New("the signature is not the base64 of 68 bytes")
	}
	c.Sig = Signature(sig[4:])
	return c, nil
}

// VerifierKey is the log's key as golang.org/x/mod/sumdb/note reads it:
//
//	weir/<id, hex>+<key hash, hex>+<base64 of 1 ‖ log key (32)>
func VerifierKey(id ID, log keys.LogPublic) string {
	hash := keyHash(id, log)
	key := append([]byte{algEd25519}, log[:]...)
	return Origin(id) + "+" + hex.EncodeToString(hash[:]) + "+" + base64.StdEncoding.EncodeToString(key)
}

// keyHash is the first bytes of SHA-256(name LF 1 ‖ key).
func keyHash(id ID, log keys.LogPublic) [4]byte {
	h := sha256.New()
	h.Write([]byte(Origin(id) + "\n"))
	h.Write([]byte{algEd25519})
	h.Write(log[:])
	return [4]byte(h.Sum(nil))
}

// Seen is the checkpoint as a change names it.
func (c Checkpoint) Seen() Seen { return Seen{Size: c.Size, Root: [16]byte(c.Root[:16])} }

func (c Checkpoint) append(b []byte) []byte {
	b = appendU64(b, c.Size)
	b = append(b, c.Root[:]...)
	return append(b, c.Sig[:]...)
}

func (c *cursor) checkpoint() (p Checkpoint) {
	p.Size = c.u64()
	c.fixed(p.Root[:])
	c.fixed(p.Sig[:])
	return p
}

func (c Checkpoint) check() error {
	if c.Size == 0 && c != (Checkpoint{}) {
		return errors.New("a checkpoint of size 0")
	}
	return checkInt("the checkpoint's size", c.Size)
}
