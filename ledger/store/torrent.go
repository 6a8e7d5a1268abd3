package store

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"io"

	"weir/ledger/wire"
)

// Torrent is one torrent of the database, served from the store's own files
// without a second copy (DESIGN section 5).
type Torrent struct {
	Info     []byte // bencoded info dictionary
	Infohash [20]byte
	Content  *Span
	State    []byte // of a newest torrent: the bytes of its state file
}

// NewestTorrent is the torrent of the committed tail and the state file that the
// checkpoint at its end makes. Everybody with the same log and checkpoint
// computes the same infohash. The cost is that of one piece and the state
// file, whatever the size of the database.
func (s *Store) NewestTorrent(c wire.Checkpoint) (Torrent, error) {
	state, err := s.stateFile(c)
	if err != nil {
		return Torrent{}, fmt.Errorf("make the newest torrent: %w", err)
	}
	n := s.State().Volumes
	info, err := s.VolumeInfo(n)
	if err != nil {
		return Torrent{}, fmt.Errorf("make the newest torrent: %w", err)
	}
	return s.TailTorrent(n, info.Length, state)
}

// stateFile is the bytes of the state file at the committed end.
func (s *Store) stateFile(c wire.Checkpoint) ([]byte, error) {
	st, shelves := s.State(), s.ShelfRows()
	f := wire.StateFile{
		Start: st.Volume, Checkpoint: c,
		Shelves: shelves, Volumes: s.VolumeRows(len(shelves) * wire.ShelfVolumes),
	}
	return f.Encode()
}

// TailTorrent is the newest torrent as it was when volume number had length
// bytes: its tail is a prefix of the volume's file.
func (s *Store) TailTorrent(number int, length uint64, state []byte) (Torrent, error) {
	v, err := s.VolumeInfo(number)
	if err != nil {
		return Torrent{}, fmt.Errorf("make a tail torrent: %w", err)
	}
	if length > v.Length {
		return Torrent{}, fmt.Errorf("make a tail torrent: %d bytes of volume %d, which has %d", length, number, v.Length)
	}
	f, err := s.Volume(number)
	if err != nil {
		return Torrent{}, fmt.Errorf("make a tail torrent: %w", err)
	}
	whole := length / wire.PieceBytes
	pieces := append([]byte(nil), v.Pieces[:whole*sha1.Size]...)
	rest := make([]byte, length-whole*wire.PieceBytes, wire.PieceBytes+len(state))
	if _, err := f.ReadAt(rest, int64(whole*wire.PieceBytes)); err != nil && !(errors.Is(err, io.EOF)) {
		return Torrent{}, fmt.Errorf("make a tail torrent: %w", err)
	}
	for rest = append(rest, state...); len(rest) > 0; {
		n := min(len(rest), wire.PieceBytes)
		sum := sha1.Sum(rest[:n])
		pieces = append(pieces, sum[:]...)
		rest = rest[n:]
	}
	info := wire.NewestInfo(s.State().ID, length, len(state), pieces)
	return Torrent{
		Info:     info,
		Infohash: wire.Infohash(info),
		Content:  NewSpan(f, int64(length), state),
		State:    state,
	}, nil
}

// VolumeTorrent is the torrent of a full volume.
func (s *Store) VolumeTorrent(number int) (Torrent, error) {
	v, err := s.VolumeInfo(number)
	if err != nil {
		return Torrent{}, fmt.Errorf("make a volume's torrent: %w", err)
	}
	f, err := s.Volume(number)
	if err != nil {
		return Torrent{}, fmt.Errorf("make a volume's torrent: %w", err)
	}
	info := wire.VolumeInfo(s.State().ID, number, v.Length, v.Pieces)
	return Torrent{Info: info, Infohash: wire.Infohash(info), Content: NewSpan(f, int64(v.Length), nil)}, nil
}
