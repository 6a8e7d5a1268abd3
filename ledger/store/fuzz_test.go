package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"weir/ledger"
	"weir/ledger/wire"
)

// fill sets every field of a struct to a value of its own, so that a field that
// a record forgets is noticed, also one that comes later.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Uint64:
			f.SetUint(uint64(1000 + i))
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(2000 + i))
		case reflect.String:
			f.SetString("name")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Array:
			f.Index(0).SetUint(uint64(100 + i))
			f.Index(f.Len() - 1).SetUint(uint64(200 + i))
		case reflect.Struct:
			fill(t, f)
		default:
			t.Fatalf("a field of kind %s", f.Kind())
		}
	}
}

func filledAccount(t *testing.T) (a ledger.Account) {
	fill(t, reflect.ValueOf(&a).Elem())
	a.FormerKeys = strings.Repeat("k", 64)
	return a
}

func filledFixed(t *testing.T) (f ledger.Fixed) {
	fill(t, reflect.ValueOf(&f).Elem())
	f.Length = f.Volume + 1
	return f
}

func TestRecordsHoldEveryField(t *testing.T) {
	a := filledAccount(t)
	if got := must[ledger.Account](t)(decodeAccount(encodeAccount(a))); got != a {
		t.Errorf("%+v, want %+v", got, a)
	}
	a = ledger.Account{Balance: -5, Limits: wire.Limits{Lower: -1 << 52}, Day: -1}
	if got := must[ledger.Account](t)(decodeAccount(encodeAccount(a))); got != a {
		t.Errorf("%+v, want %+v", got, a)
	}
	f := filledFixed(t)
	if got := must[ledger.Fixed](t)(decodeFixed(encodeFixed(f))); got != f {
		t.Errorf("%+v, want %+v", got, f)
	}
	v := volume{start: 1, length: 2, sha256: [32]byte{3}, infohash: [20]byte{4}}
	if got := must[volume](t)(decodeVolume(encodeVolume(v))); got != v {
		t.Errorf("%+v, want %+v", got, v)
	}
}

func FuzzRecordsThatDecodeEncodeToTheSame(f *testing.F) {
	f.Add(byte(0), encodeAccount(ledger.Account{Number: 3, Name: "anna", Suspended: true}))
	f.Add(byte(0), encodeAccount(ledger.Account{Number: 3, Name: "anna", FormerNames: "\x03ana", FormerKeys: strings.Repeat("k", 32), Rekeyed: 7}))
	f.Add(byte(1), encodeFixed(ledger.Fixed{Size: 2, Length: 9, Volume: 4, Volumes: 1}))
	f.Add(byte(2), encodeVolume(volume{start: 1, length: 2}))
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		var again []byte
		var err error
		switch kind % 3 {
		case 0:
			var a ledger.Account
			if a, err = decodeAccount(b); err == nil {
				again = encodeAccount(a)
			}
		case 1:
			var x ledger.Fixed
			if x, err = decodeFixed(b); err == nil {
				again = encodeFixed(x)
			}
		case 2:
			var v volume
			if v, err = decodeVolume(b); err == nil {
				again = encodeVolume(v)
			}
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("got %v", err)
		}
		if err == nil && !bytes.Equal(again, b) {
			t.Fatalf("%x decodes, and encodes to %x", b, again)
		}
	})
}

func FuzzFormat(f *testing.F) {
	for _, text := range []string{"weir store 1\n", "weir store 2\n", "weir store 4\n", "weir store 5\n", "weir store 1 unfinished\n", "weir store 01\n", "weir store\n", ""} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := parseFormat(b)
		switch string(b) {
		case "weir store 1\n", "weir store 2\n", "weir store 3\n", "weir store 4\n":
			if err != nil {
				t.Fatalf("got %v", err)
			}
		case "weir store 1 unfinished\n", "weir store 2 unfinished\n", "weir store 3 unfinished\n", "weir store 4 unfinished\n":
			if !errors.Is(err, ErrNotFound) {
				t.Fatalf("got %v", err)
			}
		default:
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion) {
				t.Fatalf("%q: got %v", b, err)
			}
		}
	})
}

func FuzzCounts(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeCount(0))
	f.Add(append(encodeCount(2), make([]byte, countApart)...))
	f.Add(append(append(encodeCount(4), make([]byte, countApart-countBytes)...), encodeCount(5)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := decodeCounts(b)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("got %v", err)
		}
		if err == nil && !bytes.Contains(b, encodeCount(n)) {
			t.Fatalf("%d does not stand in %x", n, b)
		}
	})
}

// FuzzDamagedStream damages a volume in several places at once. Audit must end,
// and say so.
func FuzzDamagedStream(f *testing.F) {
	f.Add(uint16(0), []byte{1})
	f.Add(uint16(700), []byte{0, 0, 0, 0, 255, 255, 255, 255})
	f.Add(uint16(1000), bytes.Repeat([]byte{0xff}, 200))
	charter, batches := shortStory(f)
	d := NewCrashable(1, nil)
	_, s, err := play(d, charter, batches)
	check(f, err)
	check(f, s.Close())
	whole := bytes.Clone(d.names[volumeName(0)].data)
	f.Fuzz(func(t *testing.T, at uint16, mask []byte) {
		data := d.names[volumeName(0)].data
		defer copy(data, whole)
		for i, x := range mask {
			if n := int(at) + i; n < len(data) {
				data[n] ^= x
			}
		}
		report, err := Audit(d, Options{}, nil)
		check(t, err)
		if report.OK() != bytes.Equal(data, whole) {
			t.Fatalf("damage at %d is not found", at)
		}
	})
}

func FuzzRows(f *testing.F) {
	seed := func(rows string) { f.Add([]byte(rowsName + "3\n" + rows)) }
	seed("\x00\x00\x00\x00\x00\x00")
	seed("\x00\x01\x00\x00\x00\x02fxx\x00\x02\x00\x00\x00\x00ka\x00\x00\x00\x00\x00\x00")
	seed("\x00\x01\xff\xff\xff\xfff")
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		version, err := readRows(bytes.NewReader(b), func(key, value []byte) error {
			again = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(again, uint16(len(key))), uint32(len(value)))
			again = append(append(again, key...), value...)
			return nil
		})
		if err != nil {
			return
		}
		head := fmt.Appendf(nil, "%s%d\n", rowsName, version)
		if again = append(append(head, again...), make([]byte, 6)...); !bytes.Equal(again, b) {
			t.Fatalf("%q was read, and is written %q", b, again)
		}
	})
}
