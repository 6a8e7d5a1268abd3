package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"sort"
	"strconv"
	"strings"

	"weir/ledger/wire"
)

func volumeName(number int) string {
	if number >= aheadTail {
		return aheadTails[number-aheadTail]
	}
	return path.Join(streamDir, fmt.Sprintf("%06d.vol", number))
}

func volumeNumber(name string) (int, bool) {
	digits, ok := strings.CutSuffix(name, ".vol")
	number, err := strconv.Atoi(digits)
	return number, ok && err == nil && len(digits) == 6 && number >= 0
}

// volume is where volume number lies, the tail included; beyond it, a volume
// without a byte at the stream's end.
func (l *layout) volume(number int) volume {
	switch n := len(l.full); {
	case number < n:
		return l.full[number]
	case number == n:
		return volume{start: l.start, length: l.tailLength()}
	}
	return volume{start: l.length}
}

// find is the number of the volume with the byte at a stream offset.
func (l *layout) find(off uint64) int {
	return sort.Search(len(l.full), func(i int) bool { return off < l.full[i].start+l.full[i].length })
}

// VolumeInfo describes a full volume or the committed tail.
type VolumeInfo struct {
	Start    uint64   // stream offset
	Length   uint64   // committed bytes
	Pieces   []byte   // packed SHA-1 of its pieces of wire.PieceBytes; the last may be short
	SHA256   [32]byte // of a full volume
	Infohash [20]byte // of a full volume's torrent
}

// VolumeInfo describes volume number. Commit keeps it up to date at a cost of
// what was added; a full volume's piece hashes are read from the index.
func (s *Store) VolumeInfo(number int) (VolumeInfo, error) {
	l := s.layout.Load()
	if number < 0 || number > len(l.full) {
		return VolumeInfo{}, fmt.Errorf("describe volume %d: there are %d", number, len(l.full)+1)
	}
	v := l.volume(number)
	info := VolumeInfo{Start: v.start, Length: v.length, SHA256: v.sha256, Infohash: v.infohash}
	if number == len(l.full) {
		info.Pieces = append([]byte(nil), l.pieces...)
		if v.length%wire.PieceBytes > 0 {
			info.Pieces = append(info.Pieces, l.last[:]...)
		}
		return info, nil
	}
	if err := s.enter(); err != nil {
		return VolumeInfo{}, fmt.Errorf("describe volume %d: %w", number, err)
	}
	defer s.leave()
	pieces, err := loadPieces(s.index.db, number, v.length)
	if err != nil {
		return VolumeInfo{}, fmt.Errorf("describe volume %d: %w", number, err)
	}
	info.Pieces = pieces
	return info, nil
}

// VolumeRows is the rows of the full volumes from number first on, as state
// files have them. It costs no reading.
func (s *Store) VolumeRows(first int) []wire.VolumeRow {
	l := s.layout.Load()
	if first < 0 || first >= len(l.full) {
		return nil
	}
	return rowsOf(l.full[first:])
}

// File is one volume of the stream on the disk, as torrents use it. It has the
// shape of seed.Content. Of a volume that is being fetched WriteAt writes what
// lies beyond the committed length; committed bytes are never written to.
type File struct {
	store  *Store
	number int
}

// Volume is the file of volume number; the tail is number State().Volumes. The
// file of a number past the tail is made, to fetch ahead.
func (s *Store) Volume(number int) (*File, error) {
	if number < 0 || number >= wire.VolumesMax {
		return nil, fmt.Errorf("open volume %d: no such number", number)
	}
	if number <= len(s.layout.Load().full) {
		return &File{s, number}, nil
	}
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.enter(); err != nil {
		return nil, fmt.Errorf("open volume %d: %w", number, err)
	}
	defer s.leave()
	f, err := s.openVolume(number)
	if err != nil {
		return nil, fmt.Errorf("open volume %d: %w", number, err)
	}
	return &File{s, number}, f.Close()
}

// guard is the place in the stream before which File writes nothing: volumes
// before number, and the first off bytes of that one.
type guard struct {
	number int
	off    int64
}

// protects is how many bytes at the front of a volume are not to be written.
func (g guard) protects(number int) int64 {
	switch {
	case number < g.number:
		return math.MaxInt64
	case number == g.number:
		return g.off
	}
	return 0
}

// openVolume opens a volume's file to write; one that is not there is made. It
// needs files.
func (s *Store) openVolume(number int) (file, error) { return s.makeFile(volumeName(number)) }

func (s *Store) makeFile(name string) (file, error) {
	d := s.disk.files()
	f, err := d.open(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	s.named = true
	return d.create(name)
}

// ReadAt reads what is committed or was fetched.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	s := f.store
	if err := s.enter(); err != nil {
		return 0, fmt.Errorf("read volume %d: %w", f.number, err)
	}
	defer s.leave()
	if off < 0 {
		return 0, fmt.Errorf("read volume %d at %d: no such offset", f.number, off)
	}
	h, err := s.disk.files().open(volumeName(f.number))
	if err != nil {
		return 0, fmt.Errorf("read volume %d: %w", f.number, err)
	}
	defer h.Close()
	n, err := h.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read volume %d: %w", f.number, err)
	}
	return n, err
}

// WriteAt writes the part of p that lies beyond what is committed, and takes the
// rest for written: a torrent writes whole pieces, and writes them before it
// knows whether they are right.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	s := f.store
	if off < 0 || off+int64(len(p)) > wire.VolumeBytesMax {
		return 0, fmt.Errorf("write volume %d at %d: no volume is so long", f.number, off)
	}
	s.files.RLock()
	defer s.files.RUnlock()
	if err := s.enter(); err != nil {
		return 0, fmt.Errorf("write volume %d: %w", f.number, err)
	}
	defer s.leave()
	skip := min(max(s.guard.protects(f.number)-off, 0), int64(len(p)))
	if skip == int64(len(p)) {
		return len(p), nil
	}
	// Who says what is to be fetched may not fill the disk.
	if err := s.room(uint64(int64(len(p)) - skip)); err != nil {
		return 0, fmt.Errorf("write volume %d: %w", f.number, err)
	}
	h, err := s.disk.files().open(volumeName(f.number))
	if err != nil {
		return 0, fmt.Errorf("write volume %d: %w", f.number, err)
	}
	n, err := h.WriteAt(p[skip:], off+skip)
	if err = errors.Join(err, h.Close()); err != nil {
		return int(skip) + n, fmt.Errorf("write volume %d: %w", f.number, classify(err))
	}
	return len(p), nil
}

// Size is the bytes in the file, what was fetched included.
func (f *File) Size() (int64, error) {
	s := f.store
	if err := s.enter(); err != nil {
		return 0, fmt.Errorf("measure volume %d: %w", f.number, err)
	}
	defer s.leave()
	h, err := s.disk.files().open(volumeName(f.number))
	if err != nil {
		return 0, fmt.Errorf("measure volume %d: %w", f.number, err)
	}
	n, err := h.Size()
	if err = errors.Join(err, h.Close()); err != nil {
		return 0, fmt.Errorf("measure volume %d: %w", f.number, err)
	}
	return n, nil
}

// Sync makes what was fetched outlive a power loss.
func (f *File) Sync() error {
	s := f.store
	s.files.Lock()
	defer s.files.Unlock()
	if err := s.enter(); err != nil {
		return fmt.Errorf("sync volume %d: %w", f.number, err)
	}
	defer s.leave()
	h, err := s.disk.files().open(volumeName(f.number))
	if err != nil {
		return fmt.Errorf("sync volume %d: %w", f.number, err)
	}
	err = errors.Join(h.Sync(), h.Close())
	if err == nil && s.named {
		if err = s.disk.files().syncDir(streamDir); err == nil {
			s.named = false
		}
	}
	if err != nil {
		return fmt.Errorf("sync volume %d: %w", f.number, classify(err))
	}
	return nil
}
