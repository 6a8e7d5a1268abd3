package store

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"weir/internal/sign"
	"weir/ledger"
	"weir/ledger/wire"
)

// Audit checks the store on a disk where nobody has it open, and changes
// nothing. It trusts nothing that is cached: every frame is read again, every
// signature, chain, verdict, balance and Merkle hash is computed again from the
// charter on, and every row of the index and every piece and volume hash is
// compared with what comes out. What is wrong stands in the Report; the error
// says that there was nothing to audit, or no way to (ErrNotFound, ErrLocked,
// ErrVersion, ErrDamaged, ErrReadKey). Progress, if not nil, is called with the
// bytes done and to do.
func Audit(d Disk, o Options, progress func(done, total uint64)) (_ *Report, err error) {
	s, err := open(d, o, toRead)
	if err != nil {
		return nil, fmt.Errorf("audit a store: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Audit(progress)
}

// Audit is the function Audit for an open store, as it is at this moment. It
// may run beside commits, on any goroutine.
func (s *Store) Audit(progress func(done, total uint64)) (*Report, error) {
	if err := s.enter(); err != nil {
		return nil, fmt.Errorf("audit a store: %w", err)
	}
	defer s.leave()
	before, errBefore := counted(s.disk.files())
	snapshot := s.index.db.NewSnapshot()
	defer snapshot.Close()
	after, errAfter := counted(s.disk.files())
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	a := &auditor{
		store: s, rows: snapshot, report: &Report{}, progress: progress,
		promised: [2]uint64{before, after}, errPromised: errors.Join(errBefore, errAfter),
	}
	rewinds := s.rewinds()
	_, errRun := a.part(a.run)
	_, errClose := a.part(a.close) // an iterator says again what it met
	if err := errors.Join(errRun, errClose); err != nil {
		return nil, fmt.Errorf("audit a store: %w", err)
	}
	if s.rewinds() != rewinds {
		return nil, fmt.Errorf("audit a store: %w", ErrRewound)
	}
	return a.report, nil
}

// auditor is one audit under way.
type auditor struct {
	store    *Store
	rows     rows
	report   *Report
	progress func(done, total uint64)

	promised    [2]uint64 // commits, before and after rows was taken
	errPromised error
	format      int // as FORMAT says

	fixed  ledger.Fixed  // as recorded
	layout *layout       // as recorded
	state  *ledger.State // as computed, entry by entry
	cuts   []uint64      // where the volumes after the first begin, as computed

	hashes  *trustedHashes
	offsets *packed

	numbers, touches uint64 // rows that must be there, as computed
}

// auditBytes is how much of the stream is replayed at a time.
const auditBytes = 1 << 20

func (a *auditor) run() error {
	if on, err := a.part(a.found); !on {
		return err
	}
	replayed, err := a.part(a.replay)
	if err != nil {
		return err
	}
	// What cannot be replayed any more, the volumes' hashes still place.
	hashed, err := a.part(a.volumes)
	if err != nil || !replayed || !hashed {
		return err
	}
	_, err = a.part(a.compare)
	return err
}

// part does a part of the audit, and says whether to go on. Damage is a
// finding and no error.
func (a *auditor) part(do func() error) (on bool, err error) {
	err = do()
	switch {
	case errors.Is(err, errStop):
		return false, nil
	case errors.Is(classify(err), ErrDamaged):
		_ = a.report.stop("%v", err)
		return false, nil
	}
	return err == nil, err
}

func (a *auditor) close() error {
	var err error
	if a.hashes != nil {
		err = a.hashes.stored.close()
	}
	if a.offsets != nil {
		err = errors.Join(err, a.offsets.close())
	}
	return err
}

// found checks what stands at the beginning.
func (a *auditor) found() error {
	files := a.store.disk.files()
	var err error
	if a.format, err = readFormat(files); err != nil {
		return a.report.stop("%s: %v", formatFile, err)
	}
	if err := a.commits(); err != nil {
		return err
	}
	charter, err := readFile(files, charterFile, wire.ItemBytesMax)
	if err != nil {
		return a.report.stop("%s: %v", charterFile, err)
	}
	if !bytes.Equal(charter, a.store.charter) {
		return a.report.stop("%s: it was changed since the store was opened", charterFile)
	}
	var first *ledger.Batch
	a.state, first, err = ledger.Found(charter, a.store.options.ReadKey)
	switch {
	case errors.Is(err, ErrReadKey):
		return err
	case err != nil:
		return a.report.stop("%s: %v", charterFile, err)
	}
	if a.fixed, err = loadFixed(a.rows); err != nil {
		return err
	}
	if a.layout, err = loadLayout(a.rows, a.fixed); err != nil {
		return err
	}
	frame := make([]byte, min(len(first.Frames), int(a.layout.length)))
	if err := a.store.readStream(a.layout, frame, 0); err != nil {
		return err
	}
	if !bytes.Equal(frame, first.Frames) {
		return a.report.stop("stream at 0: it does not begin with the charter's frame")
	}
	if a.store.state == nil { // else the key was tried when the store was opened
		if err := a.store.tryKey(a.rows, a.layout, a.state); err != nil {
			return err
		}
	}
	hashes, err := newPacked(a.rows, rowHashes, tlog.HashSize)
	if err != nil {
		return err
	}
	a.hashes = &trustedHashes{stored: hashes}
	if a.offsets, err = newPacked(a.rows, rowOffsets, 8); err != nil {
		return err
	}
	return a.adopted(first)
}

// replay goes through the stream from the charter to the committed length.
func (a *auditor) replay() error {
	buffer := make([]byte, 0, auditBytes)
	for at := a.state.Length; at < a.layout.length; at = a.state.Length {
		n := min(uint64(auditBytes), a.layout.length-at)
		buffer = buffer[:n]
		if err := a.store.readStream(a.layout, buffer, at); err != nil {
			return err
		}
		whole, err := wholeFrames(buffer)
		if err != nil {
			return a.report.stop("stream at %d: %v", at+uint64(whole), err)
		}
		batches, err := a.state.Replay(buffer[:whole], a.hashes, sign.ZIP215{})
		if errors.Is(err, ledger.ErrInvalid) {
			return a.report.stop("stream between %d and %d: %v", at, at+uint64(whole), err)
		}
		if err != nil {
			return err
		}
		for _, b := range batches {
			if err := a.batch(b); err != nil {
				return err
			}
		}
		a.progress(a.state.Length, 2*a.layout.length)
	}
	return nil
}

// wholeFrames is how many bytes at the front of b are whole frames; an error if
// that is none.
func wholeFrames(b []byte) (int, error) {
	whole := 0
	for whole < len(b) {
		_, n, err := wire.ParseFrame(b[whole:])
		if errors.Is(err, wire.ErrShort) && whole > 0 {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		whole += n
	}
	return whole, nil
}

// batch compares the rows of one replayed batch, and adopts it.
func (a *auditor) batch(b *ledger.Batch) error {
	if b.Time != a.state.Time {
		a.report.Batches++
	}
	for i := range b.Entries {
		d := &b.Entries[i]
		if d.Entry.Kind == wire.KindSweep && d.Entry.Verdict == wire.Applied {
			a.cuts = append(a.cuts, d.Offset)
		}
		if err := a.entry(d); err != nil {
			return err
		}
	}
	a.report.Entries += uint64(len(b.Entries))
	a.state.Adopt(b)
	return a.adopted(b)
}

// adopted compares the Merkle hashes and the root after a batch.
func (a *auditor) adopted(b *ledger.Batch) error {
	if err := a.hashes.append(b, a.report); err != nil {
		return err
	}
	root, err := ledger.RootAt(b.Size, a.hashes)
	if err != nil {
		return err
	}
	if root != b.Root {
		return a.report.find("root at size %d: the hashes give %s, the entries %s", b.Size, root, b.Root)
	}
	return nil
}
