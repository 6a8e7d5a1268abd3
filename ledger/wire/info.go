package wire

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The info dictionaries (BEP 3, version 1). Every byte is fixed, so that all
// holders of the same content compute one infohash. Newest torrent:
//
//	d5:filesl
//	  d6:lengthi<tail>e4:pathl4:tailee
//	  d6:lengthi<state>e4:pathl5:stateee
//	e4:name45:weir-<id, hex>12:piece lengthi16384e6:pieces<hashes>e
//
// Volume N:
//
//	d6:lengthi<length>e4:name52:weir-<id, hex>-<N, six digits>
//	12:piece lengthi16384e6:pieces<hashes>e
//
// pieces are the SHA-1 hashes, 20 bytes each, of PieceBytes each of the files
// one after the other; the last piece may be shorter.
const (
	tailName       = "tail"
	stateName      = "state"
	volumeDigits   = 6
	infoOtherBytes = 256 // everything in an info dictionary but pieces
	infoBytesMax   = infoOtherBytes + 20*((VolumeBytesMax+StateBytesMax)/PieceBytes+1)
)

// NewestInfo is the info dictionary of a newest torrent with a tail and a
// state file of these lengths.
func NewestInfo(id ID, tail uint64, state int, pieces []byte) []byte {
	w := writer{make([]byte, 0, infoOtherBytes+len(pieces))}
	w.dict()
	w.text("files")
	w.list()
	w.file(tail, tailName)
	w.file(uint64(state), stateName)
	w.end()
	w.keyText("name", infoName(id))
	w.pieces(pieces)
	w.end()
	return w.b
}

// VolumeInfo is the info dictionary of a full volume.
func VolumeInfo(id ID, number int, length uint64, pieces []byte) []byte {
	w := writer{make([]byte, 0, infoOtherBytes+len(pieces))}
	w.dict()
	w.keyInt("length", int64(length))
	w.keyText("name", fmt.Sprintf("%s-%0*d", infoName(id), volumeDigits, number))
	w.pieces(pieces)
	w.end()
	return w.b
}

func (w *writer) file(length uint64, name string) {
	w.dict()
	w.keyInt("length", int64(length))
	w.text("path")
	w.list()
	w.text(name)
	w.end()
	w.end()
}

func (w *writer) pieces(pieces []byte) {
	w.keyInt("piece length", PieceBytes)
	w.keyBytes("pieces", pieces)
}

func infoName(id ID) string { return "weir-" + id.String() }

// Info is a decoded info dictionary of ours.
type Info struct {
	ID     ID
	Newest bool
	Number int    // of the volume, when not Newest
	Tail   uint64 // length of the tail, or of the volume
	State  int    // length of the state file, when Newest
	Pieces []byte
}

// ParseInfo reads an info dictionary and refuses every one that is not
// exactly as NewestInfo or VolumeInfo write it. Pieces aliases b.
func ParseInfo(b []byte) (*Info, error) {
	i, err := parseInfo(b)
	if err != nil {
		return nil, fmt.Errorf("read an info dictionary: %w", err)
	}
	return i, nil
}

func parseInfo(b []byte) (*Info, error) {
	if len(b) > infoBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), infoBytesMax)
	}
	var i Info
	r := reader{b: b}
	r.open('d')
	if i.Newest = r.optional("files"); i.Newest {
		r.open('l')
		i.Tail = uint64(r.file(tailName, VolumeBytesMax))
		i.State = int(r.file(stateName, StateBytesMax))
		r.close()
	} else {
		r.key("length")
		i.Tail = uint64(r.int(1, VolumeBytesMax))
	}
	r.key("name")
	name := string(r.bytes(1, infoOtherBytes))
	r.key("piece length")
	r.int(PieceBytes, PieceBytes)
	r.key("pieces")
	i.Pieces = r.bytes(20, infoBytesMax)
	r.close()
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := i.readName(name); err != nil {
		return nil, err
	}
	total := i.Tail + uint64(i.State)
	if want := 20 * int((total+PieceBytes-1)/PieceBytes); len(i.Pieces) != want {
		return nil, fmt.Errorf("%d bytes of piece hashes where %d belong", len(i.Pieces), want)
	}
	if !bytes.Equal(i.bytes(), b) {
		return nil, errNotCanonical
	}
	return &i, nil
}

func (r *reader) file(name string, most int64) int64 {
	r.open('d')
	r.key("length")
	n := r.int(1, most)
	r.key("path")
	r.open('l')
	if got := string(r.bytes(1, infoOtherBytes)); r.err == nil && got != name {
		r.fail("a file %q where %q is wanted", got, name)
	}
	r.close()
	r.close()
	return n
}

var errInfoName = errors.New("the name is none of ours")

func (i *Info) readName(name string) error {
	rest, ok := strings.CutPrefix(name, "weir-")
	if !ok || len(rest) < hex.EncodedLen(len(i.ID)) {
		return errInfoName
	}
	digits := hex.EncodedLen(len(i.ID))
	if _, err := hex.Decode(i.ID[:], []byte(rest[:digits])); err != nil {
		return errInfoName
	}
	if rest = rest[digits:]; i.Newest != (rest == "") {
		return errInfoName
	}
	if i.Newest {
		return nil
	}
	if len(rest) != 1+volumeDigits || rest[0] != '-' {
		return errInfoName
	}
	n, err := strconv.ParseUint(rest[1:], 10, 32)
	if err != nil {
		return errInfoName
	}
	i.Number = int(n)
	return nil
}

func (i *Info) bytes() []byte {
	if i.Newest {
		return NewestInfo(i.ID, i.Tail, i.State, i.Pieces)
	}
	return VolumeInfo(i.ID, i.Number, i.Tail, i.Pieces)
}

// Infohash is SHA-1 of an info dictionary's bytes.
func Infohash(info []byte) [20]byte { return sha1.Sum(info) }

// MeetInfohash is where those who hold a public database find each other on
// the DHT (BEP 5), whichever torrents they have: SHA-1("weir/v1/meet" ‖ id).
// No torrent has it, so never ask for its metadata.
func MeetInfohash(id ID) [20]byte { return sha1.Sum(append([]byte("weir/v1/meet"), id[:]...)) }
