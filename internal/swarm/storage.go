package swarm

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/anacrolix/torrent/metainfo"
	library "github.com/anacrolix/torrent/storage"

	"weir/internal/seed"
)

// storage is the library's view of one torrent's Content: pieces straight
// from and to it, and in memory which of them are complete.
type storage struct {
	// use is held for reading during every call of content, and for writing to exchange it.
	use     sync.RWMutex
	content seed.Content // nil: closed, or not planned yet
	write   bool         // it is being fetched

	gone    chan struct{} // closed when the library has dropped the torrent for good
	news    func()        // a piece became complete; nil: nobody is told
	trouble func()        // content failed; neither may wait for anything

	mu     sync.Mutex
	all    bool   // everything is there
	here   []bool // the pieces that are there and verified before the first comes; nil: none
	length int64  // of everything; 0 until the info dictionary is known
	unit   int64  // length of a piece
	hashes []byte
	done   []bool
	left   int   // pieces not done
	failed error // the first error of content; nothing is written after it
}

var (
	errShape  = errors.New("an info dictionary that weir does not write")
	errStored = errors.New("not being fetched")
)

// maxLength bounds the length of a torrent so that sums of offsets do not overflow.
const maxLength = 1 << 50

// OpenTorrent takes what the info dictionary says. The library calls it when
// it has checked that lengths and pieces agree.
func (s *storage) OpenTorrent(_ context.Context, info *metainfo.Info, _ metainfo.Hash) (library.TorrentImpl, error) {
	if err := checkInfo(info); err != nil {
		return library.TorrentImpl{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.length, s.unit, s.hashes = info.TotalLength(), info.PieceLength, info.Pieces
		s.done = make([]bool, len(info.Pieces)/sha1.Size)
		for i := range s.done {
			s.done[i] = s.all || i < len(s.here) && s.here[i]
			if !s.done[i] {
				s.left++
			}
		}
	}
	return library.TorrentImpl{Piece: func(p metainfo.Piece) library.PieceImpl {
		return piece{s, p.Index()}
	}}, nil
}

// checkInfo refuses the forms on which the library's arithmetic fails.
func checkInfo(info *metainfo.Info) error {
	if info.HasV2() || info.PieceLength <= 0 || info.PieceLength > maxLength || len(info.Pieces) == 0 {
		return errShape
	}
	var sum int64
	for f := range info.UpvertedV1Files() {
		if f.Length < 0 || f.Length > maxLength-sum {
			return errShape
		}
		sum += f.Length
	}
	if pieces := (sum + info.PieceLength - 1) / info.PieceLength; int64(len(info.Pieces)) != pieces*sha1.Size {
		return errShape
	}
	return nil
}

// exchange serves other content from now on, and returns when the old is not in use.
func (s *storage) exchange(c seed.Content, write bool) {
	s.use.Lock()
	defer s.use.Unlock()
	s.content, s.write = c, write
}

func (s *storage) close() { s.exchange(nil, false) }

// seal ends writing.
func (s *storage) seal() {
	s.use.Lock()
	defer s.use.Unlock()
	s.write = false
}

// readAt reads all of b from the content.
func (s *storage) readAt(b []byte, off int64) error {
	s.use.RLock()
	defer s.use.RUnlock()
	if s.content == nil {
		return ErrClosed
	}
	n, err := s.content.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return s.fail(fmt.Errorf("read a piece: %w", err))
}

// writeAt writes all of b to the content, if nothing has failed before.
func (s *storage) writeAt(b []byte, off int64) error {
	s.use.RLock()
	defer s.use.RUnlock()
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	if failed != nil {
		return failed
	}
	if s.content == nil || !s.write {
		return errStored
	}
	n, err := s.content.WriteAt(b, off)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return s.fail(fmt.Errorf("write a piece: %w", err))
	}
	return nil
}

// fail keeps the first error.
func (s *storage) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
		s.trouble()
	}
	return err
}

// progress is how many pieces are missing and how many bytes are here, and the
// error that writing ended with.
func (s *storage) progress() (left int, have, length int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	have = int64(len(s.done)-s.left) * s.unit
	return s.left, min(have, s.length), s.length, s.failed
}

// pieces is how many there are; 0 until the info dictionary is known.
func (s *storage) pieces() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.done)
}

// size is the length of a piece; 0 when there is no such piece.
func (s *storage) size(index int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if index < 0 || index >= len(s.done) {
		return 0
	}
	return min(s.unit, s.length-int64(index)*s.unit)
}

// genuine says whether b is all of a piece, which there is.
func (s *storage) genuine(index int, b []byte) bool {
	sum := sha1.Sum(b)
	return string(sum[:]) == string(s.hashes[index*sha1.Size:][:sha1.Size])
}
