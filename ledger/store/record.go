package store

import (
	"encoding/binary"
	"fmt"

	"weir/keys"
	"weir/ledger"
	"weir/ledger/wire"
)

// recordVersion begins a stored account and the fixed state, recordFormer an
// account that had another key or name.
const (
	recordVersion = 1
	recordFormer  = 2
)

// encodeAccount is every field of an account, numbers as 8 bytes big endian:
//
//	version(1) number key(32) seal(32) lower upper balance suspended(1) last
//	chain(32) admitted day dayCount refused notUntil
//	[rekeyed keysLength formerKeys namesLength formerNames] name(the rest)
//
// What is in brackets is there in version 2, which something of it makes.
func encodeAccount(a ledger.Account) []byte {
	b := []byte{recordVersion}
	former := a.FormerKeys != "" || a.FormerNames != "" || a.Rekeyed != 0
	if former {
		b[0] = recordFormer
	}
	b = binary.BigEndian.AppendUint64(b, a.Number)
	b = append(append(b, a.Key[:]...), a.Seal[:]...)
	for _, n := range []int64{a.Limits.Lower, a.Limits.Upper, a.Balance} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	suspended := byte(0)
	if a.Suspended {
		suspended = 1
	}
	b = append(b, suspended)
	b = binary.BigEndian.AppendUint64(b, a.Last)
	b = append(b, a.Chain[:]...)
	for _, n := range []int64{a.Admitted, a.Day, int64(a.DayCount), int64(a.Refused), a.NotUntil} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if former {
		b = binary.BigEndian.AppendUint64(b, a.Rekeyed)
		for _, list := range []string{a.FormerKeys, a.FormerNames} {
			b = binary.BigEndian.AppendUint64(b, uint64(len(list)))
			b = append(b, list...)
		}
	}
	return append(b, a.Name...)
}

func decodeAccount(b []byte) (ledger.Account, error) {
	r := reader{b: b}
	former := len(b) > 0 && b[0] == recordFormer
	if former {
		r.take(1)
	} else {
		r.version()
	}
	var a ledger.Account
	a.Number = r.uint()
	a.Key, a.Seal = keys.Public(r.hash()), keys.SealPublic(r.hash())
	a.Limits.Lower, a.Limits.Upper, a.Balance = int64(r.uint()), int64(r.uint()), int64(r.uint())
	suspended := r.take(1)[0]
	a.Suspended = suspended == 1
	a.Last, a.Chain = r.uint(), wire.Hash(r.hash())
	a.Admitted, a.Day = int64(r.uint()), int64(r.uint())
	a.DayCount, a.Refused, a.NotUntil = int(r.uint()), int(r.uint()), int64(r.uint())
	if former {
		a.Rekeyed, a.FormerKeys, a.FormerNames = r.uint(), r.list(), r.list()
		r.bad = r.bad || a.FormerKeys == "" && a.FormerNames == "" && a.Rekeyed == 0 || len(a.FormerKeys)%len(a.Key) != 0
	}
	a.Name = string(r.b)
	if r.bad || suspended > 1 || len(a.Name) > wire.NameBytesMax {
		return a, fmt.Errorf("%w: the record of an account", ErrDamaged)
	}
	return a, nil
}

// encodeFixed: version(1) size length volume volumes root(32) time accepted
// refused.
func encodeFixed(f ledger.Fixed) []byte {
	b := []byte{recordVersion}
	for _, n := range []uint64{f.Size, f.Length, f.Volume, uint64(f.Volumes)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, f.Root[:]...)
	for _, n := range []uint64{uint64(f.Time), f.Accepted, f.Refused} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func decodeFixed(b []byte) (ledger.Fixed, error) {
	r := reader{b: b}
	r.version()
	var f ledger.Fixed
	f.Size, f.Length, f.Volume, f.Volumes = r.uint(), r.uint(), r.uint(), int(r.uint())
	f.Root = r.hash()
	f.Time, f.Accepted, f.Refused = int64(r.uint()), r.uint(), r.uint()
	if r.bad || len(r.b) > 0 || f.Volume > f.Length || f.Volumes < 0 {
		return f, fmt.Errorf("%w: the record of the fixed state", ErrDamaged)
	}
	return f, nil
}

// volume is where a volume lies in the stream, and of a full one its hashes.
type volume struct {
	start, length uint64
	sha256        [32]byte
	infohash      [20]byte
	shelved       bool           // what follows was computed
	large         string         // packed hashes of its shelf's pieces that end in it
	shelf         wire.VolumeRow // of its shelf, in the last volume of one
}

func encodeVolume(v volume) []byte {
	b := binary.BigEndian.AppendUint64(nil, v.start)
	b = binary.BigEndian.AppendUint64(b, v.length)
	return v.appendShelf(append(append(b, v.sha256[:]...), v.infohash[:]...))
}

func decodeVolume(b []byte) (volume, error) {
	r := reader{b: b}
	v := volume{start: r.uint(), length: r.uint(), sha256: r.hash()}
	copy(v.infohash[:], r.take(20))
	v.readShelf(&r)
	if r.bad || len(r.b) > 0 {
		return v, fmt.Errorf("%w: the record of a volume", ErrDamaged)
	}
	return v, nil
}

// reader takes fields from the front of b; once it is short it is bad and gives
// zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) version() {
	if r.take(1)[0] != recordVersion {
		r.bad = true
	}
}

// list is bytes behind their length.
func (r *reader) list() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	return string(r.take(int(n)))
}

func (r *reader) uint() uint64   { return binary.BigEndian.Uint64(r.take(8)) }
func (r *reader) hash() [32]byte { return [32]byte(r.take(32)) }
