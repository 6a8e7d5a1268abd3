package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// shelf is a shelf's volumes, pieces and info dictionary.
type shelf struct {
	id      ID
	lengths []uint64
	pieces  []byte
	info    []byte
}

// sampleShelf is shelf 3 of volumes that grow by a byte each, with invented
// pieces.
func sampleShelf(id ID) shelf {
	s := shelf{id: id}
	total := uint64(0)
	for i := range uint64(ShelfVolumes) {
		s.lengths = append(s.lengths, VolumeBytes+1+i)
		total += VolumeBytes + 1 + i
	}
	s.pieces = bytes.Repeat([]byte{0x15}, 20*int((total+ShelfPieceBytes-1)/ShelfPieceBytes))
	s.info = ShelfInfo(id, 3, s.lengths, s.pieces)
	return s
}

// rows is invented rows of the volumes.
func (s shelf) rows() []VolumeRow {
	rows := make([]VolumeRow, len(s.lengths))
	for i := range rows {
		rows[i] = VolumeRow{
			Length: uint32(s.lengths[i]), Infohash: [20]byte(bytes.Repeat([]byte{0x11}, 20)), SHA256: [32]byte(bytes.Repeat([]byte{0x12}, 32)),
		}
	}
	return rows
}

// example shows the dictionary without what is repeated.
func (s shelf) example(e *example) {
	first := bytes.Index(s.info, []byte("ee"))
	name := bytes.Index(s.info, []byte("ee4:name"))
	hashes := len(s.info) - len(s.pieces) - 1
	infohash := Infohash(s.info)
	e.bytes("first file", s.info[:first+2])
	e.text("", "... 127 more files")
	e.bytes("then", s.info[name+1:hashes])
	e.text("", fmt.Sprintf("%d hashes, 15 repeated", len(s.pieces)/20))
	e.bytes("last", s.info[len(s.info)-1:])
	e.bytes("infohash", infohash[:])
	e.bytes("row", ShelfRow(s.id, 3, s.rows(), s.pieces).Append(nil))
}

func TestAShelfIsItsVolumesUnderTheirOwnNames(t *testing.T) {
	s := makeSample(t)
	shelf := sampleShelf(s.ID)
	b, lengths, pieces := shelf.info, shelf.lengths, shelf.pieces
	i := must[*Info](t)(ParseInfo(b))
	if i.ID != s.ID || !i.Shelf || i.Newest || i.Number != 3 || !slices.Equal(i.Volumes, lengths) || i.PieceBytes() != 1<<20 || !bytes.Equal(i.Pieces, pieces) {
		t.Fatalf("%+v", i)
	}
	if i.Length() != int64(i.Tail) || i.Tail != 128*(VolumeBytes+1)+127*128/2 {
		t.Fatalf("%d bytes", i.Length())
	}
	for n := range 128 {
		if name := fmt.Sprintf("52:weir-%s-%06d", s.ID, 3*128+n); strings.Count(string(b), name) != 1 {
			t.Fatalf("volume %d is not a file under its own name", 3*128+n)
		}
	}
	if want := fmt.Sprintf("4:name58:weir-%s-shelf-000003", s.ID); !strings.Contains(string(b), want) {
		t.Fatal("the name is another")
	}
	if len(b) > shelfInfoBytesMax {
		t.Fatalf("%d bytes", len(b))
	}
}

func TestAShelfIsOursToTheByteOrRefused(t *testing.T) {
	id := ID{1}
	s := sampleShelf(id)
	good, lengths, pieces := s.info, s.lengths, s.pieces
	if _, err := ParseInfo(good); err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) []byte { return bytes.Replace(good, []byte(old), []byte(new), 1) }
	long := slices.Clone(lengths)
	long[5] = VolumeBytesMax + 1
	for name, b := range map[string][]byte{
		"a volume too few":         ShelfInfo(id, 3, lengths[1:], pieces),
		"a volume too many":        ShelfInfo(id, 3, append(slices.Clone(lengths), 1), pieces),
		"two volumes":              ShelfInfo(id, 3, lengths[:2], pieces),
		"no volume":                ShelfInfo(id, 3, nil, pieces),
		"an empty volume":          ShelfInfo(id, 3, append([]uint64{0}, lengths[1:]...), pieces),
		"a volume too long":        ShelfInfo(id, 3, long, pieces),
		"too few pieces":           ShelfInfo(id, 3, lengths, pieces[20:]),
		"volumes of another shelf": replace("-000385e", "-000257e"),
		"a file of another name":   replace("-000385e", "-state0e"),
		"small pieces":             replace("i1048576e", "i16384e"),
		"a volume's name":          replace("58:weir-"+id.String()+"-shelf-000003", "52:weir-"+id.String()+"-000003"),
		"no number":                replace("58:weir-"+id.String()+"-shelf-000003", "51:weir-"+id.String()+"-shelf"),
		"past the last volume":     ShelfInfo(id, VolumesMax/ShelfVolumes, lengths, pieces),
		"a volume as a shelf":      bytes.Replace(VolumeInfo(id, 3, 5, make([]byte, 20)), []byte("52:weir-"+id.String()), []byte("58:weir-"+id.String()+"-shelf"), 1),
		"short":                    good[:len(good)-1],
		"too long":                 make([]byte, shelfInfoBytesMax+1),
	} {
		if i, err := ParseInfo(b); err == nil {
			t.Errorf("%s: %+v", name, i)
		}
	}
	largest := slices.Repeat([]uint64{VolumeBytesMax}, ShelfVolumes)
	b := ShelfInfo(id, VolumesMax/ShelfVolumes-1, largest, make([]byte, 20*ShelfVolumes*VolumeBytesMax/ShelfPieceBytes))
	if i, err := ParseInfo(b); err != nil || len(b) > shelfInfoBytesMax {
		t.Errorf("the largest of %d bytes: %+v, %v", len(b), i, err)
	}
}

func TestAShelfsRowIsFixedByItsVolumesRows(t *testing.T) {
	id := ID{1}
	s := sampleShelf(id)
	rows, lengths, pieces := s.rows(), s.lengths, s.pieces
	row := ShelfRow(id, 3, rows, pieces)
	if row.Length != 128*(VolumeBytes+1)+127*128/2 || row.Infohash != Infohash(ShelfInfo(id, 3, lengths, pieces)) {
		t.Errorf("%+v", row)
	}
	other := slices.Clone(rows)
	other[77].SHA256[31] ^= 1
	if ShelfRow(id, 3, other, pieces).SHA256 == row.SHA256 {
		t.Error("another volume, and the same row")
	}
	// A state file has room for its 290 rows, and not for one more.
	full := StateFile{Checkpoint: makeSample(t).Checkpoint, Shelves: slices.Repeat([]VolumeRow{row}, 290-127), Volumes: bytesEach(127)}
	full.Start = 163*uint64(row.Length) + 127
	b := must[[]byte](t)(full.Encode())
	back := must[*StateFile](t)(ParseStateFile(b))
	if len(b) > StateBytesMax || len(back.Shelves) != 163 || back.Shelves[162] != row || len(back.Volumes) != 127 {
		t.Errorf("%d bytes, %d shelves, %d volumes", len(b), len(back.Shelves), len(back.Volumes))
	}
	full.Shelves, full.Start = append(full.Shelves, row), full.Start+uint64(row.Length)
	if _, err := full.Encode(); err == nil {
		t.Error("291 rows")
	}
}
