package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/ledger/wire"
)

func TestADamagedByteAnywhereIsFound(t *testing.T) {
	charter, batches := shortStory(t)
	d := NewCrashable(1, nil)
	_, s, err := play(d, charter, batches)
	check(t, err)
	check(t, s.Close())
	report := must[*Report](t)(Audit(d, Options{}, nil))
	if !report.OK() {
		t.Fatalf("the audit of what is whole found %v", report.Findings)
	}
	opened := 0
	for _, name := range []string{formatFile, charterFile, volumeName(0)} {
		stride := 1
		if name != formatFile {
			stride = 13
		}
		size := len(d.names[name].data)
		for off := 0; off < size; off += stride {
			check(t, d.Damage(name, int64(off)))
			report, err := Audit(d, Options{}, nil)
			switch {
			case err != nil && !errors.Is(err, ErrDamaged):
				t.Fatalf("%s at %d: got %v", name, off, err)
			case err == nil && report.OK():
				t.Fatalf("%s at %d: the audit finds nothing", name, off)
			case err == nil:
				opened++
			}
			check(t, d.Damage(name, int64(off)))
		}
	}
	if opened == 0 {
		t.Error("no audit got as far as a report")
	}
	if report := must[*Report](t)(Audit(d, Options{}, nil)); !report.OK() {
		t.Fatalf("the audit of what is mended found %v", report.Findings)
	}
}

func TestAnAuditChangesNothing(t *testing.T) {
	charter, batches := shortStory(t)
	dir := filepath.Join(t.TempDir(), "db")
	s := must[*Store](t)(Create(must[Disk](t)(OS(dir)), charter, Options{}))
	check(t, s.Commit(batches, KV{"a", []byte("b")}))
	must[int](t)(must[*File](t)(s.Volume(0)).WriteAt([]byte("ahead"), int64(s.State().Length)))
	want := *must[*Report](t)(s.Audit(nil))
	check(t, s.Close())
	read := func() (all string) {
		check(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			check(t, err)
			if !e.IsDir() {
				all += path + "\x00" + string(must[[]byte](t)(os.ReadFile(path))) + "\x00"
			}
			return nil
		}))
		return all
	}
	before := read()
	var done, total uint64
	got := *must[*Report](t)(Audit(must[Disk](t)(OS(dir)), Options{}, func(d, t uint64) {
		if d < done {
			panic("progress went back")
		}
		done, total = d, t
	}))
	if before != read() {
		t.Error("the audit of a closed store wrote to it")
	}
	if done == 0 || done != total {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	if !reflect.DeepEqual(got, want) || !got.OK() || got.Records != 1 || got.Members != 3 || got.Entries != got.Size-1 {
		t.Errorf("closed %+v, open %+v", got, want)
	}
}

func TestOpenRefusesAShorterStreamAndADamagedEnd(t *testing.T) {
	charter, batches := shortStory(t)
	for name, damage := range map[string]func(d *Crashable){
		"a file too short":   func(d *Crashable) { m := d.names[volumeName(0)]; m.data = m.data[:len(m.data)-1] },
		"a file missing":     func(d *Crashable) { delete(d.names, volumeName(0)) },
		"no charter":         func(d *Crashable) { delete(d.names, charterFile) },
		"another charter":    func(d *Crashable) { d.names[charterFile].data[60] ^= 1 },
		"a byte of the end":  func(d *Crashable) { m := d.names[volumeName(0)]; m.data[len(m.data)-1] ^= 1 },
		"a charter too long": func(d *Crashable) { d.names[charterFile].resize(1 << 20) },
		"a FORMAT too long":  func(d *Crashable) { d.names[formatFile].resize(1 << 20) },
		"no index":           func(d *Crashable) { check(t, d.mem.RemoveAll("/"+indexDir)) },
		"no FORMAT":          func(d *Crashable) { delete(d.names, formatFile) },
		"no table":           func(d *Crashable) { d.dropTable(t) },
		"no stream":          func(d *Crashable) { delete(d.names, volumeName(0)); delete(d.dirs, streamDir) },
	} {
		t.Run(name, func(t *testing.T) {
			d := NewCrashable(1, nil)
			_, s, err := play(d, charter, batches)
			check(t, err)
			check(t, s.Close())
			damage(d)
			if _, err := Open(d, Options{Small: true}); !errors.Is(err, ErrDamaged) {
				t.Errorf("Open gave %v", err)
			}
			if report, err := Audit(d, Options{}, nil); err == nil && report.OK() || err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("Audit gave %v, %v", report, err)
			}
			if _, err := Create(d, charter, Options{Small: true}); err == nil {
				t.Error("Create made a new store over a damaged one")
			}
		})
	}
}

// dropTable removes one of pebble's tables.
func (c *Crashable) dropTable(t *testing.T) {
	s := must[*Store](t)(Open(c, Options{Small: true}))
	check(t, s.index.db.Flush())
	check(t, s.Close())
	for _, name := range must[[]string](t)(c.mem.List("/" + indexDir)) {
		if strings.HasSuffix(name, ".sst") {
			check(t, c.mem.Remove("/"+indexDir+"/"+name))
			return
		}
	}
	t.Fatal("there is no table")
}

func TestADamagedFileOfTheIndexIsFound(t *testing.T) {
	if testing.Short() { // as with the race detector, which finds nothing in what runs on one thread
		t.Skip("long, on one thread")
	}
	charter, batches := shortStory(t)
	base := NewCrashable(1, nil)
	_, s, err := play(base, charter, batches)
	check(t, err)
	check(t, s.index.db.Flush()) // tables, and then a log
	check(t, s.Commit(nil, KV{"a", []byte("b")}))
	check(t, s.Commit(nil, KV{"c", bytes.Repeat([]byte("d"), 4<<10)}))
	for i := range 20 {
		check(t, s.Commit(nil, KV{"e", bytes.Repeat([]byte("f"), 1+50*i)}))
	}
	want := must[wire.Hash](t)(s.Fingerprint())
	check(t, s.Close())
	found, harmless := map[string]int{}, map[string]int{}
	for _, name := range must[[]string](t)(base.Restart().mem.List("/" + indexDir)) {
		path := "/" + indexDir + "/" + name
		size := len(must[[]byte](t)(base.Restart().mem.UnsafeGetFileDataBuffer(path)))
		kind := name[max(0, len(name)-4):]
		for off := 0; off < size; off += 1 + size/30 {
			d := base.Restart()
			before := d.streams()
			must[[]byte](t)(d.mem.UnsafeGetFileDataBuffer(path))[off] ^= 0xff
			report, errAudit := Audit(d, Options{}, nil)
			if errAudit != nil && !errors.Is(errAudit, ErrDamaged) && kind != "0003" {
				t.Errorf("%s at %d: the audit gave %v", name, off, errAudit)
			}
			s, err := Open(d, Options{Small: true})
			if d.streams() != before {
				t.Fatalf("%s at %d: the stream was changed", name, off)
			}
			if err != nil {
				if !errors.Is(err, ErrDamaged) && kind != "0003" { // pebble's OPTIONS
					t.Fatalf("%s at %d: got %v", name, off, err)
				}
				if _, err := Open(d, Options{Small: true}); err == nil {
					t.Fatalf("%s at %d: the damage is forgotten", name, off)
				}
				found[kind]++
				continue
			}
			if _, err := s.Audit(nil); err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s at %d: the audit of the open store gave %v", name, off, err)
			}
			switch got, err := s.Fingerprint(); {
			case err != nil || errAudit != nil || !report.OK():
				found[kind]++
			case got == want:
				harmless[kind]++
			default:
				t.Errorf("%s at %d: lost without a word", name, off)
			}
			check(t, s.Close())
		}
	}
	t.Logf("found %v, harmless %v", found, harmless)
	if found[".log"] < 10 || found[".sst"] == 0 {
		t.Errorf("found %v", found)
	}
}

// streams is what the stream's files hold.
func (c *Crashable) streams() (all string) {
	for _, name := range sortedNames(c.names) {
		if strings.HasPrefix(name, streamDir) {
			all += name + "\x00" + string(c.names[name].data)
		}
	}
	return all
}

func TestACommitThatIsMissingFromTheIndexIsFound(t *testing.T) {
	charter, batches := shortStory(t)
	base := NewCrashable(1, nil)
	_, s, err := play(base, charter, batches[:len(batches)-1])
	check(t, err)
	check(t, s.Close())
	older := base.mem.CrashClone(vfs.CrashCloneCfg{})
	_, s, err = play(base, charter, batches)
	check(t, err)
	check(t, s.Commit(nil, KV{"a", []byte("b")}))
	check(t, s.Close())
	refused := func(d *Crashable) {
		t.Helper()
		_, err := Open(d, Options{Small: true})
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("Open gave %v", err)
		}
		if _, err := Audit(d, Options{}, nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("Audit gave %v", err)
		}
	}
	d := base.Restart()
	before := d.streams()
	d.mem = older
	refused(d)
	if d.streams() != before {
		t.Error("a stream with more than the index was cut")
	}
	d = base.Restart()
	check(t, d.files().remove(countFile))
	refused(d)
	for place := range int64(2) {
		d = base.Restart()
		check(t, d.Damage(countFile, place*countApart+3))
		s := must[*Store](t)(Open(d, Options{Small: true}))
		check(t, s.Close())
		d = base.Restart()
		check(t, d.Damage(countFile, 3))
		check(t, d.Damage(countFile, countApart+3))
		refused(d)
	}
}

func TestACountThatCannotBeWrittenHoldsUpTheNextCommit(t *testing.T) {
	charter, _ := shortStory(t)
	d := NewCrashable(1, nil)
	var said []string
	s := must[*Store](t)(Create(d, charter, Options{Small: true, Event: func(line string) { said = append(said, line) }}))
	d.FailStream(1, errInjected)
	check(t, s.Commit(nil, KV{"a", []byte("b")})) // it is there
	if len(said) != 1 || !strings.Contains(said[0], countFile) {
		t.Errorf("said %q", said)
	}
	d.FailStream(1, errInjected)
	if err := s.Commit(nil, KV{"c", []byte("d")}); !errors.Is(err, errInjected) || errors.Is(err, ErrBroken) {
		t.Errorf("got %v", err)
	}
	check(t, s.Commit(nil, KV{"e", []byte("f")}))
	clean(t, s)
	check(t, s.Close())
	s = must[*Store](t)(Open(d.Restart(), Options{Small: true}))
	defer s.Close()
	for _, key := range []string{"a", "e"} {
		if _, ok, err := s.Get(key); !ok || err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, ok, _ := s.Get("c"); ok {
		t.Error("a commit that failed is there")
	}
}

func TestAWrongRowOfTheIndexIsFound(t *testing.T) {
	charter, batches := shortStory(t)
	rowsOf := func(t *testing.T, d *Crashable, change func(b *pebble.Batch, keys [][]byte)) *Report {
		s := must[*Store](t)(Open(d, Options{Small: true}))
		defer func() { check(t, s.Close()) }()
		var keys [][]byte
		it := must[*pebble.Iterator](t)(s.index.db.NewIter(nil))
		for ok := it.First(); ok; ok = it.Next() {
			keys = append(keys, slices.Clone(it.Key()))
		}
		check(t, it.Close())
		b := s.index.db.NewBatch()
		change(b, keys)
		check(t, b.Commit(pebble.Sync))
		return must[*Report](t)(s.Audit(nil))
	}
	base := NewCrashable(1, nil)
	_, s, err := play(base, charter, batches)
	check(t, err)
	check(t, s.Close())
	var kinds []byte
	rowsOf(t, base.Restart(), func(_ *pebble.Batch, keys [][]byte) {
		for _, k := range keys {
			if !slices.Contains(kinds, k[0]) {
				kinds = append(kinds, k[0])
			}
		}
	})
	if string(kinds) != "acfhknopt" {
		t.Fatalf("kinds of rows: %q", kinds)
	}
	for _, kind := range kinds {
		if kind == rowKey {
			continue
		}
		for what, change := range map[string]func(b *pebble.Batch, key []byte){
			"missing":  func(b *pebble.Batch, key []byte) { _ = b.Delete(key, nil) },
			"changed":  func(b *pebble.Batch, key []byte) { _ = b.Set(key, []byte("12345678"), nil) },
			"too many": func(b *pebble.Batch, key []byte) { _ = b.Set(slices.Concat(key, []byte{0}), []byte("12345678"), nil) },
		} {
			r := rowsOf(t, base.Restart(), func(b *pebble.Batch, keys [][]byte) {
				for _, k := range keys {
					if k[0] == kind {
						change(b, k)
						return
					}
				}
			})
			if r.OK() {
				t.Errorf("a row of kind %q that is %s is not found", kind, what)
			}
		}
	}
}
