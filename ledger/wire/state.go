package wire

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// VolumeRow is one row of a state file, 56 bytes:
//
//	length u32 ‖ infohash (20) ‖ SHA-256 (32)
type VolumeRow struct {
	Length   uint32
	Infohash [20]byte
	SHA256   [32]byte // of the volume's bytes; of a shelf: of its 128 volumes' rows
}

const volumeRowBytes = 4 + 20 + 32

// StateFile is the second file of the newest torrent. It says where the tail
// lies and how to get everything before it:
//
//	version (1) ‖ start u64 ‖ checkpoint: size u64 ‖ root (32) ‖
//	signature (64) ‖ shelves u16 ‖ volumes u16 ‖ rows (56 each)
//
// The rows, shelves first, are the stream from its beginning to Start without
// a gap, so their lengths sum to Start.
type StateFile struct {
	Start      uint64     // stream offset at which the tail begins
	Checkpoint Checkpoint // at the tail's end
	Shelves    []VolumeRow
	Volumes    []VolumeRow // after the last whole shelf, fewer than ShelfVolumes
}

const (
	stateHeaderBytes = 1 + 8 + checkpointBytes + 2 + 2
	stateRowsMax     = (StateBytesMax - stateHeaderBytes) / volumeRowBytes
)

// ShelfRow is the row of shelf number: its volumes' rows, ShelfVolumes of them,
// and its pieces say what it is.
func ShelfRow(id ID, number int, volumes []VolumeRow, pieces []byte) VolumeRow {
	var row VolumeRow
	lengths := make([]uint64, len(volumes))
	for i, v := range volumes {
		lengths[i] = uint64(v.Length)
		row.Length += v.Length
	}
	row.Infohash = Infohash(ShelfInfo(id, number, lengths, pieces))
	row.SHA256 = RowsHash(volumes)
	return row
}

// RowsHash is the SHA-256 of the rows' bytes, one after the other.
func RowsHash(rows []VolumeRow) [32]byte {
	b := make([]byte, 0, len(rows)*volumeRowBytes)
	for _, v := range rows {
		b = v.Append(b)
	}
	return sha256.Sum256(b)
}

// Append appends the row's bytes to b.
func (v VolumeRow) Append(b []byte) []byte {
	b = appendU32(b, v.Length)
	b = append(b, v.Infohash[:]...)
	return append(b, v.SHA256[:]...)
}

// Encode gives the file's bytes, at most StateBytesMax.
func (s *StateFile) Encode() ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("write a state file: %w", err)
	}
	b := make([]byte, 0, stateHeaderBytes+volumeRowBytes*(len(s.Shelves)+len(s.Volumes)))
	b = append(b, Version)
	b = appendU64(b, s.Start)
	b = s.Checkpoint.append(b)
	b = appendU16(b, len(s.Shelves))
	b = appendU16(b, len(s.Volumes))
	for _, v := range s.Shelves {
		b = v.Append(b)
	}
	for _, v := range s.Volumes {
		b = v.Append(b)
	}
	return b, nil
}

// ParseStateFile reads a state file. The checkpoint's signature is for the
// caller to check.
func ParseStateFile(b []byte) (*StateFile, error) {
	s, err := parseStateFile(b)
	if err != nil {
		return nil, fmt.Errorf("read a state file: %w", err)
	}
	return s, nil
}

func parseStateFile(b []byte) (*StateFile, error) {
	if len(b) > StateBytesMax {
		return nil, fmt.Errorf("%d bytes where %d are allowed", len(b), StateBytesMax)
	}
	var s StateFile
	c := cursor{b: b}
	c.version()
	s.Start = c.u64()
	s.Checkpoint = c.checkpoint()
	shelves, volumes := c.u16(), c.u16()
	s.Shelves = c.rows(shelves)
	s.Volumes = c.rows(volumes)
	if err := c.end(); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return &s, nil
}

func (c *cursor) rows(n int) []VolumeRow {
	if c.err == nil && n*volumeRowBytes > len(c.b) {
		c.fail("%w", ErrShort)
	}
	if c.err != nil || n == 0 {
		return nil
	}
	rows := make([]VolumeRow, n)
	for i := range rows {
		rows[i].Length = c.u32()
		c.fixed(rows[i].Infohash[:])
		c.fixed(rows[i].SHA256[:])
	}
	return rows
}

func (s *StateFile) check() error {
	if n := len(s.Shelves) + len(s.Volumes); n > stateRowsMax {
		return fmt.Errorf("%d rows where there is room for %d", n, stateRowsMax)
	}
	if len(s.Volumes) >= ShelfVolumes {
		return fmt.Errorf("%d volumes where %d make a shelf", len(s.Volumes), ShelfVolumes)
	}
	if s.Checkpoint.Size == 0 {
		return errors.New("no checkpoint")
	}
	if err := s.Checkpoint.check(); err != nil {
		return err
	}
	var sum uint64
	for _, v := range s.Shelves {
		if v.Length == 0 || v.Length > ShelfVolumes*VolumeBytesMax {
			return fmt.Errorf("a shelf of %d bytes", v.Length)
		}
		sum += uint64(v.Length)
	}
	for _, v := range s.Volumes {
		if v.Length == 0 || v.Length > VolumeBytesMax {
			return fmt.Errorf("a volume of %d bytes", v.Length)
		}
		sum += uint64(v.Length)
	}
	if sum != s.Start {
		return fmt.Errorf("volumes of %d bytes before a tail that begins at %d", sum, s.Start)
	}
	return nil
}
