package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"

	"weir/ledger"
	"weir/ledger/wire"
)

// carry copies what a backup of a store has to a disk: charter, the committed
// bytes of the volumes, and rows.
func carry(t testing.TB, from *Store, to Disk) Dump {
	t.Helper()
	var rows bytes.Buffer
	d := must[Dump](t)(from.Dump(&rows))
	there := to.files()
	check(t, there.mkdir(streamDir))
	for n, v := range d.Volumes {
		f := must[file](t)(from.disk.files().open(VolumeFile(n)))
		b := make([]byte, v.Length)
		check(t, readFull(f, b, 0))
		check(t, f.Close())
		check(t, writeFile(there, VolumeFile(n), b))
	}
	check(t, writeFile(there, CharterFile, from.Charter()))
	check(t, writeFile(there, RowsFile, rows.Bytes()))
	return d
}

func TestAStoreIsPutTogetherFromItsDump(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		s := makeStory(t, 3, encrypted)
		for n := range 4 {
			s.pay(t, n+1)
		}
		check(t, s.store.Commit(nil, KV{"member/outbox", []byte("what waits")}))
		want := must[wire.Hash](t)(s.store.Fingerprint())
		disk := NewCrashable(7, nil)
		d := carry(t, s.store, disk)
		s.pay(t, 1) // later: it is not in the backup
		if _, err := Open(disk, s.options()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("before it is put together it opens with %v", err)
		}
		check(t, Assemble(disk))
		if err := Assemble(disk); !errors.Is(err, ErrExists) {
			t.Fatalf("once more: %v", err)
		}
		again := must[*Store](t)(Open(disk, s.options()))
		if got := must[wire.Hash](t)(again.Fingerprint()); got != want {
			t.Fatal("the contents are others")
		}
		if st := again.State(); st.Size != d.Size || st.Length != d.Length {
			t.Fatalf("the dump says %+v, the store has %+v", d, st.Fixed)
		}
		clean(t, again)
		check(t, again.Commit(nil, KV{"next", []byte("commit")}))
		check(t, again.Close())
	}
}

func TestADumpHasTheFullVolumesToo(t *testing.T) {
	l := newLibrary(t)
	s := must[*Store](t)(Create(NewCrashable(1, nil), l.charter, Options{Small: true}))
	check(t, s.Commit([]*ledger.Batch{l.sweep(t, small(5)...)}))
	want := must[wire.Hash](t)(s.Fingerprint())
	disk := NewCrashable(7, nil)
	d := carry(t, s, disk)
	if len(d.Volumes) != 6 {
		t.Fatalf("there are %d volumes", len(d.Volumes))
	}
	for n, v := range d.Volumes {
		b := must[[]byte](t)(readFile(disk.files(), VolumeFile(n), 1<<23))
		if sha256.Sum256(b) != v.SHA256 {
			t.Errorf("the hash of volume %d is another", n)
		}
	}
	check(t, s.Close())
	check(t, Assemble(disk))
	s = must[*Store](t)(Open(disk, Options{Small: true}))
	if got := must[wire.Hash](t)(s.Fingerprint()); got != want {
		t.Error("the contents are others")
	}
	check(t, s.Close())
}

func TestAPowerLossWhileAStoreIsPutTogetherLeavesNoneOrAWholeOne(t *testing.T) {
	s := newStory(t, 3)
	s.pay(t, 3)
	want := must[wire.Hash](t)(s.store.Fingerprint())
	for step := 1; ; step++ {
		disk := NewCrashable(uint64(step), nil)
		carry(t, s.store, disk)
		disk.CrashAt(step)
		err := Assemble(disk)
		if err == nil {
			if step < 5 {
				t.Fatalf("there were only %d steps", step)
			}
			return
		}
		again, err := Open(disk.Restart(), s.options())
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDamaged) {
			continue
		}
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if got := must[wire.Hash](t)(again.Fingerprint()); got != want {
			t.Fatalf("step %d: the contents are others", step)
		}
		check(t, again.Close())
	}
}

func TestWhatIsNotADumpMakesNoStore(t *testing.T) {
	s := newStory(t, 2)
	var rows bytes.Buffer
	must[Dump](t)(s.store.Dump(&rows))
	for _, c := range []struct {
		what string
		rows []byte
		want error
	}{
		{"nothing", nil, ErrDamaged},
		{"another file", []byte("weir store 3\n"), ErrDamaged},
		{"rows of a newer weir", []byte(fmt.Sprintf("%s%d\n", rowsName, formatVersion+1)), ErrVersion},
		{"half of them", rows.Bytes()[:rows.Len()/2], ErrDamaged},
		{"no end", rows.Bytes()[:rows.Len()-6], ErrDamaged},
		{"more behind the end", append(bytes.Clone(rows.Bytes()), 0), ErrDamaged},
		{"rows that are out of order", []byte(rowsName + "3\n\x00\x01\x00\x00\x00\x00f\x00\x01\x00\x00\x00\x00c\x00\x00\x00\x00\x00\x00"), ErrDamaged},
		{"rows of something else", []byte(rowsName + "3\n\x00\x01\x00\x00\x00\x00z\x00\x00\x00\x00\x00\x00"), ErrDamaged},
		{"a row that is too large", []byte(rowsName + "3\n\x00\x01\xff\xff\xff\xfff"), ErrDamaged},
	} {
		disk := NewCrashable(7, nil)
		carry(t, s.store, disk)
		check(t, writeFile(disk.files(), RowsFile, c.rows))
		if err := Assemble(disk); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", c.what, err)
		}
		if _, err := Open(disk, s.options()); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: a store opens with %v", c.what, err)
		}
	}
}

func TestEveryKindOfRowIsDumped(t *testing.T) {
	b := must[[]byte](t)(os.ReadFile("key.go"))
	kinds := regexp.MustCompile(`(?m)^\trow\w+ += '(.)'`).FindAllSubmatch(b, -1)
	if len(kinds) < 10 {
		t.Fatalf("key.go has %d kinds of rows", len(kinds))
	}
	for _, k := range kinds {
		if !isRow(k[1][0]) {
			t.Errorf("a row %s would be lost in a backup", k[1])
		}
	}
}

func TestADamagedTailIsNotDumped(t *testing.T) {
	s := newStory(t, 3)
	s.pay(t, 3)
	check(t, s.store.disk.(*Crashable).Damage(VolumeFile(0), 40))
	if _, err := s.store.Dump(&bytes.Buffer{}); !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v", err)
	}
	check(t, s.store.disk.(*Crashable).Damage(VolumeFile(0), 40))
}
