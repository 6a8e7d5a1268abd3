package store

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/ledger"
	"weir/ledger/wire"
)

// segment is bytes to be written into one volume's file.
type segment struct {
	number int
	off    int64
	data   []byte
}

// plan is what a commit will write to the stream, and how the stream lies
// then. The hashes of volumes that become full are filled in once they are
// written.
type plan struct {
	segments []segment
	full     []volume // that become full, the first of them number first
	first    int
	start    uint64 // of the tail afterwards
	length   uint64
	size     uint64
	bytes    uint64        // to be written
	before   map[int]int64 // bytes of each file before it was written to
}

// newPlan cuts the frames of batches into volumes, and checks that the batches
// continue what is committed and each other: the index would not survive it.
func newPlan(l *layout, batches []*ledger.Batch) (*plan, error) {
	p := &plan{before: map[int]int64{}, first: len(l.full), start: l.start, length: l.length, size: l.size}
	for _, b := range batches {
		if err := p.add(b); err != nil {
			return nil, fmt.Errorf("batch of %d bytes at %d: %w", len(b.Frames), b.Start, err)
		}
	}
	return p, nil
}

func (p *plan) add(b *ledger.Batch) error {
	leaves := uint64(len(b.Entries))
	if p.size == 0 {
		leaves = 1 // the charter is a leaf and no entry
	}
	size := p.size + leaves
	hashes := tlog.StoredHashCount(int64(size)) - tlog.StoredHashCount(int64(p.size))
	switch {
	case b.Start != p.length || b.Length != p.length+uint64(len(b.Frames)) || len(b.Frames) == 0:
		return fmt.Errorf("it ends at %d, and the stream before it at %d", b.Length, p.length)
	case b.Size != size || b.FirstHash != tlog.StoredHashCount(int64(p.size)) || int64(len(b.Hashes)) != hashes:
		return fmt.Errorf("its %d hashes from %d on are not those of leaves %d to %d", len(b.Hashes), b.FirstHash, p.size, b.Size)
	}
	at := p.length
	for i := range b.Entries {
		d := &b.Entries[i]
		end := b.Length
		if i+1 < len(b.Entries) {
			end = b.Entries[i+1].Offset
		}
		if d.Index != p.size+uint64(i) || d.Frame <= 0 || d.Offset+uint64(d.Frame) != end || i == 0 && d.Offset != b.Start {
			return fmt.Errorf("its entry %d has %d bytes at %d", d.Index, d.Frame, d.Offset)
		}
		if d.Entry.Kind == wire.KindSweep && d.Entry.Verdict == wire.Applied {
			p.write(b.Frames[at-b.Start:d.Offset-b.Start], at)
			at = d.Offset
			p.full = append(p.full, volume{start: p.start, length: at - p.start})
			p.start = at
		}
	}
	p.write(b.Frames[at-b.Start:], at)
	p.size, p.length = size, b.Length
	if b.Volume != p.start || b.Volumes != p.first+len(p.full) {
		return fmt.Errorf("it says that volume %d begins at %d, its sweeps that volume %d begins at %d",
			b.Volumes, b.Volume, p.first+len(p.full), p.start)
	}
	return nil
}

// write adds a segment of the tail as it is at this point.
func (p *plan) write(data []byte, at uint64) {
	if len(data) > 0 {
		p.segments = append(p.segments, segment{p.first + len(p.full), int64(at - p.start), data})
		p.bytes += uint64(len(data))
	}
}

// tail is the number of the tail afterwards.
func (p *plan) tail() int { return p.first + len(p.full) }

// layout is how the stream lies once the plan is true.
func (p *plan) layout(l *layout, t *tail) *layout {
	n := len(t.whole)
	return &layout{
		size:   p.size,
		length: p.length,
		full:   append(l.full, p.full...),
		start:  p.start,
		pieces: t.whole[:n:n],
		last:   t.last(),

		rewinds: l.rewinds,
	}
}
