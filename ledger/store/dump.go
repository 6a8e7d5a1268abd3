package store

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/cockroachdb/pebble/v2"

	"weir/ledger/wire"
)

// A backup of a store is its charter, its volumes up to their committed lengths,
// and the rows of its index as they stood at one moment. Rows are written as they
// are, one behind the other in the order of their keys, so that they outlive the
// file format of the library that keeps them:
//
//	"weir store rows 3\n"   the version of the rows, which is that of FORMAT
//	key length (2)  value length (4)  key  value      big endian; and so on
//	0 (2)  0 (4)            the end
//
// RowsFile is where they lie in a store's directory that is not whole yet
// (Assemble).
const (
	RowsFile = "rows"
	rowsName = "weir store rows "

	rowKeyBytesMax  = keyBytesMax + 1
	rowsBatchBytes  = 1 << 20
	rowsHeaderBytes = 64
)

// Charter and volume files by name, relative to a store's directory.
const CharterFile = charterFile

// VolumeFile is the name of a volume's file, relative to a store's directory.
func VolumeFile(number int) string { return path.Join(streamDir, fmt.Sprintf("%06d.vol", number)) }

// Dump is what a store's directory has of the moment in which rows were written:
// committed bytes are never written to again, so whoever reads so many of them
// from the files, also later, has all of it.
type Dump struct {
	Size    uint64       `json:"size"`   // leaves, the charter included
	Length  uint64       `json:"length"` // stream bytes
	Volumes []DumpVolume `json:"volumes"`
}

// DumpVolume is a volume's committed bytes, the tail's too.
type DumpVolume struct {
	Length uint64   `json:"length"`
	SHA256 [32]byte `json:"sha256"`
}

// Dump writes the rows of this moment, and says which bytes of the stream belong to
// them. It may run beside commits, on any goroutine. ErrDamaged when the tail is not
// what was written; the full volumes are left to whoever reads them.
func (s *Store) Dump(w io.Writer) (Dump, error) {
	d, err := s.dump(w)
	if err != nil {
		return Dump{}, fmt.Errorf("copy a store: %w", err)
	}
	return d, nil
}

func (s *Store) dump(w io.Writer) (Dump, error) {
	if err := s.enter(); err != nil {
		return Dump{}, err
	}
	defer s.leave()
	snapshot := s.index.db.NewSnapshot()
	defer snapshot.Close()
	fixed, err := loadFixed(snapshot)
	if err != nil {
		return Dump{}, err
	}
	l, err := loadLayout(snapshot, fixed)
	if err != nil {
		return Dump{}, err
	}
	d := Dump{Size: l.size, Length: l.length}
	for _, v := range l.full {
		d.Volumes = append(d.Volumes, DumpVolume{v.length, v.sha256})
	}
	tail, err := s.tailSum(l)
	if err != nil {
		return Dump{}, err
	}
	d.Volumes = append(d.Volumes, DumpVolume{l.tailLength(), tail})
	return d, writeRows(w, snapshot)
}

// tailSum is the SHA-256 of the tail, whose pieces are compared on the way.
func (s *Store) tailSum(l *layout) (sum [32]byte, err error) {
	b := make([]byte, l.tailLength())
	if err := s.readStream(l, b, l.start); err != nil {
		return sum, err
	}
	for off := 0; off < len(b); off += wire.PieceBytes {
		piece, want := b[off:min(off+wire.PieceBytes, len(b))], l.last[:]
		if n := off / wire.PieceBytes; (n+1)*pieceHashBytes <= len(l.pieces) {
			want = l.pieces[n*pieceHashBytes:][:pieceHashBytes]
		}
		if sha1.Sum(piece) != [sha1.Size]byte(want) {
			return sum, fmt.Errorf("%s, bytes %d to %d, are not what was written: %w", volumeName(len(l.full)), off, off+len(piece), ErrDamaged)
		}
	}
	return sha256.Sum256(b), nil
}

func writeRows(to io.Writer, r rows) (err error) {
	w := bufio.NewWriterSize(to, 64<<10)
	fmt.Fprintf(w, "%s%d\n", rowsName, formatVersion)
	it, err := r.NewIter(nil)
	if err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("read the index: %w", classify(err))
		}
		k := it.Key()
		if !isRow(k[0]) {
			return fmt.Errorf("a row %c would not be read again", k[0])
		}
		w.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(nil, uint16(len(k))), uint32(len(v))))
		w.Write(k)
		w.Write(v)
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read the index: %w", classify(err))
	}
	w.Write(make([]byte, 6))
	return w.Flush() // and with it whatever went wrong before
}

// readRows reads what writeRows wrote, and calls f with each row; key and value are
// f's only during the call. Limits come first, and rows must be in order.
func readRows(from io.Reader, f func(key, value []byte) error) (version int, err error) {
	r := bufio.NewReaderSize(from, 64<<10)
	head, err := r.ReadSlice('\n')
	if err != nil || len(head) > rowsHeaderBytes {
		return 0, fmt.Errorf("%w: %s does not begin as it should", ErrDamaged, RowsFile)
	}
	text := string(head)
	if len(text) < len(rowsName) || text[:len(rowsName)] != rowsName {
		return 0, fmt.Errorf("%w: %s does not begin as it should", ErrDamaged, RowsFile)
	}
	if version, err = parseFormat([]byte(formatName + text[len(rowsName):])); err != nil {
		return 0, err
	}
	var sizes [6]byte
	var before, key, value []byte
	for {
		if _, err := io.ReadFull(r, sizes[:]); err != nil {
			return 0, fmt.Errorf("%w: %s ends early", ErrDamaged, RowsFile)
		}
		k, v := int(binary.BigEndian.Uint16(sizes[:])), int64(binary.BigEndian.Uint32(sizes[2:]))
		if k == 0 && v == 0 {
			break
		}
		if k == 0 || k > rowKeyBytesMax || v > valueBytesMax {
			return 0, fmt.Errorf("%w: %s has a row of %d and %d bytes", ErrDamaged, RowsFile, k, v)
		}
		if key, err = readGrowing(r, key, int64(k)); err == nil {
			value, err = readGrowing(r, value, v)
		}
		if err != nil {
			return 0, fmt.Errorf("%w: %s ends early", ErrDamaged, RowsFile)
		}
		if string(key) <= string(before) || !isRow(key[0]) {
			return 0, fmt.Errorf("%w: the rows of %s are not those of a store, in their order", ErrDamaged, RowsFile)
		}
		if err := f(key, value); err != nil {
			return 0, err
		}
		before = append(before[:0], key...)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return 0, fmt.Errorf("%w: %s goes on behind its end", ErrDamaged, RowsFile)
	}
	return version, nil
}

// readGrowing reads n bytes into b's memory, which grows with what comes and not
// with what is promised.
func readGrowing(r io.Reader, b []byte, n int64) ([]byte, error) {
	b = b[:0]
	for int64(len(b)) < n {
		part := int(min(n-int64(len(b)), 64<<10))
		b = append(b, make([]byte, part)...)
		if _, err := io.ReadFull(r, b[len(b)-part:]); err != nil {
			return b, err
		}
	}
	return b, nil
}

// isRow says whether a key of the index may begin so (key.go).
func isRow(b byte) bool {
	switch b {
	case rowFixed, rowAccount, rowHashes, rowOffsets, rowNumber, rowTouch, rowVolume, rowPiece, rowCount, rowTerm, rowKey:
		return true
	}
	return false
}

// Assemble makes a store of a charter, volumes and a RowsFile that lie in their
// places on a disk that has no FORMAT, and removes the RowsFile. It looks at what it
// needs for that and at no more: Open and Audit check the store that comes of it.
// After an error nothing on the disk is a store.
func Assemble(d Disk) error {
	if err := assemble(d); err != nil {
		return fmt.Errorf("put a store together: %w", err)
	}
	return nil
}

func assemble(d Disk) (err error) {
	files := d.files()
	if _, err := readFormat(files); err == nil {
		return ErrExists
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := d.acquire(); err != nil {
		return err
	}
	s := &Store{disk: d}
	defer func() { err = errors.Join(err, s.abandon()) }()
	if err := writeFormat(files, false); err != nil {
		return err
	}
	if err := files.removeAll(indexDir); err != nil {
		return err
	}
	if err := files.mkdir(indexDir); err != nil {
		return err
	}
	if s.index, err = openIndex(d, Options{}, toMake); err != nil {
		return err
	}
	version, err := s.fill(files)
	if err != nil {
		return err
	}
	if s.commits, err = loadCount(s.index.db); err != nil {
		return err
	}
	if err := s.beginCounts(); err != nil {
		return err
	}
	if err := files.syncDir(streamDir); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err := files.remove(RowsFile); err != nil {
		return err
	}
	return writeFile(files, formatFile, fmt.Appendf(nil, "%s%d\n", formatName, version))
}

// fill writes the rows into the index.
func (s *Store) fill(files fileSystem) (version int, err error) {
	f, err := files.open(RowsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%w: there is no %s", ErrDamaged, RowsFile)
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	batch := s.index.db.NewBatch()
	flush := func() error {
		err := s.index.until(func() error { return s.index.db.Apply(batch, pebble.NoSync) })
		if err == nil {
			batch = s.index.db.NewBatch()
		}
		return err
	}
	version, err = readRows(io.NewSectionReader(f, 0, size), func(key, value []byte) error {
		if err := batch.Set(key, value, nil); err != nil {
			return err
		}
		if batch.Len() > rowsBatchBytes {
			return flush()
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return version, s.index.apply(batch)
}
