package wire

import (
	"bytes"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

func TestAStateFileIsRefusedWhenItContradictsItself(t *testing.T) {
	s := makeSample(t)
	for name, spoil := range map[string]func(f *StateFile){
		"no checkpoint":         func(f *StateFile) { f.Checkpoint = Checkpoint{} },
		"a gap before the tail": func(f *StateFile) { f.Start++ },
		"an empty volume":       func(f *StateFile) { f.Volumes = append(f.Volumes, VolumeRow{}) },
		"a volume too long":     func(f *StateFile) { f.Start, f.Volumes = VolumeBytesMax+1, []VolumeRow{{Length: VolumeBytesMax + 1}} },
		"an empty shelf":        func(f *StateFile) { f.Shelves = []VolumeRow{{}} },
		"a shelf of volumes":    func(f *StateFile) { f.Start, f.Volumes = 128, bytesEach(128) },
		"too many rows":         func(f *StateFile) { f.Start, f.Shelves, f.Volumes = 300, bytesEach(300), nil },
	} {
		f := *s.State
		spoil(&f)
		if _, err := f.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
	}
}

func bytesEach(n int) []VolumeRow {
	rows := make([]VolumeRow, n)
	for i := range rows {
		rows[i].Length = 1
	}
	return rows
}

func TestAnInfoDictionaryIsOursToTheByteOrRefused(t *testing.T) {
	id := ID{1}
	pieces := make([]byte, 20)
	for name, b := range map[string][]byte{
		"too few pieces":    VolumeInfo(id, 1, PieceBytes+1, pieces),
		"too many pieces":   VolumeInfo(id, 1, PieceBytes, make([]byte, 40)),
		"no pieces":         VolumeInfo(id, 1, 0, nil),
		"part of a piece":   VolumeInfo(id, 1, 1, make([]byte, 21)),
		"volume too long":   VolumeInfo(id, 1, VolumeBytesMax+1, make([]byte, 20*1025)),
		"seven digits":      VolumeInfo(id, 1000000, 1, pieces),
		"negative number":   VolumeInfo(id, -1, 1, pieces),
		"empty tail":        NewestInfo(id, 0, 1, pieces),
		"empty state":       NewestInfo(id, 1, 0, pieces),
		"state too long":    NewestInfo(id, 1, StateBytesMax+1, make([]byte, 40)),
		"private":           bytes.Replace(VolumeInfo(id, 1, 1, pieces), append([]byte("6:pieces20:"), pieces...), append(append([]byte("6:pieces20:"), pieces...), "7:privatei1e"...), 1),
		"other piece size":  bytes.Replace(VolumeInfo(id, 1, 1, pieces), []byte("i16384e"), []byte("i32768e"), 1),
		"other name":        bytes.Replace(VolumeInfo(id, 1, 1, pieces), []byte("weir-"), []byte("wear-"), 1),
		"upper case":        bytes.Replace(VolumeInfo(ID{0xab}, 1, 1, pieces), []byte("weir-ab"), []byte("weir-AB"), 1),
		"not hex":           bytes.Replace(VolumeInfo(id, 1, 1, pieces), []byte("weir-01"), []byte("weir-0g"), 1),
		"newest as volume":  bytes.Replace(VolumeInfo(id, 1, 1, pieces), []byte("52:weir-0100000000000000000000000000000000000000-000001"), []byte("45:weir-0100000000000000000000000000000000000000"), 1),
		"volume as newest":  bytes.Replace(NewestInfo(id, 1, 1, pieces), []byte("45:weir-0100000000000000000000000000000000000000"), []byte("52:weir-0100000000000000000000000000000000000000-000001"), 1),
		"path out":          bytes.Replace(NewestInfo(id, 1, 1, pieces), []byte("l4:tail"), []byte("l2:..4:tail"), 1),
		"other file":        bytes.Replace(NewestInfo(id, 1, 1, pieces), []byte("4:tail"), []byte("4:evil"), 1),
		"one byte too long": make([]byte, infoBytesMax+1),
	} {
		if i, err := ParseInfo(b); err == nil {
			t.Errorf("%s: %+v", name, i)
		}
	}
	largest := NewestInfo(id, VolumeBytesMax, StateBytesMax, make([]byte, 20*(VolumeBytesMax+StateBytesMax)/PieceBytes))
	if _, err := ParseInfo(largest); err != nil {
		t.Error(err)
	}
	if _, err := ParseInfo(VolumeInfo(id, 999999, 1, pieces)); err != nil {
		t.Error(err)
	}
}

func TestEvidenceIsRefusedWhenTheTwoDoNotContradictEachOther(t *testing.T) {
	s := makeSample(t)
	c, n := s.Evidence.Checkpoints, s.Contradicts.Changes
	otherKey, otherNumber, zero := n[1], n[1], n
	otherKey.Key, otherNumber.Number = bob.Public(), 2
	zero[0].Number, zero[1].Number = 0, 0
	grown := func(do func(e *Evidence)) *Evidence {
		e := *s.Outgrows
		do(&e)
		return &e
	}
	for name, e := range map[string]*Evidence{
		"two sizes, and the log begins so": grown(func(e *Evidence) { e.Root = e.Checkpoints[0].Root }),
		"two sizes without a proof":        {Kind: EvidenceCheckpoints, Checkpoints: s.Outgrows.Checkpoints},
		"growth of one size":               grown(func(e *Evidence) { e.Checkpoints[0].Size = e.Checkpoints[1].Size }),
		"growth from nothing":              grown(func(e *Evidence) { e.Checkpoints[0] = Checkpoint{} }),
		"a proof of 55 hashes":             grown(func(e *Evidence) { e.Proof = make([]Hash, proofHashesMax+1) }),
		"a proof that none needs":          grown(func(e *Evidence) { e.Kind = EvidenceCheckpoints }),
		"one checkpoint twice":             {Kind: EvidenceCheckpoints, Checkpoints: [2]Checkpoint{c[0], c[0]}},
		"one root":                         {Kind: EvidenceCheckpoints, Checkpoints: [2]Checkpoint{c[0], {c[0].Size, c[0].Root, c[1].Sig}}},
		"one checkpoint":                   {Kind: EvidenceCheckpoints, Checkpoints: [2]Checkpoint{c[0], {}}},
		"one change twice":                 {Kind: EvidenceChanges, Changes: [2]SignedNumber{n[0], n[0]}},
		"two keys":                         {Kind: EvidenceChanges, Changes: [2]SignedNumber{n[0], otherKey}},
		"two numbers":                      {Kind: EvidenceChanges, Changes: [2]SignedNumber{n[0], otherNumber}},
		"number 0":                         {Kind: EvidenceChanges, Changes: zero},
		"no kind":                          {Changes: n},
		"kind of later":                    {Kind: 4, Changes: n},
	} {
		if _, err := e.Encode(); err == nil {
			t.Errorf("%s: it encodes", name)
		}
	}
	longest := grown(func(e *Evidence) { e.Proof = make([]Hash, proofHashesMax) })
	if b := must[[]byte](t)(longest.Encode()); len(b) != evidenceBytesMax || second(ParseEvidence(b)) != nil {
		t.Errorf("the longest, of %d bytes, does not decode", len(b))
	}
	swapped := &Evidence{Kind: EvidenceChanges, Changes: [2]SignedNumber{n[1], n[0]}}
	a, b := must[[]byte](t)(s.Contradicts.Encode()), must[[]byte](t)(swapped.Encode())
	if !bytes.Equal(a, b) {
		t.Error("the order of the two makes a difference")
	}
	half := (len(a) - 2) / 2
	disordered := append(append(bytes.Clone(a[:2]), a[2+half:]...), a[2:2+half]...)
	if _, err := ParseEvidence(disordered); err == nil {
		t.Error("the two in the wrong order decode")
	}
}

func TestTheProofInTheExampleOfEvidenceVerifiesWithStockTools(t *testing.T) {
	e := makeSample(t).Outgrows
	small, large := e.Sizes()
	var proof tlog.TreeProof
	for _, h := range e.Proof {
		proof = append(proof, tlog.Hash(h))
	}
	if err := tlog.CheckTree(proof, int64(large.Size), tlog.Hash(large.Root), int64(small.Size), tlog.Hash(e.Root)); err != nil {
		t.Error(err)
	}
	if err := tlog.CheckTree(proof, int64(large.Size), tlog.Hash(large.Root), int64(small.Size), tlog.Hash(small.Root)); err == nil {
		t.Error("the larger log begins with the smaller one")
	}
}
