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
// Shelf N, of the ShelfVolumes volumes from ShelfVolumes x N on:
//
//	d5:filesl
//	  d6:lengthi<length>e4:pathl52:weir-<id, hex>-<number, six digits>ee
//	  ...
//	e4:name58:weir-<id, hex>-shelf-<N, six digits>
//	12:piece lengthi1048576e6:pieces<hashes>e
//
// pieces are the SHA-1 hashes, 20 bytes each, of PieceBytes (in a shelf,
// ShelfPieceBytes) each of the files one after the other; the last piece may be
// shorter.
const (
	tailName     = "tail"
	stateName    = "state"
	shelfMark    = "-shelf"
	volumeDigits = 6

	// ShelfPieceBytes is the length of a shelf's pieces.
	ShelfPieceBytes = 1 << 20

	infoOtherBytes    = 256 // everything in an info dictionary but pieces and a shelf's files
	infoFileBytes     = 96  // one of a shelf's files
	infoBytesMax      = infoOtherBytes + 20*((VolumeBytesMax+StateBytesMax)/PieceBytes+1)
	shelfInfoBytesMax = infoOtherBytes + ShelfVolumes*infoFileBytes + 20*(ShelfVolumes*VolumeBytesMax/ShelfPieceBytes+1)
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
	w.pieces(PieceBytes, pieces)
	w.end()
	return w.b
}

// VolumeInfo is the info dictionary of a full volume.
func VolumeInfo(id ID, number int, length uint64, pieces []byte) []byte {
	w := writer{make([]byte, 0, infoOtherBytes+len(pieces))}
	w.dict()
	w.keyInt("length", int64(length))
	w.keyText("name", volumeName(id, number))
	w.pieces(PieceBytes, pieces)
	w.end()
	return w.b
}

// ShelfInfo is the info dictionary of a shelf whose volumes have these lengths,
// ShelfVolumes of them.
func ShelfInfo(id ID, number int, lengths []uint64, pieces []byte) []byte {
	w := writer{make([]byte, 0, infoOtherBytes+len(lengths)*infoFileBytes+len(pieces))}
	w.dict()
	w.text("files")
	w.list()
	for i, n := range lengths {
		w.file(n, volumeName(id, ShelfVolumes*number+i))
	}
	w.end()
	w.keyText("name", numbered(infoName(id)+shelfMark, number))
	w.pieces(ShelfPieceBytes, pieces)
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

func (w *writer) pieces(length int64, pieces []byte) {
	w.keyInt("piece length", length)
	w.keyBytes("pieces", pieces)
}

func infoName(id ID) string { return "weir-" + id.String() }

func volumeName(id ID, number int) string { return numbered(infoName(id), number) }

func numbered(name string, number int) string {
	return fmt.Sprintf("%s-%0*d", name, volumeDigits, number)
}

// Info is a decoded info dictionary of ours.
type Info struct {
	ID      ID
	Newest  bool
	Shelf   bool
	Number  int      // of the volume or shelf, when not Newest
	Tail    uint64   // length of the tail, of the volume, or of all of a shelf's
	State   int      // length of the state file, when Newest
	Volumes []uint64 // lengths of a shelf's volumes
	Pieces  []byte
}

// Length is the bytes of all files together.
func (i *Info) Length() int64 { return int64(i.Tail) + int64(i.State) }

// PieceBytes is the length of a piece but the last.
func (i *Info) PieceBytes() int64 {
	if i.Shelf {
		return ShelfPieceBytes
	}
	return PieceBytes
}

// ParseInfo reads an info dictionary and refuses every one that is not
// exactly as NewestInfo, VolumeInfo or ShelfInfo write it. Pieces aliases b.
func ParseInfo(b []byte) (*Info, error) {
	i, err := parseInfo(b)
	if err != nil {
		return nil, fmt.Errorf("read an info dictionary: %w", err)
	}
	return i, nil
}

func parseInfo(b []byte) (*Info, error) {
	if len(b) > shelfInfoBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), shelfInfoBytesMax)
	}
	var i Info
	r := reader{b: b}
	r.open('d')
	names := []string(nil)
	if !r.optional("files") {
		r.key("length")
		i.Tail = uint64(r.int(1, VolumeBytesMax))
	} else if names = i.readFiles(&r); len(names) == 2 {
		// A shelf has more.
		i.Newest, i.Tail, i.State, i.Volumes = true, i.Volumes[0], int(i.Volumes[1]), nil
	} else {
		i.Shelf = true
	}
	r.key("name")
	name := string(r.bytes(1, infoOtherBytes))
	r.key("piece length")
	r.int(i.PieceBytes(), i.PieceBytes())
	r.key("pieces")
	i.Pieces = r.bytes(20, shelfInfoBytesMax)
	r.close()
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := i.readName(name); err != nil {
		return nil, err
	}
	if err := i.check(names); err != nil {
		return nil, err
	}
	if want := 20 * int((i.Length()+i.PieceBytes()-1)/i.PieceBytes()); len(i.Pieces) != want {
		return nil, fmt.Errorf("%d bytes of piece hashes where %d belong", len(i.Pieces), want)
	}
	if !bytes.Equal(i.bytes(), b) {
		return nil, errNotCanonical
	}
	return &i, nil
}

// readFiles reads the list of files: their lengths into Volumes and Tail, and
// their names.
func (i *Info) readFiles(r *reader) (names []string) {
	r.open('l')
	for r.more() && len(names) <= ShelfVolumes {
		name, n := r.file()
		names = append(names, name)
		i.Volumes = append(i.Volumes, n)
		i.Tail += n
	}
	r.close()
	return names
}

// check compares what the files are with what they are to be.
func (i *Info) check(names []string) error {
	switch {
	case i.Newest && (names[0] != tailName || names[1] != stateName):
		return fmt.Errorf("files %q and %q where %q and %q are wanted", names[0], names[1], tailName, stateName)
	case i.Newest && i.State > StateBytesMax:
		return fmt.Errorf("a state file of %d bytes where %d are allowed", i.State, StateBytesMax)
	case i.Shelf && (len(names) != ShelfVolumes || i.Number >= VolumesMax/ShelfVolumes):
		return fmt.Errorf("shelf %d of %d volumes where %d make one", i.Number, len(names), ShelfVolumes)
	}
	return nil // the names of volumes are compared byte by byte with all the rest
}

func (r *reader) file() (name string, length uint64) {
	r.open('d')
	r.key("length")
	length = uint64(r.int(1, VolumeBytesMax))
	r.key("path")
	r.open('l')
	name = string(r.bytes(1, infoOtherBytes))
	r.close()
	r.close()
	return name, length
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
	if rest, ok = strings.CutPrefix(rest, shelfMark); ok != i.Shelf {
		return errInfoName
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
	switch {
	case i.Newest:
		return NewestInfo(i.ID, i.Tail, i.State, i.Pieces)
	case i.Shelf:
		return ShelfInfo(i.ID, i.Number, i.Volumes, i.Pieces)
	}
	return VolumeInfo(i.ID, i.Number, i.Tail, i.Pieces)
}

// Infohash is SHA-1 of an info dictionary's bytes.
func Infohash(info []byte) [20]byte { return sha1.Sum(info) }

// MeetInfohash is where those who hold a public database find each other on
// the DHT (BEP 5), whichever torrents they have: SHA-1("weir/v1/meet" ‖ id).
// No torrent has it, so never ask for its metadata.
func MeetInfohash(id ID) [20]byte { return sha1.Sum(append([]byte("weir/v1/meet"), id[:]...)) }
