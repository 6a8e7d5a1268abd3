package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind is what a change does. Its number stands in entries, its name in
// changes.
type Kind uint8

// The kinds of a ledger.
const (
	KindUnknown  Kind = 0 // a kind of a later version: refused as unknown_kind
	KindTransfer Kind = 1
	KindAdmit    Kind = 2
	KindLimit    Kind = 3
	KindSuspend  Kind = 4
	KindResume   Kind = 5
	KindSweep    Kind = 6
	KindRename   Kind = 7
	KindRekey    Kind = 8
	KindSucceed  Kind = 9
	kinds        Kind = 10
)

var kindNames = [kinds]string{"unknown", "transfer", "admit", "limit", "suspend", "resume", "sweep", "rename", "rekey", "succeed"}

// String is the kind's name on the wire.
func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Seen is the newest checkpoint that the signer of a change had verified; the
// zero Seen, none.
type Seen struct {
	Size uint64
	Root [16]byte // the first bytes of the root
}

const seenBytes = 8 + 16

// Change is one request. What is signed is ChangeSigned of its number and
// chain, not the change itself.
//
//	d1:Vi1e
//	1:a <arguments, a dict>
//	1:k <kind's name>
//	1:s 24:<size, 8 bytes big endian> <root, 16 bytes>
//	1:u i<until, Unix ms>e        absent: no end
//	e
type Change struct {
	Name  string // the kind's name on the wire, 1-16 of a-z and _
	Args  []byte // canonical bencoded dict, at most ArgsBytesMax
	Seen  Seen
	Until int64 // Unix ms; 0: none
}

// Kind is the kind that Name names, KindUnknown when it is none of ours.
func (c *Change) Kind() Kind {
	for k := KindTransfer; k < kinds; k++ {
		if kindNames[k] == c.Name {
			return k
		}
	}
	return KindUnknown
}

// Encode gives the change's bytes, at most ChangeBytesMax.
func (c *Change) Encode() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("write a change: %w", err)
	}
	return c.bytes(), nil
}

// ParseChange reads a change. Of the arguments it checks that they are a
// canonical dict; what they must contain depends on the kind (ParseTransfer
// and its like), and a kind may be unknown. Args aliases b.
func ParseChange(b []byte) (*Change, error) {
	c, err := parseChange(b)
	if err != nil {
		return nil, fmt.Errorf("read a change: %w", err)
	}
	return c, nil
}

func parseChange(b []byte) (*Change, error) {
	if len(b) > ChangeBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), ChangeBytesMax)
	}
	var c Change
	r := reader{b: b}
	r.open('d')
	r.version()
	r.key("a")
	r.want('d')
	c.Args = r.raw()
	r.key("k")
	c.Name = string(r.bytes(1, KindNameBytesMax))
	r.key("s")
	seen := r.bytes(seenBytes, seenBytes)
	if r.optional("u") {
		c.Until = r.int(1, IntMax)
	}
	r.close()
	if err := r.end(); err != nil {
		return nil, err
	}
	c.Seen.Size = binary.BigEndian.Uint64(seen)
	copy(c.Seen.Root[:], seen[8:])
	if err := c.checkFields(); err != nil {
		return nil, err
	}
	if !bytes.Equal(c.bytes(), b) {
		return nil, errNotCanonical
	}
	return &c, nil
}

func (c *Change) bytes() []byte {
	w := writer{make([]byte, 0, len(c.Args)+96)}
	w.dict()
	w.version()
	w.text("a")
	w.raw(c.Args)
	w.keyText("k", c.Name)
	seen := append(appendU64(nil, c.Seen.Size), c.Seen.Root[:]...)
	w.keyBytes("s", seen)
	if c.Until != 0 {
		w.keyInt("u", c.Until)
	}
	w.end()
	return w.b
}

func (c *Change) check() error {
	r := reader{b: c.Args, depth: 1}
	r.want('d')
	r.raw()
	if err := r.end(); err != nil {
		return fmt.Errorf("arguments: %w", err)
	}
	return c.checkFields()
}

func (c *Change) checkFields() error {
	if len(c.Args) > ArgsBytesMax {
		return fmt.Errorf("arguments of %d bytes where %d are allowed", len(c.Args), ArgsBytesMax)
	}
	if len(c.Name) < 1 || len(c.Name) > KindNameBytesMax {
		return fmt.Errorf("a kind of %d bytes where 1 to %d are allowed", len(c.Name), KindNameBytesMax)
	}
	for _, ch := range []byte(c.Name) {
		if (ch < 'a' || ch > 'z') && ch != '_' {
			return fmt.Errorf("the kind %q contains something else than a-z and _", c.Name)
		}
	}
	if err := checkInt("the size that was seen,", c.Seen.Size); err != nil {
		return err
	}
	if c.Seen.Size == 0 && c.Seen.Root != [16]byte{} {
		return errors.New("a root was seen without a size")
	}
	return checkTime("until", c.Until)
}

// ChainNext is h_n = SHA-256(h_{n-1} ‖ change bytes); h_0 is the zero Hash.
func ChainNext(h Hash, change []byte) Hash {
	d := sha256.New()
	d.Write(h[:])
	d.Write(change)
	return Hash(d.Sum(nil))
}

const changeLabel = "weir/v1/change"

// ChangeSigned is what a member signs:
//
//	"weir/v1/change" NUL ‖ digest (32) ‖ number (8, big endian) ‖ h_n (32)
func ChangeSigned(d Digest, number uint64, chain Hash) []byte {
	b := make([]byte, 0, len(changeLabel)+1+32+8+32)
	b = append(b, changeLabel+"\x00"...)
	b = append(b, d[:]...)
	b = appendU64(b, number)
	return append(b, chain[:]...)
}
