package swarm

import (
	"io"

	library "github.com/anacrolix/torrent/storage"
)

const hashBytes = 64 << 10 // read at once to be hashed

// piece is one piece of a storage.
type piece struct {
	*storage
	index int
}

func (p piece) offset() int64 { return int64(p.index) * p.unit }

func (p piece) ReadAt(b []byte, off int64) (int, error) {
	if err := p.readAt(b, p.offset()+off); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (p piece) WriteAt(b []byte, off int64) (int, error) {
	if err := p.writeAt(b, p.offset()+off); err != nil {
		return 0, err
	}
	return len(b), nil
}

// WriteTo is how the library hashes a piece.
func (p piece) WriteTo(w io.Writer) (n int64, err error) {
	b := make([]byte, min(p.size(p.index), hashBytes))
	for n < p.size(p.index) {
		part := b[:min(int64(len(b)), p.size(p.index)-n)]
		if err := p.readAt(part, p.offset()+n); err != nil {
			return n, err
		}
		m, err := w.Write(part)
		n += int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// NewReader is how the library reads what a torrent peer asked for.
func (p piece) NewReader() (library.PieceReader, error) { return upload{p}, nil }

// upload never fails: the library ends the process when a read fails while the
// torrent is being dropped. It waits until nothing can be sent any more.
type upload struct{ piece }

func (u upload) ReadAt(b []byte, off int64) (int, error) {
	if err := u.readAt(b, u.offset()+off); err != nil {
		<-u.gone
	}
	return len(b), nil
}

func (u upload) Close() error { return nil }

func (p piece) MarkComplete() error    { p.mark(true); return nil }
func (p piece) MarkNotComplete() error { p.mark(false); return nil }

func (p piece) mark(done bool) {
	s := p.storage
	s.mu.Lock()
	changed := s.done[p.index] != done
	s.done[p.index] = done
	switch {
	case changed && done:
		s.left--
	case changed:
		s.left++
	}
	s.mu.Unlock()
	if changed && done && s.news != nil {
		s.news()
	}
}

func (p piece) Completion() library.Completion {
	p.storage.mu.Lock()
	defer p.storage.mu.Unlock()
	return library.Completion{Ok: true, Complete: p.done[p.index]}
}
