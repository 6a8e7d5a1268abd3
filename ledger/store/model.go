package store

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
)

// sectorBytes is what a disk writes whole or not at all.
const sectorBytes = 512

// model is one file of a Crashable: its bytes as programs see them, and how to
// get from them back to what the last sync left.
type model struct {
	data    []byte
	pending []write // since the last sync
}

// write is one unsynced write, or a truncation (data nil).
type write struct {
	off  int64
	data []byte // what was written
	was  []byte // what it replaced, from off on
	size int64  // of the file before
}

func (m *model) writeAt(p []byte, off int64) {
	size := int64(len(m.data))
	w := write{off: off, data: slices.Clone(p), size: size}
	if off < size {
		w.was = slices.Clone(m.data[off:min(size, off+int64(len(p)))])
	}
	m.pending = append(m.pending, w)
	m.put(p, off)
}

func (m *model) truncate(size int64) {
	w := write{off: size, size: int64(len(m.data))}
	if size < w.size {
		w.was = slices.Clone(m.data[size:])
	}
	m.pending = append(m.pending, w)
	m.resize(size)
}

func (m *model) sync() { m.pending = nil }

func (m *model) put(p []byte, off int64) {
	if end := off + int64(len(p)); end > int64(len(m.data)) {
		m.resize(end)
	}
	copy(m.data[off:], p)
}

func (m *model) resize(size int64) {
	if size <= int64(len(m.data)) {
		m.data = m.data[:size]
		return
	}
	old := len(m.data)
	m.data = slices.Grow(m.data, int(size)-old)[:size]
	clear(m.data[old:])
}

// survivor is what a power loss leaves of the file.
func (m *model) survivor(random *rand.Rand) []byte {
	r := &model{data: slices.Clone(m.data)}
	for _, w := range slices.Backward(m.pending) {
		r.put(w.was, w.off)
		r.resize(w.size)
	}
	for _, w := range m.pending {
		w.survive(r, random)
	}
	return r.data
}

// survive does to r what of w reached the disk.
func (w write) survive(r *model, random *rand.Rand) {
	fate := random.IntN(4)
	switch {
	case fate == 0: // nothing
	case w.data == nil:
		r.resize(w.off)
	case fate == 1:
		r.put(w.data, w.off)
	case fate == 2: // a part of it
		r.put(w.data[:random.IntN(len(w.data)+1)], w.off)
	default: // some sectors of it
		for at := int64(0); at < int64(len(w.data)); {
			end := min(int64(len(w.data)), (w.off+at)/sectorBytes*sectorBytes+sectorBytes-w.off)
			if random.IntN(2) == 0 {
				r.put(w.data[at:end], w.off+at)
			}
			at = end
		}
	}
}

// modelFile is an open file of a Crashable.
type modelFile struct {
	disk *Crashable
	*model
}

func (f *modelFile) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.crashed != nil {
		return 0, f.disk.crashed
	}
	if off < 0 || off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *modelFile) WriteAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.stepped(StepWrite, false); err != nil {
		return 0, err
	}
	if err := f.disk.injected(0); err != nil {
		return 0, err
	}
	fits, full := len(p), error(nil)
	grow := max(off+int64(len(p))-int64(len(f.data)), 0)
	if free := f.disk.space - f.disk.used; f.disk.space >= 0 && grow > free {
		// As a real one does, the disk takes what it can.
		fits, full = max(len(p)-int(grow-max(free, 0)), 0), fmt.Errorf("write: %w", syscall.ENOSPC)
	}
	if fits > 0 {
		before := len(f.data)
		f.writeAt(p[:fits], off)
		f.disk.used += int64(len(f.data) - before)
	}
	if err := f.disk.stepped(StepWrite, true); err != nil {
		return 0, err
	}
	return fits, full
}

func (f *modelFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.stepped(StepCut, false); err != nil {
		return err
	}
	f.disk.used += size - int64(len(f.data))
	f.truncate(size)
	return f.disk.stepped(StepCut, true)
}

func (f *modelFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.stepped(StepSync, false); err != nil {
		return err
	}
	if err := f.disk.injected(0); err != nil {
		return err
	}
	f.sync()
	return f.disk.stepped(StepSync, true)
}

func (f *modelFile) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.data)), f.disk.crashed
}

func (f *modelFile) Close() error { return nil }
