package store

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"weir/ledger/wire"
)

// download writes rubbish wherever a fetch may write.
func download(t *testing.T, s *Store, volumes ...int) []byte {
	t.Helper()
	check(t, s.KeepAhead())
	rubbish := bytes.Repeat([]byte{0xaa}, 5000)
	must[int](t)(must[*File](t)(s.AheadTail(false)).WriteAt(rubbish, 0))
	must[int](t)(must[*File](t)(s.AheadTail(true)).WriteAt(rubbish, 0))
	must[int](t)(must[*File](t)(s.Volume(0)).WriteAt(rubbish, int64(s.State().Length)))
	for _, number := range volumes {
		f := must[*File](t)(s.Volume(number))
		must[int](t)(f.WriteAt(rubbish, 0))
		check(t, f.Sync())
	}
	return rubbish
}

func streamFiles(t *testing.T, s *Store) []string {
	t.Helper()
	names := must[[]string](t)(s.disk.files().list(streamDir))
	slices.Sort(names)
	return names
}

func TestADownloadOutlivesTheProcessAndIsNeverTakenForCommitted(t *testing.T) {
	charter, batches := shortStory(t)
	disks(t, func(t *testing.T, again func() Disk) {
		s := must[*Store](t)(Create(again(), charter, Options{}))
		check(t, s.Commit(batches[:2]))
		fixed := s.State().Fixed
		rubbish := download(t, s, 1, 2, 5)
		check(t, s.Close())

		s = must[*Store](t)(Open(again(), Options{}))
		if s.State().Fixed != fixed {
			t.Fatalf("the state is %+v, want %+v", s.State().Fixed, fixed)
		}
		got := make([]byte, len(rubbish))
		for number, off := range map[int]int64{0: int64(fixed.Length), 1: 0, 2: 0, 5: 0, aheadTail: 0, aheadTail + 1: 0} {
			f := &File{s, number}
			size := must[int64](t)(f.Size())
			if n, _ := f.ReadAt(got, off); n != len(got) || !bytes.Equal(got, rubbish) || size != off+int64(len(rubbish)) {
				t.Errorf("of what was fetched of volume %d, %d bytes of %d are there", number, n, size)
			}
		}
		if n, err := s.ReadStream(got, fixed.Length); n > 0 || err == nil {
			t.Error("bytes that were only fetched are read as the stream")
		}
		if v := must[VolumeInfo](t)(s.VolumeInfo(0)); v.Length != fixed.Length {
			t.Errorf("the tail has %d bytes", v.Length)
		}
		clean(t, s)

		check(t, s.TrimAhead(2))
		if names := streamFiles(t, s); len(names) != 6 {
			t.Errorf("after a trim there are %q", names)
		}
		check(t, s.Commit(batches[2:3])) // over what was fetched
		clean(t, s)
		check(t, s.EndAhead())
		if names := streamFiles(t, s); len(names) != 1 {
			t.Errorf("in the end there are %q", names)
		}
		if n := must[int64](t)((&File{s, 0}).Size()); n != int64(s.State().Length) {
			t.Errorf("the tail's file has %d bytes for %d", n, s.State().Length)
		}
		check(t, s.Commit(batches[3:]))
		check(t, s.Close())
		s = must[*Store](t)(Open(again(), Options{}))
		clean(t, s)
		check(t, s.Close())
	})
}

func TestWithoutADownloadOpenCutsToTheCommittedLength(t *testing.T) {
	charter, batches := shortStory(t)
	disks(t, func(t *testing.T, again func() Disk) {
		s := must[*Store](t)(Create(again(), charter, Options{}))
		check(t, s.Commit(batches[:2]))
		download(t, s, 1)
		check(t, s.disk.files().remove(aheadFile))
		check(t, s.Close())
		s = must[*Store](t)(Open(again(), Options{}))
		defer func() { check(t, s.Close()) }()
		if names := streamFiles(t, s); len(names) != 1 {
			t.Errorf("there are %q", names)
		}
		if n := must[int64](t)((&File{s, 0}).Size()); n != int64(s.State().Length) {
			t.Errorf("the tail's file has %d bytes for %d", n, s.State().Length)
		}
	})
}

func TestAPowerLossInADownloadOrAtItsEndHarmsNothing(t *testing.T) {
	charter, batches := shortStory(t)
	run := func(s *Store) error {
		err := s.KeepAhead()
		for _, f := range []func() (*File, error){
			func() (*File, error) { return s.AheadTail(true) },
			func() (*File, error) { return s.Volume(0) },
			func() (*File, error) { return s.Volume(1) },
		} {
			var file *File
			if err == nil {
				file, err = f()
			}
			if err == nil {
				_, err = file.WriteAt(bytes.Repeat([]byte{0xaa}, 3000), 1000)
			}
			if err == nil {
				err = file.Sync()
			}
		}
		if err == nil {
			err = s.EndAhead()
		}
		return err
	}
	base := NewCrashable(3, nil)
	s := must[*Store](t)(Create(base, charter, Options{Small: true}))
	check(t, s.Commit(batches[:2]))
	check(t, s.Close())
	kept := 0
	for step := 1; ; step++ {
		d := base.Restart()
		s := must[*Store](t)(Open(d, Options{Small: true}))
		fixed := s.State().Fixed
		d.CrashAt(step)
		err := run(s)
		if err == nil {
			if kept == 0 || step < 10 {
				t.Errorf("%d steps, a download was kept after %d", step-1, kept)
			}
			check(t, s.Close())
			return
		}
		if !errors.Is(err, ErrCrashed) {
			t.Fatalf("step %d: %v", step, err)
		}
		check(t, s.Close())
		d = d.Restart()
		s = must[*Store](t)(Open(d, Options{Small: true}))
		if s.State().Fixed != fixed {
			t.Fatalf("step %d: the state is another", step)
		}
		if len(streamFiles(t, s)) > 1 {
			kept++
		}
		check(t, s.Commit(batches[2:]))
		clean(t, s)
		check(t, s.EndAhead())
		if names := streamFiles(t, s); len(names) != 1 || streamBytes(d) != int(s.State().Length) {
			t.Fatalf("step %d: in the end there are %q", step, names)
		}
		check(t, s.Close())
	}
}

func TestADownloadLeavesRoomForTheIndex(t *testing.T) {
	charter, _ := shortStory(t)
	d := NewCrashable(1, nil)
	s := must[*Store](t)(Create(d, charter, Options{}))
	defer func() { check(t, s.Close()) }()
	f := must[*File](t)(s.Volume(1))
	d.Fill(SpaceKept + 3*wire.PieceBytes)
	piece := make([]byte, wire.PieceBytes)
	must[int](t)(f.WriteAt(piece, 0))
	if _, err := f.WriteAt(piece, wire.PieceBytes); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(piece, 2*wire.PieceBytes); !errors.Is(err, ErrNoSpace) {
		t.Errorf("got %v", err)
	}
}
