package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"weir/ledger"
	"weir/ledger/wire"
)

// TestReadersFetchersAndAuditsRunBesideCommits is for the race detector, and
// sees that each of them finds something whole.
func TestReadersFetchersAndAuditsRunBesideCommits(t *testing.T) {
	t.Run("readable", func(t *testing.T) { runBesideCommits(t, newStory(t, 3)) })
	t.Run("encrypted", func(t *testing.T) { runBesideCommits(t, sealedStory(t, 3)) })
}

func runBesideCommits(t *testing.T, story *story) {
	for range 40 {
		story.pay(t, 3)
	}
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, story.charter, story.options()))
	last := story.batches[len(story.batches)-1]
	done := make(chan struct{})
	var readers sync.WaitGroup
	loop := func(name string, f func() error) {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := f(); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	loop("read", func() error {
		walked := 0
		err := s.Entries(0, func(e ledger.Decided) bool {
			walked++
			d, ok, err := s.Find(e.Entry.Account, e.Entry.Number)
			return err == nil && ok && sameDecided(d, e)
		})
		v, _, errGet := s.Get("n")
		return errors.Join(err, errGet, s.Newest(1, func(d ledger.Decided) bool { return walked > 0 && v != nil }))
	})
	loop("fetch", func() error {
		f, err := s.Volume(0)
		if err != nil {
			return err
		}
		rubbish := bytes.Repeat([]byte{0xaa}, int(last.Length)+100)
		_, err = f.WriteAt(rubbish, 0)
		ahead, errAhead := s.Volume(3)
		if errAhead == nil {
			_, errAhead = ahead.WriteAt(rubbish, 5)
		}
		info, errInfo := s.VolumeInfo(0)
		if want := (info.Length + wire.PieceBytes - 1) / wire.PieceBytes * pieceHashBytes; uint64(len(info.Pieces)) != want {
			errInfo = fmt.Errorf("%d bytes of pieces, want %d", len(info.Pieces), want)
		}
		return errors.Join(err, errAhead, errInfo)
	})
	loop("audit", func() error {
		r, err := s.Audit(nil)
		if err == nil && !r.OK() {
			err = fmt.Errorf("found %v", r.Findings)
		}
		return err
	})
	for i, b := range story.batches {
		check(t, s.Commit([]*ledger.Batch{b}, KV{"n", fmt.Append(nil, i)}))
	}
	close(done)
	readers.Wait()
	clean(t, s)
	check(t, s.Close())
	if _, err := s.Entry(1); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed store still reads: %v", err)
	}
	if err := s.Commit(nil, KV{"a", nil}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed store still commits: %v", err)
	}
	s = must[*Store](t)(Open(d, story.options()))
	compare(t, s, story.store)
	check(t, s.Close())
}
