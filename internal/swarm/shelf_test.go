package swarm

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"testing"

	"weir/ledger/wire"
)

// shelf is a shelf of short volumes.
func shelf(seed uint64, each int) (info, content []byte) {
	lengths := slices.Repeat([]uint64{uint64(each)}, wire.ShelfVolumes)
	content = random(seed, each*wire.ShelfVolumes)
	var pieces []byte
	for p := range slices.Chunk(content, wire.ShelfPieceBytes) {
		sum := sha1.Sum(p)
		pieces = append(pieces, sum[:]...)
	}
	return wire.ShelfInfo(wire.ID{1}, 0, lengths, pieces), content
}

func TestAShelfIsOneTorrentOfManyFiles(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.client(), w.client(), w.client()
	info, content := shelf(30, 40_001)
	w.serve(a, info, content)
	_, r := w.fetch(b, info, content, 0, a)
	if most := int64(len(content) + len(content)/256 + 64<<10); r.Received > most {
		t.Errorf("received %d bytes, want at most %d", r.Received, most)
	}
	a.Stop(wire.Infohash(info))
	m := &memory{b: bytes.Clone(content)}
	m.b[wire.ShelfPieceBytes] ^= 1 // of five pieces the second
	r = w.resume(c, info, m, 0, b)
	if r.Err != nil || !bytes.Equal(m.bytes(), content) {
		t.Fatalf("got %v", r.Err)
	}
	if r.Here != int64(len(content))-wire.ShelfPieceBytes || r.Received > wire.ShelfPieceBytes+wire.ShelfPieceBytes/256+64<<10 {
		t.Errorf("%d bytes were there, %d were received", r.Here, r.Received)
	}
}

func TestRubbishOnAShelfDelaysAFetchAndDoesNotStopIt(t *testing.T) {
	w := newWorld(t)
	bad, good, b := w.client(), w.client(), w.client()
	info, content := shelf(31, 20_000)
	w.serve(bad, info, random(32, len(content)))
	w.serve(good, info, content)
	w.fetch(b, info, content, 0, bad, good)
}
